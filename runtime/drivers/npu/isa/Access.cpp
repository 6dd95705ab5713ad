// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Access.h"

#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

class Collector {
public:
  std::vector<Access> accesses;

  void operator()(const Load &o) {
    add(getDram("dram", o, false));
    add(getTiles("at", o, true));
  }
  void operator()(const Store &o) {
    add(getTiles("at", o, false));
    add(getDram("dram", o, true));
  }
  void operator()(const Gather &o) {
    bytes("indices", o.indices, 4 * int64_t(o.count), false);
    dram("table", o.table, int64_t(o.limit) * o.bytes, false);
    add(rows("to", o.to, o.count, o.stride, o.bytes, true));
  }
  void operator()(const LoadTable &o) {
    dram("from", o.from, int64_t(o.count) * o.entries * getBytes(o.type),
         false);
    slots("slot", Memory::TableSlots, o.slot, o.count, true);
  }
  void operator()(const StreamWeights &o) {
    int64_t row = divideUp(int64_t(o.columns) * o.storageBits, 8);
    dram("from", o.from, o.rows * row, false);
    if (o.rowsPerScale != 0 && o.rows != 0) {
      int64_t first = o.firstRow / o.rowsPerScale;
      int64_t last = (int64_t(o.firstRow) + o.rows - 1) / o.rowsPerScale;
      DramAddress scales = o.scales;
      scales.offset += 2 * first;
      dram("scales", scales, 2 * (last - first + 1), false);
    }
    if (o.isPalette) {
      slots("table", Memory::TableSlots, o.table,
            o.rowsPerTable == 0 ? 1 : divideUp(o.rows, o.rowsPerTable), false);
    }
    slots("slot", Memory::KernelSlots, o.slot, 1, true);
  }
  void operator()(const Multiply &o) {
    tile("a", o.a, o.rows, o.inner, false);
    if (o.a.type == DataType::I8 && o.group != 0) {
      tile("scales", o.scales, o.rows, divideUp(o.inner, o.group), false);
    }
    slots("slot", Memory::KernelSlots, o.slot, 1, false);
    if (o.isLast) {
      result("c", o.c, o.rows, o.columns, o.adds);
    }
  }
  void operator()(const MultiplyDynamic &o) {
    int64_t rowsB = o.isTransposed ? o.columns : o.inner;
    tile("a", o.a, o.rows, o.inner, false);
    tile("b", o.b, rowsB, o.isTransposed ? o.inner : o.columns, false);
    if (o.hasScales) {
      bytes("scales", o.scales, 2 * rowsB, false);
    }
    result("c", o.c, o.rows, o.columns, o.adds);
  }
  void operator()(const Elementwise &o) {
    tile("a", o.a, o.rows, o.columns, false);
    if (o.spread == Spread::Full || o.spread == Spread::Row ||
        o.spread == Spread::Column) {
      tile("b", o.b, o.spread == Spread::Row ? 1 : o.rows,
           o.spread == Spread::Column ? 1 : o.columns, false);
    }
    tile("d", o.d, o.rows, o.columns, true);
  }
  void operator()(const Reduce &o) {
    tile("a", o.a, o.rows, o.columns, false);
    tile("d", o.d, o.rows, 1, true);
  }
  void operator()(const Normalize &o) {
    int64_t columns = int64_t(o.columns) * o.heads;
    tile("a", o.a, o.rows, columns, false);
    if (o.hasGain) {
      bytes("gain", o.gain, 4 * int64_t(o.columns), false);
    }
    tile("d", o.d, o.rows, columns, true);
  }
  void operator()(const Quantize &o) {
    tile("a", o.a, o.rows, o.columns, false);
    tile("d", o.d, o.rows, o.columns, true);
    tile("scales", o.scales, o.rows, getGroups(o.columns, o.group), true);
  }
  void operator()(const Dequantize &o) {
    tile("a", o.a, o.rows, o.columns, false);
    tile("scales", o.scales, o.rows, getGroups(o.columns, o.group), false);
    tile("d", o.d, o.rows, o.columns, true);
  }
  void operator()(const Rotate &o) {
    int64_t columns = int64_t(o.columns) * o.heads;
    tile("a", o.a, o.rows, columns, false);
    tile("table", o.table, o.rows, o.columns, false);
    tile("d", o.d, o.rows, columns, true);
  }
  void operator()(const SoftmaxStep &o) {
    tile("a", o.a, o.rows, o.columns, false);
    result("state", o.state, o.rows, 2, !o.isFirst);
    tile("d", o.d, o.rows, o.columns, true);
    tile("factors", o.factors, o.rows, 1, true);
  }
  void operator()(const AppendCache &o) {
    tile("a", o.a, o.rows, int64_t(o.columns) * o.heads, false);
    int64_t row = divideUp(int64_t(o.columns) * o.bits, 8);
    heads("to", o.to, o.heads, o.headStride, o.rows * row);
    if (o.bits <= 8) {
      heads("scales", o.scales, o.heads, o.scaleHeadStride,
            2 * int64_t(o.rows));
    }
  }
  /// Those of the system queue access nothing.
  template <typename T>
  void operator()(const T &) {}

private:
  void add(const Access &access) {
    if (access.length > 0 && access.rows > 0 && access.planes > 0) {
      accesses.push_back(access);
    }
  }

