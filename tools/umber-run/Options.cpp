// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Options.h"

#include "tools/common/Handles.h"
#include "tools/common/Loras.h"

#include <CLI/CLI.hpp>

using namespace umber::tools;

void umber::tools::addOptions(CLI::App &app, RunOptions &options) {
  app.set_version_flag("--version", umber_version());
  app.add_option("PACKAGE", options.package, "The model, a .umb package");
  app.add_option("-p,--prompt", options.prompt,
                 "What to answer; without -p, -f and --prompts: chat");
  app.add_option("-f,--file", options.promptFile,
                 "Read the prompt from a file");
  CLI::Option *prompts = app.add_option(
      "--prompts", options.promptsFile,
      "Answer each line of a file, several lines at once, in the file's order");
  app.add_option("--sessions", options.sessions,
                 "How many of --prompts to answer at once")
      ->check(CLI::Range(1, 1024))
      ->needs(prompts)
      ->capture_default_str();
  app.add_option("--system", options.system, "The chat's system message");
  app.add_flag("--raw", options.raw,
               "Give the prompt as it stands, without the chat template");
  app.add_option("-n,--predict", options.maxNew,
                 "Tokens to generate, -1: until the model ends or the context "
                 "is full")
      ->check(CLI::Range(-1, INT32_MAX));
  app.add_option("-t,--threads", options.threads, "Threads, 0: all cores")
      ->check(CLI::Range(0, 256));
  app.add_option("-c,--ctx-size", options.context,
                 "Tokens of context, 0: what the model was trained for")
      ->check(CLI::Range(0, INT32_MAX));
  app.add_flag("--ignore-eos", options.ignoreEnd,
               "Go on after tokens that end an answer");

  umber_sampler_options &sampler = options.sampler;
  app.add_option("--temp", sampler.temperature, "Temperature, 0: greedy")
      ->capture_default_str();
  app.add_option("--top-k", sampler.top_k, "Keep the k best tokens, 0: all")
      ->capture_default_str();
  app.add_option("--top-p", sampler.top_p,
                 "Keep the best tokens with this much probability, 1: all")
      ->capture_default_str();
  app.add_option("--min-p", sampler.min_p,
                 "Drop tokens below this part of the best one's probability")
      ->capture_default_str();
  app.add_option("--repeat-penalty", sampler.repeat_penalty,
                 "Penalty for recent tokens, 1: none")
      ->capture_default_str();
  app.add_option("--repeat-last-n", sampler.repeat_last_n,
                 "How many tokens back the penalty looks")
      ->capture_default_str();
  app.add_option("-s,--seed", sampler.seed, "Seed of the sampler")
      ->capture_default_str();

  addLoraOption(app, options.loras);
  addDeviceOptions(app, options.device);
  app.add_flag("--list-devices", options.listDevices, "List devices and exit");
  app.add_flag("--json", options.json,
               "Print one JSON object per prompt instead of streaming text");
  app.add_option("--logits", options.logitsFile,
                 "Write the last prompt position's logits, little-endian f32");
  app.add_flag("--profile", options.profile,
               "Print the time of each kernel on stderr");
  app.add_option("--profile-trace", options.profileTrace,
                 "Write when each worker ran each kernel, for chrome://tracing "
                 "or ui.perfetto.dev");
}

void umber::tools::checkOptions(const RunOptions &options) {
  if (options.package.empty() && !options.listDevices) {
    throw ToolError("no package given; see --help");
  }
  if (options.prompt.has_value() + options.promptFile.has_value() +
          options.promptsFile.has_value() >
      1) {
    throw ToolError("-p, -f and --prompts exclude each other");
  }
  for (auto [set, name] :
       {std::pair(options.logitsFile.has_value(), "--logits"),
        std::pair(options.profileTrace.has_value(), "--profile-trace")}) {
    if (options.promptsFile && set) {
      throw ToolError(std::string(name) + " and --prompts exclude each other");
    }
  }
  if (options.raw && options.system) {
    throw ToolError("--raw and --system exclude each other");
  }
  if (options.isChat() && !options.listDevices) {
    for (auto [set, name] :
         {std::pair(options.raw, "--raw"), std::pair(options.json, "--json"),
          std::pair(options.logitsFile.has_value(), "--logits")}) {
      if (set) {
        throw ToolError(std::string(name) + " needs a prompt: -p or -f");
      }
    }
  }
}
