// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/Trace.h"

#include <algorithm>

using namespace umber;

Result<Trace> Trace::create(size_t capacity, int workers, size_t fewest) {
  uint64_t bytes;
  if (__builtin_mul_overflow(uint64_t(capacity), sizeof(Span), &bytes)) {
    return Status(StatusCode::OutOfMemory,
                  "a trace of " + std::to_string(capacity) +
                      " events is larger than the address space");
  }
  Result<HostMemory> spans = HostMemory::allocate(bytes, "the trace");
  if (!spans.ok()) {
    return spans.status();
  }
  Trace trace;
  trace.spans = std::move(*spans);
  trace.steps.reserve(capacity / (workers * fewest));
  trace.capacity = capacity;
  trace.workers = workers;
  return trace;
}

Trace::Span *Trace::begin(size_t firstRow, size_t dispatches, int32_t tokens,
                          int32_t position) {
  if (capacity == 0) {
    return nullptr;
  }
  size_t events = dispatches * workers;
  // What comes after a gap would look as if it followed what is before it.
  if (lost > 0 || events > capacity - used) {
    lost += events;
    return nullptr;
  }
  steps.push_back({used, firstRow, dispatches, tokens, position});
  Span *first = reinterpret_cast<Span *>(spans.data()) + used;
  used += events;
  return first;
}

TraceEvent Trace::event(size_t index) const {
  auto after = std::upper_bound(
      steps.begin(), steps.end(), index,
      [](size_t index, const Step &step) { return index < step.firstEvent; });
  const Step &step = *std::prev(after);
  size_t inStep = index - step.firstEvent;
  Span span = reinterpret_cast<const Span *>(spans.data())[index];
  return {step.firstRow + inStep % step.dispatches,
          static_cast<int32_t>(inStep / step.dispatches),
          step.tokens,
          step.position,
          span.begin,
          span.end};
}
