// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What works on columns on their own: a kernel's results are made a tile of
// columns at a time, from the product that they begin with to where they go.

#include "targets/NPU/FunctionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <numeric>

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

/// Of the scratchpad, what a tile of columns may take.
constexpr int64_t kTileShare = 16;

static bool isAdd(mlir::Operation *op) {
  return op && op->getName().getStringRef() == "arith.addf";
}

static int64_t getColumns(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

/// Whether anything makes use of a kernel's result: without adapters, what only
/// they take is not made.
bool FunctionEmitter::isNeeded(Value result) const {
  for (OpOperand &use : result.getUses()) {
    auto kernel = dyn_cast<KernelOp>(use.getOwner());
    if (!kernel) {
      return true;
    }
    Value argument = kernel.getBody().getArgument(use.getOperandNumber());
    for (mlir::Operation *user : argument.getUsers()) {
      auto lora = dyn_cast<LoraOp>(user);
      if (!lora || lora.getX() != argument || layout.adapterRank != 0) {
        return true;
      }
    }
  }
  return false;
}

/// The adapters that alone take a kernel's result as their input; none if
/// there are other uses.
SmallVector<LoraOp> FunctionEmitter::getOnlyLoras(Value result) const {
  SmallVector<LoraOp> loras;
  for (OpOperand &use : result.getUses()) {
    auto kernel = dyn_cast<KernelOp>(use.getOwner());
    if (!kernel) {
      return {};
    }
    Value argument = kernel.getBody().getArgument(use.getOperandNumber());
    for (mlir::Operation *user : argument.getUsers()) {
      auto lora = dyn_cast<LoraOp>(user);
      if (!lora || lora.getX() != argument) {
        return {};
      }
      loras.push_back(lora);
    }
  }
  return loras;
}

/// What tiles' columns are multiples of: whole tiles of weights, heads and
/// groups.
int64_t FunctionEmitter::getColumnUnit(Value value) const {
  mlir::Operation *op = value.getDefiningOp();
  if (!op || values.contains(value)) {
    return 1;
  }
  int64_t unit = 1;
  if (auto linear = dyn_cast<LinearOp>(op)) {
    return layout.getMatrix(linear.getWeight()).tileRows;
  }
  if (auto lora = dyn_cast<LoraOp>(op)) {
    return getColumnUnit(lora.getY());
  }
  if (auto rotary = dyn_cast<RotaryOp>(op)) {
    unit = rotary.getHeadDim();
  } else if (auto norm = dyn_cast<RmsNormOp>(op)) {
    unit = getColumns(value) / norm.getHeads();
  } else if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    auto type = cast<RankedTensorType>(value.getType());
    int64_t group = cast<QuantizedAttr>(type.getEncoding()).getGroup();
    // Four scales are a granule.
    unit = group == 0 ? getColumns(value) : 4 * group;
  }
  for (Value operand : op->getOperands()) {
    if (isa<RankedTensorType>(operand.getType())) {
      unit = std::lcm(unit, getColumnUnit(operand));
    }
  }
  return unit;
}

/// A place for a tile: one of two in turn, so that the next can be made while
/// this one is used.
FunctionEmitter::Columns FunctionEmitter::makeColumns(Value value,
                                                      Range range) {
  uint32_t stride = getStride(4 * range.columns);
  uint64_t bytes = uint64_t(rows) * stride;
  auto [it, isNew] = rings.try_emplace(value);
  if (isNew) {
    it->second.first = builder.addBuffer(bytes, "a tile of columns");
    it->second.second = it->second.first;
    if (range.columns < getColumns(value) && !isBrief) {
      it->second.second = builder.addBuffer(bytes, "a tile of columns");
    }
  }
  Buffer buffer = range.number % 2 == 0 ? it->second.first : it->second.second;
  return {buffer, 0, stride, 0, /*isOwn=*/true};
}

/// Whether columns stay as they are while the next tile is made.
bool FunctionEmitter::isKept(const Columns &columns) const {
  return llvm::none_of(rings, [&](const auto &ring) {
    auto [first, second] = ring.second;
    return first == second && first == columns.buffer;
  });
}

