// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/IR/Builders.h"
#include "passes/Adapters/AdapterSites.h"
#include "passes/Adapters/Passes.h"

namespace umber {
#define GEN_PASS_DEF_ATTACHADAPTERSPASS
#include "passes/Adapters/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

/// The last of the products of the same input that follow each other.
LinearOp getLastSibling(LinearOp linear) {
  for (Operation *next = linear->getNextNode(); next;
       next = next->getNextNode()) {
    auto sibling = dyn_cast<LinearOp>(next);
    if (!sibling || sibling.getX() != linear.getX()) {
      break;
    }
    linear = sibling;
  }
  return linear;
}

struct AttachAdapters : ::umber::impl::AttachAdaptersPassBase<AttachAdapters> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto step = module.lookupSymbol<func::FuncOp>("step");
    if (!step || step.isExternal()) {
      module.emitError("expected a function 'step'");
      return signalPassFailure();
    }
    if (llvm::any_of(step.getArgumentTypes(), llvm::IsaPred<AdaptersType>)) {
      return; // They are attached.
    }
    auto type = AdaptersType::get(&getContext());
    unsigned index = step.getNumArguments();
    if (failed(step.insertArgument(index, type, {}, step.getLoc()))) {
      return signalPassFailure();
    }
    Value adapters = step.getArgument(index);
    SmallVector<LinearOp> products = ::umber::findAdaptableProducts(step);
    // Backwards, so that those of siblings end up in their order.
    for (LinearOp linear : llvm::reverse(products)) {
      attach(linear, adapters);
    }
  }

private:
  static void attach(LinearOp linear, Value adapters) {
    Value x = linear.getX();
    if (auto quantize = x.getDefiningOp<QuantizeOp>()) {
      x = quantize.getX();
    }
    OpBuilder builder(linear);
    builder.setInsertionPointAfter(getLastSibling(linear));
    auto lora =
        LoraOp::create(builder, linear.getLoc(), linear.getType(),
                       linear.getResult(), x, adapters, linear.getWeightAttr());
    linear.getResult().replaceAllUsesExcept(lora.getResult(), lora);
  }
};

} // namespace
