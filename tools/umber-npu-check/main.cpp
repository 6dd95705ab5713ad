// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber-npu-check: whether a neural engine's binary, or a package's programs
// are legal, and a run of them free of races and deadlocks.

#include "runtime/drivers/npu/EngineModel.h"
#include "runtime/drivers/npu/isa/Checker.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/package/Format.h"
#include "tools/common/CreateFile.h"
#include "tools/common/ToolMain.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::tools;

namespace {

struct Options {
  std::string input;
  std::string device;
  npu::Registers registers = {};
  npu::RegionSizes sizes;
};

npu::Config load(const std::string &device) {
  auto config = npu::loadConfig(device);
  if (!config.ok()) {
    throw ToolError("--device: " + config.status().message());
  }
  return std::move(*config);
}

/// All programs of a package, within its regions. What is not said of a step
/// is what it can have.
void checkPackage(const Options &options) {
  auto package = Package::open(options.input);
  check(package.status());
  auto model = npu::readEngineModel(**package);
  check(model.status());
  npu::Config config =
      options.device.empty() ? model->config : load(options.device);
  const npu::ProgramFile &programs = model->programs;
  for (const npu::StepProgram &step : programs.steps) {
    npu::Registers registers = options.registers;
    int64_t &tokens = registers[npu::kTokens];
    tokens = std::min(step.rows, tokens == 0 ? step.rows : tokens);
    int64_t &capacity = registers[npu::kCapacity];
    capacity =
        npu::getCapacity(capacity == 0 ? programs.contextLength : capacity);
    int64_t &outputs = registers[npu::kOutputs];
    outputs = std::min(tokens, outputs == 0 ? 1 : outputs);
    npu::RegionSizes sizes = {};
    sizes[unsigned(npu::Region::Weights)] = programs.weightBytes;
    sizes[unsigned(npu::Region::Tables)] = programs.tableBytes;
    sizes[unsigned(npu::Region::Adapters)] = programs.adapterBytes;
    sizes[unsigned(npu::Region::Cache)] =
        npu::getCacheBytesPerPosition(*(*package)->meta().cache()) *
        static_cast<uint64_t>(capacity);
    sizes[unsigned(npu::Region::Activations)] = step.activationBytes;
    sizes[unsigned(npu::Region::Io)] = step.ioBytes;
    Status status = npu::check(step.program, config, registers, sizes);
    if (!status.ok()) {
      throw ToolError(options.input + ": " + step.name + ": " +
                      status.message());
    }
  }
}

void run(const Options &options) {
  auto file = MappedFile::open(options.input);
  check(file.status());
  Bytes bytes = (*file)->bytes();
  if (bytes.size >= sizeof kPackageMagic &&
      std::memcmp(bytes.data, kPackageMagic, sizeof kPackageMagic) == 0) {
    checkPackage(options);
    return;
  }
  if (options.device.empty()) {
    throw ToolError("expected --device for a binary");
  }
  npu::Config config = load(options.device);
  Result<npu::Program> program = npu::decode((*file)->bytes());
  Status status = program.ok() ? npu::check(*program, config, options.registers,
                                            options.sizes)
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
  app.add_option("IN", options.input, "The binary, or a package")->required();
  app.add_option("--device", options.device,
                 "A description: a .json file, or the name of one of Umber's; "
                 "default: the one that a package was compiled for");
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
