// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction set of the neural engine that Umber describes: what each
// instruction means. Encoding.h says how it is written.
//
// A program is a list of instructions that is fetched in order. Instructions of
// the system queue run when they are fetched; every other one is sent to its
// queue with the registers' values at that moment, and runs there after the
// queue's earlier ones, beside other queues. Only semaphores and fences order
// queues: two instructions of different queues that touch the same bytes, at
// least one of them writing, must be ordered by them.
// Instructions of the system queue use no semaphores; a semaphore is waited for
// by one queue only. Slots of the kernel buffer and for palettes are empty when
// a program starts.
//
// Of numbers where nothing else is said, rows and columns of the vector unit
// and groups are below 2^20, other counts are below 2^16.
//
// Arithmetic. Products of I8 are summed exactly in 32 bits within a group of
// the activations' columns; groups combine in F32 from the first to the last,
// each as fma(float(sum), scale of the activations, sum of groups), and what a
// row of weights has as its scale multiplies the result once. Products of
// other types are F32, fused multiply-adds from the first k to the last. So a
// result does not depend on how a product is cut into tiles (docs/numerics.md).
// F16 results are rounded to nearest even. The vector unit computes in F32,
// without fused multiply-adds unless they are named, each reduction from the
// first element to the last. exp is getExp of Math.h, the same bits everywhere.
//
// A NaN is written as the quiet one without a sign or a payload. A maximum is
// NaN if an operand is, and the first one of two zeros. Elements of I32 and I8
// become F32, rounded to nearest even; to integers, values are rounded half to
// even and clamped to the type's range, and NaN is 0. A group with an element
// that is not finite has NaN as its scale, and integers 0; so has one of the
// cache whose scale is too large for F16. A scale of 0 has integers 0.
//
// Sizes are 1 at least, but for counts that a register gives: 0 of them is
// nothing to do.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_INSTRUCTION_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_INSTRUCTION_H

#include "runtime/drivers/npu/Command.h"

#include <cstdint>
#include <variant>
#include <vector>

