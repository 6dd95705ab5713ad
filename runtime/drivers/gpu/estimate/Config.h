// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GPU as a description, which estimates rest on. Read from a JSON file in
// which every parameter says where its value comes from; docs/gpu.md lists the
// keys.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_CONFIG_H
#define UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_CONFIG_H

#include "runtime/description/ConfigSection.h"
#include "runtime/description/NamedConfig.h"

namespace umber::gpu {

/// A description is asked for as this and its name.
inline constexpr char kDevicePrefix[] = "gpu:";

/// Streaming multiprocessors, compute units, shader processors: what runs a
/// workgroup.
struct ProcessorConfig {
  int64_t count = 0;
  double hz = 0;
  int64_t maxThreads = 0;
  int64_t maxGroups = 0;
  int64_t sharedBytes = 0; ///< of workgroup memory
  /// Threads that hide the latency of arithmetic; with fewer its rate is in
  /// proportion.
  int64_t busyThreads = 0;
};

/// What one processor does in a cycle. A product and an addition are 2.
struct ArithmeticConfig {
  double floatOps = 0;   ///< fused multiply-adds of f32
  double integerOps = 0; ///< dot products of bytes
  double tensorOps = 0;  ///< tensor cores on bytes; 0: there are none
  double codes = 0;      ///< codes that become the entries of palettes
  double efficiency = 0; ///< of all these; 0 to 1
};

struct L2Config {
  int64_t bytes = 0;
  double bytesPerSecond = 0;
};

struct MemoryConfig {
  double bytesPerSecond = 0;
  double efficiency = 0; ///< of that, what reading in order gets
  double latencySeconds = 0;
  double threadBytes = 0; ///< that a thread has under way
};

/// Energies in picojoules, powers in watts.
struct GpuEnergyConfig {
  double floatOp = 0;
  double integerOp = 0;
  double code = 0;
  double dramByte = 0;
  double activeWatts = 0;
};

struct Config {
  std::string name;
  std::string summary;
  std::string api; ///< one of kApis
  ProcessorConfig processors;
  ArithmeticConfig arithmetic;
  L2Config l2;
  MemoryConfig dram;
  double launchSeconds = 0; ///< from the end of a launch to the next one's work
  double stepSeconds = 0;   ///< to begin and to end a step
  GpuEnergyConfig energy;
  /// In the order of the file's sections.
  std::vector<ConfigParameter> parameters;

  /// What memory gives at most.
  double achievedBytesPerSecond() const {
    return dram.bytesPerSecond * dram.efficiency;
  }
};

/// Reads a description. `file` names it in messages. CorruptFile: `FILE: KEY:
/// expected …, found …` for the first key that is missing, unknown, twice
/// there, of another type, or out of its range.
Result<Config> parseConfig(Bytes text, const std::string &file);

/// The description in the file `device`, if that names a .json file, or the
/// one of that name that comes with Umber. NotFound: `no device …`, with the
/// names there are.
Result<Config> loadConfig(const std::string &device);

/// The descriptions in targets/GPU/devices.
extern const std::vector<NamedConfig> kNamedConfigs;

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_CONFIG_H
