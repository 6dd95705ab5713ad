// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Layers.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Training/FastExp.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cmath>

using llvm::ArrayRef;
using llvm::MutableArrayRef;

namespace umber::training {

/// Calls `body(first, count)` for blocks of `total` items, on many threads.
template <typename Body>
static void forBlocks(int64_t total, int64_t block, const Body &body) {
  llvm::parallelFor(0, llvm::divideCeil(total, block), [&](size_t i) {
    int64_t first = int64_t(i) * block;
    body(first, std::min(block, total - first));
  });
}

/// Vectors, and elements, that are one task.
constexpr int64_t kVectors = 64, kElements = 1 << 15;

void addTo(ArrayRef<float> x, MutableArrayRef<float> sum) {
  forBlocks(x.size(), kElements, [&](int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; ++i) {
      sum[i] += x[i];
    }
  });
}

UMBER_PER_PROCESSOR
static float dot(const float *a, const float *b, int64_t count) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

void normalize(const NormShape &shape, ArrayRef<float> x,
               MutableArrayRef<float> y) {
  int64_t length = shape.gain.size();
  forBlocks(x.size() / length, kVectors, [&](int64_t first, int64_t count) {
    for (int64_t v = first; v < first + count; ++v) {
      const float *in = &x[v * length];
      float *out = &y[v * length];
      float factor = 1 / std::sqrt(dot(in, in, length) / length + shape.eps);
      for (int64_t c = 0; c < length; ++c) {
        out[c] = in[c] * factor * shape.gain[c];
      }
    }
  });
}

void normalizeBackward(const NormShape &shape, ArrayRef<float> x,
                       ArrayRef<float> dy, MutableArrayRef<float> dx,
                       MutableArrayRef<float> dGain) {
  int64_t length = shape.gain.size(), vectors = x.size() / length;
  std::vector<float> factors(vectors);
  forBlocks(vectors, kVectors, [&](int64_t first, int64_t count) {
    std::vector<float> scaled(length);
    for (int64_t v = first; v < first + count; ++v) {
      const float *in = &x[v * length];
      const float *d = &dy[v * length];
      float *out = &dx[v * length];
      float factor = 1 / std::sqrt(dot(in, in, length) / length + shape.eps);
      factors[v] = factor;
      for (int64_t c = 0; c < length; ++c) {
        scaled[c] = d[c] * shape.gain[c];
      }
      float along =
          dot(scaled.data(), in, length) * factor * factor * factor / length;
      for (int64_t c = 0; c < length; ++c) {
        out[c] += scaled[c] * factor - in[c] * along;
      }
    }
  });
  if (dGain.empty()) {
    return;
  }
  for (int64_t v = 0; v < vectors; ++v) {
    for (int64_t c = 0; c < length; ++c) {
      dGain[c] += dy[v * length + c] * x[v * length + c] * factors[v];
    }
  }
}

RotaryTable getRotaryTable(ArrayRef<double> frequencies, float magnitude,
                           int64_t position, int64_t length, int64_t heads,
                           int64_t headDim, bool isHalf) {
  int64_t pairs = frequencies.size();
  RotaryTable table{length, pairs, heads, headDim, isHalf, {}, {}};
  for (int64_t t = 0; t < length; ++t) {
    for (double frequency : frequencies) {
      double angle = double(position + t) * frequency;
      table.cosines.push_back(float(std::cos(angle)) * magnitude);
      table.sines.push_back(float(std::sin(angle)) * magnitude);
    }
  }
  return table;
}

void rotate(const RotaryTable &table, MutableArrayRef<float> x, bool inverse) {
  int64_t width = table.heads * table.headDim;
  int64_t step = table.isHalf ? 1 : 2, apart = table.isHalf ? table.pairs : 1;
  float sign = inverse ? -1 : 1;
  forBlocks(x.size() / width, kVectors, [&](int64_t first, int64_t count) {
    for (int64_t row = first; row < first + count; ++row) {
      int64_t t = row % table.length;
      const float *cosines = &table.cosines[t * table.pairs];
      const float *sines = &table.sines[t * table.pairs];
      for (int64_t h = 0; h < table.heads; ++h) {
        float *head = &x[row * width + h * table.headDim];
        for (int64_t i = 0; i < table.pairs; ++i) {
          float a = head[i * step], b = head[i * step + apart];
          float sine = sign * sines[i];
          head[i * step] = a * cosines[i] - b * sine;
          head[i * step + apart] = a * sine + b * cosines[i];
        }
      }
    }
  });
}

