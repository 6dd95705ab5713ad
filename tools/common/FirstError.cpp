// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/FirstError.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace mlir;

namespace umber {

static std::string describe(Location loc, llvm::StringRef file) {
  FileLineColLoc place;
  NameLoc name;
  loc->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part); named && !name) {
      name = named;
    }
    place = dyn_cast<FileLineColLoc>(part);
    return place ? WalkResult::interrupt() : WalkResult::advance();
  });
  std::string text;
  llvm::raw_string_ostream os(text);
  if (place && place.getLine() > 0) {
    os << place.getFilename().getValue() << ':' << place.getLine() << ':'
       << place.getColumn();
  } else {
    os << file;
    if (name) {
      os << ": " << name.getName().getValue();
    }
  }
  return text;
}

FirstError::FirstError(MLIRContext *context, llvm::StringRef file)
    : file(file), handler(context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
          keep(describe(diagnostic.getLocation(), this->file) + ": " +
               diagnostic.str());
        }
        return success();
      }) {}

LogicalResult FirstError::set(llvm::Error error) {
  keep(llvm::toString(std::move(error)));
  return failure();
}

void FirstError::keep(std::string line) {
  if (text.empty()) {
    text = std::move(line);
    std::replace(text.begin(), text.end(), '\n', ' ');
  }
}

} // namespace umber
