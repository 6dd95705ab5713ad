// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction sets that code is compiled for, and what each needs of the
// processor and the operating system.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_INSTRUCTIONSETS_H
#define UMBER_RUNTIME_DRIVERS_CPU_INSTRUCTIONSETS_H

#include "runtime/package/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace umber::cpu {

/// Ok if this machine runs code compiled for `isa`; the operating system has
/// then allowed this process all that it needs. Unsupported with the reason
/// otherwise: the name is unknown, another architecture's, or features are
/// missing, which are then named.
Status checkInstructionSet(std::string_view isa);

/// Whether some machine of this one's architecture may run `isa`.
bool isOfThisArchitecture(std::string_view isa);

/// The names that this machine runs, best first.
std::vector<std::string> supportedInstructionSets();

/// The processor's name as the operating system tells it, or its architecture.
std::string processorName();

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_INSTRUCTIONSETS_H
