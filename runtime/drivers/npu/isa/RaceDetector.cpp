// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/RaceDetector.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

/// More runs of an access than this are taken together.
constexpr int64_t kMostRuns = 1 << 17;

bool isOrdered(QueuePosition earlier, QueuePosition command,
               const QueueClock &before) {
  return earlier.queue == command.queue ||
         before[earlier.queue] >= earlier.position;
}

/// Rows, and planes, that touch become one run.
Access join(Access access) {
  if (access.rows > 1 && std::abs(access.rowStride) <= access.length) {
    int64_t more = (access.rows - 1) * access.rowStride;
    access.begin += std::min<int64_t>(more, 0);
    access.length += std::abs(more);
    access.rows = 1;
  }
  if (access.rows == 1) {
    access.rows = access.planes;
    access.rowStride = access.planeStride;
    access.planes = 1;
    if (access.rows > 1 && std::abs(access.rowStride) <= access.length) {
      return join(access);
    }
  }
  if (access.rows * access.planes > kMostRuns) {
    int64_t end = access.end();
    access.begin = access.first();
    access.length = end - access.begin;
    access.rows = access.planes = 1;
  }
  return access;
}

} // namespace

/// Makes `at` the border of two ranges, if it is within one.
void RaceDetector::split(Ranges &ranges, int64_t at) {
  auto next = ranges.upper_bound(at);
  if (next == ranges.begin()) {
    return;
  }
  auto range = std::prev(next);
  if (range->first < at && at < range->second.end) {
    ranges.emplace_hint(next, at, range->second);
    range->second.end = at;
  }
}

std::optional<RaceDetector::Race>
RaceDetector::addRun(Ranges &ranges, int64_t begin, int64_t end, bool isWrite,
                     QueuePosition command, const QueueClock &before) {
  split(ranges, begin);
  split(ranges, end);
  auto first = ranges.lower_bound(begin);
  for (auto it = first; it != ranges.end() && it->first < end; ++it) {
    const Range &range = it->second;
    if (range.writer.position != 0 &&
        !isOrdered(range.writer, command, before)) {
      return Race{range.writer, true, it->first, range.end};
    }
    for (uint8_t queue = 0; isWrite && queue < kQueues; ++queue) {
      QueuePosition reader = {queue, range.readers[queue]};
      if (!isOrdered(reader, command, before)) {
        return Race{reader, false, it->first, range.end};
      }
    }
  }
  if (isWrite) {
    // What was before is ordered before this, so that who is ordered after this
    // is after that too.
    while (first != ranges.end() && first->first < end) {
      first = ranges.erase(first);
    }
    ranges.emplace_hint(first, begin, Range{end, command, {}});
    return std::nullopt;
  }
  int64_t at = begin;
  for (auto it = first; at < end;) {
    if (it == ranges.end() || it->first > at) {
      int64_t gap = it == ranges.end() ? end : std::min(it->first, end);
      it = ranges.emplace_hint(it, at, Range{gap, {}, {}});
    }
    Range &range = it->second;
    range.readers[command.queue] = command.position;
    at = range.end;
    if (it->first > begin) {
      auto previous = std::prev(it);
      if (previous->second.end == it->first &&
          previous->second.hasSameHistory(range)) {
        previous->second.end = range.end;
        it = ranges.erase(it);
        continue;
      }
    }
    ++it;
  }
  return std::nullopt;
}

std::optional<RaceDetector::Race> RaceDetector::add(const Access &access,
                                                    QueuePosition command,
                                                    const QueueClock &before) {
  Ranges &ranges = access.memory == Memory::Scratchpad    ? scratchpad
                   : access.memory == Memory::KernelSlots ? kernelSlots
                   : access.memory == Memory::TableSlots
                       ? tableSlots
                       : regions[unsigned(access.region)];
  Access joined = join(access);
  for (int64_t plane = 0; plane < joined.planes; ++plane) {
    int64_t begin = joined.begin + plane * joined.planeStride;
    for (int64_t row = 0; row < joined.rows; ++row) {
      std::optional<Race> race = addRun(ranges, begin, begin + joined.length,
                                        access.isWrite, command, before);
      if (race) {
        return race;
      }
      begin += joined.rowStride;
    }
  }
  return std::nullopt;
}
