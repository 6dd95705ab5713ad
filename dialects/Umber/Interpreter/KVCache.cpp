// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/KVCache.h"
#include "dialects/Umber/Interpreter/Tensor.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using mlir::umber::KVCacheType;

namespace umber::interp {

KVCache KVCache::create(KVCacheType type) {
  KVCache cache;
  cache.storage = std::make_shared<Storage>();
  cache.storage->type = type;
  cache.storage->layers.resize(type.getLayers());
  return cache;
}

/// Replaces a key or value vector by what a cache of `elementType` gives back.
static llvm::Error storeVector(llvm::MutableArrayRef<float> elements,
                               Type elementType) {
  if (!elementType.isInteger()) {
    for (float &element : elements) {
      element = roundTo(element, elementType);
    }
    return llvm::Error::success();
  }
  float largest = 0.0f;
  for (float element : elements) {
    // Once a NaN, always a NaN.
    if (!(std::fabs(element) <= largest) && !std::isnan(largest)) {
      largest = std::fabs(element);
    }
  }
  float range = (1 << (elementType.getIntOrFloatBitWidth() - 1)) - 1;
  float scale =
      roundTo(largest / range, Float16Type::get(elementType.getContext()));
  if (!std::isfinite(scale)) {
    return llvm::createStringError(
        "a key or value of magnitude %g has no finite f16 scale",
        double(largest));
  }
  for (float &element : elements) {
    float quotient = scale == 0.0f ? 0.0f : std::nearbyint(element / scale);
    element = std::clamp(quotient, -range, range) * scale;
  }
  return llvm::Error::success();
}

llvm::Expected<KVCache> KVCache::update(int64_t layer, int64_t pos,
                                        int64_t tokens, ArrayRef<float> keys,
                                        ArrayRef<float> values) const {
  Layer &target = storage->layers[layer];
  if (pos > target.length) {
    return llvm::createStringError("expected a position of at most %lld, the "
                                   "end of layer %lld, found %lld",
                                   (long long)target.length, (long long)layer,
                                   (long long)pos);
  }
  int64_t headDim = storage->type.getHeadDim();
  size_t width = storage->type.getKvHeads() * headDim;
  auto store = [&](std::vector<float> &to,
                   ArrayRef<float> from) -> llvm::Error {
    to.resize(pos * width);
    to.insert(to.end(), from.begin(), from.end());
    for (size_t first = pos * width; first < to.size(); first += headDim) {
      llvm::MutableArrayRef<float> vector(to.data() + first, headDim);
      if (llvm::Error error =
              storeVector(vector, storage->type.getElementType())) {
        return error;
      }
    }
    return llvm::Error::success();
  };
  ++storage->generation;
  target.length = 0;
  if (llvm::Error error = store(target.keys, keys)) {
    return std::move(error);
  }
  if (llvm::Error error = store(target.values, values)) {
    return std::move(error);
  }
  target.length = pos + tokens;
  KVCache result = *this;
  result.generation = storage->generation;
  return result;
}

} // namespace umber::interp
