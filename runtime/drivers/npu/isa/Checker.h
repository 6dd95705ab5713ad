// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a run of a program is free of races and deadlocks, whatever the speed
// of its queues.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_CHECKER_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_CHECKER_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Expander.h"

namespace umber::npu {

/// Bytes of each region.
using RegionSizes = std::array<uint64_t, kRegions>;

/// The most instructions that a checked run fetches.
constexpr uint64_t kMostChecked = 1 << 21;

/// Checks the run of a program that starts with these registers. What is
/// reported is the first of these that there is:
///
/// - what verify() reports;
/// - an instruction that cannot be fetched (Expander::status), or accesses
/// bytes
///   outside of the scratchpad or of its region;
/// - a wait that is never met;
/// - a semaphore that can pass kMostSignals;
/// - a product or a palette's indices for which a slot holds nothing, or
/// weights
///   of another size or type;
/// - two instructions of different queues that access the same bytes, at least
///   one of them writing, and that nothing orders;
/// - a semaphore that is not 0 at the end.
///
/// An instruction is ordered after those before it in its queue, after what a
/// fence before it waits for, and after the signals that it takes. With one
/// signalling queue those are known: units are taken in the order in which they
/// come. With several, a queue is counted on only for what is missing if all
/// others have signalled as often as they can without this wait. Rows are told
/// apart, also where they interleave; of an access of more than 2^17 runs of
/// bytes, all between the first and the last counts.
///
/// InvalidArgument: `instruction N (NAME): …, expected …, found …`, or
/// Unsupported if that takes more than is reasonable to find out.
Status check(const Program &program, const Config &config,
             const Registers &registers, const RegionSizes &sizes);

/// The same, as what and where; of a race, `other` is the instruction that ran
/// before.
Finding findConflict(const Program &program, const Config &config,
                     const Registers &registers, const RegionSizes &sizes);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_CHECKER_H
