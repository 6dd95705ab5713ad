// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each instruction does to a machine, once the Expander has put in what
// registers say. A count of 0 that a register can give is nothing to do; other
// sizes are 1 at least. A bad operand is left in the Operands, and then nothing
// is done; without memory only the operands are checked. Vector instructions
// read a row of all operands before they write that row, rows from the first to
// the last; products, gathers and loads of tables read all before they write.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_OPERATIONS_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_OPERATIONS_H

#include "runtime/drivers/npu/sim/Operands.h"
#include "runtime/drivers/npu/sim/Workers.h"

namespace umber::npu {

void execute(Operands &operands, const Workers &workers, const Load &);
void execute(Operands &operands, const Workers &workers, const Store &);
void execute(Operands &operands, const Workers &workers, const Gather &);
void execute(Operands &operands, const Workers &workers, const LoadTable &);
void execute(Operands &operands, const Workers &workers, const StreamWeights &);
void execute(Operands &operands, const Workers &workers, const Multiply &);
void execute(Operands &operands, const Workers &workers,
             const MultiplyDynamic &);
void execute(Operands &operands, const Workers &workers, const Elementwise &);
void execute(Operands &operands, const Workers &workers, const Reduce &);
void execute(Operands &operands, const Workers &workers, const Normalize &);
void execute(Operands &operands, const Workers &workers, const Quantize &);
void execute(Operands &operands, const Workers &workers, const Dequantize &);
void execute(Operands &operands, const Workers &workers, const Rotate &);
void execute(Operands &operands, const Workers &workers, const SoftmaxStep &);
void execute(Operands &operands, const Workers &workers, const AppendCache &);

/// What most counts are at most, as the encoding has 16 bits for them.
constexpr uint64_t kMostRows = (1 << 16) - 1;

/// Groups of `group` elements of a row, the last of which may be shorter.
/// `group` is not 0.
constexpr uint64_t countGroups(uint64_t columns, uint64_t group) {
  return columns / group + (columns % group != 0);
}

/// What a row of a streamed matrix takes in DRAM.
constexpr uint64_t getRowBytes(const StreamWeights &weights) {
  uint64_t bits = weights.isPalette ? weights.storageBits : weights.bits;
  return (weights.columns * bits + 7) / 8;
}

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_OPERATIONS_H
