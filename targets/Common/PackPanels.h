// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_COMMON_PACKPANELS_H
#define UMBER_TARGETS_COMMON_PACKPANELS_H

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace umber {

/// Reads `param` and hands its stored bytes to `sink`, a panel at a time. A
/// vector is stored as f32. A matrix is stored in panels of kPanelRows rows,
/// column by column: element (r, c) is at (r / 32 * columns + c) * 32 + r % 32;
/// missing rows of the last panel are zeros. Values that the parameter's type
/// cannot hold are an error. An encoded matrix is stored as PanelEncoding.h
/// tells.
llvm::Error
packParameter(mlir::umber::ParamOp param, const ParameterStore &store,
              llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace umber

#endif // UMBER_TARGETS_COMMON_PACKPANELS_H
