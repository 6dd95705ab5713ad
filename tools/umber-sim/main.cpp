// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-sim: what a product, or a compiled model, takes on a neural engine that
// exists as a description, in time and energy.

#include "runtime/package/OutputFile.h"
#include "tools/common/Phase.h"
#include "tools/common/ToolMain.h"
#include "tools/umber-sim/ModelReport.h"
#include "tools/umber-sim/ModelRun.h"
#include "tools/umber-sim/Report.h"
#include "tools/umber-sim/Sensitivity.h"
#include "umber/umber.h"

#include <algorithm>

using namespace umber;
using namespace umber::tools;

namespace {

struct Options {
  std::string device;
  std::vector<std::string> settings;
  std::string model;
  std::string phase;
  bool timingOnly = false;
  std::vector<int32_t> tokens = {1, 2, 3, 4, 5, 6, 7};
  int64_t chunk = 0;
  std::string logits;
  unsigned threads = 0;
  std::vector<int64_t> gemm;
  std::string weights;
  std::string dataflow;
  int64_t layers = 1;
  bool parameters = false;
  bool json = false;
  bool sensitivity = false;
  std::string csv;
  std::string trace;
};

template <typename T>
T take(Result<T> result, const char *what) {
  if (!result.ok()) {
    throw std::runtime_error(what + result.status().message());
  }
  return std::move(*result);
}

void check(const Status &status, const std::string &what = "") {
  if (!status.ok()) {
    throw std::runtime_error(what + status.message());
  }
}

void setDataflow(npu::Config &config, const std::string &name) {
  auto *array = std::get_if<npu::SystolicArray>(&config.array);
  if (array) {
    array->dataflow = name == "ws"   ? npu::Dataflow::WeightStationary
                      : name == "os" ? npu::Dataflow::OutputStationary
                                     : npu::Dataflow::InputStationary;
    return;
  }
  // Weights stay in an array of blocks, and nothing else can be asked of it.
  if (name != "ws" || !std::holds_alternative<npu::BlockArray>(config.array)) {
    throw std::runtime_error("--dataflow: expected a device that has it, found "
                             "'" +
                             name + "' for " + config.name);
  }
}

/// The engine's own arithmetic: f16 where it has any.
std::string getOwnWeights(const npu::Config &config) {
  const auto *cores = std::get_if<npu::CoreArray>(&config.array);
  return cores && cores->rowsF16 > 0 ? "f16" : "i8";
}

const npu::StepProgram &findStep(const Options &options,
                                 const npu::EngineModel &model,
                                 const char *name) {
  for (const npu::StepProgram &step : model.programs.steps) {
    if (step.name == name) {
      return step;
    }
  }
  throw std::runtime_error(options.model + ": expected a program " + name +
                           " for " + options.phase + ", found none");
}

/// As many tokens as the phase has, and their logits.
void compute(const Options &options, const Package &package,
             const npu::EngineModel &model, const Phase &phase,
             ModelReport &report) {
  if (!model.hasData()) {
    throw std::runtime_error(options.model +
                             ": expected --timing-only for a model of shapes");
  }
  check(package.verifySegments(std::max(1u, options.threads)));
  int64_t count = phase.count + phase.isDecode;
  ModelRun sequence(package, model, count, options.threads);
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i) {
    tokens.push_back(
        options.tokens[static_cast<size_t>(i) % options.tokens.size()]);
  }
  std::vector<int32_t> last;
  if (phase.isDecode) {
    last = {tokens.back()};
    tokens.pop_back();
  }
  if (!tokens.empty()) {
    check(sequence.append(findStep(options, model, "prefill"), tokens,
                          options.chunk),
          options.model + ": ");
  }
  if (!last.empty()) {
    check(sequence.append(findStep(options, model, "decode"), last, 0),
          options.model + ": ");
  }
  const std::vector<float> &logits = sequence.getLogits();
  report.nextToken =
      std::max_element(logits.begin(), logits.end()) - logits.begin();
  if (!options.logits.empty()) {
    auto file = take(OutputFile::create(options.logits), "");
    check(file->append(logits.data(), 4 * logits.size()));
    check(file->commit());
  }
}

void runModel(const Options &options) {
  auto package = take(Package::open(options.model), "");
  npu::EngineModel model = take(npu::readEngineModel(*package), "");
  ModelReport report;
  const std::string &text = model.config.text;
  report.config = take(
      options.device.empty()
          ? npu::parseConfig(
                {reinterpret_cast<const uint8_t *>(text.data()), text.size()},
                options.model, options.settings)
          : npu::loadConfig(options.device, options.settings),
      "--device: ");
  report.model = model.programs.model;
  report.phase = options.phase;
  int64_t positions = model.programs.contextLength;
  Phase phase = parsePhase(options.phase, positions);
  const npu::StepProgram &step =
      findStep(options, model, phase.isDecode ? "decode" : "prefill");
  report.rows = step.rows;
  report.scratchpadBytes = step.scratchpadBytes;
  report.liveBytes = step.liveBytes;
  int64_t capacity = npu::getCapacity(positions);
  std::vector<npu::TimedCommand> commands;
  npu::CommandVisitor visit;
  if (!options.trace.empty()) {
    visit = [&](const npu::TimedCommand &command) {
      commands.push_back(command);
    };
  }
  auto time = [&](const npu::Config &config, const npu::CommandVisitor &visit) {
    return phase.isDecode
               ? npu::timeDecode(config, step, phase.count, capacity, visit)
               : npu::timePrefill(config, step, phase.count, capacity, visit);
  };
  report.timing =
      take(time(report.config, visit), (options.model + ": ").c_str());
  if (options.sensitivity) {
    auto timeOn = [&](const npu::Config &config) { return time(config, {}); };
    printSensitivities(report, getSensitivities(report.config, timeOn),
                       options.json);
    return;
  }
  if (!options.timingOnly) {
    compute(options, *package, model, phase, report);
  }
  if (!options.csv.empty()) {
    writeCsv(report, options.csv);
  }
  if (!options.trace.empty()) {
    writeTrace(report, commands, options.trace);
  }
  printReport(report, options.json);
}

