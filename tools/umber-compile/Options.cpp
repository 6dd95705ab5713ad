// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Options.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"

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
                 clEnumValN(Emit::Object, "obj", "an object file")),
      cl::cat(category)};
  cl::opt<std::string> bits{"bits",
                            cl::desc("bits per weight of the body: 16 or 32"),
                            cl::init("16"), cl::cat(category)};
  cl::opt<std::string> kvBits{
      "kv-bits",
      cl::desc("bits per element of the key/value cache: 16 or 32 (default: as "
               "many as the body's)"),
      cl::cat(category)};
  cl::list<std::string> target{"target", cl::desc("what to compile for: cpu"),
                               cl::CommaSeparated, cl::cat(category)};
  cl::list<std::string> isa{
      "isa",
      cl::desc("instruction sets of the cpu target: x86-64-v4, x86-64-v3, "
               "aarch64 (default: all)"),
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

Expected<int64_t> parseBits(StringRef flag, StringRef text) {
  if (text != "16" && text != "32") {
    return makeError("--" + flag + ": expected 16 or 32, found '" + text + "'");
  }
  return text == "16" ? 16 : 32;
}

Error parseTargets(const Flags &flags, Options &options) {
  for (const std::string &name : flags.target) {
    if (name != "cpu") {
      return makeError("--target: expected cpu, found '" + name + "'");
    }
  }
  std::vector<StringRef> known;
  for (const cpu::InstructionSet &isa : cpu::getInstructionSets()) {
    known.push_back(isa.name);
    if (flags.isa.empty() || is_contained(flags.isa, isa.name)) {
      options.isas.push_back(&isa);
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

Expected<Options> checkFlags(const Flags &flags) {
  Options options;
  options.input = flags.input;
  options.output = flags.output;
  options.emit = flags.emit;
  options.dumpPhasesTo = flags.dumpPhasesTo;
  auto bits = parseBits("bits", flags.bits);
  if (!bits) {
    return bits.takeError();
  }
  options.bits = options.kvBits = *bits;
  if (!flags.kvBits.empty()) {
    auto kvBits = parseBits("kv-bits", flags.kvBits);
    if (!kvBits) {
      return kvBits.takeError();
    }
    options.kvBits = *kvBits;
  }
  options.maxTokens = flags.maxTokens;
  if (options.maxTokens < 2 || options.maxTokens > 4096) {
    return makeError("--max-tokens: expected 2 to 4096, found " +
                     Twine(options.maxTokens));
  }
  if (Error error = parseTargets(flags, options)) {
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
  bool isOneFile = options.emit == Emit::Package || options.emit == Emit::MLIR;
  if (!isOneFile && options.isas.size() != 1) {
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
  return options;
}

} // namespace

Expected<Options> parseOptions(int argc, char **argv) {
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
