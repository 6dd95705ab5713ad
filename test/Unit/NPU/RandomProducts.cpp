// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions of the queues of weights and of the matrix unit.

#include "test/Unit/NPU/RandomOperations.h"

#include "runtime/drivers/npu/isa/Operation.h"

using namespace umber;
using namespace umber::npu;

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
