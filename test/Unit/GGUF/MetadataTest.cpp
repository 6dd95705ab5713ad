// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the reader of GGUF makes of keys and their values.

#include "test/Unit/GGUF/FileBytes.h"

using namespace umber::gguf;

namespace {

template <typename T>
std::string errorOf(llvm::Expected<T> value) {
  return value ? "" : llvm::toString(value.takeError());
}

/// "a", a NUL, and what follows: two strings that C would take for one.
std::string behindNul(llvm::StringRef rest) {
  return std::string("a\0", 2) + rest.str();
}

TEST(Metadata, AnyIntegerTypeIsAnInteger) {
  auto file = FileBytes()
                  .key("u8", ValueType::UInt8, uint8_t(255))
                  .key("i8", ValueType::Int8, int8_t(-128))
                  .key("u16", ValueType::UInt16, uint16_t(65535))
                  .key("i16", ValueType::Int16, int16_t(-32768))
                  .key("u32", ValueType::UInt32, ~uint32_t(0))
                  .key("i32", ValueType::Int32, INT32_MIN)
                  .key("u64", ValueType::UInt64, uint64_t(INT64_MAX))
                  .key("i64", ValueType::Int64, INT64_MIN)
                  .read();
  auto get = [&](llvm::StringRef key) {
    return llvm::cantFail(file->getInteger(key));
  };
  EXPECT_EQ(get("u8"), 255);
  EXPECT_EQ(get("i8"), -128);
  EXPECT_EQ(get("u16"), 65535);
  EXPECT_EQ(get("i16"), -32768);
  EXPECT_EQ(get("u32"), 4294967295);
  EXPECT_EQ(get("i32"), INT32_MIN);
  EXPECT_EQ(get("u64"), INT64_MAX);
  EXPECT_EQ(get("i64"), INT64_MIN);
}

TEST(Metadata, RefusesIntegersBeyond63Bits) {
  uint64_t least = uint64_t(1) << 63;
  Bytes two;
  two.add(uint64_t(1)).add(~uint64_t(0));
  auto file = FileBytes()
                  .key("a", ValueType::UInt64, least)
                  .array("b", ValueType::UInt64, 2, two)
                  .read();
  EXPECT_EQ(errorOf(file->getInteger("a")),
            "m.gguf: key 'a': expected an integer that fits in 63 bits, found "
            "9223372036854775808");
  EXPECT_EQ(errorOf(file->getIntegers("b")),
            "m.gguf: key 'b': expected an integer that fits in 63 bits, found "
            "18446744073709551615");
}

TEST(Metadata, ReadsFloatsOfEitherWidthAndBools) {
  auto file = FileBytes()
                  .key("f32", ValueType::Float32, 0.1f)
                  .key("f64", ValueType::Float64, 0.1)
                  .key("yes", ValueType::Bool, uint8_t(1))
                  .key("no", ValueType::Bool, uint8_t(0))
                  .read();
  EXPECT_EQ(llvm::cantFail(file->getFloat("f32")), double(0.1f));
  EXPECT_EQ(llvm::cantFail(file->getFloat("f64")), 0.1);
  EXPECT_TRUE(llvm::cantFail(file->getBool("yes")));
  EXPECT_FALSE(llvm::cantFail(file->getBool("no")));
}

TEST(Metadata, KeepsNulsInStrings) {
  std::string one = behindNul("b"), other = behindNul("c");
  auto file = FileBytes()
                  .key("text", ValueType::String, one)
                  .array("texts", ValueType::String, 3,
                         Bytes()
                             .add(llvm::StringRef(one))
                             .add("")
                             .add(llvm::StringRef(other)))
                  .key(one, 1)
                  .key(other, 2)
                  .read();
  EXPECT_EQ(llvm::cantFail(file->getString("text")), one);
  EXPECT_EQ(llvm::cantFail(file->getStrings("texts")),
            (std::vector<llvm::StringRef>{one, "", other}));
  EXPECT_EQ(llvm::cantFail(file->getInteger(one)), 1);
  EXPECT_EQ(llvm::cantFail(file->getInteger(other)), 2);
  EXPECT_FALSE(file->has("a"));
}

TEST(Metadata, PrintsKeysOnOneShortLine) {
  EXPECT_EQ(FileBytes().key(behindNul("\n"), 1).key(behindNul("\n"), 2).error(),
            "m.gguf: key 'a\\00\\0A': expected every key once, found it twice");
  std::string longName(1000, 'x');
  EXPECT_EQ(quote(longName), "'" + std::string(80, 'x') + "...'");
}

TEST(Metadata, RefusesADuplicateKey) {
  // Though the second has another type.
  EXPECT_EQ(FileBytes().key("a", 1).key("a", ValueType::Float32, 1.0f).error(),
            "m.gguf: key 'a': expected every key once, found it twice");
}

TEST(Metadata, RefusesAKeyWithoutAName) {
  EXPECT_EQ(FileBytes().key("", 1).error(),
            "m.gguf: key 0: expected a name, found none");
}

TEST(Metadata, RefusesTypesThatAreNone) {
  EXPECT_EQ(FileBytes().key("a", ValueType(13), uint64_t(1)).error(),
            "m.gguf: key 'a': expected a value type of 0 to 12, found 13");
  EXPECT_EQ(
      FileBytes().array("a", ValueType(13), 1, Bytes().add(1.0)).error(),
      "m.gguf: key 'a': expected an array of numbers, bools or strings, found "
      "element type 13");
}

TEST(Metadata, RefusesArraysOfArrays) {
  Bytes inner;
  inner.add(ValueType::UInt8).add(uint64_t(1)).add(uint8_t(1));
  EXPECT_EQ(
      FileBytes().array("a", ValueType::Array, 1, inner).error(),
      "m.gguf: key 'a': expected an array of numbers, bools or strings, found "
      "element type 9");
}

TEST(Metadata, RefusesArraysBeyondTheFile) {
  EXPECT_EQ(FileBytes()
                .array("a", ValueType::UInt16, 3, Bytes().add(uint32_t(0)))
                .error(),
            "m.gguf: key 'a': expected at most 2 elements in what is left of "
            "the file, found 3");
}

TEST(Metadata, ReadsEmptyArrays) {
  auto file = FileBytes()
                  .array("texts", ValueType::String, 0, {})
                  .array("numbers", ValueType::Int32, 0, {})
                  .read();
  EXPECT_TRUE(llvm::cantFail(file->getStrings("texts")).empty());
  EXPECT_TRUE(llvm::cantFail(file->getIntegers("numbers")).empty());
}

TEST(Metadata, AsksForTheTypeThatAKeyHas) {
  auto file = FileBytes()
                  .key("a", 1)
                  .array("b", ValueType::Float32, 1, Bytes().add(1.0f))
                  .read();
  EXPECT_EQ(errorOf(file->getString("a")),
            "m.gguf: key 'a': expected a string, found a value of type "
            "integer");
  EXPECT_EQ(errorOf(file->getStrings("a")),
            "m.gguf: key 'a': expected an array of strings, found a value of "
            "type integer");
  EXPECT_EQ(errorOf(file->getFloat("b")),
            "m.gguf: key 'b': expected a float, found an array of type float");
  EXPECT_EQ(errorOf(file->getIntegers("b")),
            "m.gguf: key 'b': expected an array of integers, found an array of "
            "type float");
  EXPECT_EQ(errorOf(file->getInteger("c")),
            "m.gguf: key 'c': expected an integer, found no such key");
}

} // namespace
