// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-adapter: makes packages from low-rank adapters and folders of PEFT's
// from packages, and shows what is in one.

#include "tools/common/CreateFile.h"
#include "tools/common/ToolMain.h"
#include "tools/umber-adapter/Convert.h"
#include "tools/umber-adapter/Export.h"
#include "tools/umber-adapter/Report.h"

using namespace umber::tools;

int main(int argc, char **argv) {
  CLI::App app("Makes a package from a low-rank adapter", "umber-adapter");
  app.set_version_flag("--version", umber_version());
  ConvertOptions options;
  CLI::Option *input = app.add_option(
      "IN", options.input,
      "A folder of PEFT's, a GGUF file with a LoRA, or an adapter package");
  CLI::Option *output =
      app.add_option("-o", options.output, "The adapter package to write");
  app.add_option("--base", options.base,
                 "The model's .umb package: check that the adapter is for it, "
                 "and record which model it is");
  app.add_option("--name", options.name,
                 "The adapter's name; default that of IN");

  std::string file;
  bool json = false;
  CLI::App *info = app.add_subcommand("info", "Show what is in an adapter");
  info->add_option("FILE", file, "The adapter, in any of the forms of IN")
      ->required();
  info->add_flag("--json", json, "Print one JSON object");

  std::string from, folder;
  CLI::App *exported = app.add_subcommand(
      "export", "Write a package's adapter, or what makes up for a model's "
                "compression, as a folder of PEFT's");
  exported->add_option("FILE", from, "The package of an adapter or of a model")
      ->required();
  exported->add_option("-o", folder, "The folder to write, new or empty")
      ->required();

  return toolMain(app, argc, argv, [&] {
    auto refuseOthers = [&](const std::string &takes) {
      for (const CLI::Option *other : app.get_options()) {
        if (*other) {
          throw ToolError(takes + ", found " + other->get_name() + " too");
        }
      }
    };
    if (exported->parsed()) {
      refuseOthers("export takes a file and -o behind it");
      exportPeft(from, folder);
      return;
    }
    if (info->parsed()) {
      refuseOthers("info takes a file and --json");
      auto adapter = umber::Adapter::open(file);
      check(adapter.status());
      (json ? printJson : printText)(**adapter);
      return;
    }
    for (CLI::Option *needed : {input, output}) {
      if (!*needed) {
        throw CLI::RequiredError(needed->get_name());
      }
    }
    convert(options);
  });
}
