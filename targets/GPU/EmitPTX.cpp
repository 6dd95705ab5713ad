// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CUDA's code: the gpu dialect to the LLVM dialect, to LLVM IR, to PTX.

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "targets/GPU/GPUTarget.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

using namespace mlir;

namespace umber::gpu {

namespace {

/// The intrinsic that the code generator has an instruction for; empty where an
/// op is none. The conversion from the gpu dialect would call CUDA's library.
StringRef getIntrinsic(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().getStringRef())
      .Case("math.fma", "llvm.fma.f32")
      .Case("math.sqrt", "llvm.sqrt.f32")
      .Case("math.roundeven", "llvm.roundeven.f32")
      .Case("math.absf", "llvm.fabs.f32")
      .Default("");
}

void useIntrinsics(ModuleOp code) {
  code.walk([](Operation *op) {
    StringRef name = getIntrinsic(op);
    if (name.empty()) {
      return;
    }
    OpBuilder b(op);
    auto call = LLVM::CallIntrinsicOp::create(
        b, op->getLoc(), op->getResultTypes().front(), b.getStringAttr(name),
        op->getOperands());
    op->replaceAllUsesWith(call);
    op->erase();
  });
}

/// LLVM takes a large variable of no alignment for one of 16 bytes, and loads
/// vectors from it; the printer of PTX asks for its elements' alignment.
void alignVariables(llvm::Module &module) {
  for (llvm::GlobalVariable &variable : module.globals()) {
    if (!variable.getAlign()) {
      variable.setAlignment(
          module.getDataLayout().getPreferredAlign(&variable));
    }
  }
}

/// Lets loads go through the read-only cache that are of buffers which the
/// launch only reads: it has no buffer twice. Optimization would have lost the
/// mark where it cuts vectors.
void markInvariantLoads(llvm::Module &module) {
  llvm::MDNode *mark = llvm::MDNode::get(module.getContext(), {});
  for (llvm::Function &function : module) {
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
      auto *load = dyn_cast<llvm::LoadInst>(&instruction);
      auto *buffer = load ? dyn_cast<llvm::Argument>(llvm::getUnderlyingObject(
                                load->getPointerOperand()))
                          : nullptr;
      if (buffer && buffer->onlyReadsMemory()) {
        load->setMetadata(llvm::LLVMContext::MD_invariant_load, mark);
      }
    }
  }
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const Variant &variant) {
  static const bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  std::string message;
  llvm::Triple triple("nvptx64-nvidia-cuda");
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target) {
    return llvm::createStringError("no code generator for PTX: " + message);
  }
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, variant.processor, variant.version, options, std::nullopt,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

} // namespace

LogicalResult convertToNVVM(ModuleOp code) {
  // How the dialects of launches become LLVM's, which they tell when asked.
  DialectRegistry registry;
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  registerConvertMemRefToLLVMInterface(registry);
  registerConvertNVVMToLLVMInterface(registry);
  vector::registerConvertVectorToLLVMInterface(registry);
  code.getContext()->appendDialectRegistry(registry);
  useIntrinsics(code);
  PassManager pm(code.getContext());
  OpPassManager &kernels = pm.nest<mlir::gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createLoopInvariantCodeMotionPass());
  kernels.addPass(createSCFToControlFlowPass());
  ConvertGpuOpsToNVVMOpsOptions options;
  options.indexBitwidth = 32;
  options.useBarePtrCallConv = true;
  kernels.addPass(createConvertGpuOpsToNVVMOps(options));
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  if (failed(pm.run(code))) {
    return failure();
  }
  return success();
}

llvm::Expected<std::string> emitPTX(ModuleOp code, const Variant &variant) {
  mlir::registerBuiltinDialectTranslation(*code.getContext());
  mlir::registerGPUDialectTranslation(*code.getContext());
  mlir::registerLLVMDialectTranslation(*code.getContext());
  mlir::registerNVVMDialectTranslation(*code.getContext());
  llvm::LLVMContext context;
  auto kernels = code.getOps<mlir::gpu::GPUModuleOp>();
  std::unique_ptr<llvm::Module> module =
      kernels.empty() ? nullptr
                      : translateModuleToLLVMIR(*kernels.begin(), context);
  if (!module) {
    return llvm::createStringError("could not translate the launches to LLVM "
                                   "IR");
  }
  auto machine = createTargetMachine(variant);
  if (!machine) {
    return machine.takeError();
  }
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setDataLayout((*machine)->createDataLayout());
  alignVariables(*module);
  optimize(*module, **machine);
  markInvariantLoads(*module);
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile)) {
    return llvm::createStringError("the code generator for " + variant.name +
                                   " cannot write text");
  }
  passes.run(*module);
  return text.str().str();
}

} // namespace umber::gpu
