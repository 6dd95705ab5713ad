// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector unit and the cache.

#include "test/Unit/NPU/ScalarInterpreter.h"
#include "test/Unit/NPU/ScalarMath.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace umber::npu;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The scale of a group for integers up to `most`.
float findScale(const std::vector<float> &values, size_t begin, size_t end,
                float most) {
  float largest = 0;
  for (size_t i = begin; i < end; ++i) {
    if (!std::isfinite(values.at(i))) {
      return std::nanf("");
    }
    largest = std::fmax(largest, std::fabs(values.at(i)));
  }
  return largest / most;
}

int quantizeOne(float value, float scale, float most) {
  if (std::isnan(scale) || scale == 0.0f) {
    return 0;
  }
  return int(scalar::toInteger(value / scale, -most, most));
}

} // namespace

void ScalarInterpreter::run(const Elementwise &elementwise) {
  for (uint32_t r = 0; r < elementwise.rows; ++r) {
    Values results;
    for (uint32_t c = 0; c < elementwise.columns; ++c) {
      float a = read(elementwise.a, r, c);
      float b = 0;
      switch (elementwise.spread) {
      case Spread::None:
        break;
      case Spread::Full:
        b = read(elementwise.b, r, c);
        break;
      case Spread::Row:
        b = read(elementwise.b, 0, c);
        break;
      case Spread::Column:
        b = read(elementwise.b, r, 0);
        break;
      case Spread::Immediate:
        b = elementwise.immediate;
        break;
      }
      float factor = elementwise.spread == Spread::None ? 1.0f : b;
      switch (elementwise.op) {
      case ElementwiseOp::Copy:
        break;
      case ElementwiseOp::Add:
        a = a + b;
        break;
      case ElementwiseOp::Subtract:
        a = a - b;
        break;
      case ElementwiseOp::Multiply:
        a = a * b;
        break;
      case ElementwiseOp::Divide:
        a = a / b;
        break;
      case ElementwiseOp::Maximum:
        a = scalar::maximum(a, b);
        break;
      case ElementwiseOp::Silu: {
        float denominator = 1.0f + scalar::exp(-a);
        a = a / denominator;
        a = a * factor;
        break;
      }
      case ElementwiseOp::GeluTanh: {
        float cube = a * a;
        cube = cube * a;
        float correction = 0.044715f * cube;
        float inner = 0.79788456f * (a + correction);
        float half = 0.5f * a;
        a = half * (1.0f + scalar::tanh(inner));
        a = a * factor;
        break;
      }
      }
      results.push_back(a);
    }
    writeRow(elementwise.d, r, results);
  }
}

void ScalarInterpreter::run(const Reduce &reduction) {
  for (uint32_t r = 0; r < reduction.rows; ++r) {
    Values a = readRow(reduction.a, r, reduction.columns);
    float sum = 0, most = a[0];
    int32_t first = 0;
    for (uint32_t c = 0; c < reduction.columns; ++c) {
      sum = sum + a[c];
      most = scalar::maximum(most, a[c]);
      if (a[c] > a[size_t(first)]) {
        first = int32_t(c);
      }
    }
    if (reduction.op == ReduceOp::ArgMax) {
      for (size_t b = 0; b < 4; ++b) {
        scratchpad.at(at(reduction.d.at) + r * reduction.d.stride + b) =
            uint8_t(first >> (8 * b));
      }
    } else {
      write(reduction.d, r, 0, reduction.op == ReduceOp::Sum ? sum : most);
    }
  }
}

void ScalarInterpreter::run(const Normalize &norm) {
  for (uint32_t r = 0; r < norm.rows; ++r) {
    Values results;
    for (uint32_t h = 0; h < norm.heads; ++h) {
      float sum = 0;
      for (uint32_t c = 0; c < norm.columns; ++c) {
        float a = read(norm.a, r, h * norm.columns + c);
        float square = a * a;
        sum = sum + square;
      }
      float mean = sum / float(norm.columns);
      float root = std::sqrt(mean + norm.epsilon);
      for (uint32_t c = 0; c < norm.columns; ++c) {
        float value = read(norm.a, r, h * norm.columns + c) / root;
        results.push_back(
            norm.hasGain
                ? value * readAt(at(norm.gain) + 4 * size_t(c), DataType::F32)
                : value);
      }
    }
    writeRow(norm.d, r, results);
  }
}

void ScalarInterpreter::run(const Quantize &quantize) {
  float most = float(std::pow(2, quantize.bits - 1) - 1);
  for (uint32_t r = 0; r < quantize.rows; ++r) {
    Values a = readRow(quantize.a, r, quantize.columns);
    Values integers, scales;
    for (uint32_t c = 0; c < quantize.columns; ++c) {
      uint32_t begin = c / quantize.group * quantize.group;
      uint32_t end = std::min(begin + quantize.group, quantize.columns);
      float scale = findScale(a, begin, end, most);
      if (c == begin) {
        scales.push_back(scale);
      }
      integers.push_back(float(quantizeOne(a[c], scale, most)));
    }
    writeRow(quantize.d, r, integers);
    writeRow(quantize.scales, r, scales);
  }
}

