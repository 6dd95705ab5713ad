// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-report: a page that shows what each of a compiled model's kernels
// takes, and what changes would make of it.

#include "tools/common/CreateFile.h"
#include "tools/common/ToolMain.h"
#include "tools/umber-report/CpuReport.h"
#include "tools/umber-report/EngineReport.h"
#include "tools/umber-report/Exports.h"
#include "tools/umber-report/GpuReport.h"
#include "tools/umber-report/Page.h"
#include "tools/umber-report/PhaseSimulation.h"
#include "tools/umber-report/ReportParts.h"
#include "tools/umber-sim/ModelReport.h"
#include "umber/umber.h"

using namespace umber;
using namespace umber::tools;

namespace {

/// The --device that is this machine.
constexpr char kMeasured[] = "cpu:measured";

struct Options {
  std::string package;
  std::string device;
  std::string profile;
  std::string compare;
  std::vector<std::string> phases;
  std::string page;
  std::string json;
  std::string csv;
  std::string graph;
  std::string trace;
};

void write(const std::string &path, const std::string &text) {
  if (path == "-") {
    std::cout << text;
    return;
  }
  auto file = createFile(path);
  check(file->append(text.data(), text.size()));
  check(file->commit());
}

void writeTrace(const EnginePackage &package, const Phase &phase,
                const std::string &path) {
  ModelReport shown;
  shown.config = package.config;
  shown.model = package.programs.model;
  shown.phase = phase.text();
  PhaseSimulation simulation(package.programs, package.config, phase);
  std::vector<npu::TimedCommand> commands;
  shown.timing = simulation.time(
      [&](const npu::TimedCommand &command) { commands.push_back(command); });
  writeTrace(shown, commands, path);
}

/// Those that were asked for, or two that are of use for most.
std::vector<Phase> getPhases(const Options &options, int64_t contextLength) {
  std::vector<Phase> phases;
  for (const std::string &text : options.phases) {
    phases.push_back(parsePhase(text, contextLength));
  }
  return phases.empty() ? getUsualPhases(contextLength) : phases;
}

std::string readFile(const std::string &path) {
  auto mapped = MappedFile::open(path);
  check(mapped.status());
  Bytes bytes = (*mapped)->bytes();
  return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

/// This machine's kernels, measured now or before.
Json measure(const Options &options) {
  if (!options.trace.empty()) {
    throw ToolError("--trace: expected a neural engine, found cpu:measured; "
                    "umber-run --profile-trace writes this machine's");
  }
  if (!options.profile.empty()) {
    return reportCpu(readFile(options.profile), options.profile);
  }
  Model model = loadModel(options.package, UMBER_MODEL_OPTIONS_INIT);
  int64_t length = modelInfo(model.get()).context_length;
  model.reset();
  return reportCpu(measureProfile(options.package, getPhases(options, length)),
                   "umber-bench");
}

/// A GPU's launches, estimated.
Json reportGpu(const Options &options) {
  GpuPackage package = openGpuPackage(options.package, options.device);
  Json report =
      reportGpu(package, getPhases(options, package.file.contextLength));
  if (!options.trace.empty()) {
    writeGpuTrace(report, report["phases"][0], options.trace);
  }
  return report;
}

/// Another report, which --json has written.
Json readReport(const std::string &path) {
  Json report = Json::parse(readFile(path), nullptr,
                            /*allow_exceptions=*/false);
  auto format = report.find("format");
  if (!report.is_object() || format == report.end() ||
      *format != "umber-report") {
    throw ToolError(path + ": expected a report of umber-report --json, found "
                           "another file");
  }
  return report;
}

void run(const Options &options) {
  if (options.page.empty() && options.json.empty() && options.csv.empty() &&
      options.graph.empty() && options.trace.empty()) {
    throw ToolError("expected something to write: -o, --json, --csv, --graph "
                    "or --trace");
  }
  Json report;
  if (options.device == kMeasured) {
    report = measure(options);
  } else if (options.device.rfind(gpu::kDevicePrefix, 0) == 0) {
    report = reportGpu(options);
  } else {
    EnginePackage package = openEnginePackage(options.package, options.device);
    std::vector<Phase> phases =
        getPhases(options, package.programs.contextLength);
    report = reportEngine(package, phases);
    if (!options.trace.empty()) {
      writeTrace(package, phases.front(), options.trace);
    }
  }
  if (!options.compare.empty()) {
    report["compare"] = readReport(options.compare);
  }
  auto writeIf = [](const std::string &path, auto make) {
    if (!path.empty()) {
      write(path, make());
    }
  };
  writeIf(options.page, [&] { return makePage(report); });
  writeIf(options.json, [&] { return toText(report, 1) + "\n"; });
  writeIf(options.csv, [&] { return makeCsv(report); });
  writeIf(options.graph, [&] { return toText(makeGraphs(report)) + "\n"; });
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Shows what each kernel of a compiled model takes",
               "umber-report");
  Options options;
  app.set_version_flag("--version", umber_version());
  app.add_option("PACKAGE", options.package, "The compiled model")->required();
  app.add_option("--device", options.device,
                 "A neural engine's description: npu: and a .json file or the "
                 "name of one of Umber's, default: the one that it was "
                 "compiled for; a GPU's, with gpu: before it; or cpu:measured, "
                 "this machine");
  app.add_option("--profile", options.profile,
                 "With cpu:measured: what umber-bench --profile has printed; "
                 "default: it is run now");
  app.add_option("--phase", options.phases,
                 "What to show: decode@POSITION or prefill:TOKENS; may be "
                 "repeated");
  app.add_option("--compare", options.compare,
                 "Another report, of --json, to show beside this one");
  app.add_option("-o,--output", options.page, "The page to write");
  app.add_option("--json", options.json,
                 "Write the report's data as JSON to this file");
  app.add_option("--csv", options.csv,
                 "Write a line per phase and kernel to this file");
  app.add_option("--graph", options.graph,
                 "Write the kernels and their data flow to this file, as JSON "
                 "for Model Explorer");
  app.add_option("--trace", options.trace,
                 "Write when each command of the first phase runs to this "
                 "file, for Perfetto");
  return toolMain(app, argc, argv, [&] { run(options); });
}
