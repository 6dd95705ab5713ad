// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-interp/FirstError.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace umber::interp {

static std::string describe(Location loc, llvm::StringRef file) {
  FileLineColLoc place;
  loc->walk([&](Location part) {
    place = dyn_cast<FileLineColLoc>(part);
    return place ? WalkResult::interrupt() : WalkResult::advance();
  });
  std::string text;
  llvm::raw_string_ostream os(text);
  // A file read from standard input or without a line is the tool's input.
  if (place && place.getLine() > 0) {
    os << place.getFilename().getValue() << ':' << place.getLine() << ':'
       << place.getColumn();
  } else {
    os << file;
  }
  return text;
}

FirstError::FirstError(MLIRContext *context, llvm::StringRef file)
    : file(file), handler(context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
            text.empty()) {
          text = describe(diagnostic.getLocation(), this->file) + ": " +
                 diagnostic.str();
          std::replace(text.begin(), text.end(), '\n', ' ');
        }
        return success();
      }) {}

} // namespace umber::interp
