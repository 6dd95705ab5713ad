// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_FINDING_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_FINDING_H

#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/package/Status.h"

#include <optional>

namespace umber::npu {

/// What is wrong with a program, and where: for messages that point at it.
struct Finding {
  StatusCode code = StatusCode::Ok;
  std::string message; ///< `…: expected …, found …`
  /// The instruction's number; none of what concerns the whole program.
  std::optional<uint32_t> instruction;
  /// The instruction that it is in conflict with.
  std::optional<uint32_t> other;

  bool ok() const { return code == StatusCode::Ok; }

  /// With the instruction's number and name in front.
  Status getStatus(const Program &program) const {
    return instruction ? Status(code, describe(program, *instruction, message))
                       : Status(code, message);
  }
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_FINDING_H