void ScalarInterpreter::run(const Dequantize &dequantize) {
  for (uint32_t r = 0; r < dequantize.rows; ++r) {
    Values results;
    for (uint32_t c = 0; c < dequantize.columns; ++c) {
      float scaled = read(dequantize.a, r, c) *
                     read(dequantize.scales, r, c / dequantize.group);
      results.push_back(scaled * dequantize.factor);
    }
    writeRow(dequantize.d, r, results);
  }
}

void ScalarInterpreter::run(const Rotate &rotation) {
  uint32_t half = rotation.columns / 2;
  for (uint32_t r = 0; r < rotation.rows; ++r) {
    Values results(size_t(rotation.heads) * rotation.columns);
    for (uint32_t h = 0; h < rotation.heads; ++h) {
      for (uint32_t i = 0; i < half; ++i) {
        uint32_t first = h * rotation.columns;
        uint32_t x = first + (rotation.isInterleaved ? 2 * i : i);
        uint32_t y = first + (rotation.isInterleaved ? 2 * i + 1 : i + half);
        float cosine = read(rotation.table, r, i);
        float sine = read(rotation.table, r, half + i);
        float a = read(rotation.a, r, x), b = read(rotation.a, r, y);
        float ac = a * cosine, bs = b * sine, bc = b * cosine, as = a * sine;
        results[x] = ac - bs;
        results[y] = bc + as;
      }
    }
    writeRow(rotation.d, r, results);
  }
}

void ScalarInterpreter::run(const SoftmaxStep &softmax) {
  for (uint32_t r = 0; r < softmax.rows; ++r) {
    Values a = readRow(softmax.a, r, softmax.columns);
    float before = softmax.isFirst ? -kInfinity : read(softmax.state, r, 0);
    float sum = softmax.isFirst ? 0.0f : read(softmax.state, r, 1);
    int64_t query = softmax.firstQuery + registers.at(softmax.firstQueryFrom) +
                    r / softmax.rowsPerToken;
    std::vector<bool> seen;
    float most = before;
    for (uint32_t c = 0; c < softmax.columns; ++c) {
      if (softmax.softCap != 0.0f) {
        a[c] = softmax.softCap * scalar::tanh(a[c] / softmax.softCap);
      }
      int64_t key = softmax.firstKey + registers.at(softmax.firstKeyFrom) + c;
      seen.push_back(key <= query && (softmax.window == 0 ||
                                      query - key < int64_t(softmax.window)));
      most = seen[c] ? scalar::maximum(most, a[c]) : most;
    }
    bool isEmpty = most == -kInfinity;
    float factor =
        isEmpty || softmax.isFirst ? 0.0f : scalar::exp(before - most);
    float added = 0;
    Values results;
    for (uint32_t c = 0; c < softmax.columns; ++c) {
      results.push_back(isEmpty || !seen[c] ? 0.0f : scalar::exp(a[c] - most));
      added = added + results[c];
    }
    writeRow(softmax.d, r, results);
    write(softmax.state, r, 0, most);
    float kept = sum * factor;
    write(softmax.state, r, 1, kept + added);
    write(softmax.factors, r, 0, factor);
  }
}

void ScalarInterpreter::run(const AppendCache &append) {
  int64_t times = append.strideFrom != 0 ? registers.at(append.strideFrom) : 1;
  int64_t rowBytes = (int64_t(append.columns) * append.bits + 7) / 8;
  float most = float(std::pow(2, append.bits - 1) - 1);
  for (uint32_t r = 0; r < count(append.rows, append.rowsFrom); ++r) {
    Values a = readRow(append.a, r, size_t(append.heads) * append.columns);
    for (uint32_t h = 0; h < append.heads; ++h) {
      size_t first = size_t(h) * append.columns;
      int64_t to = h * times * append.headStride + r * rowBytes;
      int64_t scaleTo = h * times * append.scaleHeadStride + 2 * int64_t(r);
      float scale = 1;
      if (append.bits < 16) {
        scale = findScale(a, first, first + append.columns, most);
        scale = decodeF16(encodeF16(scale));
        scale = std::isfinite(scale) ? scale : std::nanf("");
        putHalf(append.scales, scaleTo, scale);
      }
      for (uint32_t c = 0; c < append.columns; ++c) {
        float value = a[first + c];
        int integer = append.bits < 16 ? quantizeOne(value, scale, most) : 0;
        switch (append.bits) {
        case 4:
          // The odd element's half is written with the even one, so that a
          // row's last byte is whole.
          if (c % 2 == 0) {
            dram(append.to, to + c / 2) = uint8_t(integer & 15);
          } else {
            dram(append.to, to + c / 2) |= uint8_t((integer & 15) << 4);
          }
          break;
        case 8:
          dram(append.to, to + c) = uint8_t(integer);
          break;
        case 16:
          putHalf(append.to, to + 2 * int64_t(c), value);
          break;
        default: {
          uint32_t bits = 0x7fc00000;
          if (!std::isnan(value)) {
            std::memcpy(&bits, &value, 4);
          }
          for (int b = 0; b < 4; ++b) {
            dram(append.to, to + 4 * int64_t(c) + b) = uint8_t(bits >> (8 * b));
          }
        }
        }
      }
    }
  }
}
