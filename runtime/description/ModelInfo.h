// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reports need of a compiled model beside its programs: where its kernels
// come from, how its matrices are stored, and what other widths would cost.

#ifndef UMBER_RUNTIME_DESCRIPTION_MODELINFO_H
#define UMBER_RUNTIME_DESCRIPTION_MODELINFO_H

#include "runtime/package/Status.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace umber {

/// One way to store a matrix.
struct WidthChoice {
  int64_t bits = 0;
  /// In a package, as budgets count it.
  uint64_t bytes = 0;
  /// As it streams to the engine: tables, scales and codes; 0: it cannot.
  uint64_t streamBytes = 0;
  /// What the model's loss is predicted to rise by (docs/compression.md); none
  /// if it was not measured.
  std::optional<double> loss;
};

struct MatrixInfo {
  std::string name;
  int64_t rows = 0;
  int64_t columns = 0;
  std::string encoding; ///< as in the IR, empty if plain
  int64_t bits = 0;
  uint64_t bytes = 0; ///< in a package
  /// Part of the body, which a budget is for; else an embedding.
  bool isBody = false;
  /// Bytes of Region::Weights, or equal, if no product streams it.
  uint64_t begin = 0;
  uint64_t end = 0;
  /// The relative error of products with it; none of a plain matrix.
  std::optional<double> error;
  int64_t rank = 0; ///< of its correction; 0: it has none
  std::vector<WidthChoice> choices;
};

/// An op that a kernel was made of.
struct SourceOp {
  std::string name;
  std::string type;      ///< of its results
  std::string parameter; ///< that it reads; empty: none
  std::string location;  ///< in the source; empty: unknown
};

struct KernelSource {
  std::string name;
  std::vector<SourceOp> ops;
  /// The kernels, by number, whose results it reads.
  std::vector<uint32_t> inputs;
};

struct ModelInfo {
  uint64_t parameters = 0;
  /// Weights of the body as imported, by which bits per weight are counted.
  uint64_t bodyWeights = 0;
  uint64_t bodyBytes = 0;
  uint64_t modelBytes = 0;
  int64_t layers = 0;
  int64_t cacheBits = 0;
  int64_t headDim = 0; ///< elements of a row of the cache
  std::vector<MatrixInfo> matrices;
  /// Of a step; those of all programs are the same.
  std::vector<KernelSource> kernels;
};

nlohmann::json toJson(const ModelInfo &info);

/// CorruptFile: `KEY: expected …, found …` for the first thing that is wrong.
Result<ModelInfo> readModelInfo(const nlohmann::json &json);

} // namespace umber

#endif // UMBER_RUNTIME_DESCRIPTION_MODELINFO_H
