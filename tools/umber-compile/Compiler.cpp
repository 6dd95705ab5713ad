// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases in their order, and what is written at their end.

#include "tools/umber-compile/Compiler.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "dialects/Umber/Import/Import.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/Recipe.h"
#include "targets/Common/PackageBuilder.h"
#include "targets/NPU/EnginePackage.h"
#include "tools/common/FirstError.h"
#include "tools/common/WriteFile.h"
#include "tools/umber-compile/CalibrationText.h"
#include "tools/umber-compile/Code.h"
#include "tools/umber-compile/EnginePrograms.h"
#include "tools/umber-compile/GpuCode.h"
#include "tools/umber-compile/ModelDescription.h"
#include "tools/umber-compile/Report.h"
#include "tools/umber-compile/ScratchFolder.h"
#include "tools/umber-compile/Stages.h"
#include "llvm/ADT/STLExtras.h"
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
        diagnostics(&context, options.input),
        progress(getStages(options), /*quiet=*/!isCompressing()) {
    context.registerActionHandler([this](function_ref<void()> transform,
                                         const mlir::tracing::Action &action) {
      if (auto *step = dyn_cast<ProgressAction>(&action)) {
        progress.show(step->getWhat(), step->getDone());
      }
      transform();
    });
  }
  ~Compiler() { context.registerActionHandler(nullptr); }

  Error run();

private:
  /// Which takes long enough for people to be told how far it is.
  bool isCompressing() const {
    return options.pipeline->hasEncoded() && !options.scratch.empty();
  }
  Error fail(const Twine &otherwise) {
    std::string text = diagnostics.getText().empty()
                           ? (options.input + ": " + otherwise).str()
                           : diagnostics.getText().str();
    return createStringError(inconvertibleErrorCode(), text);
  }
  Error runPhase(Phase phase);
  /// `part` names one of several modules of the phase.
  Error dumpPhase(Phase phase, mlir::ModuleOp module, StringRef part = "");
  Error dumpLaunches(gpu::Api api, mlir::ModuleOp launches);
  Error lower();
  Error emitCode();
  /// The code of a package.
  Expected<CompiledTarget> compileTarget();
  Error emitPackage();
  /// Writes the package with this target, and the model's tokenizer.
  Error writeTarget(TargetContent &target);
  /// What a neural engine runs.
  Error emitForEngine();
  Error emit();
  /// What can be known to fail before the long work.
  Error prepare();
  Error writeRecipe();
  Error report();
  /// Derived parameters that the module names now are to stay.
  void keepDerived();
  Error cleanUp();

  mlir::MLIRContext &context;
  const Options &options;
  FirstError diagnostics;
  Progress progress;
  std::unique_ptr<ScratchFolder> scratch;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  cpu::LoweredModel lowered;
  std::optional<PackageSummary> written;
  StringSet<> kept;
};

Error Compiler::prepare() {
  for (const std::string &path :
       {options.output, options.saveRecipe, options.report}) {
    if (path.empty()) {
      continue;
    }
    if (Error error = checkWritable(path)) {
      return error;
    }
  }
  if (!options.dumpPhasesTo.empty()) {
    if (std::error_code code =
            sys::fs::create_directories(options.dumpPhasesTo)) {
      return createStringError(code,
                               options.dumpPhasesTo + ": " + code.message());
    }
  }
  if (options.scratch.empty()) {
    return Error::success();
  }
  auto opened = ScratchFolder::open(options.scratch);
  if (!opened) {
    return opened.takeError();
  }
  scratch = std::move(*opened);
  return Error::success();
}

Error Compiler::dumpPhase(Phase phase, mlir::ModuleOp dumped, StringRef part) {
  if (options.dumpPhasesTo.empty()) {
    return Error::success();
  }
  keepDerived();
  SmallString<256> path(options.dumpPhasesTo);
  sys::path::append(path, Twine(int(phase)) + "." + getPhaseName(phase) +
                              (part.empty() ? "" : ".") + part + ".mlir");
  return writeFile(path, [&](raw_ostream &os) { dumped->print(os); });
}

Error Compiler::dumpLaunches(gpu::Api api, mlir::ModuleOp launches) {
  return dumpPhase(Phase::Lower, launches,
                   api == gpu::Api::Vulkan ? "vulkan" : "cuda");
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
  std::unique_ptr<CalibrationText> text;
  std::vector<std::unique_ptr<CalibrationText>> texts;
  for (const std::string &path :
       phase == Phase::Compress ? options.texts : std::vector<std::string>()) {
    auto created = CalibrationText::create(path, *module);
    if (!created) {
      return created.takeError();
    }
    options.pipeline->tokens.push_back((*created)->getTokens().str());
    texts.push_back(std::move(*created));
  }
  bool hasData = (*module)->hasAttr(mlir::umber::kParametersAttrName);
  if (phase == Phase::Compress && !hasData && options.texts.empty() &&
      options.pipeline->statistics.empty()) {
    // Shapes have nothing to be calibrated for, nor data to do it with.
    options.pipeline->calibrationSequences = 0;
  }
  mlir::PassManager pm(&context);
  addPhase(pm, phase, *options.pipeline);
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
  return writeCode(*lowered.code, isa, options.emit, options.output);
}

