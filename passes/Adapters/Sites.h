// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_ADAPTERS_SITES_H
#define UMBER_PASSES_ADAPTERS_SITES_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace umber {

/// The products of `step` whose matrices low-rank adapters can correct, in
/// their order: those of the model's own in a layer (their symbols have a
/// layer's prefix, as "l0.attn.q") that one product alone uses. Appends those
/// whose matrix others use too to `shared`, if it is given.
llvm::SmallVector<mlir::umber::LinearOp>
findSites(mlir::func::FuncOp step,
          llvm::SmallVectorImpl<mlir::umber::LinearOp> *shared = nullptr);

/// Gives the function `step` an argument for adapters and every site an
/// umber.lora, unless it takes adapters already. Fails with a diagnostic where
/// there is no such function.
mlir::LogicalResult attachAdapters(mlir::ModuleOp module);

} // namespace umber

#endif // UMBER_PASSES_ADAPTERS_SITES_H
