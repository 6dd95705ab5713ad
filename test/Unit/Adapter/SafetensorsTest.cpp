// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Safetensors.h"
#include "test/Unit/Adapter/Fixture.h"

using namespace umber;
using namespace umber::test;

namespace {

Result<std::vector<SafeTensor>> parse(const std::string &file) {
  return readSafetensors(
      {reinterpret_cast<const uint8_t *>(file.data()), file.size()});
}

const std::vector<Tensor> kTensors = {{"b", "F32", {2, 3}, std::string(24, 1)},
                                      {"a", "F16", {1, 4}, std::string(8, 2)},
                                      {"c", "I64", {}, std::string(8, 3)},
                                      {"e", "U8", {0, 7}, ""}};

TEST(Safetensors, Reads) {
  std::string file = safetensors(kTensors);
  auto tensors = parse(file);
  ASSERT_TRUE(tensors.ok()) << tensors.status().message();
  ASSERT_EQ(tensors->size(), 4u);
  // In the order of the bytes, whatever the names' order.
  const SafeTensor &first = (*tensors)[0];
  EXPECT_EQ(first.name, "b");
  EXPECT_EQ(first.dtype, "F32");
  EXPECT_EQ(first.shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(std::string(reinterpret_cast<const char *>(first.data.data),
                        first.data.size),
            kTensors[0].data);
  EXPECT_EQ((*tensors)[1].name, "a");
  EXPECT_EQ((*tensors)[1].data.data, first.data.data + 24);
  EXPECT_EQ((*tensors)[3].data.size, 0u);
}

TEST(Safetensors, TakesSpacesBehindTheHeader) {
  EXPECT_TRUE(parse(safetensors("{}   ", "")).ok());
}

struct Refusal {
  const char *name;
  std::string file;
  const char *message;
};

std::string edited(const std::function<void(Json &)> &edit) {
  return safetensors(kTensors, edit);
}

/// A header of one tensor of 8 bytes.
std::string one(const std::string &entry) {
  return safetensors("{\"a\":" + entry + "}", std::string(8, 0));
}

const Refusal kRefusals[] = {
    {"Empty", "", "header: expected a length of 8 bytes, found a file of 0"},
    {"HalfALength", "1234567",
     "header: expected a length of 8 bytes, found a file of 7"},
    {"LengthOverTheEnd", std::string("\x03\0\0\0\0\0\0\0{}", 10),
     "header: expected at most 2 bytes, found 3"},
    {"LengthHuge", std::string(8, '\xff') + "{}",
     "header: expected at most 2 bytes, found 18446744073709551615"},
    {"HeaderTooLong", safetensors("{" + std::string(5 << 20, ' ') + "}", ""),
     "header: expected at most 4194304 bytes, found"},
    {"NoHeader", safetensors("", ""), "header: expected a '{' at its start"},
    {"SpacesInFront", safetensors(" {}", ""),
     "header: expected a '{' at its start"},
    {"NoObject", safetensors("[]", ""), "header: expected a '{' at its start"},
    {"NoJson", safetensors("{\"a\":}", ""),
     "header: JSON: expected valid text, found an error at byte 6"},
    {"TwoObjects", safetensors("{}{}", ""),
     "header: JSON: expected valid text, found an error at byte"},
    {"NotUtf8", safetensors("{\"\xff\":{}}", ""),
     "header: JSON: expected valid text, found an error at byte"},
    {"Deep", safetensors("{\"a\":" + std::string(100000, '[') + "}", ""),
     "header: JSON: expected values that nest 3 deep at most"},
    {"NumberTooLarge", one("{\"dtype\":1e999}"),
     "header: JSON: expected numbers that fit in 64 bits"},
    {"Twice", safetensors("{\"a\":1,\"a\":2}", ""),
     "header: JSON: expected every key once, found 'a' twice"},
    {"EntryTwice", one("{\"dtype\":\"F32\",\"dtype\":\"F32\"}"),
     "header: JSON: expected every key once, found 'dtype' twice"},
    {"NoEntry", one("7"), "tensor 'a': expected an object, found '7'"},
    {"NoType", one("{}"), "tensor 'a': expected a known dtype, found none"},
    {"TypeNumber", one("{\"dtype\":3}"),
     "tensor 'a': expected a known dtype, found '3'"},
    {"TypeUnknown", one("{\"dtype\":\"F31\"}"),
     "tensor 'a': expected a known dtype, found '\"F31\"'"},
    {"NoShape", edited([](Json &h) { h["b"].erase("shape"); }),
     "tensor 'b': expected a shape of unsigned integers"},
    {"ShapeNegative", edited([](Json &h) { h["b"]["shape"] = {-2, -3}; }),
     "tensor 'b': expected a shape of unsigned integers"},
    {"ShapeFloat", edited([](Json &h) { h["b"]["shape"] = {2.0, 3}; }),
     "tensor 'b': expected a shape of unsigned integers"},
    {"ShapeOverflow", edited([](Json &h) {
       // 2^64 + 24 bytes, without care.
       h["b"]["shape"] = {1ull << 32, 1ull << 30};
     }),
     "tensor 'b': expected a shape whose size fits in 64 bits"},
    {"ShapeOther", edited([](Json &h) { h["b"]["shape"] = {2, 4}; }),
     "tensor 'b': expected 32 bytes for its shape and dtype, found 24"},
    {"NoOffsets", edited([](Json &h) { h["b"].erase("data_offsets"); }),
     "tensor 'b': expected data_offsets of two unsigned integers"},
    {"ThreeOffsets",
     edited([](Json &h) { h["b"]["data_offsets"] = {0, 24, 24}; }),
     "tensor 'b': expected data_offsets of two unsigned integers"},
    {"OffsetsBackwards",
     edited([](Json &h) { h["b"]["data_offsets"] = {24, 0}; }),
     "tensor 'b': expected data_offsets within the 40 bytes of data"},
    {"OffsetsOutside",
     edited([](Json &h) { h["b"]["data_offsets"] = {17, 41}; }),
     "tensor 'b': expected data_offsets within the 40 bytes of data"},
    {"OffsetsHuge",
     edited([](Json &h) { h["b"]["data_offsets"] = {~0ull - 23, ~0ull}; }),
     "tensor 'b': expected data_offsets within the 40 bytes of data"},
    {"Overlap", edited([](Json &h) { h["a"]["data_offsets"] = {23, 31}; }),
     "tensor 'a': expected its data at offset 24, right behind the tensor "
     "before, found it at 23"},
    {"Same", edited([](Json &h) { h["c"]["data_offsets"] = {24, 32}; }),
     "expected its data at offset 32"},
    {"Hole", safetensors(kTensors, [](Json &h) { h.erase("a"); }),
     "tensor 'c': expected its data at offset 24, right behind the tensor "
     "before, found it at 32"},
    {"TrailingBytes", safetensors(kTensors) + "x",
     "data: expected 40 bytes, which the tensors take, found 41"},
    {"OnlyData", safetensors("{}", "x"),
     "data: expected 0 bytes, which the tensors take, found 1"},
};

void PrintTo(const Refusal &refusal, std::ostream *stream) {
  *stream << refusal.name;
}

class SafetensorsRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(SafetensorsRefusal, Says) {
  auto tensors = parse(GetParam().file);
  ASSERT_FALSE(tensors.ok());
  EXPECT_EQ(tensors.status().code(), StatusCode::CorruptFile);
  EXPECT_NE(tensors.status().message().find(GetParam().message),
            std::string::npos)
      << tensors.status().message();
}

INSTANTIATE_TEST_SUITE_P(All, SafetensorsRefusal, testing::ValuesIn(kRefusals),
                         [](const auto &info) { return info.param.name; });

} // namespace
