// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/GpuCode.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "runtime/package/LaneEncoding.h"
#include "tools/common/WriteFile.h"

using namespace llvm;

namespace umber::compile {

static Expected<gpu::LoweredModel> lower(mlir::ModuleOp module, gpu::Api api,
                                         bool doesConvert) {
  auto lowered = gpu::lowerToLaunches(module, api);
  if (failed(lowered)) {
    return createStringError("the model cannot be lowered for the gpu target");
  }
  bool isVulkan = api == gpu::Api::Vulkan;
  if (doesConvert && failed(isVulkan ? gpu::convertToSPIRV(*lowered->code)
                                     : gpu::convertToNVVM(*lowered->code))) {
    return createStringError(isVulkan
                                 ? "the launches cannot be converted to SPIR-V"
                                 : "the launches cannot be converted to PTX");
  }
  return std::move(*lowered);
}

/// Of converted code for Vulkan, what a variant's is.
static Expected<mlir::OwningOpRef<mlir::ModuleOp>>
specialize(mlir::ModuleOp code, const gpu::Variant &variant) {
  mlir::OwningOpRef<mlir::ModuleOp> own = code.clone();
  if (variant.readsTexels && failed(gpu::readThroughTexels(*own))) {
    return createStringError("the launches cannot read through texel buffers");
  }
  return std::move(own);
}

static Expected<SmallVector<char, 0>> emitCode(mlir::ModuleOp code,
                                               const gpu::Variant &variant) {
  if (variant.api == gpu::Api::Vulkan) {
    auto own = specialize(code, variant);
    if (!own) {
      return own.takeError();
    }
    return gpu::emitSPIRV(**own);
  }
  auto text = gpu::emitPTX(code, variant);
  if (!text) {
    return text.takeError();
  }
  // With the zero at its end.
  return SmallVector<char, 0>(text->c_str(), text->c_str() + text->size() + 1);
}

Expected<CompiledTarget>
compileForGpu(mlir::ModuleOp module, ArrayRef<const gpu::Variant *> variants) {
  CompiledTarget target;
  target.name = kGpuTarget;
  target.layout = MatrixLayout::Lanes;
  target.variants.resize(variants.size());
  for (gpu::Api api : {gpu::Api::Vulkan, gpu::Api::CUDA}) {
    std::optional<gpu::LoweredModel> lowered;
    for (auto [variant, code] : zip(variants, target.variants)) {
      if (variant->api != api) {
        continue;
      }
      if (!lowered) {
        auto made = lower(module, api, /*doesConvert=*/true);
        if (!made) {
          return made.takeError();
        }
        lowered = std::move(*made);
      }
      auto emitted = emitCode(*lowered->code, *variant);
      if (!emitted) {
        return emitted.takeError();
      }
      code = {variant->name.str(), std::move(*emitted)};
    }
    if (lowered) {
      target.plan = std::move(lowered->plan);
      target.constants = std::move(lowered->constants);
    }
  }
  return std::move(target);
}

Error writeGpuCode(mlir::ModuleOp module, const gpu::Variant &variant,
                   Emit emit, StringRef path) {
  auto lowered = lower(module, variant.api, emit != Emit::MLIR);
  if (!lowered) {
    return lowered.takeError();
  }
  if (emit != Emit::PTX) {
    auto own = specialize(*lowered->code, variant);
    if (!own) {
      return own.takeError();
    }
    return writeFile(path, [&](raw_ostream &os) { (*own)->print(os); });
  }
  auto text = gpu::emitPTX(*lowered->code, variant);
  if (!text) {
    return text.takeError();
  }
  return writeFile(path, [&](raw_ostream &os) { os << *text; });
}

} // namespace umber::compile
