// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What there is to know of an operation without its fields.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_OPERATION_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_OPERATION_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <string>

namespace umber::npu {

/// The mnemonic: `mm`.
const char *getName(const Operation &operation);

/// The queue that an operation is for; of loads and gathers the first of two.
Queue getOwnQueue(const Operation &operation);

/// Whether the operation can be sent to that queue.
bool isFor(const Operation &operation, Queue queue);

/// `instruction 12 (mm): MESSAGE`.
std::string describe(const Program &program, size_t index,
                     const std::string &message);

/// Of an element.
unsigned getBytes(DataType type);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_OPERATION_H
