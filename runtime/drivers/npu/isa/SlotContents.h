// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_SLOTCONTENTS_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_SLOTCONTENTS_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Instruction.h"

#include <array>

namespace umber::npu {

/// What the slots of the kernel buffer and for palettes hold, of instructions
/// that come in an order in which they can run.
class SlotContents {
public:
  explicit SlotContents(const Config &config) : config(config) {}

  /// `MESSAGE, expected …, found …` if a slot does not hold what the
  /// instruction needs; empty if it does.
  std::string add(const Instruction &instruction);

private:
  struct Table {
    unsigned entries = 0; ///< 0: nothing
    DataType type = DataType::I8;
  };
  struct Weights {
    uint32_t rows = 0; ///< 0: nothing
    uint32_t columns = 0;
    DataType type = DataType::I8;
  };

  std::string stream(const StreamWeights &operation);
  std::string multiply(const Multiply &operation) const;

  const Config &config;
  std::array<Table, kTableSlots> tables;
  std::array<Weights, 16> weights;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_SLOTCONTENTS_H