  static int64_t getGroups(int64_t columns, int64_t group) {
    return group == 0 ? 1 : divideUp(columns, group);
  }

  static Access rows(const char *operand, ScratchpadAddress at, int64_t rows,
                     int64_t stride, int64_t length, bool isWrite) {
    Access access;
    access.isWrite = isWrite;
    access.base = at.base;
    access.operand = operand;
    access.begin = at.offset;
    access.length = length;
    access.rows = rows;
    access.rowStride = stride;
    return access;
  }
  void bytes(const char *operand, ScratchpadAddress at, int64_t length,
             bool isWrite) {
    add(rows(operand, at, 1, 0, length, isWrite));
  }
  void tile(const char *operand, const Tile &tile, int64_t count,
            int64_t columns, bool isWrite) {
    add(rows(operand, tile.at, count, tile.stride,
             columns * getBytes(tile.type), isWrite));
  }
  /// Written, and read before if `isRead`.
  void result(const char *operand, const Tile &tile, int64_t count,
              int64_t columns, bool isRead) {
    if (isRead) {
      this->tile(operand, tile, count, columns, false);
    }
    this->tile(operand, tile, count, columns, true);
  }
  static Access getDram(const char *operand, DramAddress at, int64_t length,
                        bool isWrite) {
    Access access;
    access.memory = Memory::Dram;
    access.region = at.region;
    access.isWrite = isWrite;
    access.base = at.base;
    access.operand = operand;
    access.begin = static_cast<int64_t>(at.offset);
    access.length = length;
    return access;
  }
  void dram(const char *operand, DramAddress at, int64_t length, bool isWrite) {
    add(getDram(operand, at, length, isWrite));
  }
  void heads(const char *operand, DramAddress at, int64_t count, int64_t stride,
             int64_t length) {
    Access access = getDram(operand, at, length, true);
    access.rows = count;
    access.rowStride = stride;
    add(access);
  }
  void slots(const char *operand, Memory memory, int64_t slot, int64_t count,
             bool isWrite) {
    Access access;
    access.memory = memory;
    access.isWrite = isWrite;
    access.operand = operand;
    access.begin = slot;
    access.length = count;
    add(access);
  }
  static Access getDram(const char *operand, const Transfer &o, bool isWrite) {
    Access access = getDram(operand, o.dram, o.bytes, isWrite);
    access.rows = o.rows;
    access.rowStride = o.rowStride;
    access.planes = o.planes;
    access.planeStride = o.planeStride;
    return access;
  }
  static Access getTiles(const char *operand, const Transfer &o, bool isWrite) {
    Access access = rows(operand, o.scratchpad, o.rows, o.scratchpadRowStride,
                         o.bytes, isWrite);
    access.planes = o.planes;
    access.planeStride = o.scratchpadPlaneStride;
    return access;
  }
};

} // namespace

int64_t Access::first() const {
  return begin + std::min<int64_t>((rows - 1) * rowStride, 0) +
         std::min<int64_t>((planes - 1) * planeStride, 0);
}

int64_t Access::end() const {
  return begin + std::max<int64_t>((rows - 1) * rowStride, 0) +
         std::max<int64_t>((planes - 1) * planeStride, 0) + length;
}

std::vector<Access> npu::getAccesses(const Instruction &instruction) {
  Collector collector;
  std::visit(collector, instruction.operation);
  return std::move(collector.accesses);
}

bool npu::overlap(const Access &a, const Access &b) {
  if (a.memory != b.memory || a.region != b.region || a.end() <= b.first() ||
      b.end() <= a.first()) {
    return false;
  }
  if (a.planes > 1 || b.planes > 1 || (a.rows > 1 && a.rowStride <= 0) ||
      (b.rows > 1 && b.rowStride <= 0)) {
    return true;
  }
  int64_t beginA = a.begin, beginB = b.begin;
  for (int64_t i = 0, j = 0; i < a.rows && j < b.rows;) {
    if (beginA + a.length <= beginB) {
      ++i;
      beginA += a.rowStride;
    } else if (beginB + b.length <= beginA) {
      ++j;
      beginB += b.rowStride;
    } else {
      return true;
    }
  }
  return false;
}

const char *npu::getPlace(const Access &access) {
  switch (access.memory) {
  case Memory::Scratchpad:
    return "scratchpad";
  case Memory::Dram:
    return kRegionNames[unsigned(access.region)];
  case Memory::KernelSlots:
    return "kernel slots";
  case Memory::TableSlots:
    break;
  }
  return "table slots";
}
