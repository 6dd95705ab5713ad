// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Verify/Passes.h"

namespace umber {
#define GEN_PASS_DEF_VERIFYMODELPASS
#include "passes/Verify/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

bool isTensor(Type type, Type element, int64_t rank) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType() == element &&
         tensor.getRank() == rank;
}

LogicalResult verifyEntryPoint(func::FuncOp function, ModelAttr model) {
  Builder b(function.getContext());
  ArrayRef<Type> in = function.getArgumentTypes();
  ArrayRef<Type> out = function.getResultTypes();
  bool takesAdapters = in.size() == 5 && isa<AdaptersType>(in[4]);
  bool fits = !function.isExternal() && (in.size() == 4 || takesAdapters) &&
              out.size() == 2 && isTensor(in[0], b.getI32Type(), 1) &&
              in[1].isIndex() && in[2].isIndex() && isa<KVCacheType>(in[3]) &&
              isTensor(out[0], b.getF32Type(), 2) && out[1] == in[3];
  if (!fits) {
    return function.emitError("expected an entry point (tensor<?xi32>, index, "
                              "index, cache[, adapters]) -> (tensor<?x")
           << model.getVocab() << "xf32>, cache), found "
           << function.getFunctionType();
  }
  int64_t vocab = cast<RankedTensorType>(out[0]).getDimSize(1);
  if (vocab != model.getVocab()) {
    return function.emitError("expected logits for a vocabulary of ")
           << model.getVocab() << ", found " << vocab;
  }
  return success();
}

struct VerifyModel : ::umber::impl::VerifyModelPassBase<VerifyModel> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto model = module->getAttrOfType<ModelAttr>(kModelAttrName);
    if (!model) {
      module.emitError("expected a module with the attribute '")
          << kModelAttrName << "'";
      return signalPassFailure();
    }
    bool any = false;
    for (StringRef name : {"step", "decode", "prefill"}) {
      if (auto function = module.lookupSymbol<func::FuncOp>(name)) {
        any = true;
        if (failed(verifyEntryPoint(function, model))) {
          return signalPassFailure();
        }
      }
    }
    if (!any) {
      module.emitError("expected an entry point 'step', or 'decode' and "
                       "'prefill', found none");
      return signalPassFailure();
    }
  }
};

} // namespace
