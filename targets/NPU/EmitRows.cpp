// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What needs whole rows: norms, and what products and adapters take of a value.

#include "targets/NPU/FunctionEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

/// Of the scratchpad, what a block of rows may take.
constexpr int64_t kBlockShare = 5;

/// Makes of the rows `x`, normed if there is a norm, all that uses `value`
/// ask for: integers for products, adapters' A x, and the rows themselves. A
/// block of rows at a time if they are in DRAM.
void FunctionEmitter::emitRowPass(Value value, const Rows &x, RmsNormOp norm) {
  SmallVector<QuantizeOp> quantizes;
  SmallVector<LoraOp> loras;
  bool isUsedPlain = false;
  for (mlir::Operation *user : value.getUsers()) {
    if (auto quantize = dyn_cast<QuantizeOp>(user)) {
      quantizes.push_back(quantize);
    } else if (auto lora = dyn_cast<LoraOp>(user);
               lora && lora.getX() == value) {
      if (layout.adapterRank != 0) {
        loras.push_back(lora);
      }
    } else {
      isUsedPlain = true;
    }
  }
  if (norm ? false : quantizes.empty() && loras.empty()) {
    return;
  }
  // The module's order, not that of uses.
  auto isBefore = [](auto a, auto b) { return a->isBeforeInBlock(b); };
  llvm::sort(quantizes, isBefore);
  llvm::sort(loras, isBefore);

  uint32_t stride = getStride(4 * x.columns);
  Rows normed = x;
  if (norm && isUsedPlain) {
    normed = makeRows(x.columns, "normed rows");
    values[value] = normed;
  }
  int64_t most = config.scratchpad.bytes / kBlockShare / stride;
  // As many as the array takes at once, of which adapters' products are.
  int64_t together = std::get<CoreArray>(config.array).rowsF16;
  if (together > 0 && most > together) {
    most = most / together * together;
  }
  bool isWhole = x.isResident && normed.isResident;
  int64_t block = isWhole ? rows : std::min(rows, std::max<int64_t>(1, most));
  Buffer gain = 0;
  if (norm) {
    gain = loadVector(norm.getWeight(), 0, x.columns);
  }
  SmallVector<Rows> quantized;
  for (QuantizeOp quantize : quantizes) {
    auto type = cast<RankedTensorType>(quantize.getResult().getType());
    Rows rounded = makeQuantized(
        x.columns, cast<QuantizedAttr>(type.getEncoding()).getGroup());
    quantized.push_back(rounded);
    values[quantize.getResult()] = rounded;
  }
  // Two blocks, so that one is loaded while the other is used.
  Buffer blocks[2];
  if (!isWhole || (norm && !isUsedPlain)) {
    for (Buffer &buffer : blocks) {
      buffer = builder.addBuffer(uint64_t(block) * stride, "a block of rows");
      if (block == rows) {
        blocks[1] = buffer;
        break;
      }
    }
  }
  // What adapters' A are held in while all blocks are multiplied by them.
  bool isHeld = !isWhole && holdLoras(loras);
  unsigned number = 0;
  for (int64_t row = 0; row < rows; row += block, ++number) {
    int64_t count = std::min(block, rows - row);
    Tile at;
    if (x.isResident) {
      at = tileOf(x, row);
    } else {
      Buffer to = blocks[number % 2];
      load(to, 0, stride, x, row, count, 0, x.columns,
           number % 2 == 0 ? Queue::Load0 : Queue::Load1);
      at = {builder.at(to), stride, DataType::F32};
    }
    if (norm) {
      Normalize normalize;
      normalize.a = at;
      if (isUsedPlain && normed.isResident) {
        at = tileOf(normed, row);
      } else if (x.isResident) {
        at = {builder.at(blocks[number % 2]), stride, DataType::F32};
      }
      normalize.d = at;
      normalize.hasGain = true;
      normalize.gain = builder.at(gain);
      normalize.rows = static_cast<uint32_t>(count);
      normalize.columns = static_cast<uint32_t>(x.columns);
      normalize.epsilon = norm.getEps().convertToFloat();
      builder.add(Queue::Vector, normalize);
      if (isUsedPlain && !normed.isResident) {
        Store store;
        store.scratchpad = at.at;
        store.dram = {normed.region, normed.offset + row * normed.dramStride,
                      0};
        store.bytes = static_cast<uint32_t>(4 * x.columns);
        store.rows = static_cast<uint32_t>(count);
        store.rowStride = static_cast<int64_t>(normed.dramStride);
        store.scratchpadRowStride = stride;
        builder.add(Queue::Store, store, normed.object);
      }
    }
    for (auto [quantize, rounded] : llvm::zip(quantizes, quantized)) {
      Quantize op;
      op.a = at;
      op.d = tileOf(rounded, row);
      op.scales = scalesOf(rounded, row);
      op.rows = static_cast<uint32_t>(count);
      op.columns = static_cast<uint32_t>(x.columns);
      op.group = static_cast<uint32_t>(rounded.group);
      builder.add(Queue::Vector, op);
    }
    for (LoraOp lora : loras) {
      if (isWhole) {
        pendingLora[lora] = at;
      } else {
        emitLoraInput(lora, at, row, count);
      }
    }
  }
  if (isHeld) {
    heldSlots.clear();
  }
}

} // namespace umber::npu
