// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The launches at a program's end that select each row's largest logits, so
// that the host need not read all of them.

#ifndef UMBER_TARGETS_GPU_SELECTION_H
#define UMBER_TARGETS_GPU_SELECTION_H

#include "targets/GPU/KernelEmitter.h"

namespace umber::gpu {

/// The most candidates of a row: enough to sample from the 40 best with a
/// penalty on the last 64 tokens, as samplers do unless told otherwise.
inline constexpr int64_t kMostCandidates = 128;

/// Adds what selects the candidates of each row of logits: `vocab` of them, or
/// kMostCandidates. They do nothing in steps that ask for none.
void addSelection(EntryPoints &entries, PlannedProgram &program, int64_t vocab,
                  mlir::Location loc, Api api);

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_SELECTION_H
