// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Fusion/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace umber {
#define GEN_PASS_DEF_FUSEPASS
#include "passes/Fusion/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

/// Ops on index values, which every kernel computes for itself.
bool isScalar(Operation *op) {
  return op->getNumResults() == 1 &&
         op->getResult(0).getType().isIntOrIndexOrFloat() && isPure(op);
}

/// The ops of one kernel to be.
struct Group {
  SmallVector<Operation *> ops;
  llvm::SmallDenseSet<Operation *> members;
  /// The input that the group's products share, once there is one.
  Value productInput;

  void add(Operation *op) {
    ops.push_back(op);
    members.insert(op);
    if (auto linear = dyn_cast<LinearOp>(op)) {
      productInput = linear.getX();
    }
  }
  bool makes(Value value) const {
    return value.getDefiningOp() && members.contains(value.getDefiningOp());
  }
};

/// Whether `op` can run in `group` without waiting for whole rows of it.
bool belongsTo(Operation *op, const Group &group) {
  if (auto linear = dyn_cast<LinearOp>(op)) {
    // A slice never leaves its kernel.
    return group.productInput
               ? linear.getX() == group.productInput
               : group.makes(linear.getX()) &&
                     isa<RmsNormOp, QuantizeOp, tensor::ExtractSliceOp>(
                         linear.getX().getDefiningOp());
  }
  if (auto norm = dyn_cast<RmsNormOp>(op)) {
    // A norm of whole rows begins a kernel, or follows the slice that does; one
    // per head may follow the kernel's products.
    return group.makes(norm.getX()) &&
           (norm.getHeads() > 1 ||
            isa<tensor::ExtractSliceOp>(norm.getX().getDefiningOp()));
  }
  if (isa<AttentionOp, EmbedOp, tensor::ExtractSliceOp>(op)) {
    return false;
  }
  return llvm::any_of(op->getOperands(),
                      [&](Value operand) { return group.makes(operand); });
}

/// The part of a parameter's symbol before its first dot names its layer.
std::pair<StringRef, StringRef> splitSymbol(StringRef symbol) {
  return {symbol.contains('.') ? symbol.split('.').first : StringRef(),
          symbol.contains('.') ? symbol.rsplit('.').second : symbol};
}

/// A name for reports: the layer, and what the group's ops are.
std::string nameOf(const Group &group) {
  std::string layer;
  SmallVector<StringRef> parts;
  bool slices = false;
  for (Operation *op : group.ops) {
    StringRef symbol;
    if (auto linear = dyn_cast<LinearOp>(op)) {
      symbol = linear.getWeight();
    } else if (auto embed = dyn_cast<EmbedOp>(op)) {
      symbol = embed.getTable();
    } else if (auto attention = dyn_cast<AttentionOp>(op)) {
      layer = ("l" + Twine(attention.getLayer())).str();
      parts.push_back("attention");
    }
    slices |= isa<tensor::ExtractSliceOp>(op);
    if (!symbol.empty()) {
      auto [prefix, part] = splitSymbol(symbol);
      layer = prefix.str();
      parts.push_back(part);
    }
  }
  if (slices) {
    return "head";
  }
  if (parts.empty()) {
    parts.push_back(group.ops.front()->getName().stripDialect());
  }
  return (layer.empty() ? "" : layer + ".") + llvm::join(parts, "_");
}

class Fuse : public ::umber::impl::FusePassBase<Fuse> {
public:
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() ||
        function.getBody().getOps<KernelOp>().begin() !=
            function.getBody().getOps<KernelOp>().end()) {
      return;
    }
    if (!function.getBody().hasOneBlock()) {
      function.emitError("expected a function of one block");
      return signalPassFailure();
    }
    SmallVector<Group> groups;
    for (Operation &op : function.getBody().front().without_terminator()) {
      if (isScalar(&op)) {
        continue;
      }
      if (groups.empty() || !belongsTo(&op, groups.back())) {
        groups.emplace_back();
      }
      groups.back().add(&op);
    }
    llvm::StringSet<> names;
    for (Group &group : groups) {
      std::string base = nameOf(group), name = base;
      for (unsigned n = 1; !names.insert(name).second; ++n) {
        name = base + "_" + std::to_string(n);
      }
      outline(group, name);
    }
    eraseDeadScalars(function);
  }

private:
  /// Copies `value`'s scalar computation into the kernel and returns the copy.
  static Value sink(Value value, OpBuilder &builder, IRMapping &mapping,
                    llvm::function_ref<Value(Value)> asInput) {
    if (mapping.contains(value)) {
      return mapping.lookup(value);
    }
    Operation *op = value.getDefiningOp();
    if (!op || !isScalar(op)) {
      return asInput(value);
    }
    for (Value operand : op->getOperands()) {
      sink(operand, builder, mapping, asInput);
    }
    builder.clone(*op, mapping);
    return mapping.lookup(value);
  }

  static void outline(const Group &group, StringRef name) {
    SmallVector<Value> results;
    for (Operation *op : group.ops) {
      for (Value result : op->getResults()) {
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !group.members.contains(user);
            })) {
          results.push_back(result);
        }
      }
    }
    Operation *last = group.ops.back();
    OpBuilder builder(last->getContext());
    builder.setInsertionPointAfter(last);
    Location loc = group.ops.front()->getLoc();

    Region body;
    Block *block = new Block();
    body.push_back(block);
    OpBuilder inner(last->getContext());
    inner.setInsertionPointToEnd(block);
    IRMapping mapping;
    SmallVector<Value> inputs;
    auto asInput = [&](Value value) {
      inputs.push_back(value);
      Value argument = block->addArgument(value.getType(), value.getLoc());
      mapping.map(value, argument);
      return argument;
    };
    for (Operation *op : group.ops) {
      for (Value operand : op->getOperands()) {
        sink(operand, inner, mapping, asInput);
      }
      inner.clone(*op, mapping);
    }
    SmallVector<Value> yielded;
    for (Value result : results) {
      yielded.push_back(mapping.lookup(result));
    }
    YieldOp::create(inner, loc, yielded);

    auto kernel = KernelOp::create(builder, loc, ValueRange(results).getTypes(),
                                   builder.getStringAttr(name), inputs);
    kernel.getBody().takeBody(body);
    for (auto [old, replacement] : llvm::zip(results, kernel.getResults())) {
      old.replaceAllUsesWith(replacement);
    }
    for (Operation *op : llvm::reverse(group.ops)) {
      op->erase();
    }
  }

  static void eraseDeadScalars(func::FuncOp function) {
    for (Operation &op : llvm::make_early_inc_range(
             llvm::reverse(function.getBody().front()))) {
      if (isScalar(&op) && op.use_empty()) {
        op.erase();
      }
    }
  }
};

} // namespace
