// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a launch, its memory and its control flow.

#include "targets/GPU/LaunchBuilder.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVAttributes.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace umber::gpu {

namespace {

/// CUDA's pointers have no length. Their type needs one that no access exceeds.
constexpr int64_t kAnyLength = std::numeric_limits<int32_t>::max();

/// Of a subgroup on CUDA.
constexpr int64_t kWarpThreads = 32;

Attribute getSharedSpace(MLIRContext *context, Api api) {
  if (api == Api::Vulkan) {
    return spirv::StorageClassAttr::get(context,
                                        spirv::StorageClass::Workgroup);
  }
  return mlir::gpu::AddressSpaceAttr::get(context,
                                          mlir::gpu::AddressSpace::Workgroup);
}

} // namespace

MemRefType LaunchBuilder::getBufferType(bool inVectors) const {
  MLIRContext *context = loc.getContext();
  Type word = IntegerType::get(context, 32);
  if (api == Api::Vulkan) {
    return MemRefType::get({ShapedType::kDynamic},
                           inVectors ? VectorType::get({4}, word) : word,
                           MemRefLayoutAttrInterface(),
                           spirv::StorageClassAttr::get(
                               context, spirv::StorageClass::StorageBuffer));
  }
  return MemRefType::get({kAnyLength}, word, MemRefLayoutAttrInterface(),
                         mlir::gpu::AddressSpaceAttr::get(
                             context, mlir::gpu::AddressSpace::Global));
}

LaunchBuilder::LaunchBuilder(mlir::gpu::GPUModuleOp module, Location loc,
                             Api api, unsigned buffers, int64_t threads)
    : b(OpBuilder::atBlockEnd(module.getBody())), loc(loc), api(api),
      threads(threads), buffers(buffers) {
  SmallVector<Type> types(buffers, getBufferType());
  if (api == Api::Vulkan) {
    types.append(buffers, getBufferType(/*inVectors=*/true));
  }
  function = mlir::gpu::GPUFuncOp::create(b, loc, "launch",
                                          b.getFunctionType(types, {}));
  function->setAttr(mlir::gpu::GPUDialect::getKernelFuncAttrName(),
                    b.getUnitAttr());
  auto size = static_cast<int32_t>(threads);
  if (api == Api::Vulkan) {
    function->setAttr(
        spirv::getEntryPointABIAttrName(),
        spirv::getEntryPointABIAttr(loc.getContext(), {size, 1, 1}));
  } else {
    function.setKnownBlockSize(ArrayRef<int32_t>{size, 1, 1});
    // So that the assembler gives a thread the registers that it asks for.
    function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                      b.getI32IntegerAttr(1));
  }
  b.setInsertionPointToStart(&function.getBody().front());
  thread = mlir::gpu::ThreadIdOp::create(b, loc, mlir::gpu::Dimension::x);
}

Value LaunchBuilder::getBuffer(unsigned number) {
  return function.getArgument(number);
}

Value LaunchBuilder::getGroup(mlir::gpu::Dimension axis) {
  return mlir::gpu::BlockIdOp::create(b, loc, axis);
}

Value LaunchBuilder::getVectors(Value buffer) {
  return function.getArgument(buffers +
                              cast<BlockArgument>(buffer).getArgNumber());
}

SmallVector<unsigned> LaunchBuilder::finish() {
  mlir::gpu::ReturnOp::create(b, loc);
  SmallVector<unsigned> kept;
  SmallVector<Type> types;
  SmallVector<unsigned> bindings;
  unsigned arguments = function.getFunctionType().getNumInputs();
  // Behind these the block has the workgroup's memory, which stays.
  llvm::BitVector unused(function.getBody().front().getNumArguments());
  auto isUsed = [&](unsigned argument) {
    return argument < arguments && !function.getArgument(argument).use_empty();
  };
  for (unsigned i = 0; i < arguments; ++i) {
    bool isBuffer = i < buffers;
    if (isBuffer && (isUsed(i) || isUsed(buffers + i))) {
      kept.push_back(i);
    }
    if (!isUsed(i)) {
      unused.set(i);
      continue;
    }
    types.push_back(function.getArgument(i).getType());
    bindings.push_back(llvm::find(kept, i % buffers) - kept.begin());
  }
  function.setFunctionType(b.getFunctionType(types, {}));
  function.getBody().front().eraseArguments(unused);
  if (api == Api::Vulkan) {
    for (auto [argument, binding] : llvm::enumerate(bindings)) {
      function.setArgAttr(argument, spirv::getInterfaceVarABIAttrName(),
                          spirv::getInterfaceVarABIAttr(
                              0, binding, std::nullopt, loc.getContext()));
    }
  }
  return kept;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value LaunchBuilder::load(Value buffer, Value offset) {
  return memref::LoadOp::create(b, loc, buffer, offset);
}

Value LaunchBuilder::loadF(Value buffer, Value offset) {
  return asFloat(load(buffer, offset));
}

SmallVector<Value> LaunchBuilder::loadWords(Value buffer, Value offset,
                                            int64_t count) {
  int64_t width = count % 4 == 0 ? 4 : count % 2 == 0 ? 2 : 1;
  SmallVector<Value> words;
  for (int64_t i = 0; i < count; i += width) {
    Value at = add(offset, index(i));
    if (width == 1) {
      words.push_back(load(buffer, at));
      continue;
    }
    if (api == Api::Vulkan) {
      Value vector = load(getVectors(buffer), div(at, index(4)));
      SmallVector<Value> parts;
      for (int64_t j = 0; j < 4; ++j) {
        parts.push_back(vector::ExtractOp::create(b, loc, vector, j));
      }
      if (width == 2) {
        Value isLow = equal(bitAnd(at, index(2)), index(0));
        parts = {select(isLow, parts[0], parts[2]),
                 select(isLow, parts[1], parts[3])};
      }
      words.append(parts);
      continue;
    }
    Value vector = vector::LoadOp::create(
        b, loc, VectorType::get({width}, b.getI32Type()), buffer,
        ValueRange(at), /*nontemporal=*/false, llvm::MaybeAlign(4 * width));
    for (int64_t j = 0; j < width; ++j) {
      words.push_back(vector::ExtractOp::create(b, loc, vector, j));
    }
  }
  return words;
}

SmallVector<Value> LaunchBuilder::loadSharedWords(Value buffer, Value offset) {
  if (api == Api::CUDA) {
    return loadWords(buffer, offset, kNeighbours);
  }
  // A load takes as many turns as there are threads on a device that emulates
  // them by a processor's vectors, so each has one word, and gets the others'.
  Value own = load(buffer, add(offset, getPlace()));
  SmallVector<Value> words;
  for (int64_t i = 0; i < kNeighbours; ++i) {
    words.push_back(fromNeighbour(own, i));
  }
  return words;
}

void LaunchBuilder::store(Value word, Value buffer, Value offset) {
  memref::StoreOp::create(b, loc, word, buffer, offset);
}

void LaunchBuilder::storeF(Value value, Value buffer, Value offset) {
  store(asBits(value), buffer, offset);
}

Value LaunchBuilder::allocateShared(int64_t words) {
  sharedWords += words;
  auto type =
      MemRefType::get({words}, b.getI32Type(), MemRefLayoutAttrInterface(),
                      getSharedSpace(loc.getContext(), api));
  if (api == Api::CUDA) {
    return function.addWorkgroupAttribution(type, loc);
  }
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getBody().front());
  return memref::AllocOp::create(b, loc, type);
}

