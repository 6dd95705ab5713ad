// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/GgufFile.h"
#include "runtime/adapter/Quote.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace umber {

namespace {

Status bad(const std::string &where, const std::string &expected) {
  return Status(StatusCode::CorruptFile, where + ": expected " + expected);
}

Status truncated(const std::string &where) {
  return bad(where, "more bytes, found the end of the file");
}

/// Bytes of a number or a bool; 0 for what has no fixed size.
uint64_t scalarBytes(GgufValueType type) {
  switch (type) {
  case GgufValueType::UInt8:
  case GgufValueType::Int8:
  case GgufValueType::Bool:
    return 1;
  case GgufValueType::UInt16:
  case GgufValueType::Int16:
    return 2;
  case GgufValueType::UInt32:
  case GgufValueType::Int32:
  case GgufValueType::Float32:
    return 4;
  case GgufValueType::UInt64:
  case GgufValueType::Int64:
  case GgufValueType::Float64:
    return 8;
  case GgufValueType::String:
  case GgufValueType::Array:
    return 0;
  }
  return 0;
}

constexpr uint32_t kMaxValueType = 12;
constexpr uint32_t kMaxRank = 4;
constexpr uint32_t kMaxAlignment = 1 << 20;
// What an entry takes at least: a length, a type and the smallest value; a
// length, a rank, one extent, a type and an offset.
constexpr uint64_t kLeastKey = 13, kLeastTensor = 32;

template <typename T>
T load(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

} // namespace

class GgufParser {
public:
  explicit GgufParser(Bytes file) : bytes(file) {}

  Result<GgufFile> run() {
    if (Status status = parseHeader(); !status.ok()) {
      return status;
    }
    for (uint64_t i = 0; i < keyCount; ++i) {
      if (Status status = parseKey(i); !status.ok()) {
        return status;
      }
    }
    if (Status status = readAlignment(); !status.ok()) {
      return status;
    }
    for (uint64_t i = 0; i < tensorCount; ++i) {
      if (Status status = parseTensor(i); !status.ok()) {
        return status;
      }
    }
    uint64_t begin = (at + alignment - 1) / alignment * alignment;
    begin = std::min<uint64_t>(begin, bytes.size);
    file.tail = {bytes.data + begin, bytes.size - size_t(begin)};
    return std::move(file);
  }

private:
  uint64_t left() const { return bytes.size - at; }

  template <typename T>
  Status read(T &value, const std::string &where) {
    if (left() < sizeof value) {
      return truncated(where);
    }
    value = load<T>(bytes.data + at);
    at += sizeof value;
    return Status();
  }

  Status readBytes(Bytes &value, uint64_t size, const std::string &where) {
    if (left() < size) {
      return bad(where, "at most the file's " + std::to_string(left()) +
                            " further bytes, found " + std::to_string(size));
    }
    value = {bytes.data + at, size_t(size)};
    at += size;
    return Status();
  }

  Status readString(Bytes &value, const std::string &where) {
    uint64_t length;
    if (Status status = read(length, where); !status.ok()) {
      return status;
    }
    return readBytes(value, length, where);
  }

  Status readName(std::string &name, const std::string &where) {
    Bytes text;
    if (Status status = readString(text, where); !status.ok()) {
      return status;
    }
    name.assign(reinterpret_cast<const char *>(text.data), text.size);
    return name.empty() ? bad(where, "a name, found none") : Status();
  }

  Status parseHeader();
  Status parseKey(uint64_t index);
  Status skipArray(const std::string &where);
  Status readAlignment();
  Status parseTensor(uint64_t index);

