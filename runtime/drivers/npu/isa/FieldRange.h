// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_FIELDRANGE_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_FIELDRANGE_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <string>

namespace umber::npu {

/// `FIELD: expected …, found …` of the first field that is out of its range,
/// and so cannot be encoded; empty if there is none.
std::string findRangeError(const Instruction &instruction);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_FIELDRANGE_H
