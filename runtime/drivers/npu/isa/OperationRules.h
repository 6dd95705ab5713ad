// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_OPERATIONRULES_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_OPERATIONRULES_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Instruction.h"

namespace umber::npu {

/// The rules of Verifier.h that concern one instruction, whose fields are in
/// their ranges. The status has the message without the instruction's number.
Status checkOperation(const Instruction &instruction, const Config &config);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_OPERATIONRULES_H
