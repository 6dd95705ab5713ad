// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products with weights, which stream through the kernel buffer's slots in the
// program's order, whatever kernel they belong to.

#include "targets/NPU/FunctionEmitter.h"

#include "runtime/drivers/npu/ArrayModel.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

/// As many tables at once as there are slots, so that few of their loads
/// interrupt the stream.
void FunctionEmitter::loadTables(const MatrixLayout &matrix, int64_t firstRow,
                                 int64_t count) {
  int64_t first = firstRow / matrix.rowsPerTable;
  int64_t last = (firstRow + count - 1) / matrix.rowsPerTable;
  if (tablesOf == &matrix && first >= firstTable &&
      last < firstTable + tableCount) {
    return;
  }
  tablesOf = &matrix;
  firstTable = first;
  tableCount = std::min<int64_t>(
      kTableSlots, divideUp(matrix.rows, matrix.rowsPerTable) - first);
  LoadTable load;
  load.from = {matrix.region,
               matrix.tables + (static_cast<uint64_t>(first) << matrix.bits),
               0};
  load.count = static_cast<uint8_t>(tableCount);
  load.entries = static_cast<uint16_t>(1 << matrix.bits);
  load.type = DataType::I8;
  builder.add(Queue::Weights, load);
}

void FunctionEmitter::stream(const MatrixLayout &matrix, int64_t firstRow,
                             int64_t count, int64_t part) {
  StreamWeights stream;
  if (matrix.isPalette) {
    loadTables(matrix, firstRow, count);
    stream.isPalette = true;
    stream.table =
        static_cast<uint8_t>(firstRow / matrix.rowsPerTable - firstTable);
    stream.rowsPerTable = static_cast<uint32_t>(matrix.rowsPerTable);
  }
  int64_t first = part * matrix.tileColumns;
  uint64_t offset = matrix.getPartOffset(firstRow, part);
  stream.from = {matrix.region, offset, 0};
  currentSlot = static_cast<uint8_t>(nextSlot++ % config.kernelBuffer.slots);
  stream.slot = currentSlot;
  stream.bits = static_cast<uint8_t>(matrix.bits);
  stream.storageBits = static_cast<uint8_t>(matrix.storageBits);
  stream.rows = static_cast<uint32_t>(count);
  stream.columns = static_cast<uint32_t>(
      std::min(matrix.tileColumns, matrix.columns - first));
  if (matrix.rowsPerScale != 0) {
    stream.scales = {matrix.region, matrix.scales, 0};
    stream.rowsPerScale = static_cast<uint32_t>(matrix.rowsPerScale);
    stream.firstRow = static_cast<uint32_t>(firstRow);
  }
  builder.add(Queue::Weights, stream);
}

