// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of one instruction: where they are, once they are checked.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_OPERANDS_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_OPERANDS_H

#include "runtime/drivers/npu/sim/Machine.h"
#include "runtime/package/Status.h"

#include <string>

namespace umber::npu {

/// A set of types, a bit each.
using Types = unsigned;
constexpr Types in(DataType type) { return 1u << unsigned(type); }
constexpr Types kI8 = in(DataType::I8), kI32 = in(DataType::I32),
                kF16 = in(DataType::F16), kF32 = in(DataType::F32);
constexpr Types kAnyType = kI8 | kI32 | kF16 | kF32;

enum class Access : uint8_t { Read, Write };

/// Wide enough for sums of addresses and products of counts and strides.
using Wide = __int128;
std::string getText(Wide value);

/// A matrix in the scratchpad, of which all rows are within it.
struct Matrix {
  uint8_t *data = nullptr;
  uint64_t stride = 0;
  DataType type = DataType::F32;

  uint8_t *row(uint64_t i) const { return data + i * stride; }
};

/// Finds operands of an instruction that the Expander has fetched, so that its
/// registers' values are in it. After the first one that is bad, ok() is false
/// and what is found is of no use. Without memory all pointers are null.
class Operands {
public:
  explicit Operands(Machine &machine) : machine(machine) {}

  bool ok() const { return failure.ok(); }
  const Status &status() const { return failure; }
  /// Whether operands are sound and there is memory to compute in.
  bool compute() const { return ok() && machine.hasMemory(); }

  /// 1 at least.
  void checkSize(const char *name, uint64_t size);
  void checkRange(const char *name, uint64_t value, uint64_t least,
                  uint64_t most);

  /// `rows` and `columns` of at least 1 element. Rows that are written do not
  /// overlap.
  Matrix open(const char *name, const Tile &tile, uint64_t rows,
              uint64_t columns, Types types, Access access);
  uint8_t *open(const char *name, const ScratchpadAddress &address,
                uint64_t bytes);
  /// Rows of a transfer, whose strides are multiples of the granule.
  uint8_t *open(const char *name, const ScratchpadAddress &address,
                uint64_t bytes, uint64_t rows, uint64_t rowStride,
                uint64_t planes, uint64_t planeStride);
  /// The byte that `address` names; those from `first` to below `end` bytes
  /// behind it are accessed. Null without data.
  uint8_t *open(const char *name, const DramAddress &address, Wide first,
                Wide end, Access access);

  void fail(const char *name, const std::string &expected,
            const std::string &found);
  void fail(const std::string &message);

  Machine &machine;

private:
  Wide getAddress(const char *name, const ScratchpadAddress &address);
  void checkEnd(const char *name, Wide begin, Wide end);
  void checkStride(const char *name, uint64_t stride);

  Status failure;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_OPERANDS_H
