// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which files and tensor tables the reader of GGUF takes and refuses. Broken
// files are tested in bulk by test/Tools/hostile_gguf.py.

#include "test/Unit/GGUF/FileBytes.h"

#include <cstring>

using namespace umber::gguf;

namespace {

using Shape = llvm::SmallVector<int64_t, 4>;

TEST(File, ReadsVersionsTwoAndThree) {
  for (uint32_t version : {2, 3}) {
    auto file =
        FileBytes().version(version).key("a.b", 7).tensor("t", {2}).read();
    EXPECT_EQ(llvm::cantFail(file->getInteger("a.b")), 7);
    const Tensor *tensor = file->findTensor("t");
    ASSERT_TRUE(tensor);
    EXPECT_EQ(tensor->data.size(), 8u);
    EXPECT_EQ(tensor->shape, Shape({2}));
  }
}

TEST(File, RefusesOtherVersions) {
  for (uint32_t version : {0, 1, 4}) {
    EXPECT_EQ(FileBytes().version(version).error(),
              "m.gguf: expected version 2 or 3, found " +
                  std::to_string(version));
  }
}

TEST(File, RefusesBigEndianFiles) {
  for (uint32_t version : {2u << 24, 3u << 24}) {
    EXPECT_EQ(FileBytes().version(version).error(),
              "m.gguf: expected a little-endian file, found a big-endian one");
  }
}

TEST(File, MayHaveNoKeysAndNoTensors) {
  EXPECT_TRUE(FileBytes().read()->getTensors().empty());
}

TEST(File, DimensionsAreOutermostFirst) {
  auto file = FileBytes().tensor("t", {1, 2, 1, 1}).read();
  const Tensor *tensor = file->findTensor("t");
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->shape, Shape({1, 1, 2, 1}));
}

TEST(File, RefusesRanksOtherThanOneToFour) {
  EXPECT_EQ(FileBytes().tensor("t", {}).error(),
            "m.gguf: tensor 't': expected 1 to 4 dimensions, found 0");
  EXPECT_EQ(FileBytes().tensor("t", {1, 1, 1, 1, 2}).error(),
            "m.gguf: tensor 't': expected 1 to 4 dimensions, found 5");
}

TEST(File, RefusesSizesThatCannotBe) {
  struct Case {
    std::vector<uint64_t> sizes;
    uint64_t found; // the first that is too much
  };
  uint64_t half = 1ull << 63;
  for (const Case &test :
       {Case{{0}, 0}, Case{{2, 0}, 0}, Case{{half}, half},
        Case{{~0ull, 2}, ~0ull}, Case{{1ull << 62, 1ull << 61}, 1ull << 61},
        Case{{1ull << 32, 1ull << 31}, 1ull << 31}}) {
    EXPECT_EQ(FileBytes().tensor("t", test.sizes).error(),
              "m.gguf: tensor 't': expected a positive size that fits in 63 "
              "bits with the others, found " +
                  std::to_string(test.found));
  }
}

TEST(File, RefusesTensorsLargerThanTheFile) {
  EXPECT_NE(FileBytes()
                .tensor("t", {1ull << 40})
                .error()
                .find("found 1099511627776 blocks of 4"),
            std::string::npos);
  EXPECT_NE(FileBytes().tensor("t", {3}).error().find(
                "expected its 12 bytes within the 8 of the data section"),
            std::string::npos);
}

TEST(File, RefusesRowsThatAreNotWholeBlocks) {
  for (const TensorTypeInfo &info : getTensorTypes()) {
    uint64_t block = info.blockElements;
    if (block == 1) {
      continue;
    }
    // The second is whole blocks in all, but its rows are not.
    for (std::vector<uint64_t> sizes :
         {std::vector<uint64_t>{block + 1}, {block / 2, 2}}) {
      EXPECT_EQ(FileBytes().tensor("t", sizes, uint32_t(info.type)).error(),
                "m.gguf: tensor 't': expected rows of a multiple of " +
                    std::to_string(block) + " elements for type " +
                    info.name.str() + ", found " + std::to_string(sizes[0]));
    }
  }
}

TEST(File, RefusesTypesThatItDoesNotKnow) {
  // Numbers that ggml gave up, one that it has for integers, and none of its.
  for (uint32_t type : {4u, 5u, 24u, ~0u}) {
    EXPECT_EQ(FileBytes()
                  .tensor("t", {2}, type)
                  .error()
                  .find("m.gguf: tensor 't': tensor type " +
                        std::to_string(type) +
                        " is not supported; supported are F32, "),
              0u);
  }
}

TEST(File, HonoursTheAlignmentAsked) {
  // The header ends at byte 123: neither 64 nor 256 bytes are what 32 are.
  for (uint32_t alignment : {64, 256}) {
    auto file = FileBytes()
                    .alignment(alignment)
                    .key("general.alignment", alignment)
                    .tensor("t", {2})
                    .tensor("u", {2})
                    .read();
    for (llvm::StringRef name : {"t", "u"}) {
      const Tensor *tensor = file->findTensor(name);
      ASSERT_TRUE(tensor);
      float values[2];
      ASSERT_EQ(tensor->data.size(), sizeof values);
      std::memcpy(values, tensor->data.data(), sizeof values);
      EXPECT_EQ(values[0], 1.5f);
      EXPECT_EQ(values[1], -2.0f);
    }
  }
}

TEST(File, HoldsOffsetsToTheAlignment) {
  EXPECT_EQ(FileBytes()
                .alignment(64)
                .key("general.alignment", 64)
                .tensor("t", {2})
                .tensor("u", {2}, 0, 32)
                .error(),
            "m.gguf: tensor 'u': expected an offset that is a multiple of 64, "
            "found 32");
}

TEST(File, RefusesAlignmentsThatAreNone) {
  for (uint32_t alignment : {0u, 3u, 12u, 1u << 21, ~0u}) {
    EXPECT_EQ(FileBytes().key("general.alignment", alignment).error(),
              "m.gguf: key 'general.alignment': expected a power of two up to "
              "1048576, found " +
                  std::to_string(alignment));
  }
  EXPECT_EQ(
      FileBytes().key("general.alignment", ValueType::String, "32").error(),
      "m.gguf: key 'general.alignment': expected an integer, found a "
      "value of type string");
}

TEST(File, RefusesTensorsThatOverlap) {
  EXPECT_EQ(FileBytes()
                .tensor("t", {2})
                .tensor("u", {2}, 0, 0)
                .error()
                .find("m.gguf: tensor "),
            0u);
}

TEST(File, RefusesATensorTwice) {
  EXPECT_EQ(FileBytes().tensor("t", {2}).tensor("t", {2}).error(),
            "m.gguf: tensor 't': expected every tensor once, found it twice");
}

TEST(File, ReadsNamesWithNuls) {
  llvm::StringRef one("t\0a", 3), other("t\0b", 3);
  auto file = FileBytes().tensor(one, {2}).tensor(other, {2}).read();
  EXPECT_TRUE(file->findTensor(one) && file->findTensor(other));
  EXPECT_FALSE(file->findTensor("t"));
  EXPECT_EQ(
      FileBytes().tensor(one, {0}).error().find("m.gguf: tensor 't\\00a': "),
      0u);
}

} // namespace
