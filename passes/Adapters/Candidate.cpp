// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/Candidate.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "passes/Adapters/LowRankCorrection.h"
#include "passes/Compression/Palette/Tables.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

/// Part of the results' names: to be raised when the same inputs give others.
constexpr llvm::StringLiteral kVersion = "1";

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

Candidate::Candidate(ParamOp param, int64_t rank) : param(param) {
  RankedTensorType type = param.getTensorType();
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  this->rank = std::min({rank, rows, columns});
  Type half = Float16Type::get(param.getContext());
  typeA = RankedTensorType::get({this->rank, columns}, half);
  typeB = RankedTensorType::get({rows, this->rank}, half);
}

StringRef Candidate::getOriginal() {
  return param->getAttrOfType<StringAttr>(kOriginalAttrName).getValue();
}

int64_t Candidate::getBytes() const {
  return getStoredBytes(typeA) + getStoredBytes(typeB);
}

double Candidate::getGain() const {
  return (before - after) / double(std::max<int64_t>(getBytes(), 1));
}

LogicalResult Candidate::name(const DerivedParameters &parameters,
                              uint64_t original, uint64_t statistics) {
  for (auto [part, key] : {std::pair("a", &keyA), std::pair("b", &keyB)}) {
    auto made = parameters.getKey(
        param, llvm::formatv("correction {0} version={1} rank={2} "
                             "original={3:x} statistics={4:x}",
                             part, kVersion, rank, original, statistics)
                   .str());
    if (failed(made)) {
      return failure();
    }
    *key = std::move(*made);
  }
  return success();
}

FailureOr<std::pair<std::vector<float>, std::vector<float>>>
Candidate::makeFactors(ArrayRef<float> error,
                       const palette::ProductMoments &moments,
                       DerivedStore &derived) const {
  auto correction = findCorrection(error, moments, rank);
  if (!correction) {
    return fail(param, correction.takeError());
  }
  for (auto [key, type, factor] : {std::tuple(&keyA, typeA, &correction->a),
                                   std::tuple(&keyB, typeB, &correction->b)}) {
    for (float &element : *factor) {
      element = palette::fromHalf(palette::toHalf(element));
      if (!std::isfinite(element)) {
        return fail(param, llvm::createStringError(
                               "expected a correction within f16's range"));
      }
    }
    if (llvm::Error error = derived.write(*key, type.getShape(), *factor)) {
      return fail(param, std::move(error));
    }
  }
  return std::pair(std::move(correction->a), std::move(correction->b));
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
  std::vector<float> a(typeA.getNumElements()), b(typeB.getNumElements());
  if (derived.contains(keyA) && derived.contains(keyB)) {
    for (auto [key, factor] : {std::pair(&keyA, &a), std::pair(&keyB, &b)}) {
      if (llvm::Error error = derived.readRows(*key, 0, *factor)) {
        return fail(param, std::move(error));
      }
    }
  } else {
    auto made = makeFactors(*error, known->moments, derived);
    if (failed(made)) {
      return failure();
    }
    std::tie(a, b) = std::move(*made);
  }
  multiply({b.data(), rank}, {a.data(), columns}, error->data(), columns, rows,
           columns, rank, -1, 1);
  after = palette::getOutputChange(*error, known->moments);
  return success();
}

} // namespace umber
