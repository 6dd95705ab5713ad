// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_PARAMETERUSERS_H
#define UMBER_PASSES_COMPRESSION_PARAMETERUSERS_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace umber {

/// The ops that name each parameter of a module, in its present state.
class ParameterUsers {
public:
  explicit ParameterUsers(mlir::ModuleOp module);

  llvm::ArrayRef<mlir::Operation *> get(llvm::StringRef name) const;

  /// Erases the parameters that no op of the module names any more.
  static void eraseUnused(mlir::ModuleOp module);

private:
  llvm::StringMap<llvm::SmallVector<mlir::Operation *>> users;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_PARAMETERUSERS_H
