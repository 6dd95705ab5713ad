// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/Config.h"

using namespace umber;
using namespace umber::npu;

namespace {

constexpr int64_t kMostBytes = int64_t(1) << 40;
constexpr int64_t kMostUnits = 1 << 16;

void read(ConfigSection section, CoreArray &array) {
  array.cores = section.integer("cores", 1, 1024);
  array.columns = section.integer("columns_per_core", 1, 1024);
  array.rowsF16 = section.integer("rows_f16", 0, 1024);
  array.rowsI8 = section.integer("rows_i8", 0, 1024);
  array.inner = section.integer("inner_elements_per_cycle", 1, 1024);
  array.fillCycles = section.integer("fill_cycles", 0, kMostUnits);
  array.postCycles = section.integer("post_cycles_per_pass", 0, kMostUnits);
  array.doubleBuffered =
      section.integer("double_buffered_accumulators", 0, 1) != 0;
  array.efficiency = section.number("efficiency", 0.01, 1);
}

void read(ConfigSection section, SystolicArray &array) {
  array.rows = section.integer("rows", 1, 4096);
  array.columns = section.integer("columns", 1, 4096);
  array.dataflow =
      static_cast<Dataflow>(section.choice("dataflow", {"ws", "os", "is"}));
  array.wordBytes = section.integer("word_bytes", 1, 8);
  auto words = [&](const char *key) {
    return section.integer(key, 256, kMostBytes) / array.wordBytes;
  };
  array.inputBufferWords = words("input_buffer_bytes");
  array.weightBufferWords = words("weight_buffer_bytes");
  array.outputBufferWords = words("output_buffer_bytes");
  array.interfaceWordsPerCycle =
      section.integer("interface_words_per_cycle", 0, kMostUnits);
}

void read(ConfigSection section, BlockArray &array) {
  array.size = section.integer("block_size", 1, 1024);
  array.tileCycles = section.integer("tile_cycles", 0, kMostUnits);
}

void read(ConfigSection section, ScratchpadConfig &scratchpad) {
  scratchpad.bytes = section.integer("bytes", 1024, kMostBytes);
  scratchpad.banks = section.integer("banks", 1, 4096);
  scratchpad.granuleBytes = section.integer("granule_bytes", 1, 4096);
  scratchpad.accumulatorBytes =
      section.integer("accumulator_bytes", 64, kMostBytes);
}

void read(ConfigSection section, KernelBufferConfig &buffer) {
  buffer.bytes = section.integer("bytes", 1024, kMostBytes);
  buffer.slots = section.integer("slots", 1, 16);
}

void read(ConfigSection section, DecoderConfig &decoder) {
  decoder.weightsPerSecond = section.number("weights_per_s", 0, 1e15);
  decoder.f16Values = section.choice("palette_values", {"i8", "f16"}) == 1;
  decoder.threeBitStorage = section.integer("three_bit_index_bits", 3, 4);
  decoder.sixBitStorage = section.integer("six_bit_index_bits", 6, 8);
  decoder.maxTableValues = section.integer("max_table_values", 1, kMostUnits);
  decoder.maxVectorLength = section.integer("max_vector_length", 1, 256);
}

void read(ConfigSection section, VectorConfig &vector) {
  vector.lanes = section.integer("lanes_f16", 1, kMostUnits);
  vector.startSeconds = section.number("start_s", 0, 1);
  vector.twoInputFactor = section.number("two_input_factor", 0.01, 1);
}

void read(ConfigSection section, DramConfig &dram) {
  dram.bytesPerSecond = section.number("bytes_per_s", 1e3, 1e16);
  dram.efficiency = section.number("efficiency", 0.01, 1);
  dram.engineBytesPerSecond = section.number("engine_bytes_per_s", 1e3, 1e16);
  dram.latencySeconds = section.number("latency_s", 0, 1);
  dram.burstBytes = section.integer("burst_bytes", 1, 1 << 20);
  dram.maxReads = section.integer("max_outstanding_reads", 1, 1 << 20);
  dram.maxWrites = section.integer("max_outstanding_writes", 1, 1 << 20);
}

void read(ConfigSection section, EnergyConfig &energy) {
  energy.macF16 = section.number("mac_f16_pj", 0, 1e6);
  energy.macI8 = section.number("mac_i8_pj", 0, 1e6);
  energy.scratchpadByte = section.number("scratchpad_pj_per_byte", 0, 1e6);
  energy.dramByte = section.number("dram_pj_per_byte", 0, 1e6);
  energy.vectorElement = section.number("vector_pj_per_element", 0, 1e6);
  energy.activeWatts = section.number("active_w", 0, 1e6);
}

/// Limits that two keys have together.
void check(const Config &config, ConfigErrors &errors) {
  if (const auto *cores = std::get_if<CoreArray>(&config.array)) {
    if (cores->rowsF16 == 0 && cores->rowsI8 == 0) {
      errors.add("array.rows_i8", "f16 or i8 arithmetic, or both", "neither");
    }
    int64_t rows = std::max(cores->rowsF16, cores->rowsI8);
    int64_t pass = rows * cores->cores * cores->columns * 4;
    if (config.scratchpad.accumulatorBytes <
        pass * (cores->doubleBuffered ? 2 : 1)) {
      errors.add(
          "scratchpad.accumulator_bytes",
          "room for the sums of " +
              std::string(cores->doubleBuffered ? "two passes" : "one pass") +
              ", " + std::to_string(pass) + " bytes each",
          std::to_string(config.scratchpad.accumulatorBytes));
    }
    int64_t slot = config.kernelBuffer.bytes / config.kernelBuffer.slots;
    int64_t least = cores->cores * cores->columns * cores->inner * 2;
    if (slot < least) {
      errors.add("kernel_buffer.bytes",
                 "at least " + std::to_string(least) +
                     " bytes a slot, one cycle's weights",
                 std::to_string(slot));
    }
  }
}

} // namespace

