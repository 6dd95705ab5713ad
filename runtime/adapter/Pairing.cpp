// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Pairing.h"
#include "runtime/adapter/Quote.h"
#include "runtime/adapter/Values.h"

#include <cassert>
#include <cmath>

namespace umber {

namespace {

Status bad(const AdapterMatrix &matrix, const std::string &expected) {
  return Status(StatusCode::CorruptFile,
                "tensor " + quote(matrix.tensor) + ": expected " + expected);
}

std::string shapeOf(const AdapterMatrix &matrix) {
  return "[" + std::to_string(matrix.rows) + ", " +
         std::to_string(matrix.columns) + "]";
}

void put(std::optional<AdapterMatrix> &place, AdapterMatrix matrix) {
  assert(!place && "names are different");
  place = std::move(matrix);
}

} // namespace

Status checkFinite(const AdapterMatrix &matrix) {
  std::optional<uint64_t> index = findNotFinite(matrix.dtype, matrix.data);
  if (!index) {
    return Status();
  }
  uint64_t columns = uint64_t(matrix.columns);
  return bad(matrix, "finite values, found an infinity or NaN at [" +
                         std::to_string(*index / columns) + ", " +
                         std::to_string(*index % columns) + "]");
}

void Pairing::addA(const Site &site, AdapterMatrix matrix) {
  put(sites[site].a, std::move(matrix));
}

void Pairing::addB(const Site &site, AdapterMatrix matrix) {
  put(sites[site].b, std::move(matrix));
}

Result<AdapterPair> Pairing::makePair(const Site &site, const Halves &halves,
                                      const ScaleOf &scaleOf) {
  if (!halves.a || !halves.b) {
    return bad(halves.a ? *halves.a : *halves.b,
               std::string("both matrices of the pair, found no ") +
                   (halves.a ? "B" : "A"));
  }
  const AdapterMatrix &a = *halves.a, &b = *halves.b;
  if (a.rows != b.columns) {
    return bad(b, "as many columns as " + quote(a.tensor) + " has rows, " +
                      std::to_string(a.rows) + ", found the shape " +
                      shapeOf(b));
  }
  if (a.dtype != b.dtype) {
    return bad(b, std::string("the type of ") + quote(a.tensor) + ", " +
                      fbs::EnumNameDType(a.dtype) + ", found " +
                      fbs::EnumNameDType(b.dtype));
  }
  for (const AdapterMatrix *matrix : {&a, &b}) {
    if (Status status = checkFinite(*matrix); !status.ok()) {
      return status;
    }
  }
  Result<float> scale = scaleOf(site, a);
  if (!scale.ok()) {
    return scale.status();
  }
  if (!std::isfinite(*scale)) {
    return bad(a, "a finite scale, found alpha too large for rank " +
                      std::to_string(a.rows));
  }
  return AdapterPair{site.name(), a.dtype, a.rows, a.columns,
                     b.rows,      a.data,  b.data, *scale};
}

Result<std::vector<AdapterPair>> Pairing::finish(const ScaleOf &scaleOf) const {
  std::vector<AdapterPair> pairs;
  for (const auto &[site, halves] : sites) {
    Result<AdapterPair> pair = makePair(site, halves, scaleOf);
    if (!pair.ok()) {
      return pair.status();
    }
    pairs.push_back(std::move(*pair));
  }
  if (pairs.empty()) {
    return Status(StatusCode::CorruptFile,
                  "tensors: expected the matrices of an adapter, found none");
  }
  return pairs;
}

} // namespace umber
