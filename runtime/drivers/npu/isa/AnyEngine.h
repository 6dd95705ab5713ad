// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_ANYENGINE_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_ANYENGINE_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Instruction.h"

namespace umber::npu {

/// An engine that has all that instructions can ask for, to verify programs
/// whose engine is not known: with an array of cores for all types, as many
/// slots, sums and bytes as can be encoded, and a decoder that stores indices
/// of 3 and 6 bits as the program's first ones are.
Config getAnyEngine(const Program &program);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_ANYENGINE_H