void LaunchBuilder::barrier() { mlir::gpu::BarrierOp::create(b, loc); }

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void LaunchBuilder::forEach(Value begin, Value end, Value step, Body body) {
  auto loop = scf::ForOp::create(b, loc, begin, end, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

SmallVector<Value> LaunchBuilder::reduce(Value begin, Value end, Value step,
                                         ValueRange start, Reduction body) {
  auto loop = scf::ForOp::create(b, loc, begin, end, step, start);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> results =
        body(loop.getInductionVar(), loop.getRegionIterArgs());
    scf::YieldOp::create(b, loc, results);
  }
  SmallVector<Value> results(loop.getResults());
  if (api == Api::Vulkan) {
    // The conversion to SPIR-V sets results in the loop's body alone.
    Value isEntered = less(begin, end);
    for (auto [result, first] : llvm::zip(results, start)) {
      result = select(isEntered, result, first);
    }
  }
  return results;
}

void LaunchBuilder::ifTrue(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

SmallVector<Value>
LaunchBuilder::ifTrue(Value condition, ValueRange otherwise,
                      llvm::function_ref<SmallVector<Value>()> body) {
  auto branch = scf::IfOp::create(b, loc, otherwise.getTypes(), condition,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, body());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise);
  return SmallVector<Value>(branch.getResults());
}

Value LaunchBuilder::getPlace() {
  if (!place) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(thread);
    Value lane = api == Api::Vulkan
                     ? mlir::gpu::LaneIdOp::create(b, loc, IntegerAttr())
                     : rem(thread, index(kWarpThreads));
    place = rem(lane, index(kNeighbours));
    firstLane = toI32(sub(lane, place));
  }
  return place;
}

Value LaunchBuilder::shuffle(Value value, Value from) {
  if (api == Api::CUDA) {
    return mlir::gpu::ShuffleOp::create(b, loc, value, from, i32(kWarpThreads),
                                        mlir::gpu::ShuffleMode::IDX)
        .getShuffleResult();
  }
  return spirv::GroupNonUniformShuffleOp::create(
      b, loc, value.getType(), spirv::Scope::Subgroup, value, from);
}

Value LaunchBuilder::fromNeighbour(Value value, int64_t number) {
  getPlace();
  return shuffle(value, add(firstLane, i32(number)));
}

Value LaunchBuilder::reduceNeighbours(Value value, Combine combine) {
  Value own = toI32(getPlace());
  for (int64_t step = kNeighbours / 2; step > 0; step /= 2) {
    Value other = bitAnd(add(own, i32(step)), i32(kNeighbours - 1));
    value = combine(value, shuffle(value, add(firstLane, other)));
  }
  return value;
}

Value LaunchBuilder::reduceThreads(Value value, Combine combine) {
  // Neighbours first, who share what all of them have made. The threads meet
  // once more so that the next reduction may write.
  int64_t groups = threads / kNeighbours;
  if (!scratch) {
    scratch = allocateShared(groups);
  }
  value = reduceNeighbours(value, combine);
  ifTrue(equal(getPlace(), index(0)),
         [&] { storeF(value, scratch, div(thread, index(kNeighbours))); });
  barrier();
  bool areShared = groups % kNeighbours == 0;
  Value first = areShared ? getPlace() : index(0);
  Value result = loadF(scratch, first);
  for (int64_t i = areShared ? kNeighbours : 1; i < groups;
       i += areShared ? kNeighbours : 1) {
    result = combine(result, loadF(scratch, add(first, index(i))));
  }
  barrier();
  return areShared ? reduceNeighbours(result, combine) : result;
}

} // namespace umber::gpu
