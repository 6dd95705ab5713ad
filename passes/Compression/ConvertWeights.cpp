// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Compression/ModelBody.h"
#include "passes/Compression/Passes.h"

namespace umber {
#define GEN_PASS_DEF_CONVERTWEIGHTSPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

struct ConvertWeights : ::umber::impl::ConvertWeightsPassBase<ConvertWeights> {
  using ConvertWeightsPassBase::ConvertWeightsPassBase;

  void runOnOperation() override {
    if (bits != 16 && bits != 32) {
      getOperation().emitError("expected 16 or 32 bits, found ")
          << bits.getValue();
      return signalPassFailure();
    }
    Builder builder(&getContext());
    Type element =
        bits == 16 ? Type(builder.getF16Type()) : builder.getF32Type();
    // Those are f16 in every package.
    SmallVector<ParamOp> corrections =
        ::umber::ModelBody(getOperation()).corrections;
    for (auto param : getOperation().getOps<ParamOp>()) {
      RankedTensorType type = param.getTensorType();
      if (type.getRank() != 2 || type.getEncoding() || param.getValue() ||
          llvm::is_contained(corrections, param)) {
        continue;
      }
      param.setType(RankedTensorType::get(type.getShape(), element));
    }
  }
};

} // namespace