namespace {

/// A gate's function and its derivative.
struct Slope {
  float value, derivative;
};

template <GateFunction function>
[[gnu::always_inline]] inline Slope evaluate(float z) {
  if constexpr (function == GateFunction::SiLU) {
    float sigmoid = 1 / (1 + fastExp(-z));
    return {z * sigmoid, sigmoid * (1 + z * (1 - sigmoid))};
  }
  // (1 + tanh u) / 2 is the sigmoid of 2 u.
  constexpr float kSqrtTwoOverPi = 0.797884560802865f, kCubic = 0.044715f;
  float u = kSqrtTwoOverPi * (z + kCubic * z * z * z);
  float sigmoid = 1 / (1 + fastExp(-2 * u));
  float du = kSqrtTwoOverPi * (1 + 3 * kCubic * z * z);
  return {z * sigmoid, sigmoid + z * 2 * sigmoid * (1 - sigmoid) * du};
}

} // namespace

UMBER_PER_PROCESSOR
static void gateBlock(GateFunction function, const float *gate, const float *up,
                      float *out, int64_t count) {
  if (function == GateFunction::SiLU) {
    for (int64_t i = 0; i < count; ++i) {
      out[i] = evaluate<GateFunction::SiLU>(gate[i]).value * up[i];
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    out[i] = evaluate<GateFunction::GeluTanh>(gate[i]).value * up[i];
  }
}

template <GateFunction function>
[[gnu::always_inline]] inline void
addGateGradient(float gate, float up, float dOut, float &dGate, float &dUp) {
  Slope slope = evaluate<function>(gate);
  dGate += dOut * up * slope.derivative;
  dUp += dOut * slope.value;
}

UMBER_PER_PROCESSOR
static void gateBackwardBlock(GateFunction function, const float *gate,
                              const float *up, const float *dOut, float *dGate,
                              float *dUp, int64_t count) {
  if (function == GateFunction::SiLU) {
    for (int64_t i = 0; i < count; ++i) {
      addGateGradient<GateFunction::SiLU>(gate[i], up[i], dOut[i], dGate[i],
                                          dUp[i]);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    addGateGradient<GateFunction::GeluTanh>(gate[i], up[i], dOut[i], dGate[i],
                                            dUp[i]);
  }
}

void gate(GateFunction function, ArrayRef<float> gate, ArrayRef<float> up,
          MutableArrayRef<float> out) {
  forBlocks(out.size(), kElements, [&](int64_t first, int64_t count) {
    gateBlock(function, &gate[first], &up[first], &out[first], count);
  });
}

void gateBackward(GateFunction function, ArrayRef<float> gate,
                  ArrayRef<float> up, ArrayRef<float> dOut,
                  MutableArrayRef<float> dGate, MutableArrayRef<float> dUp) {
  forBlocks(dOut.size(), kElements, [&](int64_t first, int64_t count) {
    gateBackwardBlock(function, &gate[first], &up[first], &dOut[first],
                      &dGate[first], &dUp[first], count);
  });
}

UMBER_PER_PROCESSOR
static void roundGroup(float range, const float *x, float *y, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::fabs(x[i]));
  }
  float scale = largest / range;
  for (int64_t i = 0; i < count; ++i) {
    y[i] = scale == 0 ? 0 : __builtin_rintf(x[i] / scale) * scale;
  }
}

void roundGroups(int64_t bits, int64_t group, ArrayRef<float> x,
                 MutableArrayRef<float> y) {
  float range = float((1 << (bits - 1)) - 1);
  forBlocks(x.size() / group, kVectors, [&](int64_t first, int64_t count) {
    for (int64_t g = first; g < first + count; ++g) {
      roundGroup(range, &x[g * group], &y[g * group], group);
    }
  });
}

} // namespace umber::training
