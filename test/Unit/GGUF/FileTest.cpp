// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the reader of GGUF files takes and refuses. Broken files are tested in
// bulk by test/Tools/hostile_gguf.py.

#include "dialects/Umber/Import/GGUF/GGUFFile.h"

#include <gtest/gtest.h>

using namespace umber::gguf;

namespace {

/// Appends little-endian numbers and GGUF's strings.
struct Bytes {
  std::string text;

  template <typename T>
  Bytes &add(T value) {
    text.append(reinterpret_cast<const char *>(&value), sizeof value);
    return *this;
  }
  Bytes &add(llvm::StringRef string) {
    add(uint64_t(string.size()));
    text += string;
    return *this;
  }
};

struct Entry {
  std::string key;
  ValueType type;
  std::string value;
};

Entry entry(std::string key, uint32_t value) {
  return {key, ValueType::UInt32, Bytes().add(value).text};
}

/// A file with one f32 tensor of the dimensions given, innermost first.
std::string makeFile(std::vector<Entry> entries,
                     std::vector<uint64_t> dimensions = {2},
                     uint32_t version = 3, uint32_t type = 0,
                     uint64_t alignment = 32) {
  Bytes file;
  file.text = "GGUF";
  file.add(version).add(uint64_t(1)).add(uint64_t(entries.size()));
  for (const Entry &entry : entries) {
    file.add(llvm::StringRef(entry.key)).add(uint32_t(entry.type));
    file.text += entry.value;
  }
  file.add(llvm::StringRef("t")).add(uint32_t(dimensions.size()));
  for (uint64_t dimension : dimensions) {
    file.add(dimension);
  }
  file.add(type).add(uint64_t(0));
  file.text.resize((file.text.size() + alignment - 1) / alignment * alignment);
  return file.add(1.5f).add(-2.0f).text;
}

llvm::Expected<std::unique_ptr<File>> parse(llvm::StringRef bytes) {
  return File::parse(llvm::MemoryBuffer::getMemBufferCopy(bytes), "m.gguf");
}

std::string errorOf(llvm::StringRef bytes) {
  auto file = parse(bytes);
  return file ? "" : llvm::toString(file.takeError());
}

TEST(File, ReadsVersionsTwoAndThree) {
  for (uint32_t version : {2, 3}) {
    auto file = parse(makeFile({entry("a.b", 7)}, {2}, version));
    ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
    EXPECT_EQ(llvm::cantFail((*file)->getInteger("a.b")), 7);
    const Tensor *tensor = (*file)->findTensor("t");
    ASSERT_TRUE(tensor);
    EXPECT_EQ(tensor->data.size(), 8u);
    EXPECT_EQ(tensor->shape, (llvm::SmallVector<int64_t, 4>{2}));
  }
}

TEST(File, RefusesOtherVersionsAndByteOrders) {
  for (uint32_t version : {0, 1, 4}) {
    EXPECT_NE(errorOf(makeFile({}, {2}, version)).find("version"),
              std::string::npos)
        << version;
  }
  EXPECT_NE(errorOf(makeFile({}, {2}, 3u << 24)).find("big-endian"),
            std::string::npos);
}

TEST(File, DimensionsAreOutermostFirst) {
  auto file = parse(makeFile({}, {1, 2, 1}));
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  EXPECT_EQ((*file)->findTensor("t")->shape,
            (llvm::SmallVector<int64_t, 4>{1, 2, 1}));
}

TEST(File, RefusesShapesThatCannotBe) {
  for (std::vector<uint64_t> dimensions : {std::vector<uint64_t>{},
                                           {0},
                                           {2, 0},
                                           {1, 1, 1, 1, 2},
                                           {~0ull, 2},
                                           {1ull << 62, 1ull << 62},
                                           {1ull << 40}}) {
    EXPECT_NE(errorOf(makeFile({}, dimensions)), "") << dimensions.size();
  }
}

TEST(File, RefusesRowsThatAreNotWholeBlocks) {
  // 2 elements of Q8_0, whose block has 32.
  EXPECT_NE(errorOf(makeFile({}, {2}, 3, 8)).find("32"), std::string::npos);
}

TEST(File, HonoursTheAlignmentAsked) {
  auto file = parse(makeFile({entry("general.alignment", 64)}, {2}, 3, 0, 64));
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  float first;
  std::memcpy(&first, (*file)->findTensor("t")->data.data(), sizeof first);
  EXPECT_EQ(first, 1.5f);
}

TEST(File, RefusesAlignmentsThatAreNone) {
  for (uint32_t alignment : {0, 12, 3}) {
    EXPECT_NE(errorOf(makeFile({entry("general.alignment", alignment)}))
                  .find("alignment"),
              std::string::npos)
        << alignment;
  }
}

TEST(File, RefusesADuplicateKey) {
  EXPECT_NE(errorOf(makeFile({entry("a", 1), entry("a", 2)})).find("twice"),
            std::string::npos);
}

TEST(File, RefusesArraysOfArrays) {
  Bytes inner;
  inner.add(uint32_t(ValueType::Array)).add(uint64_t(1));
  inner.add(uint32_t(ValueType::UInt8)).add(uint64_t(1)).add(uint8_t(1));
  EXPECT_NE(errorOf(makeFile({{"a", ValueType::Array, inner.text}})), "");
}

TEST(File, AsksForTheTypeThatAKeyHas) {
  auto file = parse(makeFile({entry("a", 1)}));
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  for (std::string error :
       {llvm::toString((*file)->getString("a").takeError()),
        llvm::toString((*file)->getStrings("a").takeError()),
        llvm::toString((*file)->getInteger("b").takeError())}) {
    EXPECT_EQ(error.find("m.gguf: "), 0u) << error;
  }
}

} // namespace
