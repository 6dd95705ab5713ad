// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/GPU/LaunchWork.h"
#include "targets/Common/KernelKind.h"
#include "targets/Common/PackPanels.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

namespace {

/// Of a position, all heads' keys or all their values on the device (CacheInfo
/// in runtime/package/umb.fbs).
uint64_t getCacheBytes(KVCacheType type) {
  int64_t bits = type.getElementType().getIntOrFloatBitWidth();
  int64_t row = 4 * llvm::divideCeil(type.getHeadDim() * bits, 32);
  return type.getKvHeads() * (row + (bits <= 8 ? 4 : 0));
}

class WorkDescriber {
public:
  WorkDescriber(const PlannedDispatch &made, const Launch &launch,
                const DispatchPlan &plan, LaunchWork &work)
      : made(made), launch(launch), plan(plan), work(work) {
    for (Operation *op : launch.ops) {
      linear = linear ? linear : dyn_cast<LinearOp>(op);
      attention = attention ? attention : dyn_cast<AttentionOp>(op);
    }
  }

  void shape(int64_t maxTokens);
  void buffers(ArrayRef<KernelBuffer> buffers);

private:
  void parameter(uint32_t number, bool isLookedUp);
  void site(LoraOp lora);

  const PlannedDispatch &made;
  const Launch &launch;
  const DispatchPlan &plan;
  LaunchWork &work;
  LinearOp linear;
  AttentionOp attention;
};

/// Which of the workgroups have the same rows: stages differ in the axis that
/// rows are along.
void WorkDescriber::shape(int64_t maxTokens) {
  int64_t x = made.grid.x, y = made.grid.y, z = made.grid.z;
  if (linear) {
    work.tileRows = llvm::divideCeil(maxTokens, y);
    work.tileGroups = x * z;
  } else if (y == maxTokens) {
    work.tileGroups = x * z;
  } else {
    work.tileGroups = llvm::divideCeil(x * y * z, maxTokens);
  }
  work.threads = made.grid.threads;
  work.sharedBytes = launch.sharedBytes;
  work.usesTensorCores = launch.usesTensorCores;
  if (launch.partPositions > 0) {
    work.parts = z;
    work.partPositions = launch.partPositions;
  }
  if (attention) {
    work.cacheReaders =
        std::max<int64_t>(x / attention.getCache().getType().getKvHeads(), 1);
  }
  if (linear) {
    work.inputBytes = 4 * getRowWords(linear.getX().getType());
  }
}

void WorkDescriber::parameter(uint32_t number, bool isLookedUp) {
  ParamOp param = plan.parameters[number];
  RankedTensorType type = param.getTensorType();
  int64_t bytes = getPackedBytes(type, MatrixLayout::Lanes);
  bool isMatrix = type.getRank() == 2;
  if (isMatrix && isLookedUp) {
    work.lookupBytes += bytes / type.getDimSize(0);
    return;
  }
  work.parameterBytes += bytes;
  if (isMatrix && linear) {
    work.matrix = number;
    work.weights = type.getNumElements();
    work.hasCodes = isa_and_present<PaletteAttr>(type.getEncoding());
  }
}

/// Products read B, and what comes before them A.
void WorkDescriber::site(LoraOp lora) {
  auto elements = uint64_t(linear ? lora.getType().getDimSize(1)
                                  : lora.getX().getType().getDimSize(1));
  work.adapterElements += elements;
  if (LowRankAttr correction = lora.getRecovery()) {
    auto a =
        SymbolTable::lookupNearestSymbolFrom<ParamOp>(lora, correction.getA());
    work.correctionElements += elements * a.getTensorType().getDimSize(0);
  }
}

void WorkDescriber::buffers(ArrayRef<KernelBuffer> buffers) {
  using Kind = BufferBinding::Kind;
  bool isLookedUp = llvm::any_of(made.bindings, [](const BufferBinding &at) {
    return at.kind == Kind::TokenIds;
  });
  for (auto [binding, buffer] : llvm::zip(made.bindings, launch.buffers)) {
    const KernelBuffer *source = buffer.kind == LaunchBuffer::Kind::Kernel
                                     ? &buffers[buffer.number]
                                     : nullptr;
    switch (binding.kind) {
    case Kind::Parameter:
      // Others are constants, a few words.
      if (binding.index < plan.parameters.size()) {
        parameter(binding.index, isLookedUp);
      }
      break;
    case Kind::Keys:
    case Kind::Values:
      work.cacheBytes += getCacheBytes(source->cache);
      break;
    case Kind::Adapters:
      site(plan.sites[binding.index]);
      break;
    case Kind::Arena:
    case Kind::TokenIds:
    case Kind::Logits:
      if (source && source->kind == KernelBuffer::Kind::Rows) {
        auto type = cast<RankedTensorType>(source->value.getType());
        work.rowBytes += 4 * getRowWords(type);
      }
      break;
    case Kind::Step:
    case Kind::Products:
      break;
    }
  }
}

} // namespace

LaunchWork describeWork(const PlannedDispatch &made, const Launch &launch,
                        int64_t kernel, KernelOp representative,
                        const DispatchPlan &plan, int64_t maxTokens) {
  LaunchWork work;
  work.name = made.name;
  work.kind = getKernelKind(representative).str();
  work.layer = made.layer;
  work.kernel = kernel;
  work.ofOutputs = made.ofOutputs;
  work.withPrevious = made.withPrevious;
  work.integerOps = made.integerOpsPerToken;
  work.floatOps = made.flopsPerToken - made.integerOpsPerToken;
  work.positionOps = made.flopsPerPosition;
  work.window = made.window;
  WorkDescriber describer(made, launch, plan, work);
  describer.shape(maxTokens);
  describer.buffers(getKernelBuffers(representative));
  return work;
}

void nameApart(std::vector<LaunchWork> &launches) {
  llvm::StringMap<int64_t> counts;
  for (LaunchWork &launch : launches) {
    if (int64_t count = ++counts[launch.name]; count > 1) {
      launch.name += " " + std::to_string(count);
    }
  }
}

} // namespace umber::gpu
