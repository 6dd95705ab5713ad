// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-eval: how well a compiled model predicts a text, and how far it is from
// a reference.

#include "tools/common/Handles.h"
#include "tools/common/ToolMain.h"
#include "tools/umber-eval/Report.h"

using namespace umber::tools;

int main(int argc, char **argv) {
  CLI::App app("Measures a compiled model's quality on a text", "umber-eval");
  EvalOptions options;
  bool json = false;
  app.set_version_flag("--version", umber_version());
  app.add_option("PACKAGE", options.package, "The model, a .umb package")
      ->required();
  app.add_option("--text,-f", options.text, "The text, a file")->required();
  app.add_option("-c,--ctx-size", options.context,
                 "Tokens in a chunk, of which the second half is scored")
      ->check(CLI::Range(4, 1 << 24))
      ->capture_default_str();
  app.add_option("--chunks", options.chunks,
                 "Score so many chunks; default all")
      ->check(CLI::Range(1, INT32_MAX));
  app.add_option("-t,--threads", options.threads, "Threads, 0: all cores")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  CLI::Option *reference =
      app.add_option("--reference", options.reference,
                     "Compare with what this package predicts");
  app.add_option("--base", options.base,
                 "Compare with predictions that --save-base wrote")
      ->excludes(reference);
  app.add_option("--save-base", options.saveBase,
                 "Write the package's predictions to a file for --base");
  app.add_option("--base-top", options.baseTop,
                 "Tokens that --save-base keeps for a position")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--save-scores", options.saveScores,
                 "Write each position's scores to a file, as CSV");
  addDeviceOptions(app, options.device);
  app.add_flag("--json", json, "Print one JSON object");
  return toolMain(app, argc, argv, [&] {
    Evaluation evaluation = evaluate(options, showProgress);
    (json ? printJson : printText)(options, evaluation);
  });
}
