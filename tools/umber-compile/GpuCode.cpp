// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/GpuCode.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "runtime/package/LaneEncoding.h"
#include "tools/common/WriteFile.h"
#include "tools/umber-compile/ModelDescription.h"

using namespace llvm;

namespace umber::compile {

static Expected<gpu::LoweredModel> lower(mlir::ModuleOp module, gpu::Api api,
                                         bool doesConvert, SeeLaunches see) {
  auto lowered = gpu::lowerToLaunches(module, api);
  if (failed(lowered)) {
    return createStringError("the model cannot be lowered for the gpu target");
  }
  if (Error error = see(api, *lowered->code)) {
    return error;
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

/// Makes `plan` one that `other`'s code can run by, too: it differs in how many
/// rows workgroups take, and those that find none return at once.
static Error joinPlans(DispatchPlan &plan, const DispatchPlan &other) {
  auto fail = [](const Twine &what) {
    return createStringError("expected the same launches for Vulkan and CUDA, "
                             "found others " +
                             what);
  };
  if (plan.programs.size() != other.programs.size() ||
      plan.kernels.size() != other.kernels.size()) {
    return fail("in number");
  }
  for (auto [program, like] : zip(plan.programs, other.programs)) {
    if (program.dispatches.size() != like.dispatches.size()) {
      return fail("in number");
    }
    for (auto [launch, twin] : zip(program.dispatches, like.dispatches)) {
      bool areBindingsEqual =
          equal(launch.bindings, twin.bindings,
                [](const BufferBinding &a, const BufferBinding &b) {
                  return a.kind == b.kind && a.index == b.index &&
                         a.offset == b.offset;
                });
      if (launch.name != twin.name || launch.kernel != twin.kernel ||
          launch.grid.threads != twin.grid.threads || !areBindingsEqual) {
        return fail("at " + launch.name);
      }
      launch.grid.x = std::max(launch.grid.x, twin.grid.x);
      launch.grid.y = std::max(launch.grid.y, twin.grid.y);
      launch.grid.z = std::max(launch.grid.z, twin.grid.z);
    }
  }
  return Error::success();
}

/// Adds what launches need, their matrices being numbered as in `info`.
static void addWork(gpu::LoweredModel &lowered, gpu::LaunchFile &file) {
  StringMap<int64_t> numbers;
  for (auto [number, matrix] : enumerate(file.info.matrices)) {
    numbers[matrix.name] = int64_t(number);
  }
  for (gpu::LaunchProgram &program : lowered.work) {
    for (gpu::LaunchWork &launch : program.launches) {
      if (launch.matrix >= 0) {
        mlir::umber::ParamOp param = lowered.plan.parameters[launch.matrix];
        auto it = numbers.find(param.getSymName());
        launch.matrix = it == numbers.end() ? -1 : it->second;
      }
    }
    file.programs.push_back(std::move(program));
  }
}

Expected<CompiledTarget> compileForGpu(mlir::ModuleOp module,
                                       ArrayRef<const gpu::Variant *> variants,
                                       SeeLaunches see) {
  CompiledTarget target;
  target.name = kGpuTarget;
  target.layout = MatrixLayout::Lanes;
  target.variants.resize(variants.size());
  bool hasData = module->hasAttr(mlir::umber::kParametersAttrName);
  gpu::LaunchFile file;
  file.model = module.getSymName().value_or("model").str();
  file.contextLength =
      module->getAttrOfType<mlir::umber::ModelAttr>(mlir::umber::kModelAttrName)
          .getContextLength();
  file.info = describeModel(module, getGpuStorage());
  for (gpu::Api api : {gpu::Api::Vulkan, gpu::Api::CUDA}) {
    std::optional<gpu::LoweredModel> lowered;
    for (auto [variant, code] : zip(variants, target.variants)) {
      if (variant->api != api) {
        continue;
      }
      if (!lowered) {
        auto made = lower(module, api, /*doesConvert=*/hasData, see);
        if (!made) {
          return made.takeError();
        }
        lowered = std::move(*made);
      }
      // A model of shapes is for reports.
      if (!hasData) {
        continue;
      }
      auto emitted = emitCode(*lowered->code, *variant);
      if (!emitted) {
        return emitted.takeError();
      }
      code = {variant->name.str(), std::move(*emitted)};
    }
    if (lowered) {
      addWork(*lowered, file);
      bool isSecond = !target.plan.programs.empty();
      if (Error error = isSecond ? joinPlans(lowered->plan, target.plan)
                                 : Error::success()) {
        return std::move(error);
      }
      target.plan = std::move(lowered->plan);
      target.constants = std::move(lowered->constants);
    }
  }
  target.descriptions.push_back(
      {gpu::kLaunchesSegment, gpu::writeLaunchFile(file)});
  return std::move(target);
}

Error writeGpuCode(mlir::ModuleOp module, const gpu::Variant &variant,
                   Emit emit, StringRef path, SeeLaunches see) {
  auto lowered = lower(module, variant.api, emit != Emit::MLIR, see);
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
