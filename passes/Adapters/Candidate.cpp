// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/Candidate.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "passes/Adapters/LowRankCorrection.h"
#include "passes/Compression/Palette/QuantizeRows.h"
#include "passes/Compression/Palette/Tables.h"
#include "passes/Compression/Recipe.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

/// Part of the results' names: to be raised when the same inputs give others.
constexpr llvm::StringLiteral kVersion = "2";

static LogicalResult fail(ParamOp param, llvm::Error error) {
  ParamOp at = param;
  return at.emitOpError("cannot be recovered: ")
         << llvm::toString(std::move(error));
}

bool Candidate::isPossible(ParamOp param) {
  return isa_and_present<PaletteAttr>(param.getTensorType().getEncoding()) &&
         param->getAttrOfType<StringAttr>(kOriginalAttrName) &&
         !param->hasAttr(kAddedAttrName);
}

Candidate::Candidate(ParamOp param, int64_t rank, int64_t bits) : param(param) {
  RankedTensorType type = param.getTensorType();
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  this->rank = std::min({rank, rows, columns});
  Type half = Float16Type::get(param.getContext());
  Attribute encoding;
  if (bits == 8) {
    // Rows of B's transpose: a scale per rank says the least with few bytes.
    encoding = QuantizedAttr::get(param.getContext(), bits, 0);
  }
  typeA = RankedTensorType::get({this->rank, columns}, half, encoding);
  typeB = RankedTensorType::get({this->rank, rows}, half, encoding);
}

StringRef Candidate::getOriginal() {
  return param->getAttrOfType<StringAttr>(kOriginalAttrName).getValue();
}

int64_t Candidate::getBytes() const {
  return getFactorBytes(typeA) + getFactorBytes(typeB);
}

double Candidate::getGain() const {
  return (before - after) / double(std::max<int64_t>(getBytes(), 1));
}

LogicalResult Candidate::name(const DerivedParameters &parameters,
                              uint64_t original, uint64_t statistics) {
  for (auto [part, key] : {std::pair("a", &keyA), std::pair("b", &keyB)}) {
    auto made = parameters.getKey(
        param, llvm::formatv("correction {0} version={1} rank={2} "
                             "bits={3} original={4:x} statistics={5:x}",
                             part, kVersion, rank, getStorageWidth(typeA),
                             original, statistics)
                   .str());
    if (failed(made)) {
      return failure();
    }
    *key = std::move(*made);
  }
  return success();
}

/// Of a matrix with so many columns.
static std::vector<float> transpose(ArrayRef<float> matrix, int64_t columns) {
  int64_t rows = int64_t(matrix.size()) / columns;
  std::vector<float> transposed(matrix.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      transposed[c * rows + r] = matrix[r * columns + c];
    }
  }
  return transposed;
}

/// Keeps a factor as its type says.
static llvm::Error writeFactor(DerivedStore &derived, StringRef key,
                               RankedTensorType type,
                               MutableArrayRef<float> factor) {
  if (type.getEncoding()) {
    auto matrix =
        palette::quantizeRows(factor, type.getDimSize(0), type.getDimSize(1));
    return matrix ? derived.write(key, type, *matrix, "") : matrix.takeError();
  }
  for (float &element : factor) {
    element = palette::fromHalf(palette::toHalf(element));
    if (!std::isfinite(element)) {
      return llvm::createStringError(
          "expected a correction within f16's range");
    }
  }
  return derived.write(key, type.getShape(), factor);
}

LogicalResult Candidate::makeFactors(ArrayRef<float> error,
                                     const palette::ProductMoments &moments,
                                     DerivedStore &derived) const {
  auto correction = findCorrection(error, moments, rank);
  if (!correction) {
    return fail(param, correction.takeError());
  }
  std::vector<float> b = transpose(correction->b, rank);
  if (llvm::Error error = writeFactor(derived, keyA, typeA, correction->a)) {
    return fail(param, std::move(error));
  }
  if (llvm::Error error = writeFactor(derived, keyB, typeB, b)) {
    return fail(param, std::move(error));
  }
  return success();
}

LogicalResult Candidate::find(DerivedParameters &parameters,
                              const Statistics &statistics) {
  RankedTensorType type = param.getTensorType();
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  auto identity = parameters.getIdentity(param, getOriginal());
  if (failed(identity)) {
    return failure();
  }
  auto known = statistics.get(param.getSymName(), *identity, rows, columns);
  if (!known) {
    return fail(param, known.takeError());
  }
  auto error = parameters.read(param, getOriginal());
  auto stored = parameters.read(param);
  if (failed(error) || failed(stored) ||
      failed(name(parameters, *identity, known->identity))) {
    return failure();
  }
  for (auto [element, encoded] : llvm::zip(*error, *stored)) {
    element -= encoded;
  }
  before = palette::getOutputChange(*error, known->moments);

  DerivedStore &derived = parameters.getDerived();
  if (!(derived.contains(keyA) && derived.contains(keyB)) &&
      failed(makeFactors(*error, known->moments, derived))) {
    return failure();
  }
  std::vector<float> a(typeA.getNumElements()), b(typeB.getNumElements());
  for (auto [key, factor] : {std::pair(&keyA, &a), std::pair(&keyB, &b)}) {
    if (llvm::Error error = derived.readRows(*key, 0, *factor)) {
      return fail(param, std::move(error));
    }
  }
  multiply({b.data(), rows, true}, {a.data(), columns}, error->data(), columns,
           rows, columns, rank, -1, 1);
  after = palette::getOutputChange(*error, known->moments);
  return success();
}

} // namespace umber
