// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/ScratchpadPlanner.h"

#include <algorithm>
#include <map>
#include <random>

namespace umber::npu {

/// Orders that are tried, where one by size needs too much.
constexpr size_t kMostTries = 2000;

static bool isUsed(const BufferInfo &buffer) {
  return buffer.first <= buffer.last;
}

/// Places buffers in an order. Returns the bytes that are needed.
static uint32_t placeInOrder(std::vector<BufferInfo> &buffers,
                             const std::vector<Buffer> &order,
                             uint32_t granule) {
  uint32_t needed = 0;
  std::vector<Buffer> placed, beside;
  for (Buffer b : order) {
    BufferInfo &buffer = buffers[b];
    beside.clear();
    for (Buffer p : placed) {
      if (buffers[p].first <= buffer.last && buffer.first <= buffers[p].last) {
        beside.push_back(p);
      }
    }
    std::sort(beside.begin(), beside.end(), [&](Buffer x, Buffer y) {
      return buffers[x].offset < buffers[y].offset;
    });
    uint32_t offset = 0;
    for (Buffer p : beside) {
      if (buffers[p].offset >= offset + buffer.bytes) {
        break;
      }
      uint32_t end = buffers[p].offset + buffers[p].bytes;
      offset = std::max(offset, (end + granule - 1) / granule * granule);
    }
    buffer.offset = offset;
    needed = std::max(needed, offset + buffer.bytes);
    placed.push_back(b);
  }
  return needed;
}

uint32_t placeBuffers(std::vector<BufferInfo> &buffers, uint32_t granule) {
  std::vector<Buffer> order;
  for (Buffer b = 0; b < buffers.size(); ++b) {
    if (isUsed(buffers[b])) {
      order.push_back(b);
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](Buffer a, Buffer b) {
    return buffers[a].bytes > buffers[b].bytes;
  });
  uint32_t needed = placeInOrder(buffers, order, granule);
  uint32_t bound = getLiveBytes(buffers);
  std::vector<BufferInfo> current = buffers;
  // Comparisons of two buffers, in all tries together.
  constexpr size_t kMostWork = size_t(1) << 28;
  size_t tries = kMostWork / std::max<size_t>(1, order.size() * order.size());
  std::mt19937 random(1);
  for (tries = std::min<size_t>(tries, kMostTries); tries > 0 && needed > bound;
       --tries) {
    // One at the top, or something below it that is used with it.
    Buffer top =
        *std::max_element(order.begin(), order.end(), [&](Buffer a, Buffer b) {
          return buffers[a].offset + buffers[a].bytes <
                 buffers[b].offset + buffers[b].bytes;
        });
    std::vector<Buffer> together;
    for (Buffer b : order) {
      if (buffers[b].first <= buffers[top].last &&
          buffers[top].first <= buffers[b].last) {
        together.push_back(b);
      }
    }
    std::vector<Buffer> next = order;
    Buffer moved =
        random() % 2 == 0 ? top : together[random() % together.size()];
    auto at = std::find(next.begin(), next.end(), moved);
    auto to = next.begin() + random() % (at - next.begin() + 1);
    std::rotate(to, at, at + 1);
    uint32_t found = placeInOrder(buffers, next, granule);
    // Also what is no worse, to get away from where nothing helps.
    if (found <= needed) {
      order = std::move(next);
      current = buffers;
      needed = found;
    } else {
      buffers = current;
    }
  }
  return needed;
}

uint32_t getLiveBytes(const std::vector<BufferInfo> &buffers) {
  std::map<uint32_t, int64_t> changes;
  for (const BufferInfo &buffer : buffers) {
    if (isUsed(buffer)) {
      changes[buffer.first] += buffer.bytes;
      changes[buffer.last + 1] -= buffer.bytes;
    }
  }
  int64_t live = 0, most = 0;
  for (const auto &[at, change] : changes) {
    live += change;
    most = std::max(most, live);
  }
  return static_cast<uint32_t>(most);
}

std::pair<Buffer, Buffer> findOverlap(const std::vector<BufferInfo> &buffers) {
  // By the instruction that they are used from, against those still in use.
  std::vector<Buffer> order;
  for (Buffer b = 0; b < buffers.size(); ++b) {
    if (isUsed(buffers[b])) {
      order.push_back(b);
    }
  }
  std::sort(order.begin(), order.end(), [&](Buffer a, Buffer b) {
    return buffers[a].first < buffers[b].first;
  });
  std::vector<Buffer> live;
  for (Buffer b : order) {
    const BufferInfo &buffer = buffers[b];
    live.erase(std::remove_if(
                   live.begin(), live.end(),
                   [&](Buffer l) { return buffers[l].last < buffer.first; }),
               live.end());
    for (Buffer l : live) {
      const BufferInfo &other = buffers[l];
      if (buffer.offset < other.offset + other.bytes &&
          other.offset < buffer.offset + buffer.bytes) {
        return {l, b};
      }
    }
    live.push_back(b);
  }
  return {0, 0};
}

} // namespace umber::npu