/// An operand's columns that `user` may overwrite.
FunctionEmitter::Columns FunctionEmitter::pullOwn(Value value,
                                                  mlir::Operation *user,
                                                  Range range,
                                                  std::optional<Columns> into) {
  bool isShared = !value.hasOneUse();
  Columns found = pull(value, range, isShared ? std::nullopt : into);
  if (found.isOwn && !isShared) {
    return found;
  }
  Columns own = into ? *into : makeColumns(user->getResult(0), range);
  own.isOwn = true;
  Elementwise copy;
  copy.a = tileOf(found);
  copy.d = tileOf(own);
  copy.rows = static_cast<uint32_t>(rows);
  copy.columns = static_cast<uint32_t>(range.columns);
  builder.add(Queue::Vector, copy);
  return own;
}

Buffer FunctionEmitter::loadAngles(RotaryOp op) {
  uint64_t offset = layout.getRotary(op);
  std::string name = "angles at " + std::to_string(offset);
  auto [it, isNew] = constants.try_emplace(name, 0);
  if (isNew) {
    int64_t bytes = 4 * op.getRotatedDims();
    uint32_t stride = getStride(bytes);
    it->second =
        builder.addBuffer(uint64_t(rows) * stride, name, /*isPinned=*/true);
    setRegister(kAngles, kPosition, bytes);
    Load load;
    load.scratchpad = builder.at(it->second);
    load.dram = {Region::Tables, offset, kAngles};
    load.bytes = static_cast<uint32_t>(bytes);
    load.rows = static_cast<uint32_t>(rows);
    // Behind the last position there are no angles.
    load.rowsFrom = rows > 1 ? Register(kTokens) : Register(0);
    load.rowStride = bytes;
    load.scratchpadRowStride = stride;
    builder.add(Queue::Load0, load);
  }
  return it->second;
}

/// Turns whole heads at once; of those that are turned in part, each.
void FunctionEmitter::emitRotary(RotaryOp op, Range range,
                                 const Columns &columns) {
  int64_t head = op.getHeadDim(), dims = op.getRotatedDims();
  int64_t heads = range.columns / head;
  Buffer angles = loadAngles(op);
  int64_t at = dims == head ? heads : 1;
  if (dims != head && head % 4 != 0) {
    fail(op, "expected heads of whole granules (scratchpad.granule_bytes) to "
             "turn in part, found " +
                 Twine(head) + " elements");
    return;
  }
  for (int64_t first = 0; first < heads; first += at) {
    Columns part = columns;
    part.offset += 4 * first * head;
    Rotate rotate;
    rotate.a = rotate.d = tileOf(part);
    rotate.table = {builder.at(angles), getStride(4 * dims), DataType::F32};
    rotate.rows = static_cast<uint32_t>(rows);
    rotate.columns = static_cast<uint32_t>(dims);
    rotate.heads = static_cast<uint32_t>(at);
    rotate.isInterleaved = op.getStyle() == RotaryStyle::Interleaved;
    builder.add(Queue::Vector, rotate);
  }
}

