// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model as a package: a target's code and parameters as segments,
// and the metadata that says what is where.

#ifndef UMBER_TARGETS_COMMON_PACKAGEBUILDER_H
#define UMBER_TARGETS_COMMON_PACKAGEBUILDER_H

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/TokenizerImport.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "runtime/package/PackageWriter.h"

namespace umber {

/// A parameter as a package holds it.
struct StoredParameter {
  mlir::umber::ParamOp param;
  /// What it stands for, and the encoding that it is stored under.
  mlir::RankedTensorType type;
  std::string layout; ///< as umb.fbs names them
  uint32_t segment = 0;
  uint64_t offset = 0, size = 0; ///< in the segment
};

/// Called with the part of the work that is done, from 0 to 1.
using ProgressCallback = llvm::function_ref<void(double)>;

/// What a target contributes to a package.
class TargetContent {
public:
  /// Of the target's table, what its kind alone has.
  struct Tables {
    std::vector<flatbuffers::Offset<flatbuffers::String>> kernels;
    std::vector<flatbuffers::Offset<fbs::CodeVariant>> variants;
    std::vector<flatbuffers::Offset<fbs::Program>> programs;
    /// What the code reads besides the model's parameters; behind these.
    std::vector<flatbuffers::Offset<fbs::Parameter>> constants;
  };

  virtual ~TargetContent() = default;
  virtual std::string getName() const = 0;
  /// The matrices that adapters can correct, in the order of their indices.
  virtual llvm::ArrayRef<mlir::umber::LoraOp> getSites() const = 0;
  /// Writes the target's segments, and returns where parameters are in them.
  /// `store` is null for a model of shapes, of which no data is written; then
  /// sizes alone mean something.
  virtual llvm::Expected<std::vector<StoredParameter>>
  writeSegments(PackageWriter &writer, const ParameterStore *store,
                ProgressCallback progress) = 0;
  /// After writeSegments.
  virtual Tables describe(flatbuffers::FlatBufferBuilder &fb) const = 0;
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

/// Writes `module` compiled for `target` to `path`. Parameters are read from
/// `store` a piece at a time; it is null for a model of shapes, as `tokenizer`
/// may be. Errors are one line that names the file at fault.
llvm::Expected<PackageSummary>
writePackage(llvm::StringRef path, mlir::ModuleOp module, TargetContent &target,
             const ParameterStore *store, const TokenizerImport *tokenizer,
             ProgressCallback progress);

/// Of the runtime's statuses; success if it is one.
llvm::Error toError(const Status &status);

} // namespace umber

#endif // UMBER_TARGETS_COMMON_PACKAGEBUILDER_H
