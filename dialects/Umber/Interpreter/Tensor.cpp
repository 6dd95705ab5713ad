// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/Tensor.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>
#include <charconv>
#include <cmath>

using namespace mlir;

namespace umber::interp {

static float roundToBF16(float value) {
  if (std::isnan(value)) {
    return value;
  }
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  bits += 0x7fff + ((bits >> 16) & 1);
  return llvm::bit_cast<float>(bits & 0xffff0000u);
}

float roundTo(float value, Type type) {
  if (type.isF16()) {
    return static_cast<float>(static_cast<_Float16>(value));
  }
  return type.isBF16() ? roundToBF16(value) : value;
}

int64_t wrapTo(int64_t value, Type type) {
  if (type.isIndex()) {
    return value;
  }
  unsigned width = type.getIntOrFloatBitWidth();
  return width == 1 ? value & 1 : llvm::SignExtend64(value, width);
}

std::string formatFloat(float value) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof(text), value);
  return std::string(text, end.ptr);
}

bool Tensor::isSupported(Type type) {
  if (type.isF32() || type.isF16() || type.isBF16() || type.isIndex()) {
    return true;
  }
  auto integer = dyn_cast<IntegerType>(type);
  return integer && integer.getWidth() >= 1 && integer.getWidth() <= 64;
}

int64_t Tensor::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 0 || llvm::MulOverflow(count, size, count)) {
      return -1;
    }
  }
  return count <= kMaxElements ? count : -1;
}

Tensor Tensor::zeros(Type elementType, ArrayRef<int64_t> shape) {
  assert(isSupported(elementType) && "an element type nobody checked");
  Tensor tensor;
  tensor.elementType = elementType;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.numElements = countElements(shape);
  assert(tensor.numElements >= 0 && "a shape nobody checked");
  if (tensor.isFloat()) {
    tensor.floats = std::make_shared<std::vector<float>>(tensor.numElements);
  } else {
    tensor.integers =
        std::make_shared<std::vector<int64_t>>(tensor.numElements);
  }
  return tensor;
}

Tensor Tensor::ofInteger(Type type, int64_t value) {
  return ofIntegers(type, {}, {value});
}

Tensor Tensor::ofFloat(Type type, float value) {
  return ofFloats(type, {}, {value});
}

Tensor Tensor::ofFloats(Type type, ArrayRef<int64_t> shape,
                        std::vector<float> elements) {
  assert(int64_t(elements.size()) == countElements(shape));
  Tensor tensor;
  tensor.elementType = type;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.numElements = elements.size();
  tensor.floats = std::make_shared<std::vector<float>>(std::move(elements));
  tensor.roundElements();
  return tensor;
}

Tensor Tensor::ofIntegers(Type type, ArrayRef<int64_t> shape,
                          std::vector<int64_t> elements) {
  assert(int64_t(elements.size()) == countElements(shape));
  Tensor tensor;
  tensor.elementType = type;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.numElements = elements.size();
  for (int64_t &element : elements) {
    element = wrapTo(element, type);
  }
  tensor.integers = std::make_shared<std::vector<int64_t>>(std::move(elements));
  return tensor;
}

std::optional<Tensor> Tensor::ofAttribute(ElementsAttr attribute) {
  ShapedType type = attribute.getShapedType();
  Type elementType = type.getElementType();
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense || !isSupported(elementType) ||
      countElements(type.getShape()) < 0) {
    return std::nullopt;
  }
  if (isa<FloatType>(elementType)) {
    std::vector<float> elements;
    elements.reserve(type.getNumElements());
    for (APFloat value : dense.getValues<APFloat>()) {
      bool losesInfo = false;
      value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
      elements.push_back(value.convertToFloat());
    }
    return ofFloats(elementType, type.getShape(), std::move(elements));
  }
  std::vector<int64_t> elements;
  elements.reserve(type.getNumElements());
  for (const APInt &value : dense.getValues<APInt>()) {
    elements.push_back(value.getSExtValue());
  }
  return ofIntegers(elementType, type.getShape(), std::move(elements));
}

bool Tensor::fits(Type type) const {
  auto tensorType = dyn_cast<RankedTensorType>(type);
  if (!tensorType) {
    return shape.empty() && type == elementType;
  }
  if (tensorType.getElementType() != elementType ||
      tensorType.getRank() != getRank()) {
    return false;
  }
  for (auto [expected, found] : llvm::zip(tensorType.getShape(), shape)) {
    if (!ShapedType::isDynamic(expected) && expected != found) {
      return false;
    }
  }
  return true;
}

void Tensor::roundElements() {
  if (!isFloat() || elementType.isF32()) {
    return;
  }
  for (float &element : *floats) {
    element = roundTo(element, elementType);
  }
}

Tensor Tensor::reshaped(ArrayRef<int64_t> newShape) const {
  assert(countElements(newShape) == numElements);
  Tensor result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  result.quantized = nullptr;
  return result;
}

std::string Tensor::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (int64_t size : shape) {
    os << size << 'x';
  }
  os << elementType;
  return text;
}

} // namespace umber::interp
