// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention's results, which are too large for the scratchpad, a few heads at a
// time: they are rounded for the product that follows, and multiplied by its
// adapter's A, so that they never go to DRAM.

#include "targets/NPU/FunctionEmitter.h"

#include <numeric>

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

/// The places for it, and what the roundings' results are; without units, if
/// anything needs whole rows of the results.
FunctionEmitter::AttendedUnits FunctionEmitter::makeUnits(AttentionOp op) {
  Value result = op.getResult();
  int64_t all = cast<RankedTensorType>(result.getType()).getDimSize(1);
  AttendedUnits units;
  int64_t columns = all / static_cast<int64_t>(op.getHeads());
  SmallVector<QuantizeOp> quantizes;
  for (mlir::Operation *user : result.getUsers()) {
    if (auto quantize = dyn_cast<QuantizeOp>(user)) {
      auto type = cast<RankedTensorType>(quantize.getResult().getType());
      int64_t group = cast<QuantizedAttr>(type.getEncoding()).getGroup();
      if (group == 0) {
        return {};
      }
      // Four scales are a granule.
      columns = std::lcm(columns, 4 * group);
      quantizes.push_back(quantize);
    } else if (auto lora = dyn_cast<LoraOp>(user);
               lora && lora.getX() == result) {
      if (layout.adapterRank != 0) {
        columns = std::lcm(
            columns, layout.getSite(lora.getSite()).aByColumns.tileColumns);
        units.loras.push_back(lora);
      }
    } else {
      return {};
    }
  }
  bool isCut = units.loras.empty() || all % kLowRankColumns == 0;
  if (!isSpilled(all) || columns > all || !isCut) {
    return {};
  }
  units.columns = columns;
  llvm::sort(units.loras,
             [](LoraOp a, LoraOp b) { return a->isBeforeInBlock(b); });
  for (QuantizeOp quantize : quantizes) {
    auto type = cast<RankedTensorType>(quantize.getResult().getType());
    Rows rounded =
        makeQuantized(all, cast<QuantizedAttr>(type.getEncoding()).getGroup());
    units.rounded.push_back(rounded);
    values[quantize.getResult()] = rounded;
  }
  for (Columns &made : units.made) {
    made.stride = getStride(4 * columns);
    made.buffer =
        builder.addBuffer(uint64_t(rows) * made.stride, "attention's results");
    made.isOwn = true;
  }
  return units;
}

/// Where column `column` of the results is made.
FunctionEmitter::Columns
FunctionEmitter::getUnitPart(const AttendedUnits &units, int64_t column) const {
  Columns part = units.made[column / units.columns % 2];
  part.offset = static_cast<uint64_t>(4 * (column % units.columns));
  return part;
}

/// Takes what has been made up to column `end`, if that is a unit, or the last
/// of the results. Adapters take the unit before, so that the array need not
/// wait for what the vector unit has just made.
void FunctionEmitter::finishUnit(AttendedUnits &units, int64_t end,
                                 bool isLast) {
  if (end % units.columns != 0 && !isLast) {
    return;
  }
  Range range;
  range.first = (end - 1) / units.columns * units.columns;
  range.columns = end - range.first;
  Columns made = getUnitPart(units, range.first);
  for (const Rows &rounded : units.rounded) {
    Quantize op;
    op.a = tileOf(made);
    op.d = tileOf(rounded, 0, range.first);
    op.scales = scalesOf(rounded, 0, range.first);
    op.rows = static_cast<uint32_t>(rows);
    op.columns = static_cast<uint32_t>(range.columns);
    op.group = static_cast<uint32_t>(rounded.group);
    builder.add(Queue::Vector, op);
  }
  auto take = [&](const Range &of, bool isEnd) {
    for (LoraOp lora : units.loras) {
      emitLoraColumns(lora, getUnitPart(units, of.first), of, isEnd);
    }
  };
  if (units.late) {
    take(*units.late, /*isEnd=*/false);
  }
  units.late = range;
  if (isLast) {
    take(range, /*isEnd=*/true);
  }
}

} // namespace umber::npu