Result<Config> npu::parseConfig(Bytes text, const std::string &file,
                                const std::vector<std::string> &settings) {
  ConfigErrors errors(file);
  ConfigDocument document(text, errors);
  for (const std::string &setting : settings) {
    document.set(setting);
  }
  Config config;
  config.text = settings.empty() ? std::string(text.data, text.data + text.size)
                                 : document.text();
  ConfigSection top = document.top(config.parameters);
  config.name = top.text("name");
  config.summary = top.text("summary");
  ConfigSection clock = top.section("clock");
  config.arrayHz = clock.number("array_hz", 1e3, 1e12);
  switch (top.kind("kind", {"cores", "systolic", "blocks"})) {
  case 0:
    config.vectorHz = clock.number("vector_hz", 1e3, 1e12);
    read(top.section("array"), config.array.emplace<CoreArray>());
    read(top.section("scratchpad"), config.scratchpad);
    read(top.section("kernel_buffer"), config.kernelBuffer);
    read(top.section("decoder"), config.decoder);
    read(top.section("vector"), config.vector);
    read(top.section("dram"), config.dram);
    config.dispatchSeconds = top.section("program").number("dispatch_s", 0, 1);
    break;
  case 1:
    read(top.section("array"), config.array.emplace<SystolicArray>());
    break;
  default:
    config.vectorHz = config.arrayHz;
    read(top.section("array"), config.array.emplace<BlockArray>());
    read(top.section("scratchpad"), config.scratchpad);
    read(top.section("dram"), config.dram);
  }
  read(top.section("energy"), config.energy);
  document.finish();
  if (errors.status().ok()) {
    check(config, errors);
  }
  if (!errors.status().ok()) {
    return errors.status();
  }
  return config;
}

Result<Config> npu::loadConfig(const std::string &device,
                               const std::vector<std::string> &settings) {
  return readConfig<Config>(device, kNamedConfigs,
                            [&](Bytes text, const std::string &file) {
                              return parseConfig(text, file, settings);
                            });
}

const char *npu::getName(Dataflow dataflow) {
  constexpr const char *kNames[] = {"ws", "os", "is"};
  return kNames[static_cast<size_t>(dataflow)];
}
