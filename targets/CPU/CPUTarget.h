// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU target: from a fused model to one shared object per instruction set.

#ifndef UMBER_TARGETS_CPU_CPUTARGET_H
#define UMBER_TARGETS_CPU_CPUTARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "targets/Common/DispatchPlan.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace umber::cpu {

/// What code is generated for. Names are what the runtime looks for.
struct InstructionSet {
  llvm::StringRef name;
  llvm::StringRef triple;
  llvm::StringRef cpu;
  llvm::StringRef features;
  /// Bits of the vectors that loops are given.
  unsigned vectorBits;
  /// Whether it is for products of encoded weights with quantized inputs alone:
  /// all else is as in a later set, which runs wherever this one does.
  bool isForEncodedProducts;
  /// The microkernels' bitcode.
  llvm::StringRef bitcode;
};

/// Every instruction set, the runtime's first choice first.
llvm::ArrayRef<InstructionSet> getInstructionSets();

/// A fused model's kernels as MLIR functions of loops and vectors, in a module
/// of their own.
struct LoweredModel {
  DispatchPlan plan;
  mlir::OwningOpRef<mlir::ModuleOp> code;
  uint64_t scratchBytes = 0; ///< per worker
};

/// Plans and lowers `module`, whose functions are fused and specialized. Fails
/// with a diagnostic.
mlir::FailureOr<LoweredModel> lowerToLoops(mlir::ModuleOp module);

/// Whether `code`, as lowerToLoops() makes it, has products of encoded weights
/// with quantized inputs.
bool hasEncodedProducts(mlir::ModuleOp code);

/// Lowers loops to the LLVM dialect and adds what makes the module a library:
/// entry points with the runtime's signature and the table of kernels.
/// `kernels` are the kernels' names in the order of their indices.
mlir::LogicalResult convertToLLVM(mlir::ModuleOp code,
                                  llvm::ArrayRef<PlannedKernel> kernels);

/// Translates to LLVM IR, links the microkernels of `isa` and optimizes.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateToLLVMIR(mlir::ModuleOp code, const InstructionSet &isa,
                  llvm::LLVMContext &context);

/// Textual assembly of an optimized module.
llvm::Expected<std::string> emitAssembly(llvm::Module &module,
                                         const InstructionSet &isa);

/// A relocatable object of an optimized module.
llvm::Expected<llvm::SmallVector<char, 0>>
emitObject(llvm::Module &module, const InstructionSet &isa);

/// Links an object into a shared object that needs nothing.
llvm::Expected<llvm::SmallVector<char, 0>>
linkLibrary(llvm::ArrayRef<char> object, const InstructionSet &isa);

} // namespace umber::cpu

#endif // UMBER_TARGETS_CPU_CPUTARGET_H
