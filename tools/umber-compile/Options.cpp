// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Options.h"
#include "runtime/adapter/AdapterSpec.h"
#include "runtime/package/LaneEncoding.h"
#include "tools/umber-compile/CompressionFlags.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace umber::compile {

namespace {

Error makeError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

struct Flags {
  cl::OptionCategory category{"umber-compile options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("MODEL"), cl::Required,
                             cl::cat(category)};
  cl::opt<std::string> output{"o",
                              cl::desc("file to write; - for standard output"),
                              cl::value_desc("file"), cl::cat(category)};
  cl::opt<Emit> emit{
      "emit", cl::desc("what to write"), cl::init(Emit::Package),
      cl::values(clEnumValN(Emit::Package, "package", "a .umb package"),
                 clEnumValN(Emit::MLIR, "mlir",
                            "the IR after the phase of --compile-to"),
                 clEnumValN(Emit::LLVM, "llvm", "optimized LLVM IR"),
                 clEnumValN(Emit::Assembly, "asm", "assembly"),
                 clEnumValN(Emit::EngineAssembly, "npu-asm",
                            "a neural engine's programs as text"),
                 clEnumValN(Emit::SPIRV, "spirv",
                            "a GPU's code for Vulkan, as MLIR's SPIR-V"),
                 clEnumValN(Emit::PTX, "ptx", "a GPU's code for CUDA"),
                 clEnumValN(Emit::Object, "obj", "an object file")),
      cl::cat(category)};
  cl::list<std::string> lora{
      "lora",
      cl::desc(
          "merge a low-rank adapter, a folder of PEFT's, a GGUF file or an "
          "adapter package, times a scale (1) into the weights; may be "
          "repeated"),
      cl::value_desc("PATH[:SCALE]"), cl::cat(category)};
  CompressionFlags compression{category};
  cl::opt<std::string> saveRecipe{
      "save-recipe", cl::desc("file to write the widths to that were chosen"),
      cl::value_desc("file"), cl::cat(category)};
  cl::opt<std::string> report{
      "report",
      cl::desc("write sizes and every matrix as JSON, to standard output or to "
               "a file"),
      cl::value_desc("json[:file]"), cl::cat(category)};
  cl::opt<int64_t> threads{"threads",
                           cl::desc("threads to compress with; 0: all cores"),
                           cl::init(0), cl::cat(category)};
  cl::list<std::string> target{"target",
                               cl::desc("what to compile for: cpu, gpu, or "
                                        "npu:CONFIG, a neural engine as its "
                                        "description's name or .json file "
                                        "says"),
                               cl::CommaSeparated, cl::cat(category)};
  cl::opt<int64_t> adapterRank{
      "adapter-rank",
      cl::desc("rank of the adapters that a neural engine's programs have room "
               "for; 0: none (default: 16)"),
      cl::init(16), cl::cat(category)};
  cl::list<std::string> settings{
      "set",
      cl::desc("a parameter of a neural engine's description to be another "
               "value: SECTION.KEY=VALUE; may be repeated"),
      cl::cat(category)};
  cl::list<std::string> isa{
      "isa",
      cl::desc(
          "instruction sets of the cpu target: x86-64-v4-amx, "
          "x86-64-v4-vbmi, x86-64-v4, x86-64-v3, aarch64-i8mm, aarch64 "
          "(default: all that the model makes use of); of the gpu target: "
          "ptx-sm_90, ptx-sm_80, spirv1.3-texels, spirv1.3 (default: all)"),
      cl::CommaSeparated, cl::cat(category)};
  cl::opt<int64_t> maxTokens{
      "max-tokens", cl::desc("rows that one step of the prefill can take"),
      cl::init(64), cl::cat(category)};
  cl::opt<std::string> compileTo{
      "compile-to",
      cl::desc("last phase to run: import, compress, quantize, fuse, lower or "
               "emit (default)"),
      cl::init("emit"), cl::cat(category)};
  cl::opt<std::string> dumpPhasesTo{
      "dump-phases-to", cl::desc("folder to write the IR after each phase to"),
      cl::value_desc("folder"), cl::cat(category)};
};

/// The file of --report, or "-"; empty without one.
Expected<std::string> parseReport(const Flags &flags) {
  if (flags.report.getNumOccurrences() == 0) {
    return std::string();
  }
  auto [format, file] = StringRef(flags.report).split(':');
  if (format != "json" || (file.empty() && flags.report != "json")) {
    return makeError("--report: expected json or json:FILE, found '" +
                     flags.report + "'");
  }
  return file.empty() ? std::string("-") : file.str();
}

/// What compressed weights ask of the other options.
Error checkDerived(const Flags &flags, Options &options) {
  if (!options.saveRecipe.empty() && !options.pipeline->isCompressed()) {
    return makeError(
        "--save-recipe: expected --bits of 1 to 8 with it, found " +
        flags.compression.bits);
  }
  if (!options.saveRecipe.empty() && options.compileTo == Phase::Import) {
    return makeError("--save-recipe: expected a later --compile-to than "
                     "import, with which no widths are chosen");
  }
  if (!options.pipeline->lora.empty() && options.compileTo == Phase::Import) {
    return makeError("--lora: expected a later --compile-to than import, with "
                     "which nothing is merged");
  }
  if (!options.pipeline->hasDerived() || options.compileTo == Phase::Import) {
    return Error::success();
  }
  sys::fs::file_status found;
  bool isDevice =
      !sys::fs::status(options.output, found) && sys::fs::is_other(found);
  if (options.output == "-" || isDevice) {
    return makeError("-o " + options.output +
                     ": expected a file, beside which compressed weights are "
                     "kept while they are made");
  }
  // Lowered code names no parameters any more.
  bool namesThem =
      options.emit == Emit::MLIR && options.compileTo < Phase::Lower;
  options.keepsDerived = namesThem || !options.dumpPhasesTo.empty();
  SmallString<256> folder(options.output +
                          (namesThem ? ".derived" : ".partial"));
  if (!options.dumpPhasesTo.empty()) {
    folder = options.dumpPhasesTo;
    sys::path::append(folder, "derived");
  }
  options.scratch = folder.str();
  // IR can be read from another folder than it was written from.
  if (std::error_code code = sys::fs::make_absolute(folder)) {
    return createStringError(code, options.scratch + ": " + code.message());
  }
  options.pipeline->derived = folder.str().str();
  return Error::success();
}

/// The instruction sets that --isa names, or all.
template <typename T>
Error chooseByName(const Flags &flags, ArrayRef<T> all,
                   std::vector<const T *> &chosen) {
  std::vector<StringRef> known;
  for (const T &isa : all) {
    known.push_back(isa.name);
    if (flags.isa.empty() || is_contained(flags.isa, isa.name)) {
      chosen.push_back(&isa);
    }
  }
  for (const std::string &name : flags.isa) {
    if (!is_contained(known, name)) {
      return makeError("--isa: expected " + join(known, ", ") + ", found '" +
                       name + "'");
    }
  }
  return Error::success();
}

/// Whether what is to be written is of the target, and how.
Error checkEmit(Options &options) {
  Emit emit = options.emit;
  bool isOfAny = emit == Emit::Package || emit == Emit::MLIR;
  bool isOfGpu = emit == Emit::SPIRV || emit == Emit::PTX;
  bool isOfEngine = emit == Emit::EngineAssembly;
  if (options.engine && !isOfAny && !isOfEngine) {
    return makeError(
        "--emit: expected package, mlir or npu-asm with --target=npu");
  }
  if (options.isForGpu && !isOfAny && !isOfGpu) {
    return makeError(
        "--emit: expected package, mlir, spirv or ptx with --target=gpu");
  }
  if (!options.engine && isOfEngine) {
    return makeError("--emit=npu-asm: expected --target=npu:CONFIG");
  }
  if (!options.isForGpu && isOfGpu) {
    return makeError(Twine("--emit=") + (emit == Emit::PTX ? "ptx" : "spirv") +
                     ": expected --target=gpu");
  }
  if (isOfGpu) {
    gpu::Api api = emit == Emit::PTX ? gpu::Api::CUDA : gpu::Api::Vulkan;
    erase_if(options.gpuVariants,
             [&](const gpu::Variant *isa) { return isa->api != api; });
    if (options.gpuVariants.empty()) {
      return makeError("--isa: expected one that --emit writes, found none");
    }
  }
  return Error::success();
}

Error parseTargets(const Flags &flags, Options &options) {
  for (const std::string &name : flags.target) {
    StringRef device = name;
    if (device.consume_front("npu:")) {
      if (flags.target.size() != 1) {
        return makeError("--target: expected a neural engine alone, found " +
                         Twine(flags.target.size()) + " targets");
      }
      auto config = npu::loadConfig(
          device.str(), {flags.settings.begin(), flags.settings.end()});
      if (!config.ok()) {
        return makeError("--target: " + config.status().message());
      }
      options.engine = std::move(*config);
    } else if (name == kGpuTarget) {
      if (flags.target.size() != 1) {
        return makeError("--target: expected gpu alone, found " +
                         Twine(flags.target.size()) + " targets");
      }
      options.isForGpu = true;
    } else if (name != "cpu") {
      return makeError("--target: expected cpu, gpu or npu:CONFIG, found '" +
                       name + "'");
    }
  }
  if (!flags.settings.empty() && !options.engine) {
    return makeError("--set: expected --target=npu:CONFIG with it, found none");
  }
  if (options.isForGpu) {
    return chooseByName(flags, gpu::getVariants(), options.gpuVariants);
  }
  options.choosesIsas = flags.isa.empty();
  return chooseByName(flags, cpu::getInstructionSets(), options.isas);
}

Expected<Options> checkFlags(const Flags &flags) {
  Options options;
  options.input = flags.input;
  options.output = flags.output;
  options.emit = flags.emit;
  options.dumpPhasesTo = flags.dumpPhasesTo;
  if (Error error = flags.compression.check(*options.pipeline)) {
    return error;
  }
  if (flags.threads < 0 || flags.threads > 1024) {
    return makeError("--threads: expected 0 to 1024, found " +
                     Twine(flags.threads));
  }
  options.threads = flags.threads;
  for (const std::string &lora : flags.lora) {
    if (auto spec = AdapterSpec::parse(lora); !spec.ok()) {
      return makeError("--lora: " + spec.status().message());
    }
    options.pipeline->lora.push_back(lora);
  }
  options.saveRecipe = flags.saveRecipe;
  options.texts = flags.compression.getTexts();
  auto report = parseReport(flags);
  if (!report) {
    return report.takeError();
  }
  options.report = *report;
  if (flags.maxTokens < 2 || flags.maxTokens > 4096) {
    return makeError("--max-tokens: expected 2 to 4096, found " +
                     Twine(flags.maxTokens));
  }
  options.pipeline->maxTokens = flags.maxTokens.getValue();
  if (Error error = parseTargets(flags, options)) {
    return error;
  }
  if (flags.adapterRank < 0 || flags.adapterRank > 256) {
    return makeError("--adapter-rank: expected 0 to 256, found " +
                     Twine(flags.adapterRank));
  }
  options.adapterRank = flags.adapterRank;
  if (Error error = checkEmit(options)) {
    return error;
  }
  auto phase = parsePhase(flags.compileTo);
  if (!phase) {
    return makeError("--compile-to: expected import, compress, quantize, fuse, "
                     "lower or emit, found '" +
                     flags.compileTo + "'");
  }
  options.compileTo = *phase;
  if (options.emit == Emit::MLIR && options.compileTo == Phase::Emit) {
    options.compileTo = Phase::Lower;
  }
  if (options.emit != Emit::MLIR && options.compileTo != Phase::Emit) {
    return makeError("--compile-to=" + flags.compileTo +
                     ": expected --emit=mlir with it");
  }
  bool isOfOneIsa = options.emit == Emit::LLVM ||
                    options.emit == Emit::Assembly ||
                    options.emit == Emit::Object;
  if (isOfOneIsa && options.isas.size() != 1) {
    return makeError("--emit: expected one --isa for code, found " +
                     Twine(options.isas.size()));
  }
  if (options.output.empty()) {
    bool isText = options.emit != Emit::Package && options.emit != Emit::Object;
    if (!isText) {
      return makeError("expected -o FILE for what is not text");
    }
    options.output = "-";
  }
  if (options.output == "-" && options.emit == Emit::Package) {
    return makeError("-o -: expected a file for a package");
  }
  if (options.output == "-" && options.report == "-") {
    return makeError("--report=json: expected json:FILE with -o -");
  }
  if (Error error = checkDerived(flags, options)) {
    return error;
  }
  return options;
}

} // namespace

Expected<Options> parseOptions(int argc, char **argv) {
  // LLVM's libraries have options of their own under some of our names.
  for (StringRef name : {"stats", "threads"}) {
    auto &registered = cl::getRegisteredOptions();
    if (auto it = registered.find(name); it != registered.end()) {
      it->second->removeArgument();
    }
  }
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  std::string message;
  raw_string_ostream errors(message);
  bool parsed = cl::ParseCommandLineOptions(
      argc, argv, "Umber compiler: a language model to a package\n", &errors);
  if (!parsed) {
    // llvm::cl puts the program's name first and hints on lines of their own.
    StringRef first = StringRef(message).split('\n').first;
    if (first.contains(": ")) {
      first = first.split(": ").second;
    }
    return makeError(first);
  }
  return checkFlags(flags);
}

} // namespace umber::compile
