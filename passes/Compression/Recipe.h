// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_RECIPE_H
#define UMBER_PASSES_COMPRESSION_RECIPE_H

#include "passes/Compression/ModelBody.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace umber {

/// Widths that a matrix can have; 16 is f16.
bool isStorageWidth(int64_t bits);
/// Whether a low-rank correction can have this rank.
bool isCorrectionRank(int64_t rank);
/// For messages.
inline constexpr llvm::StringLiteral kCorrectionRanks = "a rank of 1 to 4096";
/// The width of a matrix of this type.
int64_t getStorageWidth(mlir::RankedTensorType type);
/// For messages.
inline constexpr llvm::StringLiteral kStorageWidths =
    "1, 2, 3, 4, 6, 8 or 16 bits";

/// How wide every matrix of a model is stored, as people read and write it:
///
///     { "umber-recipe": 1, "bits": { "l0.attn.q": 4, "embed": 8, ... },
///       "recover": { "l0.attn.q": 16, ... } }
struct Recipe {
  llvm::StringMap<int64_t> bits; ///< by the name of the parameter
  /// Of the low-rank corrections, by the name of the matrix: those that have
  /// one.
  llvm::StringMap<int64_t> ranks;

  /// Fails with the path, what is wrong, and where.
  static llvm::Expected<Recipe> read(llvm::StringRef path);

  /// Of what a module's parameters are now.
  static llvm::json::Value describe(mlir::ModuleOp module);

  /// The width of a matrix; fails with a diagnostic if the recipe has none.
  mlir::FailureOr<int64_t> get(mlir::umber::ParamOp param) const;

  /// Fails with a diagnostic unless the recipe has a width for every matrix of
  /// the module's two parts, and names no other.
  mlir::LogicalResult checkNames(mlir::ModuleOp module,
                                 const ModelBody &parts) const;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_RECIPE_H
