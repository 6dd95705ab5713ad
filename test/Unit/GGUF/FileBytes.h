// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GGUF files in memory, right or wrong, for tests of their reader.

#ifndef UMBER_TEST_UNIT_GGUF_FILEBYTES_H
#define UMBER_TEST_UNIT_GGUF_FILEBYTES_H

#include "dialects/Umber/Import/GGUF/GGUFFile.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace umber::gguf {

/// Appends little-endian numbers and GGUF's strings.
struct Bytes {
  std::string text;

  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  Bytes &add(T value) {
    text.append(reinterpret_cast<const char *>(&value), sizeof value);
    return *this;
  }
  Bytes &add(llvm::StringRef string) {
    add(uint64_t(string.size()));
    text += string;
    return *this;
  }
  Bytes &add(ValueType type) { return add(uint32_t(type)); }
};

/// A file of which everything can be chosen. Each tensor's data are the floats
/// 1.5 and -2, whatever its type and dimensions say.
class FileBytes {
public:
  FileBytes &version(uint32_t number) {
    versionNumber = number;
    return *this;
  }
  /// What the file keeps to; the key that says so is the caller's to add.
  FileBytes &alignment(uint64_t bytes) {
    aligned = bytes;
    return *this;
  }
  template <typename T>
  FileBytes &key(llvm::StringRef name, ValueType type, const T &value) {
    keys.add(name).add(type).add(value);
    ++keyCount;
    return *this;
  }
  FileBytes &key(llvm::StringRef name, uint32_t value) {
    return key(name, ValueType::UInt32, value);
  }
  FileBytes &array(llvm::StringRef name, ValueType type, uint64_t count,
                   const Bytes &elements) {
    keys.add(name).add(ValueType::Array).add(type).add(count);
    keys.text += elements.text;
    ++keyCount;
    return *this;
  }
  /// Dimensions are innermost first, as in the file. Offsets count up from 0
  /// by the alignment unless given.
  FileBytes &tensor(llvm::StringRef name, std::vector<uint64_t> dimensions,
                    uint32_t type = 0, std::optional<uint64_t> offset = {}) {
    tensors.add(name).add(uint32_t(dimensions.size()));
    for (uint64_t dimension : dimensions) {
      tensors.add(dimension);
    }
    tensors.add(type).add(offset.value_or(tensorCount * aligned));
    ++tensorCount;
    return *this;
  }

  std::string build() const {
    Bytes file{"GGUF"};
    file.add(versionNumber).add(tensorCount).add(keyCount);
    file.text += keys.text + tensors.text;
    for (uint64_t i = 0; i < tensorCount; ++i) {
      file.text.resize((file.text.size() + aligned - 1) / aligned * aligned);
      file.add(1.5f).add(-2.0f);
    }
    return file.text;
  }

  llvm::Expected<std::unique_ptr<File>> parse() const {
    return File::parse(llvm::MemoryBuffer::getMemBufferCopy(build()), "m.gguf");
  }
  /// The file, which has to be a good one.
  std::unique_ptr<File> read() const {
    auto file = parse();
    if (!file) {
      ADD_FAILURE() << llvm::toString(file.takeError());
      return std::make_unique<File>();
    }
    return std::move(*file);
  }
  /// What is said of the file, or nothing if it is taken.
  std::string error() const {
    auto file = parse();
    return file ? "" : llvm::toString(file.takeError());
  }

private:
  uint32_t versionNumber = 3;
  uint64_t aligned = 32, keyCount = 0, tensorCount = 0;
  Bytes keys, tensors;
};

} // namespace umber::gguf

#endif // UMBER_TEST_UNIT_GGUF_FILEBYTES_H