FunctionEmitter::Columns FunctionEmitter::pull(Value value, Range range,
                                               std::optional<Columns> into) {
  if (auto it = tiles.find(value); it != tiles.end()) {
    return it->second;
  }
  if (auto it = values.find(value); it != values.end()) {
    Rows whole = it->second;
    if (whole.isResident) {
      return {whole.buffer, uint64_t(4 * range.first), whole.stride, whole.base,
              /*isOwn=*/false};
    }
    Columns loaded = makeColumns(value, range);
    load(loaded.buffer, 0, loaded.stride, whole, 0, rows, range.first,
         range.columns);
    tiles[value] = loaded;
    return loaded;
  }
  mlir::Operation *op = value.getDefiningOp();
  auto count = static_cast<uint32_t>(rows);
  auto columns = static_cast<uint32_t>(range.columns);
  Columns result;
  if (auto linear = dyn_cast_or_null<LinearOp>(op)) {
    result = into ? *into : makeColumns(value, range);
    result.isOwn = true;
    emitProduct(linear, range, result);
  } else if (auto lora = dyn_cast_or_null<LoraOp>(op)) {
    if (layout.adapterRank == 0) {
      result = pull(lora.getY(), range, into);
    } else {
      result = pullOwn(lora.getY(), op, range, into);
      emitLora(lora, range, result);
    }
  } else if (auto rotary = dyn_cast_or_null<RotaryOp>(op)) {
    result = pullOwn(rotary.getX(), op, range, into);
    emitRotary(rotary, range, result);
  } else if (auto norm = dyn_cast_or_null<RmsNormOp>(op)) {
    result = pullOwn(norm.getX(), op, range, into);
    int64_t part = getColumns(value) / norm.getHeads();
    Normalize normalize;
    normalize.a = normalize.d = tileOf(result);
    normalize.hasGain = true;
    normalize.gain = builder.at(loadVector(norm.getWeight(), 0, part));
    normalize.rows = count;
    normalize.columns = static_cast<uint32_t>(part);
    normalize.heads = static_cast<uint32_t>(range.columns / part);
    normalize.epsilon = norm.getEps().convertToFloat();
    builder.add(Queue::Vector, normalize);
  } else if (auto gated = dyn_cast_or_null<GatedActivationOp>(op)) {
    result = pullOwn(gated.getGate(), op, range, into);
    isBrief = true;
    Columns up = pull(gated.getUp(), range);
    isBrief = false;
    Elementwise activate;
    activate.op = gated.getFunction() == Activation::SiLU
                      ? ElementwiseOp::Silu
                      : ElementwiseOp::GeluTanh;
    activate.a = activate.d = tileOf(result);
    activate.b = tileOf(up);
    activate.spread = Spread::Full;
    activate.rows = count;
    activate.columns = columns;
    builder.add(Queue::Vector, activate);
  } else if (isAdd(op)) {
    // The side that is made here is added to.
    unsigned made = values.contains(op->getOperand(0)) ? 1 : 0;
    result = pullOwn(op->getOperand(made), op, range, into);
    Columns other = pull(op->getOperand(1 - made), range);
    Elementwise add;
    add.op = ElementwiseOp::Add;
    add.a = add.d = tileOf(result);
    add.b = tileOf(other);
    add.spread = Spread::Full;
    add.rows = count;
    add.columns = columns;
    builder.add(Queue::Vector, add);
  } else {
    fail(op ? op : static_cast<mlir::Operation *>(function),
         "expected a value of columns on their own");
    return {};
  }
  tiles[value] = result;
  return result;
}

