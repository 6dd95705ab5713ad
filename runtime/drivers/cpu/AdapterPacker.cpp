// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/AdapterPacker.h"

#include "runtime/adapter/Values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace umber;
using namespace umber::cpu;

namespace {

constexpr int64_t kPanel = UMBER_ABI_ADAPTER_PANEL;
constexpr int64_t kQuad = UMBER_ABI_ADAPTER_QUAD;
constexpr float kLargestHalf = 65504.0f;
constexpr float kLargestInteger = 127.0f;

bool fitsHalf(const std::vector<float> &values) {
  return std::all_of(values.begin(), values.end(), [](float value) {
    return std::fabs(value) <= kLargestHalf;
  });
}

/// A clone with wide vectors is several times as fast as one for all
/// processors.
#if defined(__x86_64__)
#define UMBER_ROUNDS __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define UMBER_ROUNDS
#endif

/// Raises largest[c] to the magnitudes in column c of values, [rows][columns].
UMBER_ROUNDS void findLargest(const float *values, int64_t rows,
                              int64_t columns, float *__restrict largest) {
  int64_t c = 0;
  for (; c + kPanel <= columns; c += kPanel) {
    float lanes[kPanel] = {};
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < kPanel; ++i) {
        float magnitude = std::fabs(values[row * columns + c + i]);
        lanes[i] = magnitude > lanes[i] ? magnitude : lanes[i];
      }
    }
    for (int64_t i = 0; i < kPanel; ++i) {
      largest[c + i] = std::max(largest[c + i], lanes[i]);
    }
  }
  for (; c < columns; ++c) {
    for (int64_t row = 0; row < rows; ++row) {
      largest[c] = std::max(largest[c], std::fabs(values[row * columns + c]));
    }
  }
}

/// Products of magnitudes up to 127 (and a rounding), rounded, ties to even.
UMBER_ROUNDS void roundProducts(const float *values, const float *factors,
                                int64_t count, int8_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    // From 2^23 on, a float's last bit is 1.
    float shifted = values[i] * factors[i] + 0x1.8p23f;
    int32_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    out[i] = int8_t(bits);
  }
}

/// What an integer stands for where the largest magnitude is this, and what
/// makes integers of values; false if that is no normal number.
bool findScale(float largest, float &scale, float &factor) {
  scale = largest / kLargestInteger;
  factor = largest > 0 ? 1 / scale : 0.0f;
  return largest == 0 || (std::isnormal(scale) && std::isnormal(factor));
}

/// Copies matrices of whole elements, in the files' order, to their places.
template <typename T>
void arrange(const LowRankMatrices &shape, const std::vector<T> &fromA,
             const std::vector<T> &fromB, const PackedMemory &memory) {
  auto *toA = reinterpret_cast<T *>(memory.a);
  for (int64_t first = 0; first < shape.rank; first += kQuad) {
    int64_t rows = std::min(kQuad, shape.rank - first);
    T *quad = toA + first * paddedToPanel(shape.inputs);
    for (int64_t r = 0; r < rows; ++r) {
      const T *row = &fromA[(first + r) * shape.inputs];
      for (int64_t i = 0; i < shape.inputs; i += kPanel) {
        std::copy(row + i, row + std::min(i + kPanel, shape.inputs),
                  quad + i * rows + r * kPanel);
      }
    }
  }
  auto *toB = reinterpret_cast<T *>(memory.b);
  for (int64_t o = 0; o < shape.outputs; ++o) {
    T *panel = toB + o / kPanel * shape.rank * kPanel + o % kPanel;
    for (int64_t r = 0; r < shape.rank; ++r) {
      panel[r * kPanel] = fromB[o * shape.rank + r];
    }
  }
}

bool packIntegers(const LowRankMatrices &matrices, const PackedMemory &memory,
                  umber_low_rank &site) {
  const auto &[rank, inputs, outputs, a, b] = matrices;
  std::vector<int8_t> integersA(a.size()), integersB(b.size());
  std::vector<float> factors(std::max(rank, inputs)), largest(rank);
  findLargest(b.data(), outputs, rank, largest.data());
  for (int64_t r = 0; r < rank; ++r) {
    float lanes[kPanel] = {}, ofA, ofB, factor;
    const float *row = &a[r * inputs];
    int64_t whole = inputs / kPanel;
    findLargest(row, whole, kPanel, lanes);
    findLargest(row + whole * kPanel, 1, inputs - whole * kPanel, lanes);
    if (!findScale(*std::max_element(lanes, lanes + kPanel), ofA, factor) ||
        !findScale(largest[r], ofB, largest[r])) {
      return false;
    }
    float scale = ofA * ofB;
    if (!std::isnormal(scale) && ofA != 0 && ofB != 0) {
      return false;
    }
    memory.scales[r] = scale;
    std::fill_n(factors.begin(), inputs, factor);
    roundProducts(row, factors.data(), inputs, &integersA[r * inputs]);
  }
  for (int64_t o = 0; o < outputs; ++o) {
    roundProducts(&b[o * rank], largest.data(), rank, &integersB[o * rank]);
  }
  site.type = UMBER_ABI_I8;
  site.scales = memory.scales;
  arrange(matrices, integersA, integersB, memory);
  return true;
}

void packFloats(const LowRankMatrices &matrices, const PackedMemory &memory,
                umber_low_rank &site) {
  bool isHalf = fitsHalf(matrices.a) && fitsHalf(matrices.b);
  auto round = [&](const std::vector<float> &values) {
    std::vector<uint16_t> rounded(values.size());
    (isHalf ? roundAllToF16 : roundAllToBF16)(values.data(), rounded.data(),
                                              values.size());
    return rounded;
  };
  site.type = isHalf ? UMBER_ABI_F16 : UMBER_ABI_BF16;
  site.scales = nullptr;
  arrange(matrices, round(matrices.a), round(matrices.b), memory);
}

} // namespace

int64_t umber::cpu::paddedToPanel(int64_t count) {
  return (count + kPanel - 1) / kPanel * kPanel;
}

uint64_t umber::cpu::packedAdapterBytes(int64_t rank, int64_t side, int bits) {
  uint64_t bytes = uint64_t(rank) * paddedToPanel(side) * (bits / 8);
  return (bytes + UMBER_ABI_ALIGNMENT - 1) / UMBER_ABI_ALIGNMENT *
         UMBER_ABI_ALIGNMENT;
}

bool umber::cpu::packAdapter(const LowRankMatrices &matrices, int bits,
                             const PackedMemory &memory, umber_low_rank &site) {
  if (bits == 8 && !packIntegers(matrices, memory, site)) {
    return false;
  }
  if (bits != 8) {
    packFloats(matrices, memory, site);
  }
  site.a = memory.a;
  site.b = memory.b;
  site.rank = matrices.rank;
  return true;
}
