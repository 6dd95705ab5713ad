// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The plan of a model's launches: each dispatch of an umber.kernel becomes
// those of the kernel's stages.

#include "dialects/Umber/Parameters/StoredSize.h"
#include "mlir/IR/Verifier.h"
#include "targets/GPU/GPUTarget.h"
#include "targets/GPU/LaunchWork.h"
#include "targets/GPU/Selection.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

namespace {

/// Of offsets in arenas, as packages have them.
constexpr uint64_t kScratchAlignment = 64;

/// What a launch costs: of its kernel's costs, those of its ops.
void addCosts(PlannedDispatch &made, const PlannedDispatch &dispatch,
              const Launch &launch) {
  for (Operation *op : launch.ops) {
    if (isa<AttentionOp>(op)) {
      made.flopsPerPosition = dispatch.flopsPerPosition;
      made.window = dispatch.window;
      continue;
    }
    auto linear = cast<LinearOp>(op);
    RankedTensorType weight = SymbolTable::lookupNearestSymbolFrom<ParamOp>(
                                  linear, linear.getWeightAttr())
                                  .getTensorType();
    uint64_t ops = 2 * linear.getX().getType().getDimSize(1) *
                   linear.getType().getDimSize(1);
    made.weightBytes += getStoredBytes(weight);
    made.flopsPerToken += ops;
    made.integerOpsPerToken += linear.getX().getType().getEncoding() ? ops : 0;
  }
}

/// `scratch` is where the program's scratch begins in its arena.
BufferBinding bind(const LaunchBuffer &buffer, const PlannedDispatch &dispatch,
                   size_t parameters, uint64_t scratch) {
  switch (buffer.kind) {
  case LaunchBuffer::Kind::Kernel:
    return dispatch.bindings[buffer.number];
  case LaunchBuffer::Kind::Constant:
    return {BufferBinding::Kind::Parameter,
            uint32_t(parameters + buffer.number), 0};
  case LaunchBuffer::Kind::Products: {
    BufferBinding binding = dispatch.bindings[buffer.number];
    binding.kind = BufferBinding::Kind::Products;
    return binding;
  }
  case LaunchBuffer::Kind::Scratch:
    return {BufferBinding::Kind::Arena, 0, scratch};
  case LaunchBuffer::Kind::Step:
    return {BufferBinding::Kind::Step, 0, 0};
  }
  llvm_unreachable("a buffer of no kind");
}

/// How many logits a row has; nothing where a program makes none.
std::optional<int64_t> getVocabulary(const DispatchPlan &plan,
                                     const PlannedProgram &program) {
  for (const PlannedDispatch &dispatch : program.dispatches) {
    for (auto [number, binding] : llvm::enumerate(dispatch.bindings)) {
      if (binding.kind == BufferBinding::Kind::Logits) {
        KernelOp kernel = plan.kernels[dispatch.kernel].representative;
        Value logits = getKernelBuffers(kernel)[number].value;
        return cast<RankedTensorType>(logits.getType()).getDimSize(1);
      }
    }
  }
  return std::nullopt;
}

} // namespace

FailureOr<LoweredModel> lowerToLaunches(ModuleOp module, Api api) {
  FailureOr<DispatchPlan> plan = planDispatches(module);
  if (failed(plan)) {
    return failure();
  }
  LoweredModel lowered;
  lowered.code = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(lowered.code->getBody());
  EntryPoints entries(
      mlir::gpu::GPUModuleOp::create(builder, module.getLoc(), "kernels"));
  std::vector<std::vector<Launch>> launches;
  std::vector<int64_t> scratchWords; // of each kernel
  for (const PlannedKernel &kernel : plan->kernels) {
    KernelEmitter emitter(entries, kernel, api);
    FailureOr<std::vector<Launch>> emitted = emitter.emit();
    if (failed(emitted)) {
      return failure();
    }
    launches.push_back(std::move(*emitted));
    scratchWords.push_back(emitter.getScratchWords());
  }
  for (auto [number, words] : llvm::enumerate(entries.getConstants())) {
    lowered.constants.push_back(
        {"gpu.constant." + std::to_string(number), words});
  }
  for (PlannedProgram &program : plan->programs) {
    std::optional<int64_t> vocab = getVocabulary(*plan, program);
    std::vector<PlannedDispatch> dispatches;
    // Behind the activations: no kernel's scratch is read by another's.
    uint64_t scratch = llvm::alignTo(program.arenaBytes, kScratchAlignment);
    LaunchProgram &work = lowered.work.emplace_back();
    work.name = program.name;
    work.api = kApis[api == Api::CUDA];
    work.rows = program.maxTokens;
    for (auto [number, dispatch] : llvm::enumerate(program.dispatches)) {
      const PlannedKernel &kernel = plan->kernels[dispatch.kernel];
      if (int64_t words = scratchWords[dispatch.kernel]) {
        program.arenaBytes =
            std::max(program.arenaBytes, scratch + 4 * uint64_t(words));
      }
      for (const Launch &launch : launches[dispatch.kernel]) {
        PlannedDispatch made;
        made.name = dispatch.name + ":" + launch.stage;
        made.kernel = launch.entry;
        made.layer = dispatch.layer;
        made.ofOutputs = dispatch.ofOutputs;
        made.grid = launch.grid;
        made.withPrevious = launch.withPrevious;
        for (const LaunchBuffer &buffer : launch.buffers) {
          made.bindings.push_back(
              bind(buffer, dispatch, plan->parameters.size(), scratch));
        }
        addCosts(made, dispatch, launch);
        work.launches.push_back(describeWork(made, launch, int64_t(number),
                                             kernel.representative, *plan,
                                             program.maxTokens));
        dispatches.push_back(std::move(made));
      }
    }
    nameApart(work.launches);
    program.dispatches = std::move(dispatches);
    if (vocab) {
      addSelection(entries, program, *vocab, module.getLoc(), api);
    }
  }
  if (failed(verify(*lowered.code))) {
    return failure();
  }
  plan->kernels.clear();
  for (const std::string &name : entries.getNames()) {
    plan->kernels.push_back({name, {}, 0, {}});
  }
  lowered.plan = std::move(*plan);
  return lowered;
}

} // namespace umber::gpu
