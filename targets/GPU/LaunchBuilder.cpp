// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a launch, its memory and its control flow.

#include "targets/GPU/LaunchBuilder.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVAttributes.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace umber::gpu {

namespace {

/// CUDA's pointers have no length. Their type needs one that no access exceeds.
constexpr int64_t kAnyLength = std::numeric_limits<int32_t>::max();

Attribute getSharedSpace(MLIRContext *context, Api api) {
  if (api == Api::Vulkan) {
    return spirv::StorageClassAttr::get(context,
                                        spirv::StorageClass::Workgroup);
  }
  return mlir::gpu::AddressSpaceAttr::get(context,
                                          mlir::gpu::AddressSpace::Workgroup);
}

} // namespace

MemRefType LaunchBuilder::getBufferType() const {
  MLIRContext *context = loc.getContext();
  auto word = IntegerType::get(context, 32);
  if (api == Api::Vulkan) {
    return MemRefType::get({ShapedType::kDynamic}, word,
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
      threads(threads) {
  SmallVector<Type> types(buffers, getBufferType());
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

SmallVector<unsigned> LaunchBuilder::finish() {
  mlir::gpu::ReturnOp::create(b, loc);
  unsigned count = function.getFunctionType().getNumInputs();
  SmallVector<unsigned> kept;
  llvm::BitVector unused(count);
  for (unsigned i = 0; i < count; ++i) {
    if (function.getArgument(i).use_empty()) {
      unused.set(i);
    } else {
      kept.push_back(i);
    }
  }
  // Behind these the block has the workgroup's memory, which stays.
  unsigned all = function.getBody().front().getNumArguments();
  SmallVector<Type> types(kept.size(), getBufferType());
  function.setFunctionType(b.getFunctionType(types, {}));
  unused.resize(all);
  function.getBody().front().eraseArguments(unused);
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
    // SPIR-V's logical addressing has no vectors of an array of words.
    if (width == 1 || api == Api::Vulkan) {
      for (int64_t j = 0; j < width; ++j) {
        words.push_back(load(buffer, add(at, index(j))));
      }
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

void LaunchBuilder::store(Value word, Value buffer, Value offset) {
  memref::StoreOp::create(b, loc, word, buffer, offset);
}

void LaunchBuilder::storeF(Value value, Value buffer, Value offset) {
  store(asBits(value), buffer, offset);
}

Value LaunchBuilder::allocateShared(int64_t words) {
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

Value LaunchBuilder::reduceThreads(Value value, Combine combine) {
  // Every kColumns-th value is combined by one thread, and all threads combine
  // what those have made. So the next reduction needs no barrier before it.
  constexpr int64_t kColumns = 16;
  if (!scratch) {
    scratch = allocateShared(threads + kColumns);
  }
  storeF(value, scratch, thread);
  barrier();
  ifTrue(less(thread, index(kColumns)), [&] {
    Value sum = loadF(scratch, thread);
    for (int64_t i = kColumns; i < threads; i += kColumns) {
      sum = combine(sum, loadF(scratch, add(thread, index(i))));
    }
    storeF(sum, scratch, add(thread, index(threads)));
  });
  barrier();
  Value result = loadF(scratch, index(threads));
  for (int64_t i = 1; i < kColumns; ++i) {
    result = combine(result, loadF(scratch, index(threads + i)));
  }
  return result;
}

} // namespace umber::gpu
