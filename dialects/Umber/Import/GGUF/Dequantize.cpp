// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain types and the choice of family.

#include "dialects/Umber/Import/GGUF/Dequantize.h"
#include <cstring>

namespace umber::gguf {

const int8_t kIQ4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                               1,    13,   25,  38,  53,  69,  89,  113};

float readHalf(const uint8_t *p) {
  _Float16 half;
  std::memcpy(&half, p, sizeof half);
  return static_cast<float>(half);
}

void dequantizePlain(TensorType type, const uint8_t *data,
                     llvm::MutableArrayRef<float> out) {
  if (type == TensorType::F32) {
    std::memcpy(out.data(), data, out.size() * sizeof(float));
    return;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (type == TensorType::F16) {
      out[i] = readHalf(data + 2 * i);
      continue;
    }
    uint16_t bits;
    std::memcpy(&bits, data + 2 * i, sizeof bits);
    uint32_t wide = static_cast<uint32_t>(bits) << 16;
    std::memcpy(&out[i], &wide, sizeof wide);
  }
}

void dequantize(TensorType type, const uint8_t *blocks,
                llvm::MutableArrayRef<float> out) {
  switch (getInfo(type).blockElements) {
  case 1:
    return dequantizePlain(type, blocks, out);
  case 32:
    return dequantizeBlock32(type, blocks, out);
  default:
    return dequantizeBlock256(type, blocks, out);
  }
}

} // namespace umber::gguf
