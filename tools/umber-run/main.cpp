// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-run: answers a prompt, or chats, with a compiled model.

#include "tools/common/ToolMain.h"
#include "tools/umber-run/Chat.h"
#include "tools/umber-run/Output.h"
#include "tools/umber-run/Profile.h"
#include "tools/umber-run/Prompts.h"

#include <chrono>

using namespace umber::tools;

namespace {

void runPrompt(const umber_model *model, const RunOptions &options,
               double loadMs) {
  std::vector<int32_t> ids = promptTokens(
      model, options,
      options.prompt ? *options.prompt : readFile(*options.promptFile),
      options.promptFile ? *options.promptFile + ": " : "");
  Generator generator(model, options);
  startProfile(generator, options);
  Generation generation =
      generator.run(ids, options.json ? [](std::string_view) {} : printNow,
                    [&](const float *logits, size_t vocab) {
                      if (options.logitsFile) {
                        writeLogits(*options.logitsFile, logits, vocab);
                      }
                    });
  if (options.json) {
    printJson(generation, loadMs);
  } else {
    printNow("\n");
    printSpeeds(generation, loadMs);
  }
  finishProfile(model, generator, options);
}

void run(const RunOptions &options) {
  checkOptions(options);
  if (options.listDevices) {
    printDevices();
    return;
  }
  checkProfile(options);
  umber_model_options load = options.device.forThreads(options.threads);
  auto start = std::chrono::steady_clock::now();
  Model model = loadModel(options.package, load);
  double loadMs = std::chrono::duration<double, std::milli>(
                      std::chrono::steady_clock::now() - start)
                      .count();
  if (!options.json) {
    noteSimulation(modelInfo(model.get()));
  }
  if (options.promptsFile) {
    answerPrompts(model.get(), options, loadMs);
  } else if (options.isChat()) {
    chat(model.get(), options);
  } else {
    runPrompt(model.get(), options, loadMs);
  }
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Runs a compiled model", "umber-run");
  RunOptions options;
  addOptions(app, options);
  return toolMain(app, argc, argv, [&] { run(options); });
}
