// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-interp: runs a module in the reference interpreter.

#include "dialects/Register/RegisterDialects.h"
#include "dialects/Umber/Interpreter/Interpreter.h"
#include "tools/common/FirstError.h"
#include "tools/common/WriteFile.h"
#include "tools/umber-interp/Adapters.h"
#include "tools/umber-interp/Load.h"
#include "tools/umber-interp/Run.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include <csignal>

namespace cl = llvm::cl;
using umber::FirstError;
using namespace mlir;
using namespace ::umber::interp;

static cl::OptionCategory category("umber-interp options");
static cl::opt<std::string> input(cl::Positional, cl::Required,
                                  cl::desc("IN.mlir|IN.mlirbc|IN.gguf|-"),
                                  cl::cat(category));
static cl::opt<std::string>
    parametersFile("parameters", cl::value_desc("FILE"),
                   cl::desc("Read parameters from FILE"), cl::cat(category));
static cl::list<int32_t> promptIds(
    "prompt-ids", cl::CommaSeparated, cl::value_desc("ID,..."),
    cl::desc("Run the model over these token ids, then decode greedily"),
    cl::cat(category));
static cl::list<std::string>
    loras("lora", cl::value_desc("PATH[:SCALE]"),
          cl::desc("Add a low-rank adapter, a folder of PEFT's, a GGUF file or "
                   "an adapter package, times a scale (1); may be repeated"),
          cl::cat(category));
static cl::opt<unsigned> count("n", cl::init(0), cl::value_desc("COUNT"),
                               cl::desc("Decode COUNT tokens"),
                               cl::cat(category));
static cl::opt<unsigned>
    chunk("chunk", cl::init(64), cl::value_desc("COUNT"),
          cl::desc("Run the prompt in steps of at most COUNT tokens"),
          cl::cat(category));
static cl::opt<bool> json("json", cl::desc("Print the tokens as JSON"),
                          cl::cat(category));
static cl::opt<std::string>
    logitsFile("logits", cl::value_desc("FILE"),
               cl::desc("Write the last prompt position's logits to FILE, as "
                        "little-endian f32"),
               cl::cat(category));
static cl::opt<std::string>
    probeDirectory("probe", cl::value_desc("DIR"),
                   cl::desc("Write every intermediate tensor to DIR, as .npy"),
                   cl::cat(category));

static LogicalResult run(MLIRContext &context, FirstError &error) {
  auto module = loadModule(input, &context);
  if (!module) {
    return error.set(module.takeError());
  }
  auto store = openParameters(**module, parametersFile);
  if (!store) {
    return error.set(store.takeError());
  }
  if (!loras.empty() && promptIds.empty()) {
    return error.set(
        llvm::createStringError("--lora: expected --prompt-ids with it"));
  }
  GenerationOptions options;
  if (!loras.empty()) {
    auto adapters = loadAdapters(**module, store->get(), loras);
    if (!adapters) {
      return error.set(adapters.takeError());
    }
    options.adapters = *adapters;
  }
  Interpreter interpreter(**module, store->get());
  if (!probeDirectory.empty() &&
      failed(writeProbes(interpreter, **module, probeDirectory))) {
    return failure();
  }
  if (promptIds.empty()) {
    return runFunctions(interpreter, **module, llvm::outs());
  }
  options.promptIds.assign(promptIds.begin(), promptIds.end());
  options.count = count;
  options.chunk = std::max(1u, chunk.getValue());
  options.logitsFile = logitsFile;
  options.json = json;
  return generate(interpreter, **module, options, llvm::outs());
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // A file beyond the shell's limit is a failed write, not a crash.
  std::signal(SIGXFSZ, SIG_IGN);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Umber's reference interpreter\n");
  DialectRegistry registry;
  ::umber::registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  FirstError error(&context, input);
  LogicalResult done = run(context, error);
  if (llvm::Error flushed = ::umber::flushStandardOutput()) {
    done = error.set(std::move(flushed));
  }
  if (failed(done)) {
    llvm::errs() << "umber-interp: error: " << error.getText() << '\n';
    return 1;
  }
  return 0;
}
