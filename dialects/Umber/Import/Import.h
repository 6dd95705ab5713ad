// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_IMPORT_IMPORT_H
#define UMBER_DIALECTS_UMBER_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace umber {

namespace gguf {
class File;
} // namespace gguf

/// Reads a model: .gguf, a shape-only .json, or .mlir / .mlirbc. What the file
/// is shows in its first bytes. Errors are one line that names the file.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importModel(mlir::MLIRContext *context, llvm::StringRef path);

// By format; called by importModel.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importGGUF(mlir::MLIRContext *context, const gguf::File &file);
/// The format is described at its reader, in ShapeOnlyImport.cpp, and in
/// docs/models.md.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importShapeOnly(mlir::MLIRContext *context, llvm::StringRef text,
                llvm::StringRef path);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_IMPORT_IMPORT_H
