// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Import/GGUF/TensorTypes.h"

namespace umber::gguf {

static constexpr TensorTypeInfo kTypes[] = {
    {TensorType::F32, "F32", 1, 4},
    {TensorType::F16, "F16", 1, 2},
    {TensorType::BF16, "BF16", 1, 2},
    {TensorType::Q4_0, "Q4_0", 32, 18},
    {TensorType::Q4_1, "Q4_1", 32, 20},
    {TensorType::Q5_0, "Q5_0", 32, 22},
    {TensorType::Q5_1, "Q5_1", 32, 24},
    {TensorType::Q8_0, "Q8_0", 32, 34},
    {TensorType::Q2_K, "Q2_K", 256, 84},
    {TensorType::Q3_K, "Q3_K", 256, 110},
    {TensorType::Q4_K, "Q4_K", 256, 144},
    {TensorType::Q5_K, "Q5_K", 256, 176},
    {TensorType::Q6_K, "Q6_K", 256, 210},
    {TensorType::IQ4_NL, "IQ4_NL", 32, 18},
    {TensorType::IQ4_XS, "IQ4_XS", 256, 136}};

llvm::ArrayRef<TensorTypeInfo> getTensorTypes() { return kTypes; }

const TensorTypeInfo *findTensorType(uint32_t number) {
  for (const TensorTypeInfo &info : kTypes) {
    if (static_cast<uint32_t>(info.type) == number) {
      return &info;
    }
  }
  return nullptr;
}

} // namespace umber::gguf