void FunctionEmitter::emitProduct(LinearOp linear, Range range, Columns to) {
  auto it = values.find(linear.getX());
  if (it == values.end()) {
    fail(linear, "expected a product of rows, found one of columns");
    return;
  }
  if (!it->second.isResident) {
    tooLarge = Status(StatusCode::Unsupported,
                      config.name + ": expected a product's input in the "
                                    "scratchpad (scratchpad.bytes), found one "
                                    "in DRAM");
    failed = true;
    return;
  }
  Rows x = it->second;
  const MatrixLayout &matrix = layout.getMatrix(linear.getWeight());
  const auto &array = std::get<CoreArray>(config.array);
  bool isI8 = x.type == DataType::I8;
  if (isI8 && !matrix.isPalette && matrix.bits != 8) {
    // Products of integers are by integers: these are what they stand for.
    Rows plain;
    plain.columns = x.columns;
    plain.stride = getStride(4 * x.columns);
    plain.buffer = builder.addBuffer(uint64_t(rows) * plain.stride,
                                     "a product's rounded input");
    Dequantize dequantize;
    dequantize.a = tileOf(x);
    dequantize.scales = scalesOf(x);
    dequantize.d = tileOf(plain);
    dequantize.rows = static_cast<uint32_t>(rows);
    dequantize.columns = static_cast<uint32_t>(x.columns);
    dequantize.group = static_cast<uint32_t>(x.group);
    builder.add(Queue::Vector, dequantize);
    x = plain;
    isI8 = false;
  }
  bool isF16 = isF16Product(config, matrix.isPalette, isI8);
  if ((isF16 ? array.rowsF16 : array.rowsI8) == 0) {
    fail(linear, Twine("expected an array with ") +
                     (isF16 ? "array.rows_f16" : "array.rows_i8") +
                     ", found 0");
    return;
  }
  for (int64_t row = 0; row < range.columns;) {
    int64_t first = range.first + row;
    int64_t count = std::min(matrix.tileRows - first % matrix.tileRows,
                             range.columns - row);
    for (int64_t part = 0; part < matrix.getParts(); ++part) {
      stream(matrix, first, count, part);
      int64_t column = part * matrix.tileColumns;
      Multiply product;
      product.a = tileOf(x, 0, column);
      if (isI8) {
        product.scales = scalesOf(x, 0, column);
        product.group = static_cast<uint32_t>(x.group);
      }
      Columns c = to;
      c.offset += 4 * row;
      product.c = tileOf(c);
      product.slot = currentSlot;
      product.rows = static_cast<uint32_t>(rows);
      product.columns = static_cast<uint32_t>(count);
      product.inner = static_cast<uint32_t>(
          std::min(matrix.tileColumns, matrix.columns - column));
      product.isFirst = part == 0;
      product.isLast = part + 1 == matrix.getParts();
      builder.add(Queue::Matrix, product);
    }
    row += count;
    for (mlir::Operation *user : linear.getResult().getUsers()) {
      if (auto pending = pendingLora.find(user); pending != pendingLora.end()) {
        Tile input = pending->second;
        pendingLora.erase(pending);
        emitLoraInput(cast<LoraOp>(user), input, 0, rows);
      }
    }
  }
  if (auto bias = linear.getBias()) {
    Buffer vector = loadVector(*bias, range.first, range.columns);
    Elementwise add;
    add.op = ElementwiseOp::Add;
    add.a = tileOf(to);
    add.b = {builder.at(vector), getStride(4 * range.columns), DataType::F32};
    add.d = tileOf(to);
    add.spread = Spread::Row;
    add.rows = static_cast<uint32_t>(rows);
    add.columns = static_cast<uint32_t>(range.columns);
    builder.add(Queue::Vector, add);
  }
}

/// Adds B of the site times what its A has made of the input.
void FunctionEmitter::emitLora(LoraOp lora, Range range, Columns to) {
  auto it = lowRank.find(lora);
  if (it == lowRank.end()) {
    fail(lora,
         "expected an adapter's input from a kernel's argument or a norm");
    return;
  }
  Rows u = it->second;
  const MatrixLayout &b = layout.getSite(lora.getSite()).b;
  for (int64_t row = 0; row < range.columns;) {
    int64_t first = range.first + row;
    int64_t count =
        std::min(b.tileRows - first % b.tileRows, range.columns - row);
    stream(b, first, count, 0);
    Multiply product;
    product.a = tileOf(u);
    Columns c = to;
    c.offset += 4 * row;
    product.c = tileOf(c);
    product.slot = currentSlot;
    product.rows = static_cast<uint32_t>(rows);
    product.columns = static_cast<uint32_t>(count);
    product.inner = static_cast<uint32_t>(b.columns);
    product.adds = true;
    builder.add(Queue::Matrix, product);
    row += count;
  }
}

FunctionEmitter::Rows FunctionEmitter::getLowRank(LoraOp lora) {
  int64_t rank = layout.adapterRank;
  auto [it, isNew] = lowRank.try_emplace(lora);
  if (isNew) {
    Rows &u = it->second;
    u.columns = rank;
    u.stride = getStride(4 * rank);
    u.buffer = builder.addBuffer(uint64_t(rows) * u.stride, "an adapter's A x");
  }
  return it->second;
}

