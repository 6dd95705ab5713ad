// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a parameter takes in a package: the currency of every size budget.

#ifndef UMBER_DIALECTS_UMBER_PARAMETERS_STOREDSIZE_H
#define UMBER_DIALECTS_UMBER_PARAMETERS_STOREDSIZE_H

#include "mlir/IR/BuiltinTypes.h"
#include "runtime/package/PanelEncoding.h"

namespace umber {

/// How a package holds matrices of this type, which has a palette or quantized
/// encoding.
PanelEncoding getPanelEncoding(mlir::RankedTensorType type);

/// Bytes of a parameter of this type in a package, codes, tables, scales and
/// padding, without the gap to the next parameter. A vector is stored as f32.
int64_t getStoredBytes(mlir::RankedTensorType type);

/// Bytes of a factor of a low-rank correction in a package, which has adapters'
/// matrices row by row: f16, or integers of 8 bits and an f16 scale per row.
int64_t getFactorBytes(mlir::RankedTensorType type);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_PARAMETERS_STOREDSIZE_H
