// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and checking a GGUF file's header, metadata and tensor table.

#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace umber::gguf {

/// Bytes of a value of a scalar type; 0 for strings and arrays.
static uint64_t getScalarBytes(ValueType type) {
  switch (type) {
  case ValueType::UInt8:
  case ValueType::Int8:
  case ValueType::Bool:
    return 1;
  case ValueType::UInt16:
  case ValueType::Int16:
    return 2;
  case ValueType::UInt32:
  case ValueType::Int32:
  case ValueType::Float32:
    return 4;
  case ValueType::UInt64:
  case ValueType::Int64:
  case ValueType::Float64:
    return 8;
  case ValueType::String:
  case ValueType::Array:
    return 0;
  }
  return 0;
}

std::string quote(StringRef text) {
  std::string result;
  raw_string_ostream os(result);
  os << "'";
  printEscapedString(text.take_front(80), os);
  os << (text.size() > 80 ? "...'" : "'");
  return result;
}

class Parser {
public:
  explicit Parser(File &file) : file(file), bytes(file.buffer->getBuffer()) {}

  Error run() {
    if (Error error = parseHeader()) {
      return error;
    }
    for (uint64_t i = 0; i < keyCount; ++i) {
      if (Error error = parseKey(i)) {
        return error;
      }
    }
    if (Error error = readAlignment()) {
      return error;
    }
    for (uint64_t i = 0; i < tensorCount; ++i) {
      if (Error error = parseTensor(i)) {
        return error;
      }
    }
    return placeTensors();
  }

private:
  struct Placed {
    uint64_t offset, size;
  };

  uint64_t left() const { return bytes.size() - position; }

  Error truncated(const Twine &what) {
    return file.makeError(what + ": expected more bytes at offset " +
                          Twine(position) + ", found the end of the file");
  }

  template <typename T>
  Error read(T &value, const Twine &what) {
    if (left() < sizeof(T)) {
      return truncated(what);
    }
    value = support::endian::read<T, llvm::endianness::little>(bytes.data() +
                                                               position);
    position += sizeof(T);
    return Error::success();
  }

  Error readString(StringRef &text, const Twine &what) {
    uint64_t length;
    if (Error error = read(length, what)) {
      return error;
    }
    if (length > left()) {
      return file.makeError(what + ": expected a string of at most " +
                            Twine(left()) + " bytes, found a length of " +
                            Twine(length));
    }
    text = bytes.substr(position, length);
    position += length;
    return Error::success();
  }

  Error parseHeader();
  Error parseKey(uint64_t index);
  Error parseArray(MetadataValue &value, const Twine &what);
  Error readAlignment();
  Error parseTensor(uint64_t index);
  Error placeTensors();

  File &file;
  StringRef bytes;
  uint64_t position = 0;
  uint64_t tensorCount = 0, keyCount = 0;
  uint64_t alignment = 32;
  std::vector<Placed> placed;
};

Error Parser::parseHeader() {
  if (!bytes.starts_with("GGUF")) {
    return file.makeError(
        "expected a GGUF file, found other bytes at its start");
  }
  position = 4;
  uint32_t version;
  if (Error error = read(version, "version")) {
    return error;
  }
  if (version != 2 && version != 3) {
    bool swapped = byteswap(version) == 2 || byteswap(version) == 3;
    return file.makeError(
        swapped ? Twine("expected a little-endian file, found a big-endian one")
                : "expected version 2 or 3, found " + Twine(version));
  }
  if (Error error = read(tensorCount, "tensor count")) {
    return error;
  }
  if (Error error = read(keyCount, "key count")) {
    return error;
  }
  // A key takes 13 bytes at least, and a tensor's entry 32.
  if (keyCount > left() / 13) {
    return file.makeError("key count: expected at most " + Twine(left() / 13) +
                          " in what is left of the file, found " +
                          Twine(keyCount));
  }
  if (tensorCount > left() / 32) {
    return file.makeError(
        "tensor count: expected at most " + Twine(left() / 32) +
        " in what is left of the file, found " + Twine(tensorCount));
  }
  return Error::success();
}

Error Parser::parseArray(MetadataValue &value, const Twine &what) {
  uint32_t type;
  if (Error error = read(type, what)) {
    return error;
  }
  if (Error error = read(value.count, what)) {
    return error;
  }
  value.type = static_cast<ValueType>(type);
  value.isArray = true;
  value.data = bytes.bytes_begin() + position;
  uint64_t start = position;
  if (type > 12 || value.type == ValueType::Array) {
    return file.makeError(what +
                          ": expected an array of numbers, bools or "
                          "strings, found element type " +
                          Twine(type));
  }
  uint64_t scalar = getScalarBytes(value.type);
  uint64_t least = scalar ? scalar : 8;
  if (value.count > left() / least) {
    return file.makeError(what + ": expected at most " + Twine(left() / least) +
                          " elements in what is left of the file, found " +
                          Twine(value.count));
  }
  if (scalar) {
    position += scalar * value.count;
  } else {
    for (uint64_t i = 0; i < value.count; ++i) {
      StringRef element;
      if (Error error = readString(element, what)) {
        return error;
      }
    }
  }
  value.size = position - start;
  return Error::success();
}

