// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-run's command line.

#ifndef UMBER_TOOLS_UMBER_RUN_OPTIONS_H
#define UMBER_TOOLS_UMBER_RUN_OPTIONS_H

#include "tools/common/DeviceOptions.h"
#include "umber/umber.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace umber::tools {

struct RunOptions {
  std::string package;
  std::optional<std::string> prompt;
  std::optional<std::string> promptFile;
  std::optional<std::string> promptsFile;
  int32_t sessions = 4; // answers that are made at once, with promptsFile
  std::optional<std::string> system;
  int32_t maxNew = -1; // tokens to generate; -1: until the model ends
  int32_t threads = 0;
  int32_t context = 0;
  umber_sampler_options sampler = UMBER_SAMPLER_OPTIONS_INIT;
  bool raw = false;
  bool ignoreEnd = false;
  bool json = false;
  bool profile = false;
  std::optional<std::string> profileTrace; // a file to write
  bool listDevices = false;
  DeviceOptions device;
  std::vector<std::string> loras; // PATH or PATH:SCALE
  std::optional<std::string> logitsFile;

  bool isChat() const { return !prompt && !promptFile && !promptsFile; }
};

/// Describes the options to CLI11, which fills in `options` when it parses.
void addOptions(CLI::App &app, RunOptions &options);

/// Throws ToolError for options that contradict each other.
void checkOptions(const RunOptions &options);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_OPTIONS_H
