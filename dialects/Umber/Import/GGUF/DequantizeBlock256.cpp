// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types with super-blocks of 256: a scale for all, small integer scales (and
// minimums) for sub-blocks of 16 or 32, and codes.

#include "dialects/Umber/Import/GGUF/Dequantize.h"
#include <cstring>

namespace umber::gguf {

namespace {

constexpr int kBlock = 256;

void q2_k(const uint8_t *b, float *out) {
  const uint8_t *scales = b, *codes = b + 16;
  float scale = readHalf(b + 80), minimum = readHalf(b + 82);
  for (int i = 0; i < kBlock; ++i) {
    int half = i / 128, plane = i % 128 / 32, within = i % 32;
    int code = (codes[half * 32 + within] >> (2 * plane)) & 3;
    uint8_t packed = scales[i / 16];
    out[i] =
        scale * float(packed & 15) * float(code) - minimum * float(packed >> 4);
  }
}

void q3_k(const uint8_t *b, float *out) {
  const uint8_t *highBits = b, *codes = b + 32, *packed = b + 96;
  float scale = readHalf(b + 108);
  for (int i = 0; i < kBlock; ++i) {
    int half = i / 128, plane = i % 128 / 32, within = i % 32;
    int code = (codes[half * 32 + within] >> (2 * plane)) & 3;
    bool high = highBits[within] >> (half * 4 + plane) & 1;
    // Sixteen 6-bit scales: low nibbles in 8 bytes, two high bits in 4 more.
    int s = i / 16;
    int low = s < 8 ? packed[s] & 15 : packed[s - 8] >> 4;
    int top = (packed[8 + s % 4] >> (2 * (s / 4))) & 3;
    float subScale = scale * float((low | top << 4) - 32);
    out[i] = subScale * float(code - (high ? 0 : 4));
  }
}

/// The j-th of eight 6-bit scales and minimums that share 12 bytes.
void scaleAndMinimum(const uint8_t *p, int j, int &scale, int &minimum) {
  if (j < 4) {
    scale = p[j] & 63;
    minimum = p[j + 4] & 63;
  } else {
    scale = (p[j + 4] & 15) | (p[j - 4] >> 6) << 4;
    minimum = (p[j + 4] >> 4) | (p[j] >> 6) << 4;
  }
}

/// Q4_K and Q5_K: sub-blocks of 32, code pairs in a byte's nibbles, and for
/// five bits a plane of high bits.
void q45_k(const uint8_t *b, float *out, bool five) {
  float scale = readHalf(b), minimum = readHalf(b + 2);
  const uint8_t *packed = b + 4, *highBits = b + 16;
  const uint8_t *codes = b + (five ? 48 : 16);
  for (int j = 0; j < 8; ++j) {
    int subScale, subMinimum;
    scaleAndMinimum(packed, j, subScale, subMinimum);
    float d = scale * float(subScale), m = minimum * float(subMinimum);
    const uint8_t *bytes = codes + j / 2 * 32;
    for (int i = 0; i < 32; ++i) {
      int code = j % 2 ? bytes[i] >> 4 : bytes[i] & 15;
      if (five) {
        code += (highBits[i] >> j & 1) << 4;
      }
      out[32 * j + i] = d * float(code) - m;
    }
  }
}

void q6_k(const uint8_t *b, float *out) {
  const uint8_t *low = b, *high = b + 128;
  const auto *scales = reinterpret_cast<const int8_t *>(b + 192);
  float scale = readHalf(b + 208);
  for (int i = 0; i < kBlock; ++i) {
    int half = i / 128, plane = i % 128 / 32, within = i % 32;
    uint8_t byte = low[half * 64 + (plane % 2) * 32 + within];
    int code = plane < 2 ? byte & 15 : byte >> 4;
    code |= (high[half * 32 + within] >> (2 * plane) & 3) << 4;
    out[i] = scale * float(scales[i / 16]) * float(code - 32);
  }
}

void iq4_xs(const uint8_t *b, float *out) {
  float scale = readHalf(b);
  uint16_t highBits;
  std::memcpy(&highBits, b + 2, sizeof highBits);
  const uint8_t *lowBits = b + 4, *codes = b + 8;
  for (int j = 0; j < 8; ++j) {
    int low = lowBits[j / 2] >> (4 * (j % 2)) & 15;
    int top = highBits >> (2 * j) & 3;
    float d = scale * float((low | top << 4) - 32);
    for (int i = 0; i < 16; ++i) {
      uint8_t byte = codes[16 * j + i];
      out[32 * j + i] = d * float(kIQ4Values[byte & 15]);
      out[32 * j + i + 16] = d * float(kIQ4Values[byte >> 4]);
    }
  }
}

} // namespace

void dequantizeBlock256(TensorType type, const uint8_t *blocks,
                        llvm::MutableArrayRef<float> out) {
  uint32_t bytes = getInfo(type).blockBytes;
  for (size_t i = 0; i < out.size(); i += kBlock, blocks += bytes) {
    float *to = out.data() + i;
    switch (type) {
    case TensorType::Q2_K:
      q2_k(blocks, to);
      break;
    case TensorType::Q3_K:
      q3_k(blocks, to);
      break;
    case TensorType::Q4_K:
      q45_k(blocks, to, /*five=*/false);
      break;
    case TensorType::Q5_K:
      q45_k(blocks, to, /*five=*/true);
      break;
    case TensorType::Q6_K:
      q6_k(blocks, to);
      break;
    default:
      iq4_xs(blocks, to);
      break;
    }
  }
}

} // namespace umber::gguf
