// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fields of each operation, once: in the order in which they are encoded,
// with the names that they have in text and the bits that they take. Encoder,
// decoder, assembler, disassembler and the expansion of loops are visitors.
//
// visitFields(v, operation) calls, with a name and the field:
//   v.number(name, field, width)           unsigned
//   v.integer(name, field, bits)           below 2^(bits-1) in magnitude
//   v.flag(name, field)
//   v.choice(name, field, names, count)    an enum, as a number of kChoiceBits
//   v.real(name, field)                    finite
//   v.registerNumber(name, field)
//   v.queues(name, field)                  a bit per queue
//   v.stride(name, field)                  of the scratchpad
//   v.address(name, field)                 ScratchpadAddress or DramAddress
//   v.tile(name, field)
//   v.replaced(name, field, bits, from)    unsigned; a register's value instead
//                                          if `from` is not 0
//   v.shifted(name, field, bits, from)     an integer, plus a register's value
//   v.increments(field)                    a loop's

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_FIELDS_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_FIELDS_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <algorithm>
#include <string_view>

namespace umber::npu {

/// How many bits a number takes, and its range.
struct Width {
  unsigned bits;
  uint64_t least = 0;
  /// Also what the bits hold is a limit.
  uint64_t most = UINT64_MAX;

  uint64_t getMost() const { return std::min(most, (uint64_t(1) << bits) - 1); }
};

constexpr unsigned kRegisterBits = 6;
/// Of addresses and strides of the scratchpad, in granules.
constexpr unsigned kScratchpadBits = 28;
constexpr unsigned kRegionBits = 3;
constexpr unsigned kDramBits = 40;
constexpr unsigned kTypeBits = 2;
constexpr unsigned kChoiceBits = 5;
constexpr unsigned kOperationIdBits = 19;
/// Of the numbers of rows and columns of products, and of the vector unit.
constexpr unsigned kMatrixBits = 16;
constexpr unsigned kVectorBits = 20;
constexpr unsigned kIncrementBits = 40;
constexpr unsigned kLoopCountBits = 20;

constexpr const char *kTypeNames[] = {"i8", "i32", "f16", "f32"};
constexpr const char *kRegionNames[] = {
    "code", "weights", "adapters", "tables", "cache", "activations", "io"};
constexpr const char *kQueueNames[] = {"system",  "load0",  "load1",  "store",
                                       "weights", "matrix", "vector", "cache"};
constexpr const char *kElementwiseNames[] = {"copy", "add", "sub",  "mul",
                                             "div",  "max", "silu", "gelu"};
constexpr const char *kSpreadNames[] = {"none", "full", "row", "column",
                                        "immediate"};
constexpr const char *kReduceNames[] = {"sum", "max", "argmax"};

/// How many names there are in one of these lists.
template <unsigned N>
constexpr unsigned countOf(const char *const (&)[N]) {
  return N;
}

/// Of an address or a tile: whether every such operation has it, so that it is
/// said even where it is the default.
constexpr bool isMainOperand(std::string_view name) {
  return name != "scales" && name != "b" && name != "gain";
}

template <class V>
void visitFields(V &, Stop &) {}

template <class V>
void visitFields(V &v, Fence &o) {
  v.queues("queues", o.queues);
}

template <class V>
void visitFields(V &v, SetRegister &o) {
  v.registerNumber("to", o.to);
  v.registerNumber("from", o.from);
  v.integer("multiplier", o.multiplier, 32);
  v.integer("addend", o.addend, 48);
  v.number("divisor", o.divisor, {16, 1});
  v.number("limit", o.limit, {32});
}

template <class V>
void visitFields(V &v, AddRegister &o) {
  v.registerNumber("to", o.to);
  v.registerNumber("from", o.from);
  v.integer("multiplier", o.multiplier, 48);
}

template <class V>
void visitFields(V &v, Loop &o) {
  v.replaced("count", o.count, kLoopCountBits, o.countFrom);
  v.increments(o.increments);
}

template <class V>
void visitFields(V &, EndLoop &) {}

template <class V>
void visitFields(V &v, Mark &o) {
  v.number("mark", o.id, {20});
}

template <class V>
void visitFields(V &v, Transfer &o) {
  v.address("at", o.scratchpad);
  v.address("dram", o.dram);
  v.number("bytes", o.bytes, {20});
  v.replaced("rows", o.rows, 16, o.rowsFrom);
  v.number("planes", o.planes, {16});
  v.integer("row_stride", o.rowStride, 32);
  v.stride("at_row_stride", o.scratchpadRowStride);
  v.shifted("plane_stride", o.planeStride, 40, o.planeStrideFrom);
  v.stride("at_plane_stride", o.scratchpadPlaneStride);
}

template <class V>
void visitFields(V &v, Gather &o) {
  v.address("indices", o.indices);
  v.address("to", o.to);
  v.address("table", o.table);
  v.number("bytes", o.bytes, {20});
  v.stride("stride", o.stride);
  v.replaced("count", o.count, 16, o.countFrom);
  v.number("limit", o.limit, {32});
}

template <class V>
void visitFields(V &v, LoadTable &o) {
  v.address("from", o.from);
  v.number("slot", o.slot, {6});
  v.number("count", o.count, {7, 1, kTableSlots});
  v.number("entries", o.entries, {9, 1, 256});
  v.choice("type", o.type, kTypeNames, countOf(kTypeNames));
}

template <class V>
void visitFields(V &v, StreamWeights &o) {
  v.address("from", o.from);
  v.number("slot", o.slot, {4});
  v.flag("palette", o.isPalette);
  v.number("bits", o.bits, {5});
  v.number("storage_bits", o.storageBits, {5});
  v.number("rows", o.rows, {kMatrixBits});
  v.number("columns", o.columns, {kMatrixBits});
  v.number("table", o.table, {6});
  v.number("rows_per_table", o.rowsPerTable, {24});
  v.address("scales", o.scales);
  v.number("rows_per_scale", o.rowsPerScale, {24});
  v.number("first_row", o.firstRow, {24});
}

template <class V>
void visitFields(V &v, Multiply &o) {
  v.tile("a", o.a);
  v.number("slot", o.slot, {4});
  v.tile("c", o.c);
  v.number("rows", o.rows, {kMatrixBits});
  v.number("columns", o.columns, {kMatrixBits});
  v.number("inner", o.inner, {kMatrixBits});
  v.flag("first", o.isFirst);
  v.flag("last", o.isLast);
  v.flag("adds", o.adds);
  v.number("group", o.group, {kVectorBits});
  v.tile("scales", o.scales);
}

template <class V>
void visitFields(V &v, MultiplyDynamic &o) {
  v.tile("a", o.a);
  v.tile("b", o.b);
  v.flag("transposed", o.isTransposed);
  v.tile("c", o.c);
  v.number("rows", o.rows, {kMatrixBits});
  v.number("columns", o.columns, {kMatrixBits});
  v.number("inner", o.inner, {kMatrixBits});
  v.real("factor", o.factor);
  v.flag("adds", o.adds);
  v.flag("scaled", o.hasScales);
  v.address("scales", o.scales);
}

template <class V>
void visitFields(V &v, Elementwise &o) {
  v.choice("op", o.op, kElementwiseNames, countOf(kElementwiseNames));
  v.tile("a", o.a);
  v.tile("d", o.d);
  v.number("rows", o.rows, {kVectorBits});
  v.number("columns", o.columns, {kVectorBits});
  v.choice("spread", o.spread, kSpreadNames, countOf(kSpreadNames));
  v.tile("b", o.b);
  v.real("immediate", o.immediate);
}

template <class V>
void visitFields(V &v, Reduce &o) {
  v.choice("op", o.op, kReduceNames, countOf(kReduceNames));
  v.tile("a", o.a);
  v.tile("d", o.d);
  v.number("rows", o.rows, {kVectorBits});
  v.number("columns", o.columns, {kVectorBits});
}

template <class V>
void visitFields(V &v, Normalize &o) {
  v.tile("a", o.a);
  v.tile("d", o.d);
  v.number("rows", o.rows, {kVectorBits});
  v.number("columns", o.columns, {kVectorBits});
  v.number("heads", o.heads, {16});
  v.real("epsilon", o.epsilon);
  v.flag("scaled", o.hasGain);
  v.address("gain", o.gain);
}

template <class V>
void visitFields(V &v, Quantize &o) {
  v.tile("a", o.a);
  v.tile("d", o.d);
  v.tile("scales", o.scales);
  v.number("rows", o.rows, {kVectorBits});
  v.number("columns", o.columns, {kVectorBits});
  v.number("group", o.group, {kVectorBits});
  v.number("bits", o.bits, {5});
}

template <class V>
void visitFields(V &v, Dequantize &o) {
  v.tile("a", o.a);
  v.tile("scales", o.scales);
  v.tile("d", o.d);
  v.number("rows", o.rows, {kVectorBits});
  v.number("columns", o.columns, {kVectorBits});
  v.number("group", o.group, {kVectorBits});
  v.real("factor", o.factor);
}

template <class V>
void visitFields(V &v, Rotate &o) {
  v.tile("a", o.a);
  v.tile("d", o.d);
  v.tile("table", o.table);
  v.number("rows", o.rows, {kVectorBits});
  v.number("columns", o.columns, {kVectorBits});
  v.number("heads", o.heads, {16});
  v.flag("interleaved", o.isInterleaved);
}

template <class V>
void visitFields(V &v, SoftmaxStep &o) {
  v.tile("a", o.a);
  v.tile("d", o.d);
  v.tile("state", o.state);
  v.tile("factors", o.factors);
  v.number("rows", o.rows, {kVectorBits});
  v.number("columns", o.columns, {kVectorBits});
  v.number("rows_per_token", o.rowsPerToken, {16});
  v.shifted("first_query", o.firstQuery, 40, o.firstQueryFrom);
  v.shifted("first_key", o.firstKey, 40, o.firstKeyFrom);
  v.flag("first", o.isFirst);
  v.number("window", o.window, {32});
  v.real("soft_cap", o.softCap);
}

template <class V>
void visitFields(V &v, AppendCache &o) {
  v.tile("a", o.a);
  v.address("to", o.to);
  v.number("bits", o.bits, {6});
  v.number("heads", o.heads, {16});
  v.number("columns", o.columns, {kMatrixBits});
  v.replaced("rows", o.rows, kMatrixBits, o.rowsFrom);
  v.number("head_stride", o.headStride, {32});
  v.registerNumber("stride_from", o.strideFrom);
  v.address("scales", o.scales);
  v.number("scale_head_stride", o.scaleHeadStride, {32});
}

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_FIELDS_H