/// By the adapters' scales.
void FunctionEmitter::scaleLowRank(const Rows &u, int64_t row, int64_t count) {
  auto [it, isNew] = constants.try_emplace("adapters' scales", 0);
  if (isNew) {
    it->second =
        builder.addBuffer(4 * u.columns, "adapters' scales", /*isPinned=*/true);
    Load load;
    load.scratchpad = builder.at(it->second);
    load.dram = {Region::Adapters, layout.adapterScales, 0};
    load.bytes = static_cast<uint32_t>(4 * u.columns);
    builder.add(Queue::Load0, load);
  }
  Elementwise scale;
  scale.op = ElementwiseOp::Multiply;
  scale.a = tileOf(u, row);
  scale.b = {builder.at(it->second), getStride(4 * u.columns), DataType::F32};
  scale.d = tileOf(u, row);
  scale.spread = Spread::Row;
  scale.rows = static_cast<uint32_t>(count);
  scale.columns = static_cast<uint32_t>(u.columns);
  builder.add(Queue::Vector, scale);
}

/// Streams the sites' A to slots where they stay, if each fits into one and
/// another is left for what comes next.
bool FunctionEmitter::holdLoras(ArrayRef<LoraOp> loras) {
  if (static_cast<int64_t>(loras.size()) >= config.kernelBuffer.slots) {
    return false;
  }
  for (LoraOp lora : loras) {
    if (layout.getSite(lora.getSite()).a.getParts() != 1) {
      return false;
    }
  }
  for (LoraOp lora : loras) {
    const MatrixLayout &a = layout.getSite(lora.getSite()).a;
    stream(a, 0, a.rows, 0);
    heldSlots[lora] = currentSlot;
  }
  return true;
}

/// A of the site times rows of its input, and the adapters' scales.
void FunctionEmitter::emitLoraInput(LoraOp lora, const Tile &x, int64_t row,
                                    int64_t count) {
  const MatrixLayout &a = layout.getSite(lora.getSite()).a;
  Rows u = getLowRank(lora);
  for (int64_t part = 0; part < a.getParts(); ++part) {
    auto held = heldSlots.find(lora);
    if (held == heldSlots.end()) {
      stream(a, 0, a.rows, part);
    }
    Multiply product;
    product.a = x;
    product.a.at = builder.behind(x.at, 4 * part * a.tileColumns);
    product.c = tileOf(u, row);
    product.slot = held == heldSlots.end() ? currentSlot : held->second;
    product.rows = static_cast<uint32_t>(count);
    product.columns = static_cast<uint32_t>(a.rows);
    product.inner = static_cast<uint32_t>(
        std::min(a.tileColumns, a.columns - part * a.tileColumns));
    product.isFirst = part == 0;
    product.isLast = part + 1 == a.getParts();
    builder.add(Queue::Matrix, product);
  }
  scaleLowRank(u, row, count);
}

/// The same of columns of the input, which are added up tile by tile.
void FunctionEmitter::emitLoraColumns(LoraOp lora, const Columns &x,
                                      Range range, bool isLast) {
  const MatrixLayout &a = layout.getSite(lora.getSite()).aByColumns;
  Rows u = getLowRank(lora);
  int64_t parts = range.columns / a.tileColumns;
  for (int64_t part = 0; part < parts; ++part) {
    stream(a, 0, a.rows, range.first / a.tileColumns + part);
    Columns columns = x;
    columns.offset += 4 * part * a.tileColumns;
    Multiply product;
    product.a = tileOf(columns);
    product.c = tileOf(u);
    product.slot = currentSlot;
    product.rows = static_cast<uint32_t>(rows);
    product.columns = static_cast<uint32_t>(a.rows);
    product.inner = static_cast<uint32_t>(a.tileColumns);
    product.isFirst = part == 0;
    product.isLast = part + 1 == parts;
    product.adds = range.first > 0;
    builder.add(Queue::Matrix, product);
  }
  if (isLast) {
    scaleLowRank(u, 0, rows);
  }
}

} // namespace umber::npu
