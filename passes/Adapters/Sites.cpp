// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/Sites.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

SmallVector<LinearOp> findSites(func::FuncOp step,
                                SmallVectorImpl<LinearOp> *shared) {
  SymbolTable symbols(step->getParentOfType<ModuleOp>());
  SmallVector<LinearOp> products, sites;
  llvm::SmallDenseMap<StringRef, unsigned> uses;
  step.walk([&](LinearOp linear) {
    products.push_back(linear);
    ++uses[linear.getWeight()];
  });
  for (LinearOp linear : products) {
    StringRef name = linear.getWeight();
    if (!name.contains('.') || symbols.lookup(name)->hasAttr(kAddedAttrName)) {
      continue;
    }
    if (uses[name] == 1) {
      sites.push_back(linear);
    } else if (shared) {
      shared->push_back(linear);
    }
  }
  return sites;
}

/// The last of the products of the same input that follow each other.
static LinearOp getLastSibling(LinearOp linear) {
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

LogicalResult attachAdapters(ModuleOp module) {
  auto step = module.lookupSymbol<func::FuncOp>("step");
  if (!step || step.isExternal()) {
    return module.emitError("expected a function 'step'");
  }
  if (llvm::any_of(step.getArgumentTypes(), llvm::IsaPred<AdaptersType>)) {
    return success(); // They are attached.
  }
  auto type = AdaptersType::get(module.getContext());
  unsigned index = step.getNumArguments();
  if (failed(step.insertArgument(index, type, {}, step.getLoc()))) {
    return failure();
  }
  SmallVector<LinearOp> shared;
  SmallVector<LinearOp> sites = findSites(step, &shared);
  // Backwards, so that those of siblings end up in their order.
  for (LinearOp linear : llvm::reverse(sites)) {
    attach(linear, step.getArgument(index));
  }
  for (LinearOp linear : shared) {
    linear.emitRemark("no site of adapters: expected a matrix that one product "
                      "uses");
  }
  return success();
}

} // namespace umber
