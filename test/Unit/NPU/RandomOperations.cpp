// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/NPU/RandomOperations.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

int64_t getBytes(DataType type) {
  return type == DataType::I8 ? 1 : type == DataType::F16 ? 2 : 4;
}

int64_t alignUp(int64_t bytes) { return (bytes + 15) / 16 * 16; }

} // namespace

Zone npu::getZone(DataType type) {
  switch (type) {
  case DataType::F32:
    return {0, 8 << 10};
  case DataType::F16:
    return {8 << 10, 11 << 10};
  case DataType::I8:
    return {11 << 10, 14 << 10};
  case DataType::I32:
    break;
  }
  return {14 << 10, 16 << 10};
}

RandomOperations::RandomOperations(RandomNumbers &numbers, const Config &config,
                                   bool overlaps)
    : numbers(numbers), config(config), overlaps(overlaps) {
  registers = {{kPosition, 0, 40},
               {kTokens, 0, 4},
               {kCapacity, 1, 60},
               {kOutputs, 0, 4}};
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

void RandomOperations::add(Queue queue, const Operation &operation) {
  taken.clear();
  Instruction instruction;
  instruction.queue = queue;
  instruction.operation = operation;
  if (queue == Queue::System) {
    program.push_back(instruction);
    return;
  }
  if (lastUnordered != SIZE_MAX) {
    if (numbers.once(4)) {
      fence();
    } else {
      // A semaphore has the number of the queue that waits for it.
      auto semaphore = uint8_t(queue);
      auto signals = uint8_t(numbers.get(1, 3));
      program[lastUnordered].signal = {semaphore, signals};
      instruction.wait[numbers.get(0, 1)] = {semaphore, signals};
    }
  }
  lastUnordered = program.size();
  program.push_back(instruction);
}

void RandomOperations::fence() {
  Fence all;
  all.queues = 0xff;
  Instruction instruction;
  instruction.operation = all;
  program.push_back(instruction);
  lastUnordered = SIZE_MAX;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

const KnownRegister *RandomOperations::pickRegister(int64_t least, int64_t most,
                                                    int64_t multiple) {
  std::vector<const KnownRegister *> fitting;
  for (const KnownRegister &known : registers) {
    if (known.least >= least && known.most <= most &&
        known.multiple % multiple == 0) {
      fitting.push_back(&known);
    }
  }
  return fitting.empty()
             ? nullptr
             : fitting[size_t(numbers.get(0, int64_t(fitting.size()) - 1))];
}

/// Apart from what the instruction already has, unless it may overlap.
ScratchpadAddress RandomOperations::place(DataType type, int64_t bytes) {
  for (;;) {
    Span span = {};
    ScratchpadAddress address = placeAnywhere(type, bytes, span);
    bool isApart =
        std::all_of(taken.begin(), taken.end(), [&](const Span &other) {
          return span.end <= other.begin || other.end <= span.begin;
        });
    if (isApart || overlaps) {
      taken.push_back(span);
      return address;
    }
  }
}

ScratchpadAddress RandomOperations::placeAnywhere(DataType type, int64_t bytes,
                                                  Span &span) {
  Zone zone = getZone(type);
  auto begin = int64_t(zone.begin), end = int64_t(zone.end);
  if (numbers.once(30) || end - begin < bytes) {
    begin = 0;
    end = kSmallScratchpad;
  }
  // Where the last byte is at `end` at most, with the register's most.
  if (const KnownRegister *known = pickRegister(-2048, 2048, 16);
      known && numbers.once(2) &&
      end - bytes - known->most >= begin - known->least &&
      begin - known->least >= 0) {
    int64_t offset = numbers.get((begin - known->least) / 16,
                                 (end - bytes - known->most) / 16);
    span = {16 * offset + known->least, 16 * offset + known->most + bytes};
    return {uint32_t(16 * offset), known->number};
  }
  int64_t offset = 16 * numbers.get(begin / 16, (end - bytes) / 16);
  span = {offset, offset + bytes};
  return {uint32_t(offset), 0};
}

Tile RandomOperations::tile(DataType type, int64_t rows, int64_t columns) {
  int64_t rowBytes = columns * getBytes(type);
  Tile made;
  made.type = type;
  made.stride = uint32_t(alignUp(rowBytes) + 16 * numbers.get(0, 2));
  made.at = place(type, (rows - 1) * made.stride + rowBytes);
  return made;
}

/// With room for bytes `first` (0 or below) to `end` behind it; at `least` or
/// later.
DramAddress RandomOperations::dram(Region region, int64_t first, int64_t end,
                                   int64_t least) {
  DramAddress address;
  address.region = region;
  least -= first;
  int64_t most = kSmallRegion - end;
  const KnownRegister *known = pickRegister(-2048, 2048, 1);
  if (known && numbers.once(2) && most - known->most >= least - known->least &&
      least - known->least >= 0) {
    address.base = known->number;
    address.offset =
        uint64_t(numbers.get(least - known->least, most - known->most));
  } else {
    address.offset = uint64_t(numbers.get(least, most));
  }
  return address;
}

Region RandomOperations::readable() {
  return numbers.pick({Region::Code, Region::Weights, Region::Adapters,
                       Region::Tables, Region::Cache, Region::Activations,
                       Region::Io});
}

Region RandomOperations::writable() {
  return numbers.pick({Region::Cache, Region::Activations});
}

uint32_t RandomOperations::count(int64_t most, Register &from) {
  const KnownRegister *known = pickRegister(0, most, 1);
  if (known && numbers.once(2)) {
    from = known->number;
    return uint32_t(numbers.get(0, 1));
  }
  return uint32_t(numbers.get(1, most));
}

DataType RandomOperations::pickFloat() {
  return numbers.pick({DataType::F16, DataType::F32, DataType::F32});
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Transfer RandomOperations::transfer(Region region) {
  Transfer made;
  int64_t rows = numbers.get(1, 5), planes = numbers.get(1, 3);
  int64_t bytes = numbers.get(1, 70);
  made.bytes = uint32_t(bytes);
  made.rows = count(rows, made.rowsFrom);
  made.planes = uint32_t(planes);
  made.rowStride = numbers.once(3) ? bytes : numbers.get(-90, 150);
  if (!overlaps) {
    // Rows do not lie over one another where they are written.
    made.rowStride = (made.rowStride < 0 ? -1 : 1) *
                     std::max(std::abs(made.rowStride), bytes);
  }
  made.planeStride = numbers.get(-400, 400);
  int64_t least = made.planeStride, most = made.planeStride;
  if (const KnownRegister *known = pickRegister(-500, 500, 1);
      known && numbers.once(3)) {
    made.planeStrideFrom = known->number;
    least += known->least;
    most += known->most;
  }
  int64_t first = std::min<int64_t>(0, (rows - 1) * made.rowStride) +
                  std::min<int64_t>(0, (planes - 1) * least);
  int64_t last = std::max<int64_t>(0, (rows - 1) * made.rowStride) +
                 std::max<int64_t>(0, (planes - 1) * most);
  made.dram = dram(region, first, last + bytes);
  made.scratchpadRowStride =
      uint32_t(16 * numbers.get(overlaps ? 0 : (bytes + 15) / 16, 6));
  made.scratchpadPlaneStride = uint32_t(16 * numbers.get(0, 20));
  made.scratchpad =
      place(numbers.pick({DataType::F32, DataType::I8}),
            (rows - 1) * made.scratchpadRowStride +
                (planes - 1) * made.scratchpadPlaneStride + bytes);
  return made;
}

void RandomOperations::gather() {
  Load load;
  load.bytes = uint32_t(4 * numbers.get(1, 8));
  load.dram = {Region::Io, uint64_t(4 * numbers.get(0, 40)), 0};
  load.scratchpad = place(DataType::I32, load.bytes);
  std::vector<Span> indices = taken;
  add(numbers.pick({Queue::Load0, Queue::Load1}), load);
  taken = indices;
  Gather gather;
  gather.indices = load.scratchpad;
  gather.count = count(load.bytes / 4, gather.countFrom);
  gather.limit = uint32_t(numbers.get(kIndexLimit, kIndexLimit + 4));
  gather.bytes = uint32_t(numbers.get(1, 100));
  gather.stride =
      uint32_t(16 * numbers.get(overlaps ? 0 : (gather.bytes + 15) / 16, 8));
  gather.to =
      place(DataType::F32,
            (load.bytes / 4 - 1) * int64_t(gather.stride) + gather.bytes);
  gather.table = dram(readable(), 0, int64_t(gather.limit) * gather.bytes);
  add(numbers.pick({Queue::Load0, Queue::Load1}), gather);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The tables that it looks up are loaded first.
StreamWeights RandomOperations::stream(int64_t rows, int64_t columns,
                                       bool isInteger) {
  StreamWeights made;
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.slot = uint8_t(numbers.get(0, config.kernelBuffer.slots - 1));
  made.isPalette = numbers.once(2);
  if (made.isPalette) {
    made.bits = uint8_t(numbers.pick({1, 2, 3, 4, 6, 8}));
    made.storageBits = made.bits == 3   ? config.decoder.threeBitStorage
                       : made.bits == 6 ? config.decoder.sixBitStorage
                                        : made.bits;
    // At most 16 of 256 entries, which are what a region has room for.
    made.rowsPerTable = uint32_t(numbers.get((rows + 15) / 16, rows));
    LoadTable load;
    int64_t tables = (rows + made.rowsPerTable - 1) / made.rowsPerTable;
    load.count = uint8_t(tables);
    load.slot = made.table = uint8_t(numbers.get(0, kTableSlots - tables));
    load.type = isInteger ? DataType::I8 : DataType::F16;
    int64_t all = int64_t(1) << made.bits;
    load.entries =
        uint16_t(overlaps && numbers.once(4) ? numbers.get(1, all) : all);
    load.from = dram(isInteger ? readable() : Region::Tables, 0,
                     tables * load.entries * getBytes(load.type));
    if (!isInteger) {
      load.from.base = 0;
      load.from.offset &= ~uint64_t(1);
    }
    add(Queue::Weights, load);
  } else {
    made.bits = isInteger ? 8 : 16;
    made.storageBits = made.bits;
  }
  int64_t rowBytes = (columns * made.storageBits + 7) / 8;
  made.from = dram(readable(), 0, rows * rowBytes);
  if (numbers.once(2)) {
    made.rowsPerScale = uint32_t(numbers.get(1, 4));
    made.firstRow = uint32_t(numbers.get(0, 9));
    made.scales =
        dram(Region::Tables, 0,
             2 * ((made.firstRow + rows - 1) / made.rowsPerScale + 1));
  }
  add(Queue::Weights, made);
  return made;
}

/// A product in one or more parts, each with its weights.
void RandomOperations::product() {
  int64_t rows = numbers.get(1, 6), columns = numbers.get(1, 24);
  int64_t parts = numbers.once(2) ? 1 : numbers.get(2, 3);
  bool isInteger = numbers.once(2);
  int64_t group = numbers.get(1, 20);
  DataType floatType = pickFloat();
  bool weightsAreIntegers = isInteger || numbers.once(2);
  for (int64_t p = 0; p < parts; ++p) {
    Multiply made;
    int64_t inner = numbers.get(1, 40);
    if (isInteger && p + 1 < parts && !overlaps) {
      inner = group * (1 + inner / group);
    }
    made.slot = stream(columns, inner, weightsAreIntegers).slot;
    made.rows = uint32_t(rows);
    made.columns = uint32_t(columns);
    made.inner = uint32_t(inner);
    made.a = tile(isInteger ? DataType::I8 : floatType, rows, inner);
    made.group = uint32_t(group);
    if (isInteger) {
      made.scales = tile(DataType::F32, rows, (inner + group - 1) / group);
    }
    made.isFirst = p == 0;
    made.isLast = p + 1 == parts;
    made.adds = numbers.once(3);
    made.c = tile(pickFloat(), rows, columns);
    add(Queue::Matrix, made);
    if (numbers.once(4)) {
      elementwise();
    }
  }
}

void RandomOperations::dynamicProduct() {
  MultiplyDynamic made;
  int64_t rows = numbers.get(1, 6), columns = numbers.get(1, 24),
          inner = numbers.get(1, 24);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.inner = uint32_t(inner);
  made.isTransposed = numbers.once(2);
  made.a = tile(pickFloat(), rows, inner);
  DataType type = numbers.pick({DataType::I8, DataType::F16, DataType::F32});
  int64_t rowsOfB = made.isTransposed ? columns : inner;
  made.b = tile(type, rowsOfB, made.isTransposed ? inner : columns);
  made.hasScales = type != DataType::F32 && numbers.once(2);
  made.scales = place(DataType::F16, 2 * rowsOfB);
  made.factor = numbers.getFinite();
  made.adds = numbers.once(2);
  made.c = tile(DataType::F32, rows, columns);
  add(Queue::Matrix, made);
}

//===----------------------------------------------------------------------===//
// Vector and cache
//===----------------------------------------------------------------------===//

void RandomOperations::elementwise() {
  Elementwise made;
  int64_t rows = numbers.get(1, 6), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.op = ElementwiseOp(numbers.get(0, 7));
  bool isUnary = made.op == ElementwiseOp::Copy ||
                 made.op == ElementwiseOp::Silu ||
                 made.op == ElementwiseOp::GeluTanh;
  made.spread = Spread(numbers.get(isUnary ? 0 : 1, 4));
  if (made.op == ElementwiseOp::Copy) {
    made.spread = Spread::None;
  }
  auto any = [&] {
    return overlaps || made.op == ElementwiseOp::Copy
               ? numbers.pick({DataType::F32, DataType::F32, DataType::F16,
                               DataType::I8, DataType::I32})
               : pickFloat();
  };
  made.a = tile(any(), rows, columns);
  made.b = tile(any(), made.spread == Spread::Row ? 1 : rows,
                made.spread == Spread::Column ? 1 : columns);
  made.d = numbers.once(3) ? made.a : tile(any(), rows, columns);
  made.immediate = numbers.getFinite();
  add(Queue::Vector, made);
}

void RandomOperations::reduce() {
  Reduce made;
  int64_t rows = numbers.get(1, 6), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.op = ReduceOp(numbers.get(0, 2));
  made.a = tile(pickFloat(), rows, columns);
  made.d = tile(made.op == ReduceOp::ArgMax ? DataType::I32 : DataType::F32,
                rows, 1);
  add(Queue::Vector, made);
}

void RandomOperations::normalize() {
  Normalize made;
  int64_t rows = numbers.get(1, 4), columns = numbers.get(1, 24);
  int64_t heads = numbers.get(1, 3);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.heads = uint32_t(heads);
  made.hasGain = numbers.once(2);
  made.gain = place(DataType::F32, 4 * columns);
  made.epsilon = numbers.pick({0.0f, 1e-5f, 1e-6f});
  made.a = tile(pickFloat(), rows, heads * columns);
  made.d = numbers.once(2) ? made.a : tile(pickFloat(), rows, heads * columns);
  add(Queue::Vector, made);
}

void RandomOperations::quantize() {
  Quantize made;
  int64_t rows = numbers.get(1, 5), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.group = uint32_t(numbers.get(1, 45));
  made.bits = uint8_t(numbers.get(2, 8));
  made.a = tile(pickFloat(), rows, columns);
  made.d = tile(DataType::I8, rows, columns);
  made.scales =
      tile(DataType::F32, rows, (columns + made.group - 1) / made.group);
  add(Queue::Vector, made);
}

void RandomOperations::dequantize() {
  Dequantize made;
  int64_t rows = numbers.get(1, 5), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.group = uint32_t(numbers.get(1, 45));
  made.factor = numbers.getFinite();
  made.a = tile(DataType::I8, rows, columns);
  made.scales =
      tile(pickFloat(), rows, (columns + made.group - 1) / made.group);
  made.d = tile(pickFloat(), rows, columns);
  add(Queue::Vector, made);
}

void RandomOperations::rotate() {
  Rotate made;
  int64_t rows = numbers.get(1, 4), columns = 2 * numbers.get(1, 12);
  int64_t heads = numbers.get(1, 3);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.heads = uint32_t(heads);
  made.isInterleaved = numbers.once(2);
  made.a = tile(pickFloat(), rows, heads * columns);
  made.table = tile(DataType::F32, rows, columns);
  made.d = numbers.once(2) ? made.a : tile(pickFloat(), rows, heads * columns);
  add(Queue::Vector, made);
}

void RandomOperations::softmax() {
  SoftmaxStep made;
  int64_t rows = numbers.get(1, 8), columns = numbers.get(1, 30);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.rowsPerToken = uint32_t(numbers.get(1, 4));
  made.firstQuery = numbers.get(-5, 40);
  made.firstKey = numbers.get(-5, 40);
  auto pickPosition = [&]() -> Register {
    const KnownRegister *known = pickRegister(-100, 100, 1);
    return known && numbers.once(2) ? known->number : Register(0);
  };
  made.firstQueryFrom = pickPosition();
  made.firstKeyFrom = pickPosition();
  made.window = uint32_t(numbers.once(2) ? 0 : numbers.get(1, 20));
  made.softCap = numbers.once(3) ? float(numbers.get(1, 30)) : 0.0f;
  made.isFirst = numbers.once(2);
  made.a = tile(pickFloat(), rows, columns);
  made.d = numbers.once(2) ? made.a : tile(pickFloat(), rows, columns);
  made.state = tile(DataType::F32, rows, 2);
  made.factors = tile(DataType::F32, rows, 1);
  add(Queue::Vector, made);
}

void RandomOperations::append() {
  AppendCache made;
  int64_t rows = numbers.get(1, 4), columns = numbers.get(1, 20);
  int64_t heads = numbers.get(1, 3);
  made.bits = uint8_t(numbers.pick({4, 8, 16, 32}));
  columns += made.bits == 4 && !overlaps ? columns % 2 : 0;
  made.heads = uint32_t(heads);
  made.columns = uint32_t(columns);
  made.rows = count(rows, made.rowsFrom);
  made.headStride = uint32_t(numbers.get(0, 100));
  made.scaleHeadStride = uint32_t(numbers.get(0, 20));
  int64_t most = 1;
  if (const KnownRegister *known = pickRegister(0, 60, 1);
      known && numbers.once(2)) {
    made.strideFrom = known->number;
    most = std::max<int64_t>(known->most, 1);
    made.headStride %= 16;
  }
  int64_t rowBytes = (columns * made.bits + 7) / 8;
  made.a = tile(DataType::F32, rows, heads * columns);
  Region region = writable();
  made.to =
      dram(region, 0, (heads - 1) * most * made.headStride + rows * rowBytes);
  made.scales =
      dram(writable(), 0, (heads - 1) * most * made.scaleHeadStride + 2 * rows);
  add(Queue::Cache, made);
}

void RandomOperations::writeOperation() {
  switch (numbers.get(0, 15)) {
  case 0: {
    Mark mark;
    mark.id = uint32_t(numbers.get(0, 1000));
    return add(Queue::System, mark);
  }
  case 1:
  case 2: {
    Load load;
    static_cast<Transfer &>(load) = transfer(readable());
    return add(numbers.pick({Queue::Load0, Queue::Load1}), load);
  }
  case 3: {
    Store store;
    static_cast<Transfer &>(store) = transfer(writable());
    return add(Queue::Store, store);
  }
  case 4:
    return gather();
  case 5:
  case 6:
    return product();
  case 7:
    return dynamicProduct();
  case 8:
    return elementwise();
  case 9:
    return reduce();
  case 10:
    return normalize();
  case 11:
    return quantize();
  case 12:
    return dequantize();
  case 13:
    return rotate();
  case 14:
    return softmax();
  default:
    return append();
  }
}
