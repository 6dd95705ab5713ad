// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-report: a page that shows what each of a compiled model's kernels
// takes, and what changes would make of it.

#include "tools/common/CreateFile.h"
#include "tools/common/ToolMain.h"
#include "tools/umber-report/EngineReport.h"
#include "tools/umber-report/Page.h"
#include "umber/umber.h"

using namespace umber;
using namespace umber::tools;

namespace {

struct Options {
  std::string package;
  std::string device;
  std::vector<std::string> phases;
  std::string page;
  std::string json;
};

void write(const std::string &path, const std::string &text) {
  if (path.empty()) {
    return;
  }
  if (path == "-") {
    std::cout << text;
    return;
  }
  auto file = createFile(path);
  check(file->append(text.data(), text.size()));
  check(file->commit());
}

void run(const Options &options) {
  if (options.page.empty() && options.json.empty()) {
    throw ToolError("expected -o or --json");
  }
  EnginePackage package = openEnginePackage(options.package, options.device);
  int64_t length = package.programs.contextLength;
  std::vector<Phase> phases;
  for (const std::string &text : options.phases) {
    phases.push_back(parsePhase(text, length));
  }
  Json report =
      reportEngine(package, phases.empty() ? getUsualPhases(length) : phases);
  write(options.page, options.page.empty() ? "" : makePage(report));
  write(options.json, toText(report, 1) + "\n");
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Shows what each kernel of a compiled model takes",
               "umber-report");
  Options options;
  app.set_version_flag("--version", umber_version());
  app.add_option("PACKAGE", options.package, "The compiled model")->required();
  app.add_option("--device", options.device,
                 "A neural engine's description: a .json file, or the name of "
                 "one of Umber's; default: the one that it was compiled for");
  app.add_option("--phase", options.phases,
                 "What to show: decode@POSITION or prefill:TOKENS; may be "
                 "repeated");
  app.add_option("-o,--output", options.page, "The page to write");
  app.add_option("--json", options.json,
                 "Write the report's data as JSON to this file");
  return toolMain(app, argc, argv, [&] { run(options); });
}
