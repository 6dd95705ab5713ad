// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_CALIBRATIONTEXT_H
#define UMBER_TOOLS_UMBER_COMPILE_CALIBRATIONTEXT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileUtilities.h"
#include <memory>

namespace umber::compile {

/// A text as the file of tokens that umber-calibrate reads; removed with this.
class CalibrationText {
public:
  /// Reads a text and takes it apart with the tokenizer of the model's file.
  /// Fails if it is not UTF-8, is empty, or the model has no tokenizer.
  static llvm::Expected<std::unique_ptr<CalibrationText>>
  create(llvm::StringRef path, mlir::ModuleOp module);

  llvm::StringRef getTokens() const { return tokens; }

private:
  explicit CalibrationText(llvm::StringRef tokens)
      : tokens(tokens), remover(this->tokens) {}

  std::string tokens;
  llvm::FileRemover remover;
};

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_CALIBRATIONTEXT_H
