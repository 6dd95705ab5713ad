// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights that stream into the kernel buffer, and palettes that are looked up
// on the way.

#include "runtime/drivers/npu/sim/Operations.h"
#include "runtime/drivers/npu/sim/Rows.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

/// Looks up `count` indices of `bits`, packed from a byte's lowest bits on.
template <typename T>
void lookUp(const uint8_t *indices, unsigned bits, uint64_t count,
            const std::array<T, 256> &table, T *to) {
  switch (bits) {
  case 8:
    for (uint64_t i = 0; i < count; ++i) {
      to[i] = table[indices[i]];
    }
    return;
  case 4:
    for (uint64_t i = 0; i + 2 <= count; i += 2) {
      uint8_t byte = indices[i / 2];
      to[i] = table[byte & 15];
      to[i + 1] = table[byte >> 4];
    }
    if (count % 2 != 0) {
      to[count - 1] = table[indices[count / 2] & 15];
    }
    return;
  default: {
    uint32_t waiting = 0;
    unsigned filled = 0;
    for (uint64_t i = 0; i < count; ++i) {
      if (filled < bits) {
        waiting |= uint32_t(*indices++) << filled;
        filled += 8;
      }
      to[i] = table[waiting & ((1u << bits) - 1)];
      waiting >>= bits;
      filled -= bits;
    }
  }
  }
}

unsigned getStorageBits(const DecoderConfig &decoder, unsigned bits) {
  int64_t stored = bits == 3   ? decoder.threeBitStorage
                   : bits == 6 ? decoder.sixBitStorage
                               : bits;
  return unsigned(stored);
}

/// The type of the elements of `weights`; of palettes, all must have the same.
DataType checkFormat(Operands &operands, const StreamWeights &weights) {
  unsigned bits = weights.bits;
  if (!weights.isPalette) {
    if (bits != 8 && bits != 16) {
      operands.fail("bits", "8 or 16", std::to_string(bits));
    }
    return bits == 8 ? DataType::I8 : DataType::F16;
  }
  if (bits == 0 || bits > 8 || bits == 5 || bits == 7) {
    operands.fail("bits", "1, 2, 3, 4, 6 or 8", std::to_string(bits));
    return DataType::I8;
  }
  unsigned stored = getStorageBits(operands.machine.config.decoder, bits);
  if (weights.storageBits != stored || stored < bits || stored > 8) {
    operands.fail("storage bits",
                  std::to_string(stored) + ", as " +
                      operands.machine.config.name + " stores " +
                      std::to_string(bits),
                  std::to_string(weights.storageBits));
  }
  operands.checkSize("rows per table", weights.rowsPerTable);
  if (!operands.ok()) {
    return DataType::I8;
  }
  uint64_t tables = countGroups(weights.rows, weights.rowsPerTable);
  if (weights.table + tables > kTableSlots) {
    operands.fail("tables", "at most " + std::to_string(kTableSlots) + " slots",
                  "slots " + std::to_string(weights.table) + " to " +
                      std::to_string(weights.table + tables));
    return DataType::I8;
  }
  DataType type = operands.machine.tables[weights.table].type;
  for (uint64_t slot = weights.table; slot < weights.table + tables; ++slot) {
    const PaletteTable &table = operands.machine.tables[slot];
    std::string name = "table " + std::to_string(slot);
    if (!table.isLoaded) {
      operands.fail(name.c_str(), "a palette", "none");
    } else if (table.type != type) {
      operands.fail(name.c_str(), getName(type), getName(table.type));
    }
  }
  return type;
}

void decodeRow(const Machine &machine, const StreamWeights &weights,
               const uint8_t *from, uint64_t row, KernelSlot &slot) {
  uint64_t columns = weights.columns;
  bool isInteger = slot.type == DataType::I8;
  int8_t *integers = slot.integers.data() + (isInteger ? row * columns : 0);
  float *floats = slot.floats.data() + (isInteger ? 0 : row * columns);
  if (weights.isPalette) {
    const PaletteTable &table =
        machine.tables[weights.table + row / weights.rowsPerTable];
    if (isInteger) {
      lookUp(from, weights.storageBits, columns, table.integers, integers);
    } else {
      lookUp(from, weights.storageBits, columns, table.floats, floats);
    }
  } else if (isInteger) {
    std::memcpy(integers, from, columns);
  } else {
    loadRow(from, DataType::F16, columns, floats);
  }
}

} // namespace

void npu::execute(Operands &operands, const Workers &workers,
                  const StreamWeights &weights) {
  Machine &machine = operands.machine;
  if (weights.slot >= machine.kernelSlots.size()) {
    operands.fail("kernel slot",
                  "a number below " +
                      std::to_string(machine.kernelSlots.size()),
                  std::to_string(weights.slot));
  }
  operands.checkRange("rows", weights.rows, 1, kMostRows);
  operands.checkRange("columns", weights.columns, 1, kMostRows);
  DataType type = checkFormat(operands, weights);
  if (!operands.ok()) {
    return;
  }
  uint64_t rows = weights.rows, columns = weights.columns;
  uint64_t elements = rows * columns;
  if (elements * getSize(type) > machine.kernelSlotBytes()) {
    operands.fail("kernel slot",
                  "at most " + std::to_string(machine.kernelSlotBytes()) +
                      " bytes",
                  std::to_string(elements * getSize(type)));
  }
  uint64_t rowBytes = getRowBytes(weights);
  const uint8_t *from = operands.open("from", weights.from, 0,
                                      Wide(rows) * rowBytes, Access::Read);
  const uint8_t *scales = nullptr;
  uint64_t firstScale = 0;
  if (weights.rowsPerScale != 0) {
    firstScale = weights.firstRow / weights.rowsPerScale;
    uint64_t last = (weights.firstRow + rows - 1) / weights.rowsPerScale;
    scales = operands.open("scales", weights.scales, Wide(2) * firstScale,
                           Wide(2) * last + 2, Access::Read);
  }
  if (!operands.ok()) {
    return;
  }
  KernelSlot &slot = machine.kernelSlots[weights.slot];
  slot.isFull = true;
  slot.isPalette = weights.isPalette;
  slot.type = type;
  slot.rows = weights.rows;
  slot.columns = weights.columns;
  slot.hasScales = weights.rowsPerScale != 0;
  slot.panels.clear();
  if (!operands.compute()) {
    return;
  }
  slot.integers.resize(type == DataType::I8 ? elements : 0);
  slot.floats.resize(type == DataType::I8 ? 0 : elements);
  slot.scales.resize(slot.hasScales ? rows : 0);
  for (uint64_t row = 0; row < slot.scales.size(); ++row) {
    uint64_t number = (weights.firstRow + row) / weights.rowsPerScale;
    slot.scales[row] = loadElement(scales + 2 * number, DataType::F16);
  }
  workers.run(rows, elements, [&](size_t row) {
    decodeRow(machine, weights, from + row * rowBytes, row, slot);
  });
}
