// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cache's microkernels, called as generated code calls them: by every
// worker of a team, for a step whose rows are of several sequences.

#ifndef UMBER_TEST_UNIT_CPU_CACHEKERNELS_H
#define UMBER_TEST_UNIT_CPU_CACHEKERNELS_H

#include "runtime/drivers/cpu/Team.h"
#include "targets/CPU/ukernels/CacheRows.h"
#include "umber/umber_abi.h"
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace umber {

template <typename T>
struct CacheKernels;

#define UMBER_CACHE_KERNELS(SUFFIX, T)                                         \
  extern "C" void umber_uk_cache_store_##SUFFIX(                               \
      const umber_kernel_args *step, const float *x, int64_t offset,           \
      int64_t stride, T *const *caches, int64_t begin, int64_t end,            \
      int64_t heads, int64_t headDim);                                         \
  extern "C" void umber_uk_attention_##SUFFIX(                                 \
      const umber_kernel_args *step, const float *q, int64_t qOffset,          \
      int64_t qStride, float *y, int64_t yOffset, int64_t yStride,             \
      const T *const *keys, const T *const *values, int64_t scratch,           \
      int64_t heads, int64_t kvHeads, int64_t headDim, int64_t window,         \
      float scale, float softCap);                                             \
  template <>                                                                  \
  struct CacheKernels<T> {                                                     \
    static constexpr auto *store = umber_uk_cache_store_##SUFFIX;              \
    static constexpr auto *attend = umber_uk_attention_##SUFFIX;               \
  };

UMBER_CACHE_KERNELS(f32, float)
UMBER_CACHE_KERNELS(f16, half)
UMBER_CACHE_KERNELS(i8, int8_t)
UMBER_CACHE_KERNELS(i4, NibblePair)

/// Calls `body` with an element of the cache's type of so many bits.
template <typename Body>
void withElement(int bits, Body body) {
  switch (bits) {
  case 32:
    return body(float());
  case 16:
    return body(half());
  case 8:
    return body(int8_t());
  default:
    return body(NibblePair());
  }
}

/// Keys or values of one layer of one sequence. Rows of other positions than
/// were stored hold what is no number.
struct CacheArray {
  int64_t capacity, rowBytes, scaleBytes, heads;
  std::vector<unsigned char> bytes;

  CacheArray(int64_t capacity, int64_t heads, int64_t headDim, int bits)
      : capacity(capacity), rowBytes((headDim * bits + 7) / 8),
        scaleBytes(bits <= 8 ? 2 : 0), heads(heads),
        bytes(heads * capacity * (rowBytes + scaleBytes), 0xff) {}
};

struct StepRow {
  int64_t sequence, position;
};

class Step {
public:
  Step(std::vector<StepRow> rows, std::vector<int64_t> capacities)
      : capacities(std::move(capacities)) {
    for (StepRow row : rows) {
      sequences.push_back(row.sequence);
      positions.push_back(row.position);
    }
  }

  int64_t size() const { return int64_t(positions.size()); }

  /// Calls `kernel` with the arguments of each of `workers`, which have so many
  /// f32 of scratch.
  template <typename Kernel>
  void run(int workers, std::optional<cpu::Turns::Order> order,
           int64_t scratchElements, Kernel kernel) const {
    std::vector<float> scratch(workers * scratchElements, NAN);
    cpu::Team *team = teamOf(workers, order);
    ASSERT_TRUE(team);
    struct Call {
      umber_kernel_args args;
      Kernel *kernel;
      cpu::Team *team;
    } call = {{}, &kernel, team};
    call.args.tokens = size();
    call.args.positions = positions.data();
    call.args.sequences = sequences.data();
    call.args.capacities = capacities.data();
    call.args.workers = workers;
    call.args.scratch = scratch.data();
    call.args.scratch_stride = scratchElements * sizeof(float);
    call.args.barrier = [](void *team) {
      static_cast<cpu::Team *>(team)->meet();
    };
    call.args.barrier_state = team;
    auto work = [](void *context, int worker) {
      Call call = *static_cast<Call *>(context);
      call.args.worker = worker;
      call.args.scratch = static_cast<char *>(call.args.scratch) +
                          worker * call.args.scratch_stride;
      (*call.kernel)(call.args);
      call.team->meet();
    };
    team->run(work, &call);
  }

private:
  /// Threads are made once, and not for each of many steps.
  static cpu::Team *teamOf(int workers,
                           std::optional<cpu::Turns::Order> order) {
    static std::map<std::pair<int, std::optional<cpu::Turns::Order>>,
                    std::unique_ptr<cpu::Team>>
        teams;
    std::unique_ptr<cpu::Team> &team = teams[{workers, order}];
    if (!team) {
      Result<std::unique_ptr<cpu::Team>> created =
          cpu::Team::create(workers, order);
      EXPECT_TRUE(created.ok()) << created.status().message();
      team = created.ok() ? std::move(*created) : nullptr;
    }
    return team.get();
  }

  std::vector<int64_t> positions, sequences, capacities;
};

} // namespace umber

#endif // UMBER_TEST_UNIT_CPU_CACHEKERNELS_H
