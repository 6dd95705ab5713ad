// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a GPU's cache holds vectors (runtime/package/umb.fbs): rows of whole
// words, [kv_heads][capacity] of them, and behind these, for integers, a word
// for each whose low half is its scale, an f16.

#ifndef UMBER_TARGETS_GPU_CACHEWORDS_H
#define UMBER_TARGETS_GPU_CACHEWORDS_H

#include "dialects/Umber/IR/UmberOps.h"
#include "targets/GPU/LaunchBuilder.h"

namespace umber::gpu {

/// A layer's keys or values.
class CacheWords {
public:
  CacheWords(LaunchBuilder &launch, mlir::umber::KVCacheType type,
             mlir::Value buffer, mlir::Value capacity);

  int64_t getElementsPerWord() const { return 32 / bits; }
  int64_t getRowWords() const;
  bool hasScales() const { return bits <= 8; }

  /// Where a head's row of a position begins.
  mlir::Value getRow(mlir::Value head, mlir::Value position);
  /// What a row's integers count, an f32.
  mlir::Value getScale(mlir::Value head, mlir::Value position);
  /// A word's elements, not yet multiplied by the scale.
  llvm::SmallVector<mlir::Value> decode(mlir::Value word);
  mlir::Value getBuffer() const { return buffer; }

  /// The f16 scale of a vector with that largest magnitude, its bits.
  mlir::Value makeScale(mlir::Value largest);
  /// A word of elements, divided by the scale with these bits if there are any.
  mlir::Value encode(llvm::ArrayRef<mlir::Value> elements, mlir::Value scale);
  void storeScale(mlir::Value bits, mlir::Value head, mlir::Value position);

private:
  mlir::Value getScaleOffset(mlir::Value head, mlir::Value position);
  float getRange() const { return float((1 << (bits - 1)) - 1); }

  LaunchBuilder &l;
  int64_t bits, heads, headDim;
  mlir::Value buffer, capacity;
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_CACHEWORDS_H