Error Parser::parseKey(uint64_t index) {
  StringRef key;
  if (Error error = readString(key, "key " + Twine(index))) {
    return error;
  }
  std::string what = "key " + quote(key);
  if (key.empty()) {
    return file.makeError("key " + Twine(index) +
                          ": expected a name, found none");
  }
  uint32_t type;
  if (Error error = read(type, what)) {
    return error;
  }
  MetadataValue value;
  value.type = static_cast<ValueType>(type);
  if (type > 12) {
    return file.makeError(what + ": expected a value type of 0 to 12, found " +
                          Twine(type));
  }
  if (value.type == ValueType::Array) {
    if (Error error = parseArray(value, what)) {
      return error;
    }
  } else if (value.type == ValueType::String) {
    StringRef text;
    if (Error error = readString(text, what)) {
      return error;
    }
    value.data = text.bytes_begin();
    value.size = text.size();
  } else {
    value.size = getScalarBytes(value.type);
    if (left() < value.size) {
      return truncated(what);
    }
    value.data = bytes.bytes_begin() + position;
    position += value.size;
  }
  if (!file.metadata.try_emplace(key, value).second) {
    return file.makeError(what + ": expected every key once, found it twice");
  }
  return Error::success();
}

Error Parser::readAlignment() {
  if (!file.has("general.alignment")) {
    return Error::success();
  }
  auto value = file.getInteger("general.alignment");
  if (!value) {
    return value.takeError();
  }
  if (*value < 1 || *value > (1 << 20) || !isPowerOf2_64(*value)) {
    return file.makeError(
        "key 'general.alignment': expected a power of two up to "
        "1048576, found " +
        Twine(*value));
  }
  alignment = *value;
  return Error::success();
}

Error Parser::parseTensor(uint64_t index) {
  Tensor tensor;
  if (Error error = readString(tensor.name, "tensor " + Twine(index))) {
    return error;
  }
  std::string what = "tensor " + quote(tensor.name);
  uint32_t rank, type;
  if (Error error = read(rank, what)) {
    return error;
  }
  if (rank < 1 || rank > 4) {
    return file.makeError(what + ": expected 1 to 4 dimensions, found " +
                          Twine(rank));
  }
  uint64_t elements = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    uint64_t size;
    if (Error error = read(size, what)) {
      return error;
    }
    bool overflow = false;
    elements = SaturatingMultiply(elements, size, &overflow);
    if (size == 0 || overflow || elements > uint64_t(INT64_MAX)) {
      return file.makeError(what +
                            ": expected a positive size that fits in 63 "
                            "bits with the others, found " +
                            Twine(size));
    }
    tensor.shape.insert(tensor.shape.begin(), int64_t(size));
  }
  if (Error error = read(type, what)) {
    return error;
  }
  uint64_t offset;
  if (Error error = read(offset, what)) {
    return error;
  }
  const TensorTypeInfo *info = findTensorType(type);
  if (!info) {
    std::string known = join(
        map_range(getTensorTypes(),
                  [](const TensorTypeInfo &entry) { return entry.name.str(); }),
        ", ");
    return file.makeError(what + ": tensor type " + Twine(type) +
                          " is not supported; supported are " + known);
  }
  tensor.type = info->type;
  if (tensor.shape.back() % info->blockElements != 0) {
    return file.makeError(what + ": expected rows of a multiple of " +
                          Twine(info->blockElements) + " elements for type " +
                          info->name + ", found " + Twine(tensor.shape.back()));
  }
  uint64_t blocks = elements / info->blockElements;
  if (blocks > bytes.size() / info->blockBytes) {
    return file.makeError(what + ": expected at most the file's " +
                          Twine(bytes.size()) + " bytes, found " +
                          Twine(blocks) + " blocks of " +
                          Twine(info->blockBytes));
  }
  if (offset % alignment != 0) {
    return file.makeError(what + ": expected an offset that is a multiple of " +
                          Twine(alignment) + ", found " + Twine(offset));
  }
  placed.push_back({offset, blocks * info->blockBytes});
  if (!file.tensorIndex.try_emplace(tensor.name, file.tensors.size()).second) {
    return file.makeError(what +
                          ": expected every tensor once, found it twice");
  }
  file.tensors.push_back(std::move(tensor));
  return Error::success();
}

Error Parser::placeTensors() {
  uint64_t begin = alignTo(position, alignment);
  uint64_t available = begin <= bytes.size() ? bytes.size() - begin : 0;
  std::vector<size_t> order(placed.size());
  for (size_t i = 0; i < placed.size(); ++i) {
    order[i] = i;
    auto [offset, size] = placed[i];
    if (offset > available || size > available - offset) {
      return file.makeError(
          "tensor " + quote(file.tensors[i].name) + ": expected its " +
          Twine(size) + " bytes within the " + Twine(available) +
          " of the data section, found them at offset " + Twine(offset));
    }
    file.tensors[i].data = ArrayRef(bytes.bytes_begin() + begin + offset, size);
  }
  sort(order,
       [&](size_t a, size_t b) { return placed[a].offset < placed[b].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const Placed &before = placed[order[i - 1]];
    if (before.offset + before.size > placed[order[i]].offset) {
      return file.makeError(
          "tensor " + quote(file.tensors[order[i]].name) +
          ": expected tensors to be apart, found it to overlap " +
          quote(file.tensors[order[i - 1]].name));
    }
  }
  return Error::success();
}

Expected<std::unique_ptr<File>> File::open(StringRef path) {
  sys::fs::file_status status;
  std::error_code code = sys::fs::status(path, status);
  if (!code && sys::fs::is_directory(status)) {
    code = std::make_error_code(std::errc::is_a_directory);
  }
  if (code) {
    return createStringError(code, path + ": " + code.message());
  }
  // Mapped, not read: only what is used comes into memory.
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer) {
    return createStringError(buffer.getError(),
                             path + ": " + buffer.getError().message());
  }
  return parse(std::move(*buffer), path);
}

Expected<std::unique_ptr<File>>
File::parse(std::unique_ptr<MemoryBuffer> buffer, StringRef name) {
  auto file = std::make_unique<File>();
  file->path = name.str();
  file->buffer = std::move(buffer);
  if (Error error = Parser(*file).run()) {
    return error;
  }
  return file;
}

} // namespace umber::gguf
