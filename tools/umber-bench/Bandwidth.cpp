// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-bench/Bandwidth.h"

#include "tools/common/Handles.h"
#include "tools/umber-bench/CacheSize.h"
#include "tools/umber-bench/Together.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <string>
#include <sys/mman.h>

using namespace umber::tools;

namespace {

constexpr size_t kLine = 64;
constexpr int kPasses = 3;

using Vector = uint64_t __attribute__((vector_size(32)));

/// Loads every byte, in streams that are far apart: a core's prefetcher follows
/// several of them, and gets more than it does of one. `bytes` is a multiple of
/// kLine * streams.
template <int streams>
[[gnu::always_inline]] inline uint64_t readStreams(const char *memory,
                                                   size_t bytes) {
  Vector sums[streams] = {};
  size_t each = bytes / streams;
  for (size_t at = 0; at < each; at += kLine) {
#pragma clang loop unroll(full)
    for (int stream = 0; stream < streams; ++stream) {
      const char *line = memory + stream * each + at;
#pragma clang loop unroll(full)
      for (size_t i = 0; i < kLine; i += sizeof(Vector)) {
        Vector part;
        std::memcpy(&part, line + i, sizeof part);
        sums[stream] += part;
      }
    }
  }
  Vector sum = {};
  for (Vector part : sums) {
    sum += part;
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

using Read = uint64_t (*)(const char *memory, size_t bytes);

template <int streams>
uint64_t readAnywhere(const char *memory, size_t bytes) {
  return readStreams<streams>(memory, bytes);
}
constexpr Read kReads[] = {readAnywhere<1>, readAnywhere<3>, readAnywhere<4>,
                           readAnywhere<8>};
constexpr int kWays = int(std::size(kReads));
/// A part that every way of reading divides into whole lines.
constexpr size_t kUnit = 24 * kLine;

#if defined(__x86_64__)
// Half as many loads leave the core room to run ahead further.
template <int streams>
[[gnu::target("avx2")]] uint64_t readWithAvx2(const char *memory,
                                              size_t bytes) {
  return readStreams<streams>(memory, bytes);
}
constexpr Read kAvx2Reads[kWays] = {readWithAvx2<1>, readWithAvx2<3>,
                                    readWithAvx2<4>, readWithAvx2<8>};
#endif

const Read *getReads() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    return kAvx2Reads;
  }
#endif
  return kReads;
}

} // namespace

void MemoryReader::Unmap::operator()(char *memory) const {
  munmap(memory, size);
}

MemoryReader::MemoryReader(int threads)
    : threads(threads), size(8 * lastLevelCacheBytes(threads)) {
  size_t unit = kUnit * threads;
  size = (size + unit - 1) / unit * unit;
  void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw ToolError("cannot get " + std::to_string(size) +
                    " bytes to measure memory with: " + std::strerror(errno));
  }
  buffer = {static_cast<char *>(memory), Unmap{size}};
  // A wish: systems without large pages refuse it.
  (void)madvise(memory, size, MADV_HUGEPAGE);
  // Untouched pages are all the same one, and a virtual machine's host may make
  // one of equal pages. Each thread writes its own part, so that it is near
  // that thread's core where there are several memories.
  runTogether(threads, [&](int thread) {
    size_t part = size / this->threads;
    char *at = buffer.get() + thread * part;
    uint64_t number = thread;
    for (size_t i = 0; i < part; i += sizeof number) {
      // Knuth's MMIX generator.
      number = number * 6364136223846793005u + 1442695040888963407u;
      std::memcpy(at + i, &number, sizeof number);
    }
  });
}

void MemoryReader::measure() {
  const Read *reads = getReads();
  size_t part = size / threads;
  for (int pass = 0; pass < kPasses; ++pass) {
    for (int way = 0; way < kWays; ++way) {
      double seconds = runTogether(threads, [&](int thread) {
        volatile uint64_t sum = reads[way](buffer.get() + thread * part, part);
        (void)sum;
      });
      best = std::max(best, static_cast<double>(size) / seconds);
    }
  }
}
