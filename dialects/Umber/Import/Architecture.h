// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What tells one decoder architecture from another, as data: adding one of the
// family is adding a row to the table in Architecture.cpp.

#ifndef UMBER_DIALECTS_UMBER_IMPORT_ARCHITECTURE_H
#define UMBER_DIALECTS_UMBER_IMPORT_ARCHITECTURE_H

#include "dialects/Umber/IR/UmberDialect.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace umber {

/// A model's sizes and constants, from whichever file they came.
struct ModelConfig {
  std::string name;
  std::string arch;
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  int64_t feedForward = 0;
  int64_t vocab = 0;
  int64_t contextLength = 0;
  double normEps = 0.0;
  double ropeBase = 0.0;
  int64_t ropeDims = 0;

  struct RopeScaling {
    mlir::umber::RopeScalingKind kind;
    double factor = 1.0;
    int64_t originalContext = 0;
    double lowFreqFactor = 0.0, highFreqFactor = 0.0;
    double attentionFactor = 1.0;
  };
  std::optional<RopeScaling> ropeScaling;
};

/// Fails with what is out of range: a size that is not positive or absurdly
/// large, heads that do not divide, an odd number of rotated dims.
llvm::Error verifyConfig(const ModelConfig &config);

struct Architecture {
  llvm::StringLiteral name;
  mlir::umber::RotaryStyle rotaryStyle;
  mlir::umber::Activation activation;
  /// Queries and keys are normalised per head before they are rotated.
  bool queryKeyNorm;
  /// Norm weights are stored less one.
  bool normOffset;
  /// Embeddings are multiplied by the square root of the width.
  bool scaleEmbedding;
};

llvm::ArrayRef<Architecture> getArchitectures();

/// The architecture of that name; the error lists those there are.
llvm::Expected<const Architecture *> findArchitecture(llvm::StringRef name);

/// A parameter of a decoder layer, or of the model as a whole.
struct ParamSpec {
  llvm::StringLiteral symbol; ///< in the IR, after the layer's prefix
  llvm::StringLiteral tensor; ///< in GGUF, after the layer's prefix
  int64_t rows;
  int64_t columns; ///< 0: a vector of `rows` elements
  bool required;
};

/// The parameters of every layer, in the order of their use.
std::vector<ParamSpec> getLayerParams(const Architecture &architecture,
                                      const ModelConfig &config);
/// The parameters outside of layers.
std::vector<ParamSpec> getModelParams(const Architecture &architecture,
                                      const ModelConfig &config);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_IMPORT_ARCHITECTURE_H
