// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every tensor type, against the values that PyPI's gguf package gives for
// random blocks; see make_vectors.py. To the bit, for every formula rounds a
// value once at most: products of a half's 11 bits with integer scales and
// codes are exact until the last step, so neither the order of the sums nor
// fused multiply-adds make a difference.

#include "dialects/Umber/Import/GGUF/Dequantize.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace umber::gguf;

namespace {

class Dequantize : public testing::TestWithParam<TensorTypeInfo> {};

TEST_P(Dequantize, IsTheReferencesToTheBit) {
  auto file = File::open(UMBER_TEST_VECTORS);
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  std::string name = GetParam().name.str();
  const Tensor *blocks = (*file)->findTensor(name);
  const Tensor *expected = (*file)->findTensor(name + ".expected");
  ASSERT_TRUE(blocks && expected);
  ASSERT_EQ(blocks->type, GetParam().type);
  ASSERT_EQ(blocks->shape, expected->shape);
  std::vector<float> values(blocks->shape[0] * blocks->shape[1]);
  ASSERT_EQ(values.size() * sizeof(float), expected->data.size());
  dequantize(blocks->type, blocks->data.data(), values);
  for (size_t i = 0; i < values.size(); ++i) {
    float wanted;
    std::memcpy(&wanted, expected->data.data() + i * sizeof wanted,
                sizeof wanted);
    ASSERT_EQ(std::memcmp(&values[i], &wanted, sizeof wanted), 0)
        << "element " << i << ": " << values[i] << ", expected " << wanted;
  }
}

INSTANTIATE_TEST_SUITE_P(AllTypes, Dequantize,
                         testing::ValuesIn(getTensorTypes().begin(),
                                           getTensorTypes().end()),
                         [](const auto &info) {
                           return info.param.name.str();
                         });

} // namespace
