// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/Rows.h"

#include "runtime/adapter/Values.h"
#include "runtime/drivers/npu/sim/Clones.h"
#include "runtime/drivers/npu/sim/Machine.h"
#include "runtime/drivers/npu/sim/Math.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr float kLeastI32 = -0x1p31f;
/// The largest F32 below 2^31.
constexpr float kMostI32 = 2147483520.0f;

UMBER_NPU_CLONES void makeCanonical(float *values, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    values[i] = getCanonical(values[i]);
  }
}

/// Values that are rounded at once.
constexpr uint64_t kBlock = 256;

} // namespace

void npu::loadRow(const uint8_t *from, DataType type, uint64_t count,
                  float *to) {
  switch (type) {
  case DataType::I8:
    for (uint64_t i = 0; i < count; ++i) {
      to[i] = float(int8_t(from[i]));
    }
    return;
  case DataType::I32:
    for (uint64_t i = 0; i < count; ++i) {
      int32_t value;
      std::memcpy(&value, from + i * sizeof value, sizeof value);
      to[i] = float(value);
    }
    return;
  case DataType::F16:
    return loadValues(fbs::DType_F16, {from, size_t(2 * count)}, to);
  case DataType::F32:
    std::memcpy(to, from, count * sizeof(float));
    return;
  }
}

void npu::storeRow(float *values, DataType type, uint64_t count, uint8_t *to) {
  makeCanonical(values, count);
  switch (type) {
  case DataType::I8:
    for (uint64_t i = 0; i < count; ++i) {
      to[i] = uint8_t(getInteger(values[i], -128.0f, 127.0f));
    }
    return;
  case DataType::I32:
    for (uint64_t i = 0; i < count; ++i) {
      int32_t value = getInteger(values[i], kLeastI32, kMostI32);
      std::memcpy(to + i * sizeof value, &value, sizeof value);
    }
    return;
  case DataType::F16:
    for (uint64_t i = 0; i < count; i += kBlock) {
      uint16_t halves[kBlock];
      uint64_t n = std::min(kBlock, count - i);
      roundAllToF16(values + i, halves, n);
      std::memcpy(to + i * sizeof halves[0], halves, n * sizeof halves[0]);
    }
    return;
  case DataType::F32:
    std::memcpy(to, values, count * sizeof(float));
    return;
  }
}

float npu::loadElement(const uint8_t *from, DataType type) {
  float value = 0;
  loadRow(from, type, 1, &value);
  return value;
}

void npu::storeF32(float value, uint8_t *to) {
  value = getCanonical(value);
  std::memcpy(to, &value, sizeof value);
}

float npu::getScale(const float *values, uint64_t count, float most) {
  float largest = 0, poison = 0;
  for (uint64_t i = 0; i < count; ++i) {
    float magnitude = __builtin_elementwise_abs(values[i]);
    largest = magnitude > largest ? magnitude : largest;
    poison += values[i] * 0.0f;
  }
  return getCanonical(largest / most + poison);
}

UMBER_NPU_CLONES void npu::quantizeRow(const float *values, uint64_t count,
                                       float scale, float most, int8_t *to) {
  // Not of NaN either.
  bool hasScale = scale > 0.0f;
  for (uint64_t i = 0; i < count; ++i) {
    to[i] = hasScale ? int8_t(getInteger(values[i] / scale, -most, most))
                     : int8_t(0);
  }
}
