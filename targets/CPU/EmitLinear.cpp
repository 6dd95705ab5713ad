// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products: which columns a worker computes, and calls of the
// microkernel panel by panel.

#include "dialects/Umber/Parameters/StoredSize.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "targets/CPU/KernelEmitter.h"
#include <numeric>

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

SmallVector<LinearOp> KernelEmitter::getSiblings(LinearOp first) {
  SmallVector<LinearOp> group;
  for (Operation *op = first; op; op = op->getNextNode()) {
    auto linear = dyn_cast<LinearOp>(op);
    if (!linear || linear.getX() != first.getX()) {
      break;
    }
    group.push_back(linear);
  }
  return group;
}

/// Whether the products of a group meet element by element later, so that a
/// worker should have the same columns of each.
static bool areCombined(ArrayRef<LinearOp> group) {
  LinearOp front = group.front();
  for (Operation *user : getAdapted(front.getResult()).getUsers()) {
    bool all = llvm::all_of(group, [&](LinearOp linear) {
      return linear.getType() == front.getType() &&
             llvm::is_contained(user->getOperands(),
                                getAdapted(linear.getResult()));
    });
    if (all && !isa<KVUpdateOp, YieldOp>(user)) {
      return true;
    }
  }
  return false;
}

/// The columns that must stay together for what follows a product: a panel, and
/// whole heads where heads are worked on.
static int64_t getGranule(LinearOp linear) {
  int64_t granule = kPanelRows;
  for (Operation *user : getAdapted(linear.getResult()).getUsers()) {
    int64_t heads = 1;
    if (auto rotary = dyn_cast<RotaryOp>(user)) {
      heads = rotary.getHeads();
    } else if (auto norm = dyn_cast<RmsNormOp>(user)) {
      heads = norm.getHeads();
    } else if (auto update = dyn_cast<KVUpdateOp>(user)) {
      heads = update.getCache().getType().getKvHeads();
    }
    if (heads > 1 || isa<RotaryOp, KVUpdateOp>(user)) {
      granule = std::lcm(granule, linear.getType().getDimSize(1) / heads);
    }
  }
  return granule;
}

LogicalResult KernelEmitter::emitLinears(ArrayRef<LinearOp> group) {
  LinearOp front = group.front();
  needEverything({front.getX()});
  // Plain weights meet a quantized input as the f32 that it stands for.
  Rows input = rows(front.getX());
  bool anyPlain = llvm::any_of(group, [&](LinearOp linear) {
    return !getParameterType(linear, linear.getWeightAttr()).getEncoding();
  });
  if (anyPlain && front.getX().getType().getEncoding()) {
    input = emitDequantized(front.getX());
  }
  int64_t granule = 1, total = 0;
  for (LinearOp linear : group) {
    granule = std::lcm(granule, getGranule(linear));
  }
  // One split over all columns of the group balances better than one per
  // product; by bytes, which are what a step of few tokens takes time to read.
  bool combined = areCombined(group);
  SmallVector<int64_t> first;
  SmallVector<Partition::Run> runs;
  for (LinearOp linear : group) {
    int64_t columns = linear.getType().getDimSize(1);
    int64_t units = llvm::divideCeil(columns, granule);
    int64_t bytes =
        getStoredBytes(getParameterType(linear, linear.getWeightAttr()));
    first.push_back(combined ? 0 : total);
    total = combined ? units : total + units;
    runs.push_back({units, std::max<int64_t>(bytes / units, 1)});
  }
  bool costAlike =
      combined || llvm::all_of(runs, [&](const Partition::Run &run) {
        return run.cost == runs.front().cost;
      });
  if (costAlike) {
    runs.clear();
  }
  if (failed(emitLowRankInputs(group))) {
    return failure();
  }
  for (auto [sibling, begin] : llvm::zip(group, first)) {
    LinearOp linear = sibling;
    defineRows(linear.getResult(), rows(linear.getX()),
               {Partition::Kind::Columns, granule, begin, total, runs});
    emitLinear(linear, input);
  }
  emitLowRankOutputs(group);
  return success();
}

void KernelEmitter::emitLinear(LinearOp op, const Rows &x) {
  Rows y = rows(op.getResult());
  Value weight = parameter(op.getWeight());
  RankedTensorType type = getParameterType(op, op.getWeightAttr());
  bool isF16 = cast<MemRefType>(weight.getType()).getElementType().isF16();
  Range columns = getColumns(y);
  Value inner = index(x.columns);
  // Granules are whole panels, so a range begins at one, or is empty and begins
  // after the last column: inside the last panel where that has fewer columns,
  // which is then not this worker's to write.
  Range panels = {ceilDiv(columns.begin, index(kPanelRows)),
                  ceilDiv(columns.end, index(kPanelRows))};
  auto callPanels = [&] {
    forEach(panels.begin, panels.end, [&](Value panel) {
      Value first = mul(panel, index(kPanelRows));
      Value count = min(sub(index(y.columns), first), index(kPanelRows));
      if (type.getEncoding()) {
        callEncodedLinear(op, type, panel, first, count);
        return;
      }
      call(isF16 ? "umber_uk_linear_f16" : "umber_uk_linear_f32",
           {x.memref, x.offset, inner, weight, mul(first, inner), y.memref,
            add(y.offset, first), index(y.columns), x.count, inner, count});
    });
  };
  if (!isReadByQuads(op, type)) {
    callPanels();
  } else if (x.maxCount <= kFewTokens) {
    callEncodedFew(op, type, panels);
  } else {
    // A wide program, too, may have few rows: a short prompt, some sequences
    // that are decoded together, and a long prompt's last row.
    Value isFew = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule,
                                        x.count, index(kFewTokens));
    auto choice = scf::IfOp::create(b, loc, isFew, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    callEncodedFew(op, type, panels);
    b.setInsertionPointToStart(choice.elseBlock());
    callPanels();
  }
  if (op.getBiasAttr()) {
    emitBias(op, y, columns);
  }
}

void KernelEmitter::emitBias(LinearOp op, const Rows &y, Range columns) {
  Value bias = parameter(*op.getBias());
  forEach(index(0), y.count, [&](Value row) {
    forVectors(columns.begin, columns.end, kVectorWidth,
               [&](Value column, int64_t width) {
                 Value sum = arith::AddFOp::create(
                     b, loc, load(y.memref, at(y, row, column), width),
                     load(bias, column, width));
                 store(sum, y.memref, at(y, row, column));
               });
  });
}

} // namespace umber::cpu
