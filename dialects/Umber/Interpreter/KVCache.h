// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter's key/value cache.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_KVCACHE_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_KVCACHE_H

#include "dialects/Umber/IR/UmberDialect.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <vector>

namespace umber::interp {

/// A value of type !umber.kv_cache. Copies share one storage, which is updated
/// in place; a copy from before an update is stale and is refused, so the
/// type's linearity is checked when it runs. The storage grows as positions
/// come.
class KVCache {
public:
  /// An empty cache.
  static KVCache create(mlir::umber::KVCacheType type);

  mlir::umber::KVCacheType getType() const { return storage->type; }
  /// Whether no update has been made through another copy.
  bool isCurrent() const { return generation == storage->generation; }
  /// How many positions `layer` has, from 0 on.
  int64_t getLength(int64_t layer) const {
    return storage->layers[layer].length;
  }

  /// Stores `tokens` keys and values, rows of kv_heads * head_dim, at positions
  /// `pos`... of `layer`, after which that layer ends with them. The returned
  /// cache replaces this one. Elements are kept as the type's elements would
  /// be: rounded to nearest even, or, for integers of b bits, as
  ///   scale = f16(max|x| / (2^(b-1) - 1)), q = round_half_even(x / scale),
  /// per key and per value vector, q clamped to the symmetric range.
  /// Fails if `pos` is beyond the layer's end, or a scale is not finite.
  llvm::Expected<KVCache> update(int64_t layer, int64_t pos, int64_t tokens,
                                 llvm::ArrayRef<float> keys,
                                 llvm::ArrayRef<float> values) const;

  /// The key and the value of a position below the layer's length.
  llvm::ArrayRef<float> getKey(int64_t layer, int64_t pos, int64_t head) const {
    return vectorOf(storage->layers[layer].keys, pos, head);
  }
  llvm::ArrayRef<float> getValue(int64_t layer, int64_t pos,
                                 int64_t head) const {
    return vectorOf(storage->layers[layer].values, pos, head);
  }

private:
  struct Layer {
    int64_t length = 0;
    /// position x kv_heads x head_dim, as read back from the element type.
    std::vector<float> keys, values;
  };
  struct Storage {
    mlir::umber::KVCacheType type;
    uint64_t generation = 0;
    std::vector<Layer> layers;
  };

  llvm::ArrayRef<float> vectorOf(const std::vector<float> &elements,
                                 int64_t pos, int64_t head) const {
    int64_t length = storage->type.getHeadDim();
    size_t first = (pos * storage->type.getKvHeads() + head) * length;
    return llvm::ArrayRef<float>(elements).slice(first, length);
  }

  std::shared_ptr<Storage> storage;
  uint64_t generation = 0;
};

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_KVCACHE_H
