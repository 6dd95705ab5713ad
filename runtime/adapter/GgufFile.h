// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GGUF files, versions 2 and 3, little-endian, as far as a LoRA needs them:
// single values, and tensors of plain numbers. The compiler has a reader of its
// own for models, on LLVM's support library, which the runtime does without.

#ifndef UMBER_RUNTIME_ADAPTER_GGUFFILE_H
#define UMBER_RUNTIME_ADAPTER_GGUFFILE_H

#include "runtime/package/MappedFile.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace umber {

/// What a value in GGUF's metadata can be.
enum class GgufValueType : uint32_t {
  UInt8 = 0,
  Int8 = 1,
  UInt16 = 2,
  Int16 = 3,
  UInt32 = 4,
  Int32 = 5,
  Float32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  UInt64 = 10,
  Int64 = 11,
  Float64 = 12,
};

struct GgufTensor {
  std::string name;
  uint32_t type;               ///< GGML's number for it
  std::vector<uint64_t> shape; ///< outermost first; each at least 1
  uint64_t elements;           ///< of the shape
  uint64_t offset;             ///< of its data from `GgufFile::data`
};

class GgufFile {
public:
  /// Checks all but the tensors' types, and so their sizes. Messages have no
  /// path.
  static Result<GgufFile> parse(Bytes file);

  bool has(const std::string &key) const { return values.count(key) != 0; }
  /// None if the key is missing or has another type.
  std::optional<std::string_view> getString(const std::string &key) const;
  /// Of either width.
  std::optional<double> getFloat(const std::string &key) const;

  const std::vector<GgufTensor> &tensors() const { return list; }
  /// What follows the tensors' entries, from a multiple of the alignment on.
  Bytes data() const { return tail; }

private:
  friend class GgufParser;

  struct Value {
    GgufValueType type;
    Bytes bytes; ///< a string's characters, or a number
  };

  std::map<std::string, Value> values;
  std::vector<GgufTensor> list;
  Bytes tail;
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_GGUFFILE_H
