// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a parameter takes in a package: the currency of every size budget.

#ifndef UMBER_DIALECTS_UMBER_PARAMETERS_STOREDSIZE_H
#define UMBER_DIALECTS_UMBER_PARAMETERS_STOREDSIZE_H

#include "mlir/IR/BuiltinTypes.h"

namespace umber {

/// Packages hold matrices in panels of so many rows, the last one filled up.
inline constexpr int64_t kPanelRows = 32;

/// Encoded matrices stand in a panel by so many columns at a time, the last
/// filled up.
inline constexpr int64_t kQuadColumns = 4;

/// Bytes of a parameter of this type in a package, codes, tables, scales and
/// padding, without the gap to the next parameter. A vector is stored as f32.
int64_t getStoredBytes(mlir::RankedTensorType type);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_PARAMETERS_STOREDSIZE_H
