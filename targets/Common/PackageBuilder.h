// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model as a package: code and parameters as segments, and the
// metadata that says what is where.

#ifndef UMBER_TARGETS_COMMON_PACKAGEBUILDER_H
#define UMBER_TARGETS_COMMON_PACKAGEBUILDER_H

#include "dialects/Umber/Import/TokenizerImport.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "runtime/package/PackageWriter.h"
#include "targets/Common/DispatchPlan.h"
#include "targets/Common/PackPanels.h"

namespace umber {

/// Code for one instruction set.
struct CodeVariant {
  std::string isa;
  llvm::SmallVector<char, 0> library;
};

/// What a target's code reads besides the model's parameters. Bindings number
/// constants behind these.
struct TargetConstant {
  std::string name;
  std::vector<uint32_t> words;
};

/// What a target contributes to a package.
struct CompiledTarget {
  std::string name;
  DispatchPlan plan;
  MatrixLayout layout = MatrixLayout::Panels;
  std::vector<TargetConstant> constants = {};
  uint64_t scratchBytes = 0; ///< per worker
  std::vector<CodeVariant> variants;
};

/// What was written, for the summary.
struct PackageSummary {
  uint64_t parameters = 0;    ///< elements of all parameters
  uint64_t modelBytes = 0;    ///< of all parameters as stored
  uint64_t bodyWeights = 0;   ///< of the body's matrices, as imported
  uint64_t bodyBytes = 0;     ///< of the body's, with what passes have added
  uint64_t recoveryBytes = 0; ///< of those, of the corrections of matrices
  uint64_t fileBytes = 0;
};

/// Called with the part of the work that is done, from 0 to 1.
using ProgressCallback = llvm::function_ref<void(double)>;

/// Writes `module` compiled for `target` to `path`. Parameters are read from
/// `store` a panel at a time. Errors are one line that names the file at fault.
llvm::Expected<PackageSummary>
writePackage(llvm::StringRef path, mlir::ModuleOp module,
             const CompiledTarget &target, const ParameterStore &store,
             const TokenizerImport *tokenizer, ProgressCallback progress);

} // namespace umber

#endif // UMBER_TARGETS_COMMON_PACKAGEBUILDER_H
