// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-npu-check: whether a neural engine's binary is legal, and a run of it
// free of races and deadlocks.

#include "runtime/drivers/npu/isa/Checker.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "tools/common/CreateFile.h"
#include "tools/common/ToolMain.h"

using namespace umber;
using namespace umber::tools;

namespace {

struct Options {
  std::string input;
  std::string device;
  npu::Registers registers = {};
  npu::RegionSizes sizes;
};

void run(const Options &options) {
  auto config = npu::loadConfig(options.device);
  if (!config.ok()) {
    throw ToolError("--device: " + config.status().message());
  }
  auto file = MappedFile::open(options.input);
  check(file.status());
  Result<npu::Program> program = npu::decode((*file)->bytes());
  Status status = program.ok() ? npu::check(*program, *config,
                                            options.registers, options.sizes)
                               : program.status();
  if (!status.ok()) {
    throw ToolError(options.input + ": " + status.message());
  }
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Checks a neural engine's program", "umber-npu-check");
  app.set_version_flag("--version", umber_version());
  Options options;
  app.add_option("IN", options.input, "The binary")->required();
  app.add_option("--device", options.device,
                 "A description: a .json file, or the name of one of Umber's")
      ->required();
  auto addRegister = [&](const char *name, npu::Register number,
                         const char *description) {
    app.add_option(name, options.registers[number], description)
        ->check(CLI::Range(int64_t(0), int64_t(1) << 32));
  };
  addRegister("--position", npu::kPosition,
              "What the host sets (register 1): the first token's position");
  addRegister("--tokens", npu::kTokens, "Register 2: tokens of the step");
  addRegister("--capacity", npu::kCapacity,
              "Register 3: positions of the cache");
  addRegister("--outputs", npu::kOutputs,
              "Register 4: tokens that need logits");
  // Regions of which nothing is said end nowhere.
  options.sizes.fill(uint64_t(1) << npu::kDramBits);
  for (unsigned region = 0; region < npu::kRegions; ++region) {
    std::string name = npu::kRegionNames[region];
    app.add_option("--" + name, options.sizes[region],
                   "Bytes of the region " + name + "; default: any");
  }
  return toolMain(app, argc, argv, [&] { run(options); });
}
