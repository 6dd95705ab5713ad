// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The low-rank adapters that a command line names.

#ifndef UMBER_TOOLS_COMMON_LORAS_H
#define UMBER_TOOLS_COMMON_LORAS_H

#include "tools/common/Handles.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace umber::tools {

/// Adds --lora PATH[:SCALE], which may be given several times.
void addLoraOption(CLI::App &app, std::vector<std::string> &specs);

class Loras {
public:
  /// None.
  Loras() = default;
  /// Loads those that `specs` name, each PATH or PATH:SCALE.
  Loras(const umber_model *model, const std::vector<std::string> &specs);

  /// Makes them all active.
  void activate(umber_session *session) const;

private:
  using Adapter = Handle<umber_adapter, umber_adapter_unload>;

  std::vector<Adapter> adapters;
  std::vector<float> scales;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_LORAS_H
