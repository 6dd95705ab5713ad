// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_COMMON_PACKPANELS_H
#define UMBER_TARGETS_COMMON_PACKPANELS_H

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace umber {

/// How a target has matrices arranged.
enum class MatrixLayout {
  /// In panels of kPanelRows rows, column by column: element (r, c) is at
  /// (r / 32 * columns + c) * 32 + r % 32; missing rows of the last panel are
  /// zeros. Encoded ones as PanelEncoding.h tells.
  Panels,
  /// As LaneEncoding.h tells.
  Lanes
};

/// What a package calls the arrangement of a parameter of that type.
llvm::StringRef getLayoutName(mlir::RankedTensorType type, MatrixLayout layout);

/// Bytes that a parameter of that type is stored in.
int64_t getPackedBytes(mlir::RankedTensorType type, MatrixLayout layout);

/// Reads `param` and hands its stored bytes to `sink`, a panel at a time. A
/// vector is stored as f32. Values that the parameter's type cannot hold are an
/// error.
llvm::Error
packParameter(mlir::umber::ParamOp param, const ParameterStore &store,
              MatrixLayout layout,
              llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace umber

#endif // UMBER_TARGETS_COMMON_PACKPANELS_H
