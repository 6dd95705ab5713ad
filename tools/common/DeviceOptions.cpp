// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/DeviceOptions.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace umber::tools {

umber_model_options DeviceOptions::forThreads(int32_t threads) const {
  umber_model_options load = UMBER_MODEL_OPTIONS_INIT;
  load.threads = threads;
  load.device = device.empty() ? nullptr : device.c_str();
  load.isa = isa.empty() ? nullptr : isa.c_str();
  load.weights = weights == "map"    ? UMBER_WEIGHTS_MAPPED
                 : weights == "copy" ? UMBER_WEIGHTS_COPIED
                                     : UMBER_WEIGHTS_BEST;
  load.adapter_bits = adapterBits;
  return load;
}

void addDeviceOptions(CLI::App &app, DeviceOptions &options) {
  app.add_option("--device", options.device,
                 "Where to run, see umber-run --list-devices");
  app.add_option("--isa", options.isa,
                 "Instruction set to run, such as x86-64-v3; best by default");
  app.add_option("--weights", options.weights,
                 "map: read the file's own pages; copy: copy them into large "
                 "pages, which are faster; best: copy if memory is plentiful")
      ->check(CLI::IsMember({"map", "copy", "best"}))
      ->capture_default_str();
  app.add_option("--lora-bits", options.adapterBits,
                 "Bits of an adapter's values in memory, 8 or 16; 0: 8 beside "
                 "compressed weights, else 16")
      ->check(CLI::IsMember({0, 8, 16}))
      ->capture_default_str();
}

void noteSimulation(const umber_model_info &info) {
  if (info.is_simulated) {
    std::fprintf(stderr,
                 "%s is simulated: speeds are the simulator's, umber-sim tells "
                 "the device's\n",
                 info.isa);
  }
}

} // namespace umber::tools
