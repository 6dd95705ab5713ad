// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/estimate/Config.h"

#include "runtime/drivers/gpu/estimate/LaunchFile.h"

using namespace umber;
using namespace umber::gpu;

namespace {

constexpr int64_t kMostBytes = int64_t(1) << 40;
constexpr double kMostOps = 1 << 20;

void read(ConfigSection section, ProcessorConfig &processors) {
  processors.count = section.integer("count", 1, 4096);
  processors.hz = section.number("clock_hz", 1e6, 1e11);
  processors.maxThreads = section.integer("max_threads", 32, 1 << 16);
  processors.maxGroups = section.integer("max_workgroups", 1, 1 << 10);
  processors.sharedBytes =
      section.integer("workgroup_memory_bytes", 1, 1 << 30);
  processors.busyThreads = section.integer("busy_threads", 1, 1 << 16);
}

void read(ConfigSection section, ArithmeticConfig &arithmetic) {
  arithmetic.floatOps = section.number("f32_ops_per_cycle", 1, kMostOps);
  arithmetic.integerOps = section.number("i8_ops_per_cycle", 1, kMostOps);
  arithmetic.tensorOps = section.number("tensor_i8_ops_per_cycle", 0, kMostOps);
  arithmetic.codes = section.number("codes_per_cycle", 0.01, kMostOps);
  arithmetic.efficiency = section.number("efficiency", 0.01, 1);
}

void read(ConfigSection section, L2Config &l2) {
  l2.bytes = section.integer("bytes", 0, kMostBytes);
  l2.bytesPerSecond = section.number("bytes_per_s", 1e6, 1e16);
}

void read(ConfigSection section, MemoryConfig &dram) {
  dram.bytesPerSecond = section.number("bytes_per_s", 1e6, 1e16);
  dram.efficiency = section.number("efficiency", 0.01, 1);
  dram.latencySeconds = section.number("latency_s", 1e-10, 1);
  dram.threadBytes = section.number("thread_bytes", 1, 1 << 16);
}

void read(ConfigSection section, GpuEnergyConfig &energy) {
  energy.floatOp = section.number("f32_op_pj", 0, 1e6);
  energy.integerOp = section.number("i8_op_pj", 0, 1e6);
  energy.code = section.number("code_pj", 0, 1e6);
  energy.dramByte = section.number("dram_pj_per_byte", 0, 1e6);
  energy.activeWatts = section.number("active_w", 0, 1e6);
}

} // namespace

Result<Config> gpu::parseConfig(Bytes text, const std::string &file) {
  ConfigErrors errors(file);
  ConfigDocument document(text, errors);
  Config config;
  ConfigSection top = document.top(config.parameters);
  config.name = top.text("name");
  config.summary = top.text("summary");
  config.api = kApis[top.kind("api", {kApis[0], kApis[1]})];
  read(top.section("processors"), config.processors);
  read(top.section("arithmetic"), config.arithmetic);
  read(top.section("l2"), config.l2);
  read(top.section("dram"), config.dram);
  ConfigSection launch = top.section("launch");
  config.launchSeconds = launch.number("launch_s", 0, 1);
  config.stepSeconds = launch.number("step_s", 0, 1);
  read(top.section("energy"), config.energy);
  document.finish();
  if (!errors.status().ok()) {
    return errors.status();
  }
  return config;
}

Result<Config> gpu::loadConfig(const std::string &device) {
  return readConfig<Config>(device, kNamedConfigs, parseConfig);
}
