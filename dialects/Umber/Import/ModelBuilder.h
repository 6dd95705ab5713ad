// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_IMPORT_MODELBUILDER_H
#define UMBER_DIALECTS_UMBER_IMPORT_MODELBUILDER_H

#include "dialects/Umber/Import/Architecture.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace umber {

/// Builds the module of a model: its parameters, all f32, and the function
/// `step`. `hasTensor` tells whether an optional tensor (by its GGUF name) is
/// there. With `hasWeights`, parameters name their tensors as sources.
mlir::OwningOpRef<mlir::ModuleOp>
buildModel(mlir::MLIRContext *context, const Architecture &architecture,
           const ModelConfig &config, bool hasWeights,
           llvm::function_ref<bool(llvm::StringRef)> hasTensor);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_IMPORT_MODELBUILDER_H
