// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/DispatchPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace umber;

/// Buffers start where a vector register or a cache line would.
static constexpr uint64_t kAlignment = 64;

unsigned ArenaPlanner::add(uint64_t bytes, size_t first, size_t last) {
  buffers.push_back({llvm::alignTo(bytes, kAlignment), first, last});
  return buffers.size() - 1;
}

void ArenaPlanner::extend(unsigned buffer, size_t last) {
  buffers[buffer].last = std::max(buffers[buffer].last, last);
}

uint64_t ArenaPlanner::place() {
  std::vector<Buffer *> order;
  for (Buffer &buffer : buffers) {
    order.push_back(&buffer);
  }
  llvm::stable_sort(order,
                    [](Buffer *a, Buffer *b) { return a->bytes > b->bytes; });
  uint64_t size = 0;
  for (auto [count, buffer] : llvm::enumerate(order)) {
    std::vector<std::pair<uint64_t, uint64_t>> taken;
    for (Buffer *other : llvm::ArrayRef(order).take_front(count)) {
      if (other->first <= buffer->last && buffer->first <= other->last) {
        taken.push_back({other->offset, other->offset + other->bytes});
      }
    }
    llvm::sort(taken);
    uint64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + buffer->bytes <= begin) {
        break;
      }
      offset = std::max(offset, end);
    }
    buffer->offset = offset;
    size = std::max(size, offset + buffer->bytes);
  }
  return size;
}
