// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types with blocks of 32: a scale, sometimes a minimum, and codes.

#include "dialects/Umber/Import/GGUF/Dequantize.h"
#include <cstring>

namespace umber::gguf {

namespace {

constexpr int kBlock = 32;

void q4_0(const uint8_t *b, float *out) {
  float scale = readHalf(b);
  for (int i = 0; i < kBlock / 2; ++i) {
    out[i] = float(int(b[2 + i] & 15) - 8) * scale;
    out[i + 16] = float(int(b[2 + i] >> 4) - 8) * scale;
  }
}

void q4_1(const uint8_t *b, float *out) {
  float scale = readHalf(b), minimum = readHalf(b + 2);
  for (int i = 0; i < kBlock / 2; ++i) {
    out[i] = float(b[4 + i] & 15) * scale + minimum;
    out[i + 16] = float(b[4 + i] >> 4) * scale + minimum;
  }
}

/// The 5-bit types keep their codes' high bits apart.
void fiveBits(const uint8_t *highBits, const uint8_t *low, int *codes) {
  uint32_t high;
  std::memcpy(&high, highBits, sizeof high);
  for (int i = 0; i < kBlock / 2; ++i) {
    codes[i] = (low[i] & 15) | int((high >> i) & 1) << 4;
    codes[i + 16] = (low[i] >> 4) | int((high >> (i + 16)) & 1) << 4;
  }
}

void q5_0(const uint8_t *b, float *out) {
  float scale = readHalf(b);
  int codes[kBlock];
  fiveBits(b + 2, b + 6, codes);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = float(codes[i] - 16) * scale;
  }
}

void q5_1(const uint8_t *b, float *out) {
  float scale = readHalf(b), minimum = readHalf(b + 2);
  int codes[kBlock];
  fiveBits(b + 4, b + 8, codes);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = float(codes[i]) * scale + minimum;
  }
}

void q8_0(const uint8_t *b, float *out) {
  float scale = readHalf(b);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = float(static_cast<int8_t>(b[2 + i])) * scale;
  }
}

void iq4_nl(const uint8_t *b, float *out) {
  float scale = readHalf(b);
  for (int i = 0; i < kBlock / 2; ++i) {
    out[i] = scale * float(kIQ4Values[b[2 + i] & 15]);
    out[i + 16] = scale * float(kIQ4Values[b[2 + i] >> 4]);
  }
}

} // namespace

void dequantizeBlock32(TensorType type, const uint8_t *blocks,
                       llvm::MutableArrayRef<float> out) {
  uint32_t bytes = getInfo(type).blockBytes;
  for (size_t i = 0; i < out.size(); i += kBlock, blocks += bytes) {
    float *to = out.data() + i;
    switch (type) {
    case TensorType::Q4_0:
      q4_0(blocks, to);
      break;
    case TensorType::Q4_1:
      q4_1(blocks, to);
      break;
    case TensorType::Q5_0:
      q5_0(blocks, to);
      break;
    case TensorType::Q5_1:
      q5_1(blocks, to);
      break;
    case TensorType::Q8_0:
      q8_0(blocks, to);
      break;
    default:
      iq4_nl(blocks, to);
      break;
    }
  }
}

} // namespace umber::gguf