Expected<CompiledTarget> Compiler::compileTarget() {
  if (options.isForGpu) {
    progress.show("code", 0);
    auto compiled = compileForGpu(
        *module, options.gpuVariants,
        [&](gpu::Api api, mlir::ModuleOp m) { return dumpLaunches(api, m); });
    if (!compiled) {
      return fail(toString(compiled.takeError()));
    }
    return std::move(*compiled);
  }
  CompiledTarget target;
  target.name = "cpu";
  target.scratchBytes = lowered.scratchBytes;
  std::vector<const cpu::InstructionSet *> isas = options.isas;
  if (options.choosesIsas && !cpu::hasEncodedProducts(*lowered.code)) {
    // Their code would be a later set's once more.
    llvm::erase_if(isas, [](const cpu::InstructionSet *isa) {
      return isa->isForEncodedProducts;
    });
  }
  if (failed(cpu::convertToLLVM(*lowered.code, lowered.plan.kernels))) {
    return fail("the kernels cannot be converted to LLVM");
  }
  progress.show("code", 0);
  auto variants = buildVariants(*lowered.code, isas);
  if (!variants) {
    return variants.takeError();
  }
  target.variants = std::move(*variants);
  target.plan = std::move(lowered.plan);
  return std::move(target);
}

Error Compiler::emitPackage() {
  bool hasData = (*module)->hasAttr(mlir::umber::kParametersAttrName);
  // Of a model of shapes there are reports on GPUs.
  if (!hasData && !options.isForGpu) {
    return createStringError(inconvertibleErrorCode(),
                             options.input +
                                 ": a package needs weights, and this "
                                 "model has shapes only");
  }
  auto target = compileTarget();
  if (!target) {
    return target.takeError();
  }
  return writeTarget(*target);
}

Error Compiler::writeTarget(TargetContent &target) {
  auto store = openParameterStore(*module);
  if (!store) {
    return store.takeError();
  }
  std::optional<TokenizerImport> tokenizer;
  auto path = (*module)->getAttrOfType<mlir::StringAttr>(
      mlir::umber::kParametersAttrName);
  if (path) {
    auto file = gguf::File::open(path.getValue());
    if (!file) {
      return file.takeError();
    }
    auto imported = importTokenizer(**file);
    if (!imported) {
      return imported.takeError();
    }
    tokenizer = std::move(*imported);
  }
  auto summary = writePackage(
      options.output, *module, target, path ? store->get() : nullptr,
      tokenizer ? &*tokenizer : nullptr,
      [&](double done) { progress.show("weights", done); });
  if (!summary) {
    return summary.takeError();
  }
  written = *summary;
  return Error::success();
}

Error Compiler::emitForEngine() {
  auto compiled =
      npu::compileModel(*module, *options.engine, options.adapterRank);
  if (failed(compiled)) {
    return fail("the model cannot be compiled for " + options.engine->name);
  }
  if (Error error = dumpPhase(Phase::Lower, *compiled->programs)) {
    return error;
  }
  if (options.emit == Emit::MLIR) {
    return writeFile(options.output,
                     [&](raw_ostream &os) { compiled->programs->print(os); });
  }
  if (options.emit == Emit::EngineAssembly) {
    return writePrograms(*compiled, options.output);
  }
  npu::EnginePackage target(
      *module, *compiled, *options.engine,
      describeModel(*module,
                    getEngineStorage(compiled->layout, *options.engine)));
  return writeTarget(target);
}

Error Compiler::emit() {
  if (options.engine && options.compileTo >= Phase::Lower) {
    return emitForEngine();
  }
  bool isGpuCode = options.isForGpu && options.emit != Emit::Package &&
                   options.compileTo >= Phase::Lower;
  if (isGpuCode) {
    Error error = writeGpuCode(
        *module, *options.gpuVariants.back(), options.emit, options.output,
        [&](gpu::Api api, mlir::ModuleOp m) { return dumpLaunches(api, m); });
    return error ? fail(toString(std::move(error))) : Error::success();
  }
  if (options.compileTo >= Phase::Lower && !options.isForGpu) {
    if (Error error = lower()) {
      return error;
    }
  }
  if (options.emit == Emit::Package) {
    return emitPackage();
  }
  if (options.emit != Emit::MLIR) {
    return emitCode();
  }
  mlir::ModuleOp last =
      options.compileTo >= Phase::Lower ? *lowered.code : *module;
  return writeFile(options.output, [&](raw_ostream &os) { last->print(os); });
}

Error Compiler::writeRecipe() {
  if (options.saveRecipe.empty()) {
    return Error::success();
  }
  return writeFile(options.saveRecipe, [&](raw_ostream &os) {
    os << formatv("{0:2}\n", Recipe::describe(*module));
  });
}

Error Compiler::report() {
  Report result(*module, options.output);
  if (written) {
    result.sizes = *written;
  }
  if (isCompressing()) {
    result.printTable(errs());
  }
  if (written || isCompressing()) {
    result.printSummary(errs());
  }
  if (options.report.empty()) {
    return Error::success();
  }
  return writeFile(options.report,
                   [&](raw_ostream &os) { result.writeJson(os); });
}

void Compiler::keepDerived() {
  for (auto param : module->getOps<mlir::umber::ParamOp>()) {
    kept.insert(param.getKey());
  }
}

Error Compiler::cleanUp() {
  if (!scratch) {
    return Error::success();
  }
  if (options.keepsDerived) {
    keepDerived();
  }
  return scratch->removeAllBut(kept);
}

Error Compiler::run() {
  if (Error error = prepare()) {
    return error;
  }
  for (Phase phase :
       {Phase::Import, Phase::Compress, Phase::Quantize, Phase::Fuse}) {
    if (phase > options.compileTo) {
      break;
    }
    progress.show(getPhaseName(phase), 0.0);
    if (Error error = runPhase(phase)) {
      return error;
    }
    if (phase == Phase::Compress) {
      if (Error error = writeRecipe()) {
        return error;
      }
    }
  }
  if (Error error = emit()) {
    return error;
  }
  progress.clear();
  if (Error error = report()) {
    return error;
  }
  return cleanUp();
}

} // namespace

Error compile(mlir::MLIRContext &context, const Options &options) {
  return Compiler(context, options).run();
}

} // namespace umber::compile
