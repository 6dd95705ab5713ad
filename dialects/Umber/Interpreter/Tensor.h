// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter's tensor: a shape, an element type, and the elements, wide.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_TENSOR_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_TENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace umber::interp {

/// `value` rounded to nearest even in `type`: f32, f16 or bf16. An f16
/// overflows to infinity.
float roundTo(float value, mlir::Type type);

/// `value` wrapped into `type`: index is 64 bits wide; i1 is 0 or 1, and a
/// wider integer is sign-extended.
int64_t wrapTo(int64_t value, mlir::Type type);

/// The fewest digits that read back as the same f32.
std::string formatFloat(float value);

/// The integers and scales of a tensor whose type has a #umber.quantized
/// encoding: element (r, c) is values[r * columns + c] * scales[r * groups + c
/// / group], with groups = columns / group.
struct QuantizedRows {
  int64_t group = 0;
  std::vector<int8_t> values;
  std::vector<float> scales;
};

/// Elements in row-major order. Floating-point elements are held as f32,
/// rounded to the element type; integers and indices as int64_t, wrapped to it.
/// A scalar is a tensor of rank 0. Copies share the elements, and writing is
/// for whoever has just made the tensor.
class Tensor {
public:
  /// More elements than this are refused rather than allocated.
  static constexpr int64_t kMaxElements = int64_t(1) << 29;

  Tensor() = default;

  /// Whether the interpreter can hold elements of `type`.
  static bool isSupported(mlir::Type type);
  /// The number of elements of `shape`, or -1 if a size is negative or there
  /// are more than kMaxElements.
  static int64_t countElements(llvm::ArrayRef<int64_t> shape);

  /// A tensor of zeros. The element type must be supported and the shape
  /// countable.
  static Tensor zeros(mlir::Type elementType, llvm::ArrayRef<int64_t> shape);
  /// A scalar.
  static Tensor ofInteger(mlir::Type type, int64_t value);
  static Tensor ofFloat(mlir::Type type, float value);
  /// A tensor of the given elements, rounded to the element type; as many as
  /// the shape has.
  static Tensor ofFloats(mlir::Type type, llvm::ArrayRef<int64_t> shape,
                         std::vector<float> elements);
  static Tensor ofIntegers(mlir::Type type, llvm::ArrayRef<int64_t> shape,
                           std::vector<int64_t> elements);
  /// The elements of a dense attribute; none if its kind or element type is not
  /// supported, or there are too many.
  static std::optional<Tensor> ofAttribute(mlir::ElementsAttr attribute);

  mlir::Type getElementType() const { return elementType; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getDim(int64_t index) const { return shape[index]; }
  int64_t getNumElements() const { return numElements; }
  bool isFloat() const {
    return mlir::isa_and_nonnull<mlir::FloatType>(elementType);
  }
  /// Whether `type`, a tensor or a scalar type, can have this value.
  bool fits(mlir::Type type) const;

  llvm::ArrayRef<float> getFloats() const { return *floats; }
  llvm::ArrayRef<int64_t> getIntegers() const { return *integers; }
  llvm::MutableArrayRef<float> floatsForWriting() { return *floats; }
  llvm::MutableArrayRef<int64_t> integersForWriting() { return *integers; }
  /// Rounds floating-point elements to the element type after writing.
  void roundElements();

  /// The same elements under another shape of as many elements.
  Tensor reshaped(llvm::ArrayRef<int64_t> newShape) const;

  const QuantizedRows *getQuantized() const { return quantized.get(); }
  void setQuantized(std::shared_ptr<const QuantizedRows> rows) {
    quantized = std::move(rows);
  }

  /// `2x3xf32`, as it would stand in a tensor type.
  std::string describe() const;

private:
  mlir::Type elementType;
  llvm::SmallVector<int64_t, 4> shape;
  int64_t numElements = 0;
  std::shared_ptr<std::vector<float>> floats;
  std::shared_ptr<std::vector<int64_t>> integers;
  std::shared_ptr<const QuantizedRows> quantized;
};

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_TENSOR_H
