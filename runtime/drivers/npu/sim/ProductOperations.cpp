// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products, of weights in the kernel buffer and of matrices in the scratchpad.

#include "runtime/drivers/npu/sim/Operations.h"
#include "runtime/drivers/npu/sim/PanelKernels.h"
#include "runtime/drivers/npu/sim/Rows.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

/// Elements of A that are converted at once.
constexpr uint64_t kBlockElements = 1 << 20;

/// Calls f(first row, rows) for blocks of rows of `columns` elements.
template <typename F>
void forBlocks(uint64_t rows, uint64_t columns, F f) {
  uint64_t block = std::max<uint64_t>(1, kBlockElements / columns);
  for (uint64_t r = 0; r < rows; r += block) {
    f(r, std::min(block, rows - r));
  }
}

std::vector<float> loadRows(const Matrix &matrix, uint64_t first, uint64_t rows,
                            uint64_t columns) {
  std::vector<float> values(rows * columns);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(matrix.row(first + r), matrix.type, columns,
            values.data() + r * columns);
  }
  return values;
}

/// Sums of [rows][columns] by panels: [panel][row][kPanelColumns].
struct Sums {
  std::vector<float> &values;
  uint64_t rows;

  float *get(uint64_t panel, uint64_t row) {
    return values.data() + (panel * rows + row) * kPanelColumns;
  }
  void getRow(uint64_t row, uint64_t columns, float *to) {
    for (uint64_t c = 0; c < columns; c += kPanelColumns) {
      std::copy_n(get(c / kPanelColumns, row),
                  std::min(kPanelColumns, columns - c), to + c);
    }
  }
};

uint64_t getPanelColumns(uint64_t panel, uint64_t columns) {
  return std::min(kPanelColumns, columns - panel * kPanelColumns);
}

/// Writes a row of C, or adds it to what C is.
void writeRow(const Matrix &c, uint64_t row, uint64_t columns, bool adds,
              std::vector<float> &values, std::vector<float> &before) {
  if (adds) {
    before.resize(columns);
    loadRow(c.row(row), c.type, columns, before.data());
    for (uint64_t i = 0; i < columns; ++i) {
      values[i] = before[i] + values[i];
    }
  }
  storeRow(values.data(), c.type, columns, c.row(row));
}

void packSlot(const Workers &workers, KernelSlot &slot) {
  uint64_t panels = countPanels(slot.rows), inner = slot.columns;
  uint64_t panelElements = inner * kPanelColumns;
  slot.panels.resize(panels * panelElements);
  workers.run(panels, panels * panelElements, [&](size_t p) {
    uint64_t columns = getPanelColumns(p, slot.rows);
    float *to = slot.panels.data() + p * panelElements;
    if (slot.type == DataType::I8) {
      packRows(slot.integers.data() + p * panelElements, inner, columns, inner,
               to);
    } else {
      packRows(slot.floats.data() + p * panelElements, inner, columns, inner,
               to);
    }
  });
}

void addFloats(const Workers &workers, const Multiply &product, const Matrix &a,
               KernelSlot &slot, Sums sums) {
  if (slot.panels.empty()) {
    packSlot(workers, slot);
  }
  uint64_t inner = product.inner, panels = countPanels(product.columns);
  forBlocks(product.rows, inner, [&](uint64_t first, uint64_t rows) {
    std::vector<float> block = loadRows(a, first, rows, inner);
    workers.run(panels, block.size() * product.columns, [&](size_t p) {
      addProducts(block.data(), slot.panels.data() + p * inner * kPanelColumns,
                  sums.get(p, first), rows, inner);
    });
  });
}

void addIntegers(const Workers &workers, const Multiply &product,
                 const Matrix &a, const Matrix &scales, const KernelSlot &slot,
                 Sums sums) {
  uint64_t inner = product.inner, panels = countPanels(product.columns);
  uint64_t groups = countGroups(inner, product.group);
  forBlocks(product.rows, inner, [&](uint64_t first, uint64_t rows) {
    std::vector<int8_t> block(rows * inner);
    for (uint64_t r = 0; r < rows; ++r) {
      std::memcpy(block.data() + r * inner, a.row(first + r), inner);
    }
    std::vector<float> blockScales = loadRows(scales, first, rows, groups);
    workers.run(panels, block.size() * product.columns, [&](size_t p) {
      addIntegerProducts(
          block.data(), slot.integers.data() + p * inner * kPanelColumns,
          blockScales.data(), sums.get(p, first), rows,
          getPanelColumns(p, product.columns), inner, product.group);
    });
  });
}

std::string getShape(uint64_t rows, uint64_t columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

void checkSlot(Operands &operands, const Multiply &product) {
  const std::vector<KernelSlot> &slots = operands.machine.kernelSlots;
  if (product.slot >= slots.size()) {
    return operands.fail("kernel slot",
                         "a number below " + std::to_string(slots.size()),
                         std::to_string(product.slot));
  }
  const KernelSlot &slot = slots[product.slot];
  std::string expected =
      "weights of " + getShape(product.columns, product.inner);
  if (!slot.isFull) {
    return operands.fail("kernel slot", expected, "none");
  }
  if (slot.rows != product.columns || slot.columns != product.inner) {
    operands.fail("kernel slot", expected, getShape(slot.rows, slot.columns));
  }
}

void checkSums(Operands &operands, const Multiply &product) {
  const Accumulators &sums = operands.machine.accumulators;
  if (!product.isFirst && (!sums.areOpen || sums.rows != product.rows ||
                           sums.columns != product.columns)) {
    operands.fail("accumulators",
                  "sums of " + getShape(product.rows, product.columns),
                  sums.areOpen ? getShape(sums.rows, sums.columns) : "none");
  }
  // Whole products leave the array pass by pass.
  auto most = uint64_t(operands.machine.config.scratchpad.accumulatorBytes);
  Wide bytes = Wide(4) * product.rows * product.columns;
  if (!(product.isFirst && product.isLast) && bytes > Wide(most)) {
    operands.fail("accumulators", "at most " + std::to_string(most) + " bytes",
                  getText(bytes));
  }
}

} // namespace

