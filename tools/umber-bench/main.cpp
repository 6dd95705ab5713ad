// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-bench: how fast a compiled model reads prompts and generates, measured
// and shown as llama-bench does.

#include "tools/common/DeviceOptions.h"
#include "tools/common/ToolMain.h"
#include "tools/umber-bench/RooflineReport.h"

using namespace umber::tools;

namespace {

struct Options {
  std::string package;
  std::vector<int32_t> prompts = {512};
  std::vector<int32_t> news = {128};
  std::vector<int32_t> depths = {0};
  std::vector<int32_t> sessions = {1};
  std::vector<int32_t> threads = {0};
  int32_t repetitions = 5;
  std::string output = "md";
  /// What a session comes to after its first tokens.
  DeviceOptions device = {"", "", "copy"};
  std::vector<std::string> loras;
  bool roofline = false;
  bool profile = false;
};

void run(const Options &options) {
  BenchReport report;
  report.package = options.package;
  for (int32_t threads : options.threads) {
    umber_model_options load = options.device.forThreads(threads);
    Model model = loadModel(options.package, load);
    Loras loras(model.get(), options.loras);
    umber_model_info info = modelInfo(model.get());
    report.model = info.name;
    report.modelBytes = info.weight_bytes;
    report.parameters = info.parameter_count;
    report.contextLength = info.context_length;
    report.cacheBytesPerToken = info.cache_bytes_per_token;
    report.device = info.device;
    report.isa = info.isa;
    report.isSimulated = info.is_simulated;
    if (report.rows.empty() && report.rooflines.empty()) {
      noteSimulation(info);
    }
    auto meter =
        options.roofline || options.profile
            ? std::make_unique<RooflineMeter>(model.get(), options.profile)
            : nullptr;
    auto add = [&](int32_t prompt, int32_t news, int32_t depth,
                   int32_t sessions) {
      if (prompt + news > 0) {
        Measurement row;
        row.threads = info.threads;
        row.promptTokens = prompt;
        row.newTokens = news;
        row.depth = depth;
        row.sessions = sessions;
        row.loras = options.loras.empty() ? nullptr : &loras;
        if (meter) {
          report.rooflines.push_back(meter->measure(row, options.repetitions));
        } else {
          measure(model.get(), row, options.repetitions);
          report.rows.push_back(row);
        }
      }
    };
    for (int32_t depth : options.depths) {
      for (int32_t prompt : options.prompts) {
        add(prompt, 0, depth, 1);
      }
      for (int32_t news : options.news) {
        for (int32_t sessions : options.sessions) {
          add(0, news, depth, sessions);
        }
      }
    }
  }
  if (options.profile) {
    printRooflines(report, "json");
  } else if (options.roofline) {
    printRooflines(report, options.output);
  } else {
    printReport(report, options.output);
  }
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Measures a compiled model's speed", "umber-bench");
  Options options;
  auto counts = CLI::Range(0, 1 << 24);
  app.set_version_flag("--version", umber_version());
  app.add_option("PACKAGE", options.package, "The model, a .umb package")
      ->required();
  app.add_option("-p,--n-prompt", options.prompts, "Prompt lengths; 0: none")
      ->delimiter(',')
      ->check(counts);
  app.add_option("-n,--n-gen", options.news, "Tokens to generate; 0: none")
      ->delimiter(',')
      ->check(counts);
  app.add_option("-d,--n-depth", options.depths, "Tokens in the context before")
      ->delimiter(',')
      ->check(counts);
  app.add_option("--sessions", options.sessions,
                 "Sequences to generate together; speeds are of all of them")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  app.add_option("-t,--threads", options.threads, "Threads, 0: all cores")
      ->delimiter(',')
      ->check(CLI::Range(0, 256));
  app.add_option("-r,--repetitions", options.repetitions, "Runs of each test")
      ->check(CLI::Range(1, 10000));
  app.add_option("-o,--output", options.output, "md, csv or json")
      ->check(CLI::IsMember({"md", "csv", "json"}));
  app.add_flag(
      "--roofline", options.roofline,
      "Show each kernel beside the memory's and the arithmetic's bound");
  app.add_flag("--profile", options.profile,
               "The same of each layer, as JSON: what umber-report shows of a "
               "CPU");
  addLoraOption(app, options.loras);
  addDeviceOptions(app, options.device);
  return toolMain(app, argc, argv, [&] { run(options); });
}
