// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/GPU/CacheWords.h"

using namespace mlir;

namespace umber::gpu {

CacheWords::CacheWords(LaunchBuilder &launch, mlir::umber::KVCacheType type,
                       Value buffer, Value capacity)
    : l(launch), bits(type.getElementType().getIntOrFloatBitWidth()),
      heads(type.getKvHeads()), headDim(type.getHeadDim()), buffer(buffer),
      capacity(capacity) {}

int64_t CacheWords::getRowWords() const {
  return llvm::divideCeil(headDim, getElementsPerWord());
}

Value CacheWords::getRow(Value head, Value position) {
  Value row = l.add(l.mul(head, capacity), position);
  return l.mul(row, l.index(getRowWords()));
}

Value CacheWords::getScaleOffset(Value head, Value position) {
  Value rows = l.mul(l.index(heads * getRowWords()), capacity);
  return l.add(rows, l.add(l.mul(head, capacity), position));
}

Value CacheWords::getScale(Value head, Value position) {
  return l.halfToFloat(l.load(buffer, getScaleOffset(head, position)));
}

SmallVector<Value> CacheWords::decode(Value word) {
  if (bits == 32) {
    return {l.asFloat(word)};
  }
  if (bits == 16) {
    auto [low, high] = l.halvesToFloats(word);
    return {low, high};
  }
  SmallVector<Value> elements;
  for (int64_t i = 0; i < getElementsPerWord(); ++i) {
    elements.push_back(l.toFloat(l.signedField(word, bits * i, bits)));
  }
  return elements;
}

Value CacheWords::makeScale(Value largest) {
  // NaN and infinities stay, so that what reads the vector is NaN.
  Value scale = l.divF(largest, l.f32(getRange()));
  return l.floatToHalf(scale);
}

Value CacheWords::encode(ArrayRef<Value> elements, Value scale) {
  if (bits == 32) {
    return l.asBits(elements[0]);
  }
  Value word = l.i32(0);
  if (bits == 16) {
    return l.bitOr(l.floatToHalf(elements[0]),
                   l.shiftLeft(l.floatToHalf(elements[1]), l.i32(16)));
  }
  Value divisor = l.halfToFloat(scale);
  Value usable =
      l.both(l.lessF(l.f32(0.0), divisor), l.lessF(divisor, l.f32(65536.0)));
  divisor = l.select(usable, divisor, l.f32(1.0));
  for (auto [i, element] : llvm::enumerate(elements)) {
    Value q = l.roundEven(l.divF(element, divisor));
    q = l.select(l.lessF(q, l.f32(-getRange())), l.f32(-getRange()), q);
    q = l.select(l.lessF(l.f32(getRange()), q), l.f32(getRange()), q);
    q = l.toInteger(l.select(usable, q, l.f32(0.0)));
    q = l.bitAnd(q, l.i32((1 << bits) - 1));
    word = l.bitOr(word, l.shiftLeft(q, l.i32(bits * i)));
  }
  return word;
}

void CacheWords::storeScale(Value scale, Value head, Value position) {
  l.store(scale, buffer, getScaleOffset(head, position));
}

} // namespace umber::gpu
