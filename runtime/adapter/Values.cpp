// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Values.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

namespace umber {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "files' numbers are used as they stand");

namespace {

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// T is the unsigned integer of the values' size; `exponent` its mask.
template <typename T>
std::optional<uint64_t> findFullExponent(Bytes values, T exponent) {
  constexpr size_t kTogether = 256;
  size_t count = values.size / sizeof(T);
  auto isFull = [&](size_t i) {
    T bits;
    std::memcpy(&bits, values.data + i * sizeof(T), sizeof bits);
    return T((bits & exponent) == exponent);
  };
  for (size_t first = 0; first < count; first += kTogether) {
    // Without a way out in between, this is done by vectors.
    size_t end = std::min(first + kTogether, count);
    T isAny = 0;
    for (size_t i = first; i < end; ++i) {
      isAny |= isFull(i);
    }
    for (size_t i = first; isAny && i < end; ++i) {
      if (isFull(i)) {
        return i;
      }
    }
  }
  return std::nullopt;
}

} // namespace

std::optional<uint64_t> findNotFinite(fbs::DType dtype, Bytes values) {
  switch (dtype) {
  case fbs::DType_F32:
    return findFullExponent<uint32_t>(values, 0x7f800000);
  case fbs::DType_F16:
    return findFullExponent<uint16_t>(values, 0x7c00);
  default:
    assert(dtype == fbs::DType_BF16 && "adapters have no other type");
    return findFullExponent<uint16_t>(values, 0x7f80);
  }
}

float loadF32(Bytes values, uint64_t i) {
  float value;
  std::memcpy(&value, values.data + i * sizeof value, sizeof value);
  return value;
}

namespace {

float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// A clone for processors that convert halves by themselves is many times as
/// fast as one for all.
#if defined(__x86_64__)
#define UMBER_CONVERTS                                                         \
  __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define UMBER_CONVERTS
#endif

UMBER_CONVERTS void fromF16(const uint8_t *values, float *out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    _Float16 value;
    std::memcpy(&value, values + i * sizeof value, sizeof value);
    out[i] = float(value);
  }
}

void fromBF16(const uint8_t *values, float *out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, values + i * sizeof bits, sizeof bits);
    out[i] = floatOf(uint32_t(bits) << 16);
  }
}

} // namespace

void loadValues(fbs::DType dtype, Bytes values, float *out) {
  switch (dtype) {
  case fbs::DType_F32:
    std::memcpy(out, values.data, values.size);
    return;
  case fbs::DType_F16:
    return fromF16(values.data, out, values.size / 2);
  default:
    assert(dtype == fbs::DType_BF16 && "adapters have no other type");
    return fromBF16(values.data, out, values.size / 2);
  }
}

UMBER_CONVERTS void roundAllToF16(const float *values, uint16_t *out,
                                  uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    auto half = _Float16(values[i]);
    std::memcpy(out + i, &half, sizeof half);
  }
}

void roundAllToBF16(const float *values, uint16_t *out, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    out[i] = roundToBF16(values[i]);
  }
}

uint16_t roundToF16(float value) {
  uint16_t sign = uint16_t(bitsOf(value) >> 16 & 0x8000);
  uint32_t magnitude = bitsOf(value) & 0x7fffffff;
  if (magnitude >= bitsOf(65536.0f)) {
    bool isNaN = magnitude > 0x7f800000;
    return uint16_t(sign | (isNaN ? 0x7e00 : 0x7c00));
  }
  if (magnitude < bitsOf(0x1p-14f)) {
    // A half of this size counts 2^-24, and so does the last bit of a float
    // from 0.5 to 1: the addition rounds.
    return uint16_t(sign | (bitsOf(std::fabs(value) + 0.5f) - bitsOf(0.5f)));
  }
  magnitude += 0xfff + (magnitude >> 13 & 1);
  return uint16_t(sign | (magnitude - ((127 - 15) << 23)) >> 13);
}

uint16_t roundToBF16(float value) {
  uint32_t bits = bitsOf(value);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    return uint16_t(bits >> 16 | 0x40); // Rounding must not lose the NaN.
  }
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

} // namespace umber
