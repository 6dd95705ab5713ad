// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When each worker ran each dispatch.

#ifndef UMBER_RUNTIME_DRIVERS_TRACE_H
#define UMBER_RUNTIME_DRIVERS_TRACE_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/HostMemory.h"

#include <vector>

namespace umber {

/// A fixed number of events, in memory that is taken where they fill it.
/// Recording allocates nothing: a step that does not fit is dropped whole.
class Trace {
public:
  /// Nanoseconds of CLOCK_MONOTONIC.
  struct Span {
    uint64_t begin, end;
  };

  /// Records nothing.
  Trace() = default;
  /// Of a team of `workers` and steps of at least `fewest` >= 1 dispatches.
  /// OutOfMemory if there is no room.
  static Result<Trace> create(size_t capacity, int workers, size_t fewest);

  /// Where the workers of a step write, worker w from [w * dispatches]; null if
  /// it is not recorded. `firstRow` is the profile's row of the first dispatch.
  Span *begin(size_t firstRow, size_t dispatches, int32_t tokens,
              int32_t position);

  size_t count() const { return used; }
  uint64_t dropped() const { return lost; }
  /// By step, then worker, then dispatch.
  TraceEvent event(size_t index) const;

private:
  struct Step {
    size_t firstEvent, firstRow, dispatches;
    int32_t tokens, position;
  };

  HostMemory spans;
  std::vector<Step> steps;
  size_t capacity = 0, used = 0;
  uint64_t lost = 0;
  int workers = 1;
};

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_TRACE_H