namespace umber::npu {

enum class DataType : uint8_t { I8, I32, F16, F32 };

/// A register's number. The host sets 1 to kParameters before a program starts
/// (HostRegister); 0 is always 0.
using Register = uint8_t;
constexpr Register kRegisters = 64;

/// What the host tells a program.
enum HostRegister : Register {
  kPosition = 1, ///< of the step's first token in its sequence
  kTokens,       ///< rows of the step that are tokens; the rest is padding
  kCapacity,     ///< positions that the cache has room for
  kOutputs,      ///< how many of the last tokens need logits
  kParameters = 8,
};

/// What addresses and strides of the scratchpad are multiples of, in bytes.
constexpr uint32_t kGranule = 16;

/// Bytes of the scratchpad: offset + register. Both are multiples of the
/// granule.
struct ScratchpadAddress {
  uint32_t offset = 0;
  Register base = 0;
};

/// Bytes of a region: offset + register.
struct DramAddress {
  Region region = Region::Activations;
  uint64_t offset = 0; ///< below 2^40
  Register base = 0;
};

/// A matrix in the scratchpad, row by row. `stride`: bytes from one row to the
/// next, a multiple of the granule.
struct Tile {
  ScratchpadAddress at;
  uint32_t stride = 0;
  DataType type = DataType::F32;
};

//===----------------------------------------------------------------------===//
// System
//===----------------------------------------------------------------------===//

/// Ends the program.
struct Stop {
  static constexpr const char *kName = "stop";
};

/// Nothing of these queues (a bit each) is under way when the next instruction
/// is fetched.
struct Fence {
  static constexpr const char *kName = "fence";
  uint8_t queues = 0;
};

/// to = ceil((from * multiplier + addend) / divisor), but at least 0 and, if
/// `limit` is not 0, at most that.
struct SetRegister {
  static constexpr const char *kName = "set";
  Register to = 0;
  Register from = 0;
  int64_t multiplier = 0; ///< below 2^31 in magnitude
  int64_t addend = 0;     ///< below 2^47 in magnitude
  uint32_t divisor = 1;   ///< 1 to 2^16 - 1
  uint32_t limit = 0;
};

/// to += from * multiplier.
struct AddRegister {
  static constexpr const char *kName = "add";
  Register to = 0;
  Register from = 0;
  int64_t multiplier = 0; ///< below 2^47 in magnitude
};

/// Runs the instructions up to the EndLoop that belongs to it `count` times, or
/// as often as a register says if `countFrom` is not 0; after each time,
/// increments are added. Registers of increments have their values of before
/// when it ends. Loops nest up to kLoopDepth; 0 times skips the body.
struct Loop {
  static constexpr const char *kName = "loop";
  uint32_t count = 0; ///< below 2^20
  Register countFrom = 0;
  struct Increment {
    Register to = 0;
    int64_t by = 0; ///< below 2^39 in magnitude
  } increments[4];  ///< those of register 0 are none
};
constexpr unsigned kLoopDepth = 4;

struct EndLoop {
  static constexpr const char *kName = "end";
};

/// A name for what follows, for reports. In another queue than the system's it
/// does nothing but wait and signal, where an instruction has no room for that.
struct Mark {
  static constexpr const char *kName = "mark";
  uint32_t id = 0; ///< below 2^20
};

//===----------------------------------------------------------------------===//
// Memory. Load0, Load1, Store
//===----------------------------------------------------------------------===//

/// Rows of `bytes`, in two dimensions. Of DRAM, `rowStride` and `planeStride`
/// are bytes, to the latter of which a register is added; of the scratchpad
/// strides are multiples of the granule. `rows` is a register's value instead
/// if `rowsFrom` is not 0.
struct Transfer {
  ScratchpadAddress scratchpad;
  DramAddress dram;
  uint32_t bytes = 0; ///< of a row, below 2^20
  uint32_t rows = 1;  ///< below 2^16
  uint32_t planes = 1;
  Register rowsFrom = 0;
  int64_t rowStride = 0;   ///< below 2^31 in magnitude
  int64_t planeStride = 0; ///< below 2^39 in magnitude
  Register planeStrideFrom = 0;
  uint32_t scratchpadRowStride = 0;
  uint32_t scratchpadPlaneStride = 0;
};

/// From DRAM to the scratchpad.
struct Load : Transfer {
  static constexpr const char *kName = "load";
};
/// From the scratchpad to DRAM.
struct Store : Transfer {
  static constexpr const char *kName = "store";
};

/// Rows of a table in DRAM, by their numbers: `count` I32 at `indices`, each
/// below `limit`, else the program fails. Load queues.
struct Gather {
  static constexpr const char *kName = "gather";
  ScratchpadAddress indices;
  ScratchpadAddress to;
  DramAddress table;
  uint32_t bytes = 0;  ///< of a row
  uint32_t stride = 0; ///< in the scratchpad
  uint32_t count = 0;
  Register countFrom = 0;
  uint32_t limit = 0;
};

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Fills `count` slots for palettes from `slot` on, of `entries` values each,
/// which lie one behind the other in DRAM.
struct LoadTable {
  static constexpr const char *kName = "table";
  DramAddress from;
  uint8_t slot = 0; ///< of kTableSlots
  uint8_t count = 1;
  uint16_t entries = 0;         ///< 1 to 256
  DataType type = DataType::I8; ///< I8 or F16
};
constexpr unsigned kTableSlots = 64;

/// Decodes a matrix, [rows][columns], into a slot of the kernel buffer. With
/// `bits` 1, 2, 3, 4, 6 or 8 and `isPalette` an element is an index, packed
/// from a byte's lowest bits on (3 and 6 take what the engine's decoder pads
/// them to, `storageBits`); rows [t * rowsPerTable, (t + 1) * rowsPerTable)
/// look up table slot `table` + t, all of one type; what is behind a table's
/// entries is 0. Else elements are I8 or F16. A row begins at a byte. Row r's
/// scale, an F16, is number (firstRow + r) / rowsPerScale of those at `scales`;
/// without (rowsPerScale 0) it is 1.
struct StreamWeights {
  static constexpr const char *kName = "weights";
  DramAddress from;
  uint8_t slot = 0;
  bool isPalette = false;
  uint8_t bits = 8; ///< 8 and 16 where it is no palette
  uint8_t storageBits = 8;
  uint8_t table = 0;
  uint32_t rowsPerTable = 0;
  uint32_t rows = 0;    ///< below 2^16
  uint32_t columns = 0; ///< below 2^16
  DramAddress scales;
  uint32_t rowsPerScale = 0;
  uint32_t firstRow = 0;
};

//===----------------------------------------------------------------------===//
// Products. Matrix
//===----------------------------------------------------------------------===//

/// C[rows × columns] = A[rows × inner] · W[columns × inner]ᵀ, with W what a
/// kernel slot has, all of it. A of I8 has a scale, F32, per row and group of
/// `group` columns, at `scales`; then W is of I8, else of any type. A product
/// whose `inner` is cut has its parts in order: `isFirst` clears the sums of
/// that many rows and columns, `isLast` writes them, times the scales of its
/// own weights; between, the array keeps them, as many as its accumulators have
/// room for. `adds`: to what C is before. C is of F32 or F16.
struct Multiply {
  static constexpr const char *kName = "mm";
  Tile a;
  Tile scales;
  Tile c;
  uint8_t slot = 0;
  uint32_t rows = 0;
  uint32_t columns = 0;
  uint32_t inner = 0;
  uint32_t group = 0; ///< a part's columns are whole groups, but for its last
  bool isFirst = true;
  bool isLast = true;
  bool adds = false;
};

/// C[rows × columns] (+)= factor * A[rows × inner] · B, with B of the
/// scratchpad as [columns][inner] (`isTransposed`) or [inner][columns]. B of I8
/// or F16 can have a scale, F16, per row of B, at `scales`: it multiplies an
/// element of C's sum where that row is a column of C, else the element of A. A
/// is of F32 or F16, C of F32.
struct MultiplyDynamic {
  static constexpr const char *kName = "mmd";
  Tile a;
  Tile b;
  Tile c;
  bool hasScales = false;
  ScratchpadAddress scales; ///< one behind the other
  bool isTransposed = false;
  uint32_t rows = 0;
  uint32_t columns = 0;
  uint32_t inner = 0;
  float factor = 1.0f;
  bool adds = false;
};

//===----------------------------------------------------------------------===//
// Vector
//===----------------------------------------------------------------------===//

enum class ElementwiseOp : uint8_t {
  Copy, ///< of A, converted
  Add,
  Subtract,
  Multiply,
  Divide,
  Maximum,
  Silu,     ///< a / (1 + exp(-a)), times b if there is a b
  GeluTanh, ///< 0.5 a (1 + tanh(sqrt(2/pi) (a + 0.044715 a^3))), the same
};

/// How B spreads over the rows and columns of A.
enum class Spread : uint8_t {
  None,      ///< there is no B
  Full,      ///< it is as large
  Row,       ///< one row, for all
  Column,    ///< an element a row, at the row's start
  Immediate, ///< the number `immediate`
};

/// D[rows × columns] = op(A, B). Here and below, what is written may be the
/// same tile as one that is read, with elements as large, else they are apart.
struct Elementwise {
  static constexpr const char *kName = "ew";
  ElementwiseOp op = ElementwiseOp::Copy;
  Tile a;
  Tile b;
  Tile d;
  Spread spread = Spread::None;
  float immediate = 0.0f;
  uint32_t rows = 0;
  uint32_t columns = 0;
};

enum class ReduceOp : uint8_t { Sum, Maximum, ArgMax };

/// D[rows], an element a row at the row's start: F32, or I32 of ArgMax (the
/// first of equals).
struct Reduce {
  static constexpr const char *kName = "reduce";
  ReduceOp op = ReduceOp::Sum;
  Tile a;
  Tile d;
  uint32_t rows = 0;
  uint32_t columns = 0;
};

/// D = a / sqrt(mean(a²) + epsilon), times gain (F32, one row) if there is one.
/// Rows have `heads` parts, each for itself, with the same gain.
struct Normalize {
  static constexpr const char *kName = "norm";
  Tile a;
  Tile d;
  bool hasGain = false;
  ScratchpadAddress gain;
  uint32_t rows = 0;
  uint32_t columns = 0; ///< of a part
  uint32_t heads = 1;
  float epsilon = 0.0f;
};

/// D: rows as signed integers of `bits` in bytes, with a scale, F32, per group:
/// max|a| / (2^(bits-1) - 1), rounded half to even.
struct Quantize {
  static constexpr const char *kName = "quant";
  Tile a;
  Tile d;
  Tile scales;
  uint32_t rows = 0;
  uint32_t columns = 0;
  uint32_t group = 0;
  uint8_t bits = 8;
};

/// D = a * scale * factor: of I8 with a scale (F32 or F16, as scales' type
/// says) per row and group.
struct Dequantize {
  static constexpr const char *kName = "dequant";
  Tile a;
  Tile scales;
  Tile d;
  uint32_t rows = 0;
  uint32_t columns = 0;
  uint32_t group = 0;
  float factor = 1.0f;
};

/// Turns pairs of each head of `columns` elements by a row's angles: `table`
/// has per row columns / 2 cosines and as many sines, F32. Pairs are (i, i +
/// columns / 2) or, interleaved, (2i, 2i + 1).
struct Rotate {
  static constexpr const char *kName = "rotate";
  Tile a;
  Tile d;
  Tile table;
  uint32_t rows = 0;
  uint32_t columns = 0; ///< of a head
  uint32_t heads = 1;
  bool isInterleaved = false;
};

/// A step of softmax over blocks of keys. Row r belongs to token r /
/// rowsPerToken of the step, at position firstQuery + that; column c is the key
/// of position firstKey + c, and is seen if it is not later and, with a window,
/// less than `window` positions before. For each row, with `state` [rows] of
/// its maximum and sum, both F32 (isFirst: -inf and 0):
///   m = max(maximum, max of seen a); factor = exp(maximum - m), 0 of the first
///   d = exp(a - m), 0 for what is not seen; sum = sum * factor + sum of d
/// A row that has seen nothing yet keeps m = -inf, with factor and d 0. If
/// softCap is not 0, a is softCap * tanh(a / softCap) first.
struct SoftmaxStep {
  static constexpr const char *kName = "softmax";
  Tile a;
  Tile d;
  Tile state;   ///< [rows][2]
  Tile factors; ///< [rows], an element a row
  uint32_t rows = 0;
  uint32_t columns = 0;
  uint32_t rowsPerToken = 1;
  int64_t firstQuery = 0;
  Register firstQueryFrom = 0; ///< added
  int64_t firstKey = 0;
  Register firstKeyFrom = 0; ///< added
  uint32_t window = 0;
  float softCap = 0.0f;
  bool isFirst = false;
};

//===----------------------------------------------------------------------===//
// Cache
//===----------------------------------------------------------------------===//

/// Appends rows of `heads` × `columns` elements (F32) to a layer's keys or
/// values: head h's row goes to `to` + h * headStride + row * rowStride, and of
/// integers its scale, F16, to `scales` + h * scaleHeadStride + 2 * row. `to`
/// and `scales` already are at the step's first position. Integers: scale =
/// F16(max|a| / (2^(bits-1) - 1)), q = a / scale, rounded half to even and
/// clamped; of 4 bits the even element is in the low half of a byte. 16 bits
/// are F16, 32 F32. A head's rows lie one behind the other. The heads' strides
/// are bytes, times a register's value if `strideFrom` is not 0.
struct AppendCache {
  static constexpr const char *kName = "append";
  Tile a;
  DramAddress to;
  DramAddress scales;
  uint8_t bits = 8; ///< 4, 8, 16 or 32
  uint32_t heads = 1;
  uint32_t columns = 0;
  uint32_t rows = 0;
  Register rowsFrom = 0;
  Register strideFrom = 0;
  uint32_t headStride = 0;
  uint32_t scaleHeadStride = 0;
};

using Operation =
    std::variant<Stop, Fence, SetRegister, AddRegister, Loop, EndLoop, Mark,
                 Load, Store, Gather, LoadTable, StreamWeights, Multiply,
                 MultiplyDynamic, Elementwise, Reduce, Normalize, Quantize,
                 Dequantize, Rotate, SoftmaxStep, AppendCache>;

struct Instruction {
  Queue queue = Queue::System;
  SemaphoreUse wait[2];
  SemaphoreUse signal;
  Operation operation;
  /// What it belongs to, for reports; below 2^19.
  uint32_t operationId = 0;
};

using Program = std::vector<Instruction>;

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_INSTRUCTION_H
