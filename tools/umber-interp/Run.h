// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What umber-interp does with a module.

#ifndef UMBER_TOOLS_UMBER_INTERP_RUN_H
#define UMBER_TOOLS_UMBER_INTERP_RUN_H

#include "dialects/Umber/Interpreter/Interpreter.h"
#include "llvm/Support/raw_ostream.h"

namespace umber::interp {

/// Runs @main, or where there is none every public function, and prints their
/// results. Such functions have no arguments but state: an empty cache and an
/// empty set of adapters are given to those that take them.
mlir::LogicalResult runFunctions(Interpreter &interpreter,
                                 mlir::ModuleOp module, llvm::raw_ostream &os);

struct GenerationOptions {
  std::vector<int32_t> promptIds;
  /// How many tokens to choose after the prompt.
  int64_t count = 0;
  /// How many prompt tokens go through the model at a time.
  int64_t chunk = 64;
  /// Where the logits of the prompt's last token go; nowhere if empty.
  std::string logitsFile;
  /// What is active; null for a model that need not take adapters.
  AdaptersRef adapters;
  bool json = false;
};

/// Runs a prompt through the model (see Session), decodes greedily, and prints
/// the chosen tokens: their ids on a line, or with `json` an object with
/// prompt_ids, ids, and margins (how far each one's logit was above the
/// second).
mlir::LogicalResult generate(Interpreter &interpreter, mlir::ModuleOp module,
                             const GenerationOptions &options,
                             llvm::raw_ostream &os);

/// Makes `interpreter` write every tensor that an op gives to
/// DIRECTORY/CALL-NUMBER-NAME.npy: the how-manieth call of the interpreter, the
/// how-manieth tensor of the call, and the op's name location, or where it has
/// none its name. Creates the directory.
mlir::LogicalResult writeProbes(Interpreter &interpreter, mlir::ModuleOp module,
                                std::string directory);

} // namespace umber::interp

#endif // UMBER_TOOLS_UMBER_INTERP_RUN_H
