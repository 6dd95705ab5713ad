// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed access to metadata.

#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace umber::gguf {

static bool isInteger(ValueType type) {
  return type <= ValueType::Int32 || type == ValueType::UInt64 ||
         type == ValueType::Int64;
}

static bool isFloat(ValueType type) {
  return type == ValueType::Float32 || type == ValueType::Float64;
}

static StringRef getName(ValueType type) {
  if (isInteger(type)) {
    return "integer";
  }
  if (isFloat(type)) {
    return "float";
  }
  return type == ValueType::Bool ? "bool" : "string";
}

template <typename T>
static T read(const uint8_t *data) {
  return support::endian::read<T, llvm::endianness::little>(data);
}

static int64_t readInteger(ValueType type, const uint8_t *data, uint64_t i) {
  switch (type) {
  case ValueType::UInt8:
    return data[i];
  case ValueType::Int8:
    return static_cast<int8_t>(data[i]);
  case ValueType::UInt16:
    return read<uint16_t>(data + 2 * i);
  case ValueType::Int16:
    return read<int16_t>(data + 2 * i);
  case ValueType::UInt32:
    return read<uint32_t>(data + 4 * i);
  case ValueType::Int32:
    return read<int32_t>(data + 4 * i);
  default:
    return read<int64_t>(data + 8 * i);
  }
}

static double readFloat(ValueType type, const uint8_t *data, uint64_t i) {
  if (type == ValueType::Float32) {
    return bit_cast<float>(read<uint32_t>(data + 4 * i));
  }
  return bit_cast<double>(read<uint64_t>(data + 8 * i));
}

Error File::makeError(const Twine &message) const {
  return createStringError(inconvertibleErrorCode(), path + ": " + message);
}

Error File::makeTypeError(StringRef key, StringRef expected,
                          const MetadataValue &found) const {
  return makeError("key '" + key + "': expected " + expected + ", found " +
                   (found.isArray ? "an array of type " : "a value of type ") +
                   getName(found.type));
}

const Tensor *File::findTensor(StringRef name) const {
  auto it = tensorIndex.find(name);
  return it == tensorIndex.end() ? nullptr : &tensors[it->second];
}

Expected<const MetadataValue *> File::find(StringRef key, StringRef expected,
                                           bool isArray) const {
  auto it = metadata.find(key);
  if (it == metadata.end()) {
    return makeError("key '" + key + "': expected " + expected +
                     ", found no such "
                     "key");
  }
  if (it->second.isArray != isArray) {
    return makeTypeError(key, expected, it->second);
  }
  return &it->second;
}

Expected<int64_t> File::getElement(StringRef key, const MetadataValue &value,
                                   uint64_t index) const {
  int64_t integer = readInteger(value.type, value.data, index);
  // Wrapped to a negative number, a count could pass for "none".
  if (value.type == ValueType::UInt64 && integer < 0) {
    return makeError("key '" + key +
                     "': expected an integer that fits in 63 bits, found " +
                     Twine(uint64_t(integer)));
  }
  return integer;
}

Expected<int64_t> File::getInteger(StringRef key) const {
  auto value = find(key, "an integer", /*isArray=*/false);
  if (!value) {
    return value.takeError();
  }
  if (!isInteger((*value)->type)) {
    return makeTypeError(key, "an integer", **value);
  }
  return getElement(key, **value, 0);
}

Expected<double> File::getFloat(StringRef key) const {
  auto value = find(key, "a float", /*isArray=*/false);
  if (!value) {
    return value.takeError();
  }
  if (!isFloat((*value)->type)) {
    return makeTypeError(key, "a float", **value);
  }
  return readFloat((*value)->type, (*value)->data, 0);
}

Expected<bool> File::getBool(StringRef key) const {
  auto value = find(key, "a bool", /*isArray=*/false);
  if (!value) {
    return value.takeError();
  }
  if ((*value)->type != ValueType::Bool) {
    return makeTypeError(key, "a bool", **value);
  }
  return (*value)->data[0] != 0;
}

Expected<StringRef> File::getString(StringRef key) const {
  auto value = find(key, "a string", /*isArray=*/false);
  if (!value) {
    return value.takeError();
  }
  if ((*value)->type != ValueType::String) {
    return makeTypeError(key, "a string", **value);
  }
  return StringRef(reinterpret_cast<const char *>((*value)->data),
                   (*value)->size);
}

Expected<std::vector<StringRef>> File::getStrings(StringRef key) const {
  auto value = find(key, "an array of strings", /*isArray=*/true);
  if (!value) {
    return value.takeError();
  }
  if ((*value)->type != ValueType::String) {
    return makeTypeError(key, "an array of strings", **value);
  }
  std::vector<StringRef> strings;
  const uint8_t *at = (*value)->data;
  for (uint64_t i = 0; i < (*value)->count; ++i) {
    uint64_t length = read<uint64_t>(at);
    strings.emplace_back(reinterpret_cast<const char *>(at + 8), length);
    at += 8 + length;
  }
  return strings;
}

Expected<std::vector<int64_t>> File::getIntegers(StringRef key) const {
  auto value = find(key, "an array of integers", /*isArray=*/true);
  if (!value) {
    return value.takeError();
  }
  if (!isInteger((*value)->type)) {
    return makeTypeError(key, "an array of integers", **value);
  }
  std::vector<int64_t> integers;
  for (uint64_t i = 0; i < (*value)->count; ++i) {
    auto integer = getElement(key, **value, i);
    if (!integer) {
      return integer.takeError();
    }
    integers.push_back(*integer);
  }
  return integers;
}

Expected<std::vector<double>> File::getFloats(StringRef key) const {
  auto value = find(key, "an array of floats", /*isArray=*/true);
  if (!value) {
    return value.takeError();
  }
  if (!isFloat((*value)->type)) {
    return makeTypeError(key, "an array of floats", **value);
  }
  std::vector<double> floats;
  for (uint64_t i = 0; i < (*value)->count; ++i) {
    floats.push_back(readFloat((*value)->type, (*value)->data, i));
  }
  return floats;
}

} // namespace umber::gguf
