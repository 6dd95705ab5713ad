// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options of every tool that runs a model: where and how.

#ifndef UMBER_TOOLS_COMMON_DEVICEOPTIONS_H
#define UMBER_TOOLS_COMMON_DEVICEOPTIONS_H

#include "umber/umber.h"

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace umber::tools {

struct DeviceOptions {
  std::string device, isa;
  std::string weights = "best"; // map, copy or best
  int32_t adapterBits = 0;

  /// Points into this.
  umber_model_options forThreads(int32_t threads) const;
};

/// Adds --device, --isa, --weights and --lora-bits.
void addDeviceOptions(CLI::App &app, DeviceOptions &options);

/// Says on standard error, if it is so, that speeds are a simulator's.
void noteSimulation(const umber_model_info &info);

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_DEVICEOPTIONS_H
