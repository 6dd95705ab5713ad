// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a target of kernels that processors or GPUs run has in a package: their
// code for each instruction set, parameters, and the dispatches.

#ifndef UMBER_TARGETS_COMMON_COMPILEDTARGET_H
#define UMBER_TARGETS_COMMON_COMPILEDTARGET_H

#include "targets/Common/DispatchPlan.h"
#include "targets/Common/PackPanels.h"
#include "targets/Common/PackageBuilder.h"

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

/// What reports are made from: a segment that no driver reads.
struct TargetDescription {
  std::string segment; ///< its name
  std::vector<uint8_t> bytes;
};

class CompiledTarget : public TargetContent {
public:
  std::string name;
  DispatchPlan plan;
  MatrixLayout layout = MatrixLayout::Panels;
  std::vector<TargetConstant> constants;
  uint64_t scratchBytes = 0; ///< per worker
  std::vector<CodeVariant> variants;
  std::vector<TargetDescription> descriptions;

  std::string getName() const override { return name; }
  llvm::ArrayRef<mlir::umber::LoraOp> getSites() const override {
    return plan.sites;
  }
  /// Of a model of shapes, which has nothing to run, descriptions alone.
  llvm::Expected<std::vector<StoredParameter>>
  writeSegments(PackageWriter &writer, const ParameterStore *store,
                ProgressCallback progress) override;
  Tables describe(flatbuffers::FlatBufferBuilder &fb) const override;

private:
  llvm::Error writeCode(PackageWriter &writer);
  llvm::Error writeDescriptions(PackageWriter &writer);
  std::vector<StoredParameter> listShapes() const;
  llvm::Error writeConstants(PackageWriter &writer, uint32_t segment);

  bool hasData = false;
  std::vector<uint32_t> codeSegments;
  uint32_t constantSegment = 0;
  std::vector<uint64_t> constantOffsets;
};

} // namespace umber

#endif // UMBER_TARGETS_COMMON_COMPILEDTARGET_H