  Bytes bytes;
  uint64_t at = 0;
  uint64_t tensorCount = 0, keyCount = 0;
  uint64_t alignment = 32;
  std::set<std::string> tensorNames;
  GgufFile file;
};

Status GgufParser::parseHeader() {
  uint32_t magic, version;
  if (Status status = read(magic, "header"); !status.ok()) {
    return status;
  }
  if (std::memcmp(&magic, "GGUF", sizeof magic) != 0) {
    return bad("header", "a GGUF file, found other bytes at its start");
  }
  if (Status status = read(version, "version"); !status.ok()) {
    return status;
  }
  if (version != 2 && version != 3) {
    uint32_t swapped = __builtin_bswap32(version);
    bool isBigEndian = swapped == 2 || swapped == 3;
    return Status(StatusCode::Unsupported,
                  isBigEndian ? "version: expected a little-endian file, found "
                                "a big-endian one"
                              : "version: expected 2 or 3, found " +
                                    std::to_string(version));
  }
  if (Status status = read(tensorCount, "tensor count"); !status.ok()) {
    return status;
  }
  if (Status status = read(keyCount, "key count"); !status.ok()) {
    return status;
  }
  auto tooMany = [&](const char *what, uint64_t count, uint64_t least) {
    return bad(what, "at most " + std::to_string(left() / least) +
                         " in what is left of the file, found " +
                         std::to_string(count));
  };
  if (keyCount > left() / kLeastKey) {
    return tooMany("key count", keyCount, kLeastKey);
  }
  if (tensorCount > left() / kLeastTensor) {
    return tooMany("tensor count", tensorCount, kLeastTensor);
  }
  return Status();
}

Status GgufParser::skipArray(const std::string &where) {
  uint32_t type;
  uint64_t count;
  if (Status status = read(type, where); !status.ok()) {
    return status;
  }
  if (Status status = read(count, where); !status.ok()) {
    return status;
  }
  GgufValueType element = GgufValueType(type);
  if (type > kMaxValueType || element == GgufValueType::Array) {
    return bad(where, "an array of numbers, bools or strings, found element "
                      "type " +
                          std::to_string(type));
  }
  uint64_t scalar = scalarBytes(element);
  uint64_t least = scalar ? scalar : sizeof(uint64_t);
  if (count > left() / least) {
    return bad(where, "at most " + std::to_string(left() / least) +
                          " elements in what is left of the file, found " +
                          std::to_string(count));
  }
  at += scalar * count;
  for (uint64_t i = 0; !scalar && i < count; ++i) {
    Bytes text;
    if (Status status = readString(text, where); !status.ok()) {
      return status;
    }
  }
  return Status();
}

Status GgufParser::parseKey(uint64_t index) {
  std::string key;
  uint32_t type;
  if (Status status = readName(key, "key " + std::to_string(index));
      !status.ok()) {
    return status;
  }
  std::string where = "key " + quote(key);
  if (Status status = read(type, where); !status.ok()) {
    return status;
  }
  if (type > kMaxValueType) {
    return bad(where, "a value type of 0 to " + std::to_string(kMaxValueType) +
                          ", found " + std::to_string(type));
  }
  GgufFile::Value value = {GgufValueType(type), {}};
  Status status = value.type == GgufValueType::Array ? skipArray(where)
                  : value.type == GgufValueType::String
                      ? readString(value.bytes, where)
                      : readBytes(value.bytes, scalarBytes(value.type), where);
  if (!status.ok()) {
    return status;
  }
  if (!file.values.emplace(std::move(key), value).second) {
    return bad(where, "every key once, found it twice");
  }
  return Status();
}

Status GgufParser::readAlignment() {
  auto found = file.values.find("general.alignment");
  if (found == file.values.end()) {
    return Status();
  }
  const GgufFile::Value &value = found->second;
  const char *where = "key 'general.alignment'";
  if (value.type != GgufValueType::UInt32) {
    return bad(where, "a 32-bit unsigned integer, found another type");
  }
  uint32_t number = load<uint32_t>(value.bytes.data);
  if (number < 1 || number > kMaxAlignment || (number & (number - 1)) != 0) {
    return bad(where, "a power of two up to " + std::to_string(kMaxAlignment) +
                          ", found " + std::to_string(number));
  }
  alignment = number;
  return Status();
}

Status GgufParser::parseTensor(uint64_t index) {
  GgufTensor tensor;
  if (Status status = readName(tensor.name, "tensor " + std::to_string(index));
      !status.ok()) {
    return status;
  }
  std::string where = "tensor " + quote(tensor.name);
  uint32_t rank;
  if (Status status = read(rank, where); !status.ok()) {
    return status;
  }
  if (rank < 1 || rank > kMaxRank) {
    return bad(where, "1 to " + std::to_string(kMaxRank) +
                          " dimensions, found " + std::to_string(rank));
  }
  tensor.elements = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    uint64_t extent;
    if (Status status = read(extent, where); !status.ok()) {
      return status;
    }
    if (extent == 0 ||
        __builtin_mul_overflow(tensor.elements, extent, &tensor.elements) ||
        tensor.elements > uint64_t(INT64_MAX)) {
      return bad(where, "a positive size that fits in 63 bits with the "
                        "others, found " +
                            std::to_string(extent));
    }
    tensor.shape.insert(tensor.shape.begin(), extent);
  }
  if (Status status = read(tensor.type, where); !status.ok()) {
    return status;
  }
  if (Status status = read(tensor.offset, where); !status.ok()) {
    return status;
  }
  if (tensor.offset % alignment != 0) {
    return bad(where, "an offset that is a multiple of " +
                          std::to_string(alignment) + ", found " +
                          std::to_string(tensor.offset));
  }
  if (!tensorNames.insert(tensor.name).second) {
    return bad(where, "every tensor once, found it twice");
  }
  file.list.push_back(std::move(tensor));
  return Status();
}

Result<GgufFile> GgufFile::parse(Bytes file) { return GgufParser(file).run(); }

std::optional<std::string_view>
GgufFile::getString(const std::string &key) const {
  auto found = values.find(key);
  if (found == values.end() || found->second.type != GgufValueType::String) {
    return std::nullopt;
  }
  Bytes bytes = found->second.bytes;
  return std::string_view(reinterpret_cast<const char *>(bytes.data),
                          bytes.size);
}

std::optional<double> GgufFile::getFloat(const std::string &key) const {
  auto found = values.find(key);
  if (found == values.end()) {
    return std::nullopt;
  }
  const Value &value = found->second;
  switch (value.type) {
  case GgufValueType::Float32:
    return load<float>(value.bytes.data);
  case GgufValueType::Float64:
    return load<double>(value.bytes.data);
  default:
    return std::nullopt;
  }
}

} // namespace umber
