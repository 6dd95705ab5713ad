// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a function's values are, and how they get into the scratchpad.

#include "targets/NPU/FunctionEmitter.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

/// Of the scratchpad, what a value may take to stay there between kernels.
constexpr int64_t kResidentShare = 8;

/// From one row to the next: an odd number of granules, so that rows lie in
/// different banks.
uint32_t FunctionEmitter::getStride(int64_t bytes) const {
  if (rows == 1) {
    return static_cast<uint32_t>(llvm::alignTo(bytes, kGranule));
  }
  return static_cast<uint32_t>((llvm::divideCeil(bytes, kGranule) | 1) *
                               kGranule);
}

bool FunctionEmitter::isSpilled(int64_t columns) const {
  return rows > 1 && rows * int64_t(getStride(4 * columns)) >
                         config.scratchpad.bytes / kResidentShare;
}

FunctionEmitter::Rows FunctionEmitter::makeRows(int64_t columns,
                                                const std::string &what) {
  if (isSpilled(columns)) {
    return makeSpilled(columns);
  }
  Rows value;
  value.columns = columns;
  value.stride = getStride(4 * columns);
  value.buffer = builder.addBuffer(uint64_t(rows) * value.stride, what);
  return value;
}

FunctionEmitter::Rows FunctionEmitter::makeSpilled(int64_t columns) {
  for (size_t i = 0; i < freeSpills.size(); ++i) {
    if (freeSpills[i].columns == columns) {
      Rows value = freeSpills[i];
      freeSpills.erase(freeSpills.begin() + i);
      return value;
    }
  }
  Rows value;
  value.columns = columns;
  value.isResident = false;
  value.offset = llvm::alignTo(emitted.activationBytes, 64);
  value.dramStride = llvm::alignTo(4 * columns, 64);
  value.object = builder.addDramObject();
  emitted.activationBytes = value.offset + rows * value.dramStride;
  return value;
}

FunctionEmitter::Rows FunctionEmitter::makeQuantized(int64_t columns,
                                                     int64_t group) {
  Rows value;
  value.columns = columns;
  value.type = DataType::I8;
  value.stride = getStride(columns);
  value.buffer =
      builder.addBuffer(uint64_t(rows) * value.stride, "a product's input");
  value.group = group == 0 ? columns : group;
  value.scalesStride = getStride(
      4 * static_cast<int64_t>(llvm::divideCeil(columns, value.group)));
  value.scales = builder.addBuffer(uint64_t(rows) * value.scalesStride,
                                   "a product's input's scales");
  return value;
}

/// Places in DRAM of values that no later kernel uses are used again.
void FunctionEmitter::release(KernelOp kernel) {
  llvm::SmallPtrSet<void *, 8> seen;
  for (Value input : kernel.getInputs()) {
    auto it = values.find(input);
    if (it == values.end() || it->second.isResident ||
        !seen.insert(input.getAsOpaquePointer()).second) {
      continue;
    }
    bool isLast = llvm::all_of(input.getUsers(), [&](mlir::Operation *user) {
      return user == kernel || user->isBeforeInBlock(kernel);
    });
    if (isLast && it->second.region == Region::Activations) {
      freeSpills.push_back(it->second);
    }
  }
}

Tile FunctionEmitter::tileOf(const Rows &value, int64_t row, int64_t column) {
  int64_t size = value.type == DataType::I8 ? 1 : 4;
  return {
      builder.at(value.buffer, row * value.stride + size * column, value.base),
      value.stride, value.type};
}

Tile FunctionEmitter::scalesOf(const Rows &value, int64_t row, int64_t column) {
  return {builder.at(value.scales,
                     row * value.scalesStride + 4 * (column / value.group)),
          value.scalesStride, DataType::F32};
}

Tile FunctionEmitter::tileOf(const Columns &columns) {
  return {builder.at(columns.buffer, columns.offset, columns.base),
          columns.stride, DataType::F32};
}

void FunctionEmitter::load(Buffer to, uint64_t toOffset, uint32_t stride,
                           const Rows &from, int64_t row, int64_t count,
                           int64_t column, int64_t columns, Queue queue) {
  Load load;
  load.scratchpad = builder.at(to, toOffset);
  load.dram = {from.region, from.offset + row * from.dramStride + 4 * column,
               0};
  load.bytes = static_cast<uint32_t>(4 * columns);
  load.rows = static_cast<uint32_t>(count);
  load.rowStride = static_cast<int64_t>(from.dramStride);
  load.scratchpadRowStride = stride;
  builder.add(queue, load, from.object);
}

void FunctionEmitter::store(const Columns &from, const Rows &to, Range range) {
  Store store;
  store.scratchpad = builder.at(from.buffer, from.offset, from.base);
  store.dram = {to.region, to.offset + 4 * range.first,
                to.region == Region::Io && isInLoop ? Register(kLogits)
                                                    : Register(0)};
  store.bytes = static_cast<uint32_t>(4 * range.columns);
  store.rows = static_cast<uint32_t>(rows);
  store.rowStride = static_cast<int64_t>(to.dramStride);
  store.scratchpadRowStride = from.stride;
  builder.add(Queue::Store, store, to.object);
}

Buffer FunctionEmitter::loadVector(StringRef name, int64_t first,
                                   int64_t count) {
  Buffer buffer = builder.addBuffer(4 * count, ("@" + name).str());
  Load load;
  load.scratchpad = builder.at(buffer);
  load.dram = {Region::Weights, layout.getVector(name) + 4 * first, 0};
  load.bytes = static_cast<uint32_t>(4 * count);
  builder.add(Queue::Load0, load);
  return buffer;
}

Buffer FunctionEmitter::loadConstant(uint64_t offset, uint32_t bytes,
                                     const std::string &what) {
  auto [it, isNew] = constants.try_emplace(what, 0);
  if (isNew) {
    it->second = builder.addBuffer(bytes, what, /*isPinned=*/true);
    Load load;
    load.scratchpad = builder.at(it->second);
    load.dram = {Region::Tables, offset, 0};
    load.bytes = bytes;
    builder.add(Queue::Load0, load);
  }
  return it->second;
}

} // namespace umber::npu
