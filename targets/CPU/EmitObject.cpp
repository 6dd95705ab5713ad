// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the LLVM dialect to machine code: translation, linking of microkernels,
// optimization and code generation, all in this process.

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "targets/CPU/CPUTarget.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include <mutex>

using namespace llvm;

namespace umber::cpu {

namespace {

Error makeError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Expected<std::unique_ptr<TargetMachine>>
createTargetMachine(const InstructionSet &isa) {
  static const bool initialized = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    return true;
  }();
  (void)initialized;
  std::string message;
  Triple triple(isa.triple);
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target) {
    return makeError("no code generator for " + isa.triple + ": " + message);
  }
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Standard;
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, isa.cpu, isa.features, options, Reloc::PIC_, std::nullopt,
      CodeGenOptLevel::Aggressive));
}

/// Gives all code the same features, so that microkernels can be inlined.
void setFunctionAttributes(Module &module, const InstructionSet &isa) {
  for (Function &function : module) {
    if (function.isDeclaration()) {
      continue;
    }
    function.addFnAttr("target-cpu", isa.cpu);
    function.addFnAttr("target-features", isa.features);
    function.addFnAttr("prefer-vector-width", std::to_string(isa.vectorBits));
    function.addFnAttr("min-legal-vector-width",
                       std::to_string(isa.vectorBits));
    function.addFnAttr("no-builtins");
    function.addFnAttr(Attribute::NoUnwind);
  }
}

void optimize(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O3)
      .run(module, modules);
}

/// The name that the library's table points to.
void defineName(Module &module, const InstructionSet &isa) {
  GlobalVariable *declared = module.getNamedGlobal("umber_isa");
  Constant *text = ConstantDataArray::getString(module.getContext(), isa.name);
  auto *defined =
      new GlobalVariable(module, text->getType(), /*isConstant=*/true,
                         GlobalValue::PrivateLinkage, text, "isa_name");
  declared->replaceAllUsesWith(defined);
  declared->eraseFromParent();
}

Expected<SmallVector<char, 0>>
generate(Module &module, const InstructionSet &isa, CodeGenFileType type) {
  auto machine = createTargetMachine(isa);
  if (!machine) {
    return machine.takeError();
  }
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, type)) {
    return makeError("the code generator for " + isa.name +
                     " cannot write this kind of file");
  }
  passes.run(module);
  return bytes;
}

} // namespace

Expected<std::unique_ptr<Module>> translateToLLVMIR(mlir::ModuleOp code,
                                                    const InstructionSet &isa,
                                                    LLVMContext &context) {
  std::unique_ptr<Module> module;
  {
    // Both change the MLIR context; what follows, which takes the time, is of
    // the LLVM context alone.
    static std::mutex mutex;
    std::lock_guard<std::mutex> lock(mutex);
    mlir::registerBuiltinDialectTranslation(*code.getContext());
    mlir::registerLLVMDialectTranslation(*code.getContext());
    module = mlir::translateModuleToLLVMIR(code, context);
  }
  if (!module) {
    return makeError("could not translate the kernels to LLVM IR");
  }
  auto machine = createTargetMachine(isa);
  if (!machine) {
    return machine.takeError();
  }
  module->setTargetTriple(Triple(isa.triple));
  module->setDataLayout((*machine)->createDataLayout());
  defineName(*module, isa);

  auto bitcode =
      parseBitcodeFile(MemoryBufferRef(isa.bitcode, "microkernels"), context);
  if (!bitcode) {
    return bitcode.takeError();
  }
  (*bitcode)->setTargetTriple(module->getTargetTriple());
  (*bitcode)->setDataLayout(module->getDataLayout());
  if (Linker::linkModules(*module, std::move(*bitcode),
                          Linker::LinkOnlyNeeded)) {
    return makeError("could not link the microkernels for " + isa.name);
  }
  internalizeModule(*module, [](const GlobalValue &value) {
    return value.getName() == "umber_library_query";
  });
  setFunctionAttributes(*module, isa);
  optimize(*module, **machine);
  return module;
}

Expected<std::string> emitAssembly(Module &module, const InstructionSet &isa) {
  auto text = generate(module, isa, CodeGenFileType::AssemblyFile);
  if (!text) {
    return text.takeError();
  }
  return std::string(text->begin(), text->end());
}

Expected<SmallVector<char, 0>> emitObject(Module &module,
                                          const InstructionSet &isa) {
  return generate(module, isa, CodeGenFileType::ObjectFile);
}

} // namespace umber::cpu
