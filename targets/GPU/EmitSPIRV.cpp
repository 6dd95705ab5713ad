// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vulkan's code: the gpu dialect to one SPIR-V module whose entry points are
// the launches.

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/SPIRV/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/SPIRV/Serialization.h"
#include "mlir/Transforms/Passes.h"
#include "targets/GPU/GPUTarget.h"

using namespace mlir;

namespace umber::gpu {

/// What a Vulkan 1.1 device has; of operations of subgroups most have shuffles.
static spirv::TargetEnvAttr getTargetEnv(MLIRContext *context) {
  auto triple = spirv::VerCapExtAttr::get(
      spirv::Version::V_1_3,
      {spirv::Capability::Shader, spirv::Capability::SampledBuffer,
       spirv::Capability::GroupNonUniformShuffle},
      {spirv::Extension::SPV_KHR_storage_buffer_storage_class}, context);
  return spirv::TargetEnvAttr::get(
      triple, spirv::getDefaultResourceLimits(context),
      spirv::ClientAPI::Vulkan, spirv::Vendor::Unknown,
      spirv::DeviceType::Unknown, spirv::TargetEnvAttr::kUnknownDeviceID);
}

LogicalResult convertToSPIRV(ModuleOp code) {
  MLIRContext *context = code.getContext();
  code->setAttr(spirv::getTargetEnvAttrName(), getTargetEnv(context));
  PassManager pm(context);
  OpPassManager &kernels = pm.nest<mlir::gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createLoopInvariantCodeMotionPass());
  kernels.addPass(createConvertMathToSPIRVPass());
  pm.addPass(createConvertGPUToSPIRVPass());
  OpPassManager &modules = pm.nest<spirv::ModuleOp>();
  modules.addPass(spirv::createSPIRVLowerABIAttributesPass());
  modules.addPass(createCSEPass());
  modules.addPass(spirv::createSPIRVUpdateVCEPass());
  if (failed(pm.run(code))) {
    return failure();
  }
  for (auto kernel : llvm::to_vector(code.getOps<mlir::gpu::GPUModuleOp>())) {
    kernel.erase();
  }
  return success();
}

llvm::Expected<SmallVector<char, 0>> emitSPIRV(ModuleOp code) {
  auto modules = code.getOps<spirv::ModuleOp>();
  SmallVector<uint32_t, 0> words;
  if (modules.empty() || failed(spirv::serialize(*modules.begin(), words))) {
    return llvm::createStringError("could not write the launches as SPIR-V");
  }
  const char *bytes = reinterpret_cast<const char *>(words.data());
  return SmallVector<char, 0>(bytes, bytes + 4 * words.size());
}

} // namespace umber::gpu
