// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A neural engine as a description: what the simulator and the compiler know
// of the hardware. Read from a JSON file in which every parameter says where
// its value comes from; docs/neural-engine.md lists the keys.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_CONFIG_H
#define UMBER_RUNTIME_DRIVERS_NPU_CONFIG_H

#include "runtime/description/ConfigSection.h"
#include "runtime/description/NamedConfig.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace umber::npu {

enum class Dataflow { WeightStationary, OutputStationary, InputStationary };

/// Cores that share the rows of A and split the columns of W. Each multiplies
/// `rows` × `columns` pairs of vectors of `inner` elements a cycle.
struct CoreArray {
  int64_t cores = 0;
  int64_t columns = 0;
  /// 0: the array has no such arithmetic.
  int64_t rowsF16 = 0;
  int64_t rowsI8 = 0;
  int64_t inner = 0;
  /// Before the first product of a command leaves the array.
  int64_t fillCycles = 0;
  /// To round, activate and write one pass's accumulators.
  int64_t postCycles = 0;
  /// Whether a pass's post-processing runs beside the next pass.
  bool doubleBuffered = false;
  /// Of the peak, for what the model leaves out; 0 to 1.
  double efficiency = 0;
};

/// One systolic array with a double-buffered memory for each operand, as
/// SCALE-Sim models it. Words are elements.
struct SystolicArray {
  int64_t rows = 0;
  int64_t columns = 0;
  Dataflow dataflow = Dataflow::WeightStationary;
  int64_t inputBufferWords = 0;
  int64_t weightBufferWords = 0;
  int64_t outputBufferWords = 0;
  int64_t wordBytes = 0;
  /// Of each of the three interfaces to DRAM; 0: as fast as the array asks.
  int64_t interfaceWordsPerCycle = 0;
};

/// A weight-stationary square array that multiplies blocks, one preloaded
/// block of weights after another, as Gemmini's.
struct BlockArray {
  int64_t size = 0;
  /// Between the loops over two tiles: the array drains and fills, and the
  /// loop's commands are issued.
  int64_t tileCycles = 0;
};

struct ScratchpadConfig {
  int64_t bytes = 0;
  int64_t banks = 0;
  int64_t granuleBytes = 0;
  /// 32-bit partial sums.
  int64_t accumulatorBytes = 0;
};

struct KernelBufferConfig {
  /// Of all cores together: holds decoded weights.
  int64_t bytes = 0;
  int64_t slots = 0;
};

struct DecoderConfig {
  /// Palette look-ups; 0: the engine has no decoder.
  double weightsPerSecond = 0;
  /// What a palette's entries are, which is what the array multiplies.
  bool f16Values = false;
  /// What an index of 3 and of 6 bits takes in memory.
  int64_t threeBitStorage = 0;
  int64_t sixBitStorage = 0;
  int64_t maxTableValues = 0;
  int64_t maxVectorLength = 0;
};

struct VectorConfig {
  int64_t lanes = 0;
  double startSeconds = 0;
  /// Of the one-input rate, when two inputs are read.
  double twoInputFactor = 0;
};

struct DramConfig {
  double bytesPerSecond = 0;
  /// Of that, what all streams together get.
  double efficiency = 0;
  /// Of each of the engines that load and store activations and the cache,
  /// beside the weights' path.
  double engineBytesPerSecond = 0;
  double latencySeconds = 0;
  int64_t burstBytes = 0;
  int64_t maxReads = 0;
  int64_t maxWrites = 0;
};

/// Energies of single events in picojoules, powers in watts.
struct EnergyConfig {
  double macF16 = 0;
  double macI8 = 0;
  double scratchpadByte = 0;
  double dramByte = 0;
  double vectorElement = 0;
  double activeWatts = 0;
};

struct Config {
  std::string name;
  std::string summary;
  double arrayHz = 0;
  double vectorHz = 0;
  double dispatchSeconds = 0;
  std::variant<CoreArray, SystolicArray, BlockArray> array;
  ScratchpadConfig scratchpad;
  KernelBufferConfig kernelBuffer;
  DecoderConfig decoder;
  VectorConfig vector;
  DramConfig dram;
  EnergyConfig energy;
  /// In the order of the file's sections.
  std::vector<ConfigParameter> parameters;
  /// The JSON that it was read from, with what was set.
  std::string text;

  double cycles(double seconds) const { return seconds * arrayHz; }
  double seconds(double cycles) const { return cycles / arrayHz; }
};

/// Reads a description. `file` names it in messages. `settings`, as
/// `dram.bytes_per_s=60e9`, replace values of parameters, which are then
/// assumed. CorruptFile: `FILE: KEY: expected …, found …` for the first key
/// that is missing, unknown, twice there, of another type, or out of its range.
Result<Config> parseConfig(Bytes text, const std::string &file,
                           const std::vector<std::string> &settings = {});

/// The description in the file `device`, if that names a .json file, or the
/// one of that name that comes with Umber. NotFound: `no device …`, with the
/// names there are.
Result<Config> loadConfig(const std::string &device,
                          const std::vector<std::string> &settings = {});

/// The descriptions in targets/NPU/configs.
extern const std::vector<NamedConfig> kNamedConfigs;

/// `ws`, `os` or `is`.
const char *getName(Dataflow dataflow);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_CONFIG_H
