// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/Loras.h"

#include "runtime/adapter/AdapterSpec.h"

#include <CLI/CLI.hpp>

using namespace umber::tools;

void umber::tools::addLoraOption(CLI::App &app,
                                 std::vector<std::string> &specs) {
  app.add_option("--lora", specs,
                 "Add a low-rank adapter, a folder of PEFT's, a GGUF file or "
                 "an adapter package, times a scale (1); may be repeated")
      ->option_text("PATH[:SCALE] ...")
      ->allow_extra_args(false);
}

Loras::Loras(const umber_model *model, const std::vector<std::string> &specs) {
  for (const std::string &spec : specs) {
    auto parsed = AdapterSpec::parse(spec);
    if (!parsed.ok()) {
      throw ToolError("--lora: " + parsed.status().message());
    }
    umber_adapter *adapter = nullptr;
    check([&](umber_error *error) {
      return umber_adapter_load(model, parsed->path.c_str(), &adapter, error);
    });
    adapters.emplace_back(adapter);
    scales.push_back(parsed->scale);
  }
}

void Loras::activate(umber_session *session) const {
  std::vector<umber_adapter *> handles;
  for (const Adapter &adapter : adapters) {
    handles.push_back(adapter.get());
  }
  check([&](umber_error *error) {
    return umber_session_set_adapters(session, handles.data(), scales.data(),
                                      handles.size(), error);
  });
}
