// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Specialization/Passes.h"

namespace umber {
#define GEN_PASS_DEF_SPECIALIZEPASS
#include "passes/Specialization/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

/// Gives every value that has as many rows as `ids` a static number of rows.
/// Rows flow from an op's first operand to its result in all ops but slices,
/// whose sizes are their own.
void setRows(func::FuncOp function, int64_t tokens) {
  llvm::DenseSet<Value> known;
  auto refine = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (type && type.getRank() > 0 && type.isDynamicDim(0)) {
      SmallVector<int64_t> shape(type.getShape());
      shape[0] = tokens;
      value.setType(type.clone(shape));
      known.insert(value);
    }
  };
  for (BlockArgument argument : function.getArguments()) {
    refine(argument);
  }
  function.walk([&](Operation *op) {
    if (isa<tensor::ExtractSliceOp, func::FuncOp>(op)) {
      return;
    }
    if (llvm::any_of(op->getOperands(),
                     [&](Value operand) { return known.contains(operand); })) {
      for (Value result : op->getResults()) {
        refine(result);
      }
    }
  });
  auto ret = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  function.setType(FunctionType::get(function.getContext(),
                                     function.getBody().getArgumentTypes(),
                                     ret.getOperandTypes()));
}

class Specialize : public ::umber::impl::SpecializePassBase<Specialize> {
public:
  using SpecializePassBase::SpecializePassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto step = module.lookupSymbol<func::FuncOp>("step");
    if (!step || step.isExternal() || !step.getBody().hasOneBlock()) {
      module.emitError("expected a function 'step' of one block");
      return signalPassFailure();
    }
    OpBuilder builder(step);
    for (int64_t maxTokens : tokens) {
      if (maxTokens < 1) {
        step.emitError("expected at least 1 token, found ") << maxTokens;
        return signalPassFailure();
      }
      StringRef name = maxTokens == 1 ? "decode" : "prefill";
      if (module.lookupSymbol(name)) {
        step.emitError("expected one number of tokens per entry point, found a "
                       "second for '")
            << name << "'";
        return signalPassFailure();
      }
      auto copy = cast<func::FuncOp>(builder.clone(*step));
      copy.setName(name);
      copy->setAttr("umber.max_tokens", builder.getI64IntegerAttr(maxTokens));
      if (maxTokens == 1) {
        setRows(copy, 1);
      }
    }
    step.erase();
  }
};

} // namespace
