// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tensor types of GGUF files: ggml's numbers, and how many elements and
// bytes a block of each has.

#ifndef UMBER_DIALECTS_UMBER_IMPORT_GGUF_TENSORTYPES_H
#define UMBER_DIALECTS_UMBER_IMPORT_GGUF_TENSORTYPES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace umber::gguf {

enum class TensorType : uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  IQ4_NL = 20,
  IQ4_XS = 23,
  BF16 = 30,
};

struct TensorTypeInfo {
  TensorType type;
  llvm::StringLiteral name;
  uint32_t blockElements;
  uint32_t blockBytes;
};

/// Every type that can be read.
llvm::ArrayRef<TensorTypeInfo> getTensorTypes();

/// What `number` stands for in a file, or null if it cannot be read.
const TensorTypeInfo *findTensorType(uint32_t number);

inline const TensorTypeInfo &getInfo(TensorType type) {
  return *findTensorType(static_cast<uint32_t>(type));
}

} // namespace umber::gguf

#endif // UMBER_DIALECTS_UMBER_IMPORT_GGUF_TENSORTYPES_H
