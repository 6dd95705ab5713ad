// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/NPU/RandomOperations.h"

#include "runtime/drivers/npu/isa/Operation.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

static int64_t alignUp(int64_t bytes) { return (bytes + 15) / 16 * 16; }

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
// Choice
//===----------------------------------------------------------------------===//

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
