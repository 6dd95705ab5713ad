// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/AdapterPacker.h"

#include "runtime/adapter/Values.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

/// `count` values, `stride` apart, as integers; what one of them stands for.
float roundToIntegers(const float *values, int64_t count, int64_t stride,
                      int8_t *out) {
  float largest = 0.0f;
  for (int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::fabs(values[i * stride]));
  }
  float scale = largest / kLargestInteger;
  for (int64_t i = 0; i < count; ++i) {
    // A subnormal scale is too coarse to hold to the range by itself.
    float value = scale > 0.0f ? values[i * stride] / scale : 0.0f;
    out[i * stride] = int8_t(
        std::clamp(std::nearbyint(value), -kLargestInteger, kLargestInteger));
  }
  return scale;
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
  for (int64_t r = 0; r < rank; ++r) {
    float ofA =
        roundToIntegers(&a[r * inputs], inputs, 1, &integersA[r * inputs]);
    float ofB = roundToIntegers(&b[r], outputs, rank, &integersB[r]);
    float scale = ofA * ofB;
    if (!std::isfinite(scale) ||
        (scale < std::numeric_limits<float>::min() && ofA > 0 && ofB > 0)) {
      return false;
    }
    memory.scales[r] = scale;
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
