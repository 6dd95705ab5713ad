// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_IR_UMBEROPS_H
#define UMBER_DIALECTS_UMBER_IR_UMBEROPS_H

#include "dialects/Umber/IR/UmberDialect.h"

#define GET_OP_CLASSES
#include "dialects/Umber/IR/UmberOps.h.inc"

namespace mlir::umber {

/// The module attribute that holds the model's #umber.model.
inline constexpr llvm::StringLiteral kModelAttrName = "umber.model";

/// The module attribute with the path of the file that holds the parameters'
/// bytes. A shape-only model has none.
inline constexpr llvm::StringLiteral kParametersAttrName = "umber.parameters";

/// The module attribute with the path of the folder that holds what passes have
/// made of parameters. A key found there hides the parameter file's.
inline constexpr llvm::StringLiteral kDerivedAttrName = "umber.derived";

/// The module attribute, an i64, that is equal for equal architectures,
/// vocabularies and weights of the imported file, whatever passes make of them.
inline constexpr llvm::StringLiteral kIdentityAttrName = "umber.identity";

/// Marks an `umber.param` that no model had: a pass has added it.
inline constexpr llvm::StringLiteral kAddedAttrName = "umber.added";

/// The BasisAttr of an `umber.param` that passes have moved to other bases.
inline constexpr llvm::StringLiteral kBasisAttrName = "umber.basis";

/// How far a compressed `umber.param` changes its products' results: an f64,
/// the sum of squares of the change over the sum of squares of the results.
inline constexpr llvm::StringLiteral kErrorAttrName = "umber.error";

/// The key of the weights that a compressed `umber.param` was made from.
inline constexpr llvm::StringLiteral kOriginalAttrName = "umber.original";

/// What a low-rank correction does, or would do, for a compressed
/// `umber.param`: a dictionary of its `rank`, the `bytes` that it takes, the
/// `error` with it (as umber.error is without), and the decrease of the
/// predicted loss per byte, `gain`; where it was compared, `bits_gain` is what
/// as many bytes of wider codes would gain. At the module, of all corrections:
/// their `bytes`, the predicted `loss` of the matrices that can have one and
/// the `recovered` one with those that are there; and where it was compared,
/// as many bytes of wider codes in their place: the body's `bits` per weight
/// and the `bits_loss` with them.
inline constexpr llvm::StringLiteral kRecoveryAttrName = "umber.recovery";

} // namespace mlir::umber

#endif // UMBER_DIALECTS_UMBER_IR_UMBEROPS_H
