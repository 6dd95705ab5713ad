// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a target of kernels that processors run has in a package: their code for
// each instruction set, parameters in panels, and the dispatches.

#ifndef UMBER_TARGETS_COMMON_COMPILEDTARGET_H
#define UMBER_TARGETS_COMMON_COMPILEDTARGET_H

#include "targets/Common/DispatchPlan.h"
#include "targets/Common/PackageBuilder.h"

namespace umber {

/// Code for one instruction set.
struct CodeVariant {
  std::string isa;
  llvm::SmallVector<char, 0> library;
};

class CompiledTarget : public TargetContent {
public:
  std::string name;
  DispatchPlan plan;
  uint64_t scratchBytes = 0; ///< per worker
  std::vector<CodeVariant> variants;

  std::string getName() const override { return name; }
  llvm::ArrayRef<mlir::umber::LoraOp> getSites() const override {
    return plan.sites;
  }
  /// A model of shapes has no code to run with: `store` is not null.
  llvm::Expected<std::vector<StoredParameter>>
  writeSegments(PackageWriter &writer, const ParameterStore *store,
                ProgressCallback progress) override;
  Tables describe(flatbuffers::FlatBufferBuilder &fb) const override;

private:
  llvm::Error writeCode(PackageWriter &writer);

  std::vector<uint32_t> codeSegments;
};

} // namespace umber

#endif // UMBER_TARGETS_COMMON_COMPILEDTARGET_H
