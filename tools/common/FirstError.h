// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tool's errors: one line, for a person.

#ifndef UMBER_TOOLS_COMMON_FIRSTERROR_H
#define UMBER_TOOLS_COMMON_FIRSTERROR_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"
#include <string>

namespace umber {

/// Keeps the first error among the diagnostics of a context, as
/// `FILE:LINE:COLUMN: reason` on one line; `FILE: NAME: reason` where the
/// location is only a name, and `FILE: reason` where there is none. Other
/// diagnostics are dropped.
class FirstError {
public:
  FirstError(mlir::MLIRContext *context, llvm::StringRef file);

  /// Empty if there was no error.
  llvm::StringRef getText() const { return text; }

  /// Keeps an error that names its file itself. Always a failure.
  mlir::LogicalResult set(llvm::Error error);

private:
  void keep(std::string line);

  std::string file;
  std::string text;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace umber

#endif // UMBER_TOOLS_COMMON_FIRSTERROR_H