void run(const Options &options) {
  if (!options.model.empty()) {
    runModel(options);
    return;
  }
  if (options.device.empty() || (options.gemm.empty() && !options.parameters)) {
    throw std::runtime_error("expected a compiled model, or --device and "
                             "--gemm or --parameters");
  }
  ProductReport report;
  report.config =
      take(npu::loadConfig(options.device, options.settings), "--device: ");
  if (options.parameters) {
    printParameters(report.config, options.json);
    return;
  }
  report.weights =
      options.weights.empty() ? getOwnWeights(report.config) : options.weights;
  report.request.weights =
      take(npu::parseWeightFormat(report.weights), "--weights: ");
  report.request.shape = {options.gemm[0], options.gemm[1], options.gemm[2]};
  report.request.layers = options.layers;
  if (!options.dataflow.empty()) {
    setDataflow(report.config, options.dataflow);
  }
  // Counts of events are of 64 bits, with some to spare.
  double macs = static_cast<double>(options.layers);
  for (int64_t size : options.gemm) {
    macs *= static_cast<double>(size);
  }
  if (macs > 1e17) {
    throw std::runtime_error("--gemm: expected at most 1e17 products in all "
                             "layers, found more");
  }
  report.timing = take(npu::runProduct(report.config, report.request), "");
  printReport(report, options.json);
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Times a neural engine that exists as a description",
               "umber-sim");
  Options options;
  app.set_version_flag("--version", umber_version());
  auto *model = app.add_option(
      "MODEL", options.model,
      "A package, as umber-compile --target=npu:CONFIG writes it");
  app.add_option("--device", options.device,
                 "A description: a .json file, or the name of one of Umber's; "
                 "default: the one that a model was compiled for");
  app.add_option("--set", options.settings,
                 "A parameter of the description to be another value: "
                 "SECTION.KEY=VALUE; may be repeated")
      ->take_all();
  auto *phase = app.add_option("--phase", options.phase,
                               "What to run of a model: decode@POSITION, or "
                               "prefill:TOKENS");
  model->needs(phase);
  phase->needs(model);
  auto *timingOnly =
      app.add_flag("--timing-only", options.timingOnly,
                   "Tell time and energy, without computing anything")
          ->needs(model);
  app.add_option("--tokens", options.tokens,
                 "Token ids, from the first one on again if there are too few")
      ->delimiter(',')
      ->needs(model)
      ->excludes(timingOnly);
  app.add_option("--chunk", options.chunk,
                 "Tokens of a step of prefill, at most; default: its rows")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 24))
      ->needs(model)
      ->excludes(timingOnly);
  app.add_option("--logits", options.logits,
                 "Write the last token's logits to a file, as F32")
      ->needs(model)
      ->excludes(timingOnly);
  app.add_option("-t,--threads", options.threads,
                 "Threads to compute with; default: all cores")
      ->check(CLI::Range(1u, 1024u))
      ->needs(model);
  auto *gemm = app.add_option("--gemm", options.gemm,
                              "A product's rows, columns and inner size: M,N,K")
                   ->delimiter(',')
                   ->expected(3)
                   ->check(CLI::Range(int64_t(1), int64_t(1) << 24))
                   ->excludes(model);
  app.add_option("--weights", options.weights,
                 "f16, i8, a palette of 1, 2, 3, 4, 6 or 8 bits as p4, or of "
                 "vectors as p2x64; default: f16, or i8 where there is no f16");
  app.add_option("--repeat", options.layers, "Layers of that size, as a chain")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 20));
  app.add_option("--dataflow", options.dataflow,
                 "What stays in a systolic array: weights, outputs or inputs")
      ->check(CLI::IsMember({"ws", "os", "is"}));
  auto *parameters = app.add_flag(
      "--parameters", options.parameters,
      "Print the device's parameters, and where they come from, instead");
  app.add_flag("--json", options.json, "Print JSON");
  app.add_flag("--sensitivity", options.sensitivity,
               "Print how the time depends on each parameter that is assumed "
               "or calibrated, instead")
      ->needs(phase);
  app.add_option("--csv", options.csv, "Write a table of kernels to this file")
      ->needs(phase);
  app.add_option("--trace", options.trace,
                 "Write when each command runs to this file, for Perfetto")
      ->needs(phase);
  parameters->excludes(gemm);
  return toolMain(app, argc, argv, [&] { run(options); });
}
