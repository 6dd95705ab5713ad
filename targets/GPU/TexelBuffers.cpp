// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads through texel buffers: what a launch only reads it fetches as texels,
// of a word or of four, instead of loading it from storage buffers. On GPUs
// these come through the texture caches, which on some are the only ones of a
// core. What emulates a GPU by a processor's vectors (Mesa's llvmpipe) loads
// from storage buffers one thread after the other, and gathers texels at once:
// six times as fast.

#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/SPIRV/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/package/TexelSets.h"
#include "targets/GPU/GPUTarget.h"

using namespace mlir;

namespace umber::gpu {

namespace {

/// The element of a storage buffer's array, a word or a vector of them; null
/// for variables that are no such buffers.
Type getElement(spirv::GlobalVariableOp variable) {
  auto pointer = dyn_cast<spirv::PointerType>(variable.getType());
  if (!pointer || !variable.getBinding() ||
      pointer.getStorageClass() != spirv::StorageClass::StorageBuffer) {
    return {};
  }
  auto block = dyn_cast<spirv::StructType>(pointer.getPointeeType());
  auto array = block
                   ? dyn_cast<spirv::RuntimeArrayType>(block.getElementType(0))
                   : spirv::RuntimeArrayType();
  return array ? array.getElementType() : Type();
}

/// Whether all that is done through a buffer's address are loads of elements.
bool isOnlyRead(spirv::AddressOfOp address) {
  return llvm::all_of(address->getUsers(), [](Operation *user) {
    return isa<spirv::AccessChainOp>(user) && user->getNumOperands() == 3 &&
           llvm::all_of(user->getUsers(), [](Operation *access) {
             return isa<spirv::LoadOp>(access);
           });
  });
}

/// Replaces the loads through `address` by fetches from an image that is
/// `variable`'s in a descriptor set of its own.
void replaceLoads(spirv::AddressOfOp address, spirv::GlobalVariableOp variable,
                  Type element) {
  auto image = spirv::ImageType::get(
      getElementTypeOrSelf(element), spirv::Dim::Buffer,
      spirv::ImageDepthInfo::NoDepth, spirv::ImageArrayedInfo::NonArrayed,
      spirv::ImageSamplingInfo::SingleSampled,
      spirv::ImageSamplerUseInfo::NeedSampler, spirv::ImageFormat::Unknown);
  auto pointer =
      spirv::PointerType::get(image, spirv::StorageClass::UniformConstant);
  OpBuilder b(variable);
  unsigned set = isa<VectorType>(element) ? kVectorTexels : kWordTexels;
  auto texels = spirv::GlobalVariableOp::create(b, variable.getLoc(), pointer,
                                                variable.getSymName(), set,
                                                *variable.getBinding());
  b.setInsertionPoint(address);
  Location loc = address.getLoc();
  Value loaded =
      spirv::LoadOp::create(b, loc, spirv::AddressOfOp::create(b, loc, texels));
  auto texel = VectorType::get({4}, image.getElementType());
  for (Operation *chain : llvm::to_vector(address->getUsers())) {
    for (Operation *load : llvm::to_vector(chain->getUsers())) {
      b.setInsertionPoint(load);
      Value value = spirv::ImageFetchOp::create(
          b, load->getLoc(), texel, loaded, chain->getOperand(2),
          spirv::ImageOperandsAttr(), ValueRange());
      if (element != texel) {
        value = spirv::CompositeExtractOp::create(b, load->getLoc(), value,
                                                  ArrayRef<int32_t>{0});
      }
      load->getResult(0).replaceAllUsesWith(value);
      load->erase();
    }
    chain->erase();
  }
  address.erase();
  variable.erase();
}

} // namespace

LogicalResult readThroughTexels(ModuleOp code) {
  code.walk([](spirv::FuncOp function) {
    struct Buffer {
      spirv::AddressOfOp address;
      spirv::GlobalVariableOp variable;
      Type element;
    };
    SmallVector<Buffer> buffers;
    llvm::DenseSet<uint32_t> written;
    function.walk([&](spirv::AddressOfOp address) {
      auto variable =
          SymbolTable::lookupNearestSymbolFrom<spirv::GlobalVariableOp>(
              function, address.getVariableAttr());
      Type element = getElement(variable);
      if (!element) {
        return;
      }
      buffers.push_back({address, variable, element});
      // A binding has two variables, of words and of vectors.
      if (!isOnlyRead(address)) {
        written.insert(*variable.getBinding());
      }
    });
    for (Buffer &buffer : buffers) {
      if (!written.contains(*buffer.variable.getBinding())) {
        replaceLoads(buffer.address, buffer.variable, buffer.element);
      }
    }
  });
  PassManager pm(code.getContext());
  pm.nest<spirv::ModuleOp>().addPass(spirv::createSPIRVUpdateVCEPass());
  return pm.run(code);
}

} // namespace umber::gpu
