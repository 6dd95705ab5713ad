// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GGUF files, versions 2 and 3, little-endian: metadata and tensors, read in
// place through a memory map. Nothing in a file is used before it was checked.

#ifndef UMBER_DIALECTS_UMBER_IMPORT_GGUF_GGUFFILE_H
#define UMBER_DIALECTS_UMBER_IMPORT_GGUF_GGUFFILE_H

#include "dialects/Umber/Import/GGUF/TensorTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <vector>

namespace umber::gguf {

/// GGUF's metadata value types.
enum class ValueType : uint32_t {
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

/// A metadata value, or an array of them, as it stands in the file.
struct MetadataValue {
  ValueType type; ///< of an element, if this is an array
  bool isArray = false;
  uint64_t count = 1; ///< elements of an array
  const uint8_t *data = nullptr;
  uint64_t size = 0; ///< bytes at `data`
};

struct Tensor {
  llvm::StringRef name;
  TensorType type;
  llvm::SmallVector<int64_t, 4> shape; ///< outermost dimension first
  llvm::ArrayRef<uint8_t> data;
};

/// A string from a file in quotes, for messages: one line and not a long one,
/// whatever its bytes are.
std::string quote(llvm::StringRef text);

class File {
public:
  /// Maps and checks the file. Errors are one line: PATH: what, expected,
  /// found.
  static llvm::Expected<std::unique_ptr<File>> open(llvm::StringRef path);
  /// The same for bytes in memory; `name` stands for the path in errors.
  static llvm::Expected<std::unique_ptr<File>>
  parse(std::unique_ptr<llvm::MemoryBuffer> buffer, llvm::StringRef name);

  llvm::StringRef getPath() const { return path; }
  llvm::ArrayRef<Tensor> getTensors() const { return tensors; }
  const Tensor *findTensor(llvm::StringRef name) const;

  bool has(llvm::StringRef key) const { return metadata.contains(key); }
  // Each fails if the key is missing or has another type. Any integer type is
  // an integer, if its value fits in an int64_t, and either width a float.
  llvm::Expected<int64_t> getInteger(llvm::StringRef key) const;
  llvm::Expected<double> getFloat(llvm::StringRef key) const;
  llvm::Expected<bool> getBool(llvm::StringRef key) const;
  llvm::Expected<llvm::StringRef> getString(llvm::StringRef key) const;
  llvm::Expected<std::vector<llvm::StringRef>>
  getStrings(llvm::StringRef key) const;
  llvm::Expected<std::vector<int64_t>> getIntegers(llvm::StringRef key) const;
  llvm::Expected<std::vector<double>> getFloats(llvm::StringRef key) const;

  /// `PATH: message`, for those who read this file.
  llvm::Error makeError(const llvm::Twine &message) const;

private:
  friend class Parser;

  llvm::Expected<const MetadataValue *>
  find(llvm::StringRef key, llvm::StringRef expected, bool isArray) const;
  llvm::Expected<int64_t> getElement(llvm::StringRef key,
                                     const MetadataValue &value,
                                     uint64_t index) const;
  llvm::Error makeTypeError(llvm::StringRef key, llvm::StringRef expected,
                            const MetadataValue &found) const;

  std::string path;
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  llvm::StringMap<MetadataValue> metadata;
  std::vector<Tensor> tensors;
  llvm::StringMap<size_t> tensorIndex;
};

} // namespace umber::gguf

#endif // UMBER_DIALECTS_UMBER_IMPORT_GGUF_GGUFFILE_H