/// Makes what a kernel updates and yields, a tile of columns at a time. Keys
/// and values come first, for attention to find in the cache.
void FunctionEmitter::emitResults(KernelOp kernel) {
  struct Sink {
    Value value;
    KVUpdateOp update;
    bool isKeys = false;
    Value result; ///< of the kernel
    Rows to;
    bool isQuantized = false;
    /// If they are all that uses the result.
    SmallVector<LoraOp> loras = {};
  };
  std::vector<std::vector<Sink>> groups;
  auto add = [&](Sink sink) {
    for (std::vector<Sink> &group : groups) {
      if (getColumns(group.front().value) == getColumns(sink.value) &&
          bool(group.front().update) == bool(sink.update)) {
        group.push_back(sink);
        return;
      }
    }
    groups.push_back({sink});
  };
  Block &body = kernel.getBody().front();
  for (auto update : body.getOps<KVUpdateOp>()) {
    add({update.getK(), update, true, {}, {}, false});
    add({update.getV(), update, false, {}, {}, false});
  }
  auto yield = cast<YieldOp>(body.getTerminator());
  for (auto [value, result] :
       llvm::zip(yield.getValues(), kernel.getResults())) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !isNeeded(result)) {
      continue;
    }
    if (auto it = values.find(value); it != values.end()) {
      Rows same = it->second;
      values[result] = same;
      continue;
    }
    Sink sink{value, {}, false, result, {}, false};
    if (auto encoding =
            dyn_cast_if_present<QuantizedAttr>(type.getEncoding())) {
      sink.isQuantized = true;
      sink.to = makeQuantized(type.getDimSize(1), encoding.getGroup());
    } else if (llvm::any_of(result.getUsers(), llvm::IsaPred<func::ReturnOp>)) {
      sink.to.columns = type.getDimSize(1);
      sink.to.isResident = false;
      sink.to.region = Region::Io;
      sink.to.offset = emitted.logits;
      sink.to.dramStride = 4 * type.getDimSize(1);
    } else {
      if (rows > 1 && type.getDimSize(1) % kLowRankColumns == 0) {
        sink.loras = getOnlyLoras(result);
      }
      if (!sink.loras.empty()) {
        add(sink);
        continue;
      }
      sink.to = makeRows(type.getDimSize(1), "rows between kernels");
    }
    values[result] = sink.to;
    add(sink);
  }
  for (std::vector<Sink> &group : groups) {
    int64_t all = getColumns(group.front().value);
    int64_t unit = 1;
    for (Sink &sink : group) {
      unit = std::lcm(unit, getColumnUnit(sink.value));
      if (sink.update) {
        unit = std::lcm(unit, sink.update.getCache().getType().getHeadDim());
      }
      for (LoraOp lora : sink.loras) {
        unit = std::lcm(unit,
                        layout.getSite(lora.getSite()).aByColumns.tileColumns);
      }
    }
    int64_t most =
        config.scratchpad.bytes / kTileShare / (4 * rows) / unit * unit;
    int64_t width = std::min(all, std::max(most, unit));
    // What adapters take of a tile is multiplied when the next tile's products
    // are on their way, so that the array does not wait for the vector unit.
    struct Late {
      LoraOp lora;
      Columns made;
      Range range;
    };
    SmallVector<Late> late;
    Range range;
    for (; range.first < all; range.first += width, ++range.number) {
      range.columns = std::min(width, all - range.first);
      tiles.clear();
      SmallVector<Late> due = std::move(late);
      late.clear();
      // What goes to the scratchpad is made where it is to be.
      for (Sink &sink : group) {
        if (failed) {
          return;
        }
        if (sink.isQuantized) {
          continue;
        }
        std::optional<Columns> into;
        if (!sink.update && sink.loras.empty() && sink.to.isResident) {
          into = Columns{sink.to.buffer, uint64_t(4 * range.first),
                         sink.to.stride, sink.to.base, true};
        }
        Columns made = pull(sink.value, range, into);
        if (sink.update) {
          emitAppend(sink.update, sink.isKeys, range, made);
        } else if (!sink.loras.empty()) {
          // A tile of a ring of one would be overwritten.
          SmallVector<Late> &to = isKept(made) ? late : due;
          for (LoraOp lora : sink.loras) {
            to.push_back({lora, made, range});
          }
        } else if (!sink.to.isResident) {
          store(made, sink.to, range);
        } else if (made.buffer != sink.to.buffer) {
          Elementwise copy;
          copy.a = tileOf(made);
          copy.d = tileOf(*into);
          copy.rows = static_cast<uint32_t>(rows);
          copy.columns = static_cast<uint32_t>(range.columns);
          builder.add(Queue::Vector, copy);
        }
      }
      for (Late &one : due) {
        emitLoraColumns(one.lora, one.made, one.range,
                        one.range.first + width >= all);
      }
      for (Sink &sink : group) {
        if (!sink.isQuantized || failed) {
          continue;
        }
        auto quantize = sink.value.getDefiningOp<QuantizeOp>();
        if (!quantize) {
          fail(kernel, "expected rounded rows from a quantize op");
          return;
        }
        Quantize op;
        op.a = tileOf(pull(quantize.getX(), range));
        op.d = tileOf(sink.to, 0, range.first);
        op.scales = scalesOf(sink.to, 0, range.first);
        op.rows = static_cast<uint32_t>(rows);
        op.columns = static_cast<uint32_t>(range.columns);
        op.group = static_cast<uint32_t>(sink.to.group);
        builder.add(Queue::Vector, op);
      }
    }
    for (Late &one : late) {
      emitLoraColumns(one.lora, one.made, one.range, /*isLast=*/true);
    }
    tiles.clear();
  }
}

} // namespace umber::npu