void npu::execute(Operands &operands, const Workers &workers,
                  const Multiply &product) {
  Machine &machine = operands.machine;
  uint64_t rows = product.rows, columns = product.columns;
  checkSlot(operands, product);
  checkSums(operands, product);
  Matrix a = operands.open("a", product.a, rows, product.inner,
                           kI8 | kF16 | kF32, Access::Read);
  Matrix scales, c;
  if (product.a.type == DataType::I8) {
    operands.checkSize("group", product.group);
    if (!operands.ok()) {
      return;
    }
    scales = operands.open("scales", product.scales, rows,
                           countGroups(product.inner, product.group), kF32,
                           Access::Read);
    if (machine.kernelSlots[product.slot].type != DataType::I8) {
      operands.fail("kernel slot", "weights of i8, as a is", "f16");
    }
  }
  if (product.isLast) {
    c = operands.open("c", product.c, rows, columns, kF16 | kF32,
                      Access::Write);
  }
  if (!operands.ok()) {
    return;
  }
  Accumulators &accumulators = machine.accumulators;
  accumulators.areOpen = !product.isLast;
  accumulators.rows = product.rows;
  accumulators.columns = product.columns;
  if (!operands.compute()) {
    return;
  }
  KernelSlot &slot = machine.kernelSlots[product.slot];
  if (product.isFirst) {
    accumulators.sums.assign(countPanels(columns) * rows * kPanelColumns, 0.0f);
  }
  Sums sums = {accumulators.sums, rows};
  if (product.a.type == DataType::I8) {
    addIntegers(workers, product, a, scales, slot, sums);
  } else {
    addFloats(workers, product, a, slot, sums);
  }
  if (!product.isLast) {
    return;
  }
  std::vector<float> values(columns), before;
  for (uint64_t r = 0; r < rows; ++r) {
    sums.getRow(r, columns, values.data());
    for (uint64_t i = 0; i < slot.scales.size(); ++i) {
      values[i] *= slot.scales[i];
    }
    writeRow(c, r, columns, product.adds, values, before);
  }
}

void npu::execute(Operands &operands, const Workers &workers,
                  const MultiplyDynamic &product) {
  uint64_t rows = product.rows, columns = product.columns,
           inner = product.inner;
  uint64_t rowsOfB = product.isTransposed ? columns : inner;
  uint64_t columnsOfB = product.isTransposed ? inner : columns;
  Matrix a =
      operands.open("a", product.a, rows, inner, kF16 | kF32, Access::Read);
  Matrix b = operands.open("b", product.b, rowsOfB, columnsOfB,
                           product.hasScales ? kI8 | kF16 : kI8 | kF16 | kF32,
                           Access::Read);
  Matrix c = operands.open("c", product.c, rows, columns, kF32, Access::Write);
  const uint8_t *at = nullptr;
  if (product.hasScales) {
    at = operands.open("scales", product.scales, 2 * rowsOfB);
  }
  if (!operands.compute()) {
    return;
  }
  std::vector<float> scales(product.hasScales ? rowsOfB : 0);
  if (product.hasScales) {
    loadRow(at, DataType::F16, rowsOfB, scales.data());
  }
  uint64_t panels = countPanels(columns);
  std::vector<float> values(panels * rows * kPanelColumns);
  Sums sums = {values, rows};
  forBlocks(rows, inner, [&](uint64_t first, uint64_t count) {
    std::vector<float> block = loadRows(a, first, count, inner);
    for (uint64_t i = 0;
         product.hasScales && !product.isTransposed && i < block.size(); ++i) {
      block[i] *= scales[i % inner];
    }
    workers.run(panels, block.size() * columns, [&](size_t p) {
      uint64_t width = getPanelColumns(p, columns);
      std::vector<float> panel(inner * kPanelColumns);
      uint64_t begin = p * kPanelColumns;
      if (product.isTransposed) {
        std::vector<float> part = loadRows(b, begin, width, inner);
        packRows(part.data(), inner, width, inner, panel.data());
      } else {
        Matrix part = b;
        part.data += begin * getSize(b.type);
        std::vector<float> rowsOfPart = loadRows(part, 0, inner, width);
        packColumns(rowsOfPart.data(), width, width, inner, panel.data());
      }
      addProducts(block.data(), panel.data(), sums.get(p, first), count, inner);
    });
  });
  std::vector<float> row(columns), before;
  for (uint64_t r = 0; r < rows; ++r) {
    sums.getRow(r, columns, row.data());
    for (uint64_t i = 0; i < columns; ++i) {
      float sum = product.hasScales && product.isTransposed ? row[i] * scales[i]
                                                            : row[i];
      row[i] = sum * product.factor;
    }
    writeRow(c, r, columns, product.adds, row, before);
  }
}
