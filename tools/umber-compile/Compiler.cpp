// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases in their order, and what is written at their end.

#include "tools/umber-compile/Compiler.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "dialects/Umber/Import/Import.h"
#include "mlir/Pass/PassManager.h"
#include "targets/Common/PackageBuilder.h"
#include "tools/common/FirstError.h"
#include "tools/common/WriteFile.h"
#include "tools/umber-compile/Progress.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace umber::compile {

namespace {

class Compiler {
public:
  Compiler(mlir::MLIRContext &context, const Options &options)
      : context(context), options(options),
        diagnostics(&context, options.input) {}

  Error run();

private:
  Error fail(const Twine &otherwise) {
    std::string text = diagnostics.getText().empty()
                           ? (options.input + ": " + otherwise).str()
                           : diagnostics.getText().str();
    return createStringError(inconvertibleErrorCode(), text);
  }
  Error runPhase(Phase phase);
  Error dumpPhase(Phase phase, mlir::ModuleOp module);
  Error lower();
  Error emitCode();
  Error emitPackage();
  void printSummary(const PackageSummary &summary);

  mlir::MLIRContext &context;
  const Options &options;
  FirstError diagnostics;
  Progress progress;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  cpu::LoweredModel lowered;
};

Error Compiler::dumpPhase(Phase phase, mlir::ModuleOp dumped) {
  if (options.dumpPhasesTo.empty()) {
    return Error::success();
  }
  if (std::error_code code =
          sys::fs::create_directories(options.dumpPhasesTo)) {
    return createStringError(code,
                             options.dumpPhasesTo + ": " + code.message());
  }
  SmallString<256> path(options.dumpPhasesTo);
  sys::path::append(path,
                    Twine(int(phase)) + "." + getPhaseName(phase) + ".mlir");
  return writeFile(path, [&](raw_ostream &os) { dumped->print(os); });
}

Error Compiler::runPhase(Phase phase) {
  if (phase == Phase::Import) {
    auto imported = importModel(&context, options.input);
    if (!imported) {
      return imported.takeError();
    }
    module = std::move(*imported);
    return dumpPhase(phase, *module);
  }
  PipelineOptions pipeline;
  pipeline.bits = options.bits;
  pipeline.kvBits = options.kvBits;
  pipeline.maxTokens = options.maxTokens;
  mlir::PassManager pm(&context);
  addPhase(pm, phase, pipeline);
  if (failed(pm.run(*module))) {
    return fail("the phase '" + getPhaseName(phase) + "' failed");
  }
  return dumpPhase(phase, *module);
}

Error Compiler::lower() {
  auto result = cpu::lowerToLoops(*module);
  if (failed(result)) {
    return fail("the model cannot be lowered for the cpu target");
  }
  lowered = std::move(*result);
  return dumpPhase(Phase::Lower, *lowered.code);
}

Error Compiler::emitCode() {
  if (failed(cpu::convertToLLVM(*lowered.code, lowered.plan.kernels))) {
    return fail("the kernels cannot be converted to LLVM");
  }
  const cpu::InstructionSet &isa = *options.isas.front();
  LLVMContext llvmContext;
  auto code = cpu::translateToLLVMIR(*lowered.code, isa, llvmContext);
  if (!code) {
    return code.takeError();
  }
  if (options.emit == Emit::LLVM) {
    return writeFile(options.output,
                     [&](raw_ostream &os) { (*code)->print(os, nullptr); });
  }
  if (options.emit == Emit::Assembly) {
    auto text = cpu::emitAssembly(**code, isa);
    if (!text) {
      return text.takeError();
    }
    return writeFile(options.output, [&](raw_ostream &os) { os << *text; });
  }
  auto object = cpu::emitObject(**code, isa);
  if (!object) {
    return object.takeError();
  }
  return writeFile(options.output, [&](raw_ostream &os) {
    os.write(object->data(), object->size());
  });
}

Error Compiler::emitPackage() {
  auto path = (*module)->getAttrOfType<mlir::StringAttr>(
      mlir::umber::kParametersAttrName);
  if (!path) {
    return createStringError(inconvertibleErrorCode(),
                             options.input +
                                 ": a package needs weights, and this "
                                 "model has shapes only");
  }
  auto file = gguf::File::open(path.getValue());
  if (!file) {
    return file.takeError();
  }
  auto tokenizer = importTokenizer(**file);
  if (!tokenizer) {
    return tokenizer.takeError();
  }
  auto store = openParameterStore(*module);
  if (!store) {
    return store.takeError();
  }

  CompiledTarget target;
  target.name = "cpu";
  target.scratchBytes = lowered.scratchBytes;
  if (failed(cpu::convertToLLVM(*lowered.code, lowered.plan.kernels))) {
    return fail("the kernels cannot be converted to LLVM");
  }
  for (auto [index, isa] : enumerate(options.isas)) {
    progress.show(("code for " + isa->name).str(),
                  double(index) / double(options.isas.size()));
    LLVMContext llvmContext;
    auto code = cpu::translateToLLVMIR(*lowered.code, *isa, llvmContext);
    if (!code) {
      return code.takeError();
    }
    auto object = cpu::emitObject(**code, *isa);
    if (!object) {
      return object.takeError();
    }
    auto library = cpu::linkLibrary(*object, *isa);
    if (!library) {
      return library.takeError();
    }
    target.variants.push_back({isa->name.str(), std::move(*library)});
  }
  target.plan = std::move(lowered.plan);
  auto summary =
      writePackage(options.output, *module, target, **store, &*tokenizer,
                   [&](double done) { progress.show("weights", done); });
  progress.clear();
  if (!summary) {
    return summary.takeError();
  }
  printSummary(*summary);
  return Error::success();
}

void Compiler::printSummary(const PackageSummary &summary) {
  double bits = summary.bodyWeights ? 8.0 * double(summary.bodyBytes) /
                                          double(summary.bodyWeights)
                                    : 0.0;
  errs() << formatv(
      "{0}: {1} parameters; body {2:f3} bits per weight; model {3} "
      "bytes; file {4} bytes\n",
      options.output, summary.parameters, bits, summary.modelBytes,
      summary.fileBytes);
}

Error Compiler::run() {
  for (Phase phase :
       {Phase::Import, Phase::Compress, Phase::Quantize, Phase::Fuse}) {
    if (phase > options.compileTo) {
      break;
    }
    progress.show(getPhaseName(phase), 0.0);
    if (Error error = runPhase(phase)) {
      return error;
    }
  }
  mlir::ModuleOp last = *module;
  if (options.compileTo >= Phase::Lower) {
    if (Error error = lower()) {
      return error;
    }
    last = *lowered.code;
  }
  if (options.emit == Emit::MLIR) {
    progress.clear();
    return writeFile(options.output, [&](raw_ostream &os) { last->print(os); });
  }
  return options.emit == Emit::Package ? emitPackage() : emitCode();
}

} // namespace

Error compile(mlir::MLIRContext &context, const Options &options) {
  return Compiler(context, options).run();
}

} // namespace umber::compile
