// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a model for a neural engine has in a package: its programs, and the
// bytes of the regions Weights and Tables. runtime/drivers/npu/EngineModel.h
// reads them.

#ifndef UMBER_TARGETS_NPU_ENGINEPACKAGE_H
#define UMBER_TARGETS_NPU_ENGINEPACKAGE_H

#include "runtime/description/ModelInfo.h"
#include "targets/Common/PackageBuilder.h"
#include "targets/NPU/NPUTarget.h"

namespace umber::npu {

class EnginePackage : public TargetContent {
public:
  /// All outlive this. `info`: for reports.
  EnginePackage(mlir::ModuleOp module, const CompiledModel &compiled,
                const Config &config, ModelInfo info);

  std::string getName() const override;
  /// None if the programs have no room for adapters.
  llvm::ArrayRef<mlir::umber::LoraOp> getSites() const override {
    return sites;
  }
  llvm::Expected<std::vector<StoredParameter>>
  writeSegments(PackageWriter &writer, const ParameterStore *store,
                ProgressCallback progress) override;
  /// An engine's programs are no kernels with dispatches.
  Tables describe(flatbuffers::FlatBufferBuilder &) const override {
    return {};
  }

private:
  llvm::Expected<std::vector<uint8_t>> encodePrograms();
  std::vector<StoredParameter> listParameters(uint32_t weights,
                                              uint32_t tables);

  mlir::ModuleOp module;
  const CompiledModel &compiled;
  const Config &config;
  ModelInfo info;
  std::vector<mlir::umber::LoraOp> sites;
};

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_ENGINEPACKAGE_H
