// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-bench/Peak.h"

#include "tools/umber-bench/Together.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

using namespace umber::tools;

/// Loops of an instruction set, and the multiplications and additions of one
/// round.
struct umber::tools::PeakLoops {
  const char *isa;
  void (*integers)(int64_t rounds);
  double integerOps;
  void (*floats)(int64_t rounds);
  double floatOps;
};

namespace {

// Sums that do not depend on each other, enough of them to hide how long one
// instruction takes; the rest of 16 registers is for the operands.
constexpr int kSums = 12;

// The compiler must take a value for a new one in each round, or it would
// multiply but once.
#if defined(__x86_64__)
#define UMBER_RENEW(VALUE) __asm__ volatile("" : "+x"(VALUE))
#elif defined(__aarch64__)
#define UMBER_RENEW(VALUE) __asm__ volatile("" : "+w"(VALUE))
#endif

#if defined(__x86_64__)

[[gnu::target("avx2,fma")]] void integersV3(int64_t rounds) {
  __m256i weights = _mm256_set1_epi8(1), x = weights;
  __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (__m256i &sum : sums) {
      UMBER_RENEW(x);
      sum = _mm256_add_epi32(
          sum, _mm256_madd_epi16(_mm256_maddubs_epi16(weights, x), ones));
    }
  }
  for (__m256i &sum : sums) {
    UMBER_RENEW(sum);
  }
}

[[gnu::target("avx2,fma")]] void floatsV3(int64_t rounds) {
  __m256 weights = _mm256_set1_ps(1), x = weights;
  __m256 sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (__m256 &sum : sums) {
      sum = _mm256_fmadd_ps(weights, x, sum);
    }
    UMBER_RENEW(x);
  }
  for (__m256 &sum : sums) {
    UMBER_RENEW(sum);
  }
}

[[gnu::target("avx512f,avx512vnni")]] void integersV4(int64_t rounds) {
  __m512i weights = _mm512_set1_epi8(1), x = weights;
  __m512i sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (__m512i &sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, weights, x);
    }
    UMBER_RENEW(x);
  }
  for (__m512i &sum : sums) {
    UMBER_RENEW(sum);
  }
}

[[gnu::target("avx512f")]] void floatsV4(int64_t rounds) {
  __m512 weights = _mm512_set1_ps(1), x = weights;
  __m512 sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (__m512 &sum : sums) {
      sum = _mm512_fmadd_ps(weights, x, sum);
    }
    UMBER_RENEW(x);
  }
  for (__m512 &sum : sums) {
    UMBER_RENEW(sum);
  }
}

constexpr PeakLoops kLoops[] = {
    {"x86-64-v4-vbmi", integersV4, 2 * 64 * kSums, floatsV4, 2 * 16 * kSums},
    {"x86-64-v4", integersV4, 2 * 64 * kSums, floatsV4, 2 * 16 * kSums},
    {"x86-64-v3", integersV3, 2 * 32 * kSums, floatsV3, 2 * 8 * kSums},
};

#elif defined(__aarch64__)

[[gnu::target("dotprod")]] void integersNeon(int64_t rounds) {
  int8x16_t weights = vdupq_n_s8(1), x = weights;
  int32x4_t sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int32x4_t &sum : sums) {
      sum = vdotq_s32(sum, weights, x);
    }
    UMBER_RENEW(x);
  }
  for (int32x4_t &sum : sums) {
    UMBER_RENEW(sum);
  }
}

[[gnu::target("i8mm")]] void integersI8mm(int64_t rounds) {
  int8x16_t weights = vdupq_n_s8(1), x = weights;
  int32x4_t sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (int32x4_t &sum : sums) {
      sum = vmmlaq_s32(sum, weights, x);
    }
    UMBER_RENEW(x);
  }
  for (int32x4_t &sum : sums) {
    UMBER_RENEW(sum);
  }
}

void floatsNeon(int64_t rounds) {
  float32x4_t weights = vdupq_n_f32(1), x = weights;
  float32x4_t sums[kSums] = {};
  for (int64_t round = 0; round < rounds; ++round) {
#pragma clang loop unroll(full)
    for (float32x4_t &sum : sums) {
      sum = vfmaq_f32(sum, weights, x);
    }
    UMBER_RENEW(x);
  }
  for (float32x4_t &sum : sums) {
    UMBER_RENEW(sum);
  }
}

constexpr PeakLoops kLoops[] = {
    {"aarch64-i8mm", integersI8mm, 2 * 32 * kSums, floatsNeon, 2 * 4 * kSums},
    {"aarch64", integersNeon, 2 * 16 * kSums, floatsNeon, 2 * 4 * kSums},
};

#else

constexpr PeakLoops kLoops[] = {{"", nullptr, 0, nullptr, 0}};

#endif

/// All threads' operations a second.
double measureSpeed(void (*loop)(int64_t rounds), double ops, int threads) {
  // Some milliseconds, in which a clock that was slow speeds up.
  constexpr int64_t kRounds = 1 << 20;
  double seconds = runTogether(threads, [&](int) { loop(kRounds); });
  return static_cast<double>(kRounds * threads) * ops / seconds;
}

} // namespace

PeakMeter::PeakMeter(const std::string &isa, int threads) : threads(threads) {
  const PeakLoops *found = std::find_if(
      std::begin(kLoops), std::end(kLoops),
      [&](const PeakLoops &set) { return set.integers && isa == set.isa; });
  loops = found == std::end(kLoops) ? nullptr : found;
}

void PeakMeter::measure() {
  constexpr int kRuns = 3;
  for (int run = 0; loops && run < kRuns; ++run) {
    best.integerOps =
        std::max(best.integerOps,
                 measureSpeed(loops->integers, loops->integerOps, threads));
    best.floatOps = std::max(
        best.floatOps, measureSpeed(loops->floats, loops->floatOps, threads));
  }
}
