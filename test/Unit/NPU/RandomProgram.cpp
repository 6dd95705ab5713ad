// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a random program: loops, registers, what orders instructions,
// and the memory that it starts with.

#include "test/Unit/NPU/RandomProgram.h"

#include "test/Unit/NPU/Fixture.h"
#include "test/Unit/NPU/RandomOperations.h"
#include "test/Unit/NPU/ScalarInterpreter.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace umber;
using namespace umber::npu;

float RandomNumbers::getFloat() {
  if (once(200)) {
    return pick({0.0f, -0.0f, 1e30f, -1e-30f, 65504.0f, 1e-7f,
                 std::numeric_limits<float>::infinity(), std::nanf("")});
  }
  constexpr int64_t kOne = 1 << 20;
  auto fraction = float(get(-kOne, kOne)) / float(kOne);
  return std::ldexp(fraction, int(get(-3, 3)));
}

float RandomNumbers::getFinite() {
  float value = getFloat();
  return std::isfinite(value) ? value : 1.0f;
}

namespace {

class Writer : public RandomOperations {
public:
  using RandomOperations::RandomOperations;

  Program run() {
    writeBody(numbers.get(6, 16));
    add(Queue::System, Stop());
    return std::move(program);
  }

private:
  void writeBody(int64_t length) {
    for (int64_t i = 0; i < length; ++i) {
      if (numbers.once(5)) {
        setRegister();
      } else if (numbers.once(6) && depth < kLoopDepth - 1 &&
                 nextRegister + 6 < kRegisters) {
        writeLoop(length);
      } else {
        writeOperation();
      }
    }
  }

  Register makeRegister() { return nextRegister++; }

  /// A register that has not been used, so that it has this value wherever it
  /// is used, whichever time round the loops it is.
  void setRegister() {
    if (nextRegister + 1 >= kRegisters) {
      return;
    }
    SetRegister set;
    set.to = makeRegister();
    KnownRegister known = {set.to, 0, 0, 1, depth};
    const KnownRegister *from =
        numbers.once(2) ? pickRegister(0, 1 << 20, 1) : nullptr;
    if (from && numbers.once(2)) {
      // As a count is made of tokens.
      set.from = from->number;
      set.multiplier = numbers.get(-3, 9);
      set.addend = numbers.get(-40, 40);
      set.divisor = uint32_t(numbers.get(1, 7));
      set.limit = uint32_t(numbers.get(0, 6));
      known.most = set.limit != 0 ? set.limit : 1 << 21;
    } else if (from && from->most <= 64) {
      // As an address is.
      set.from = from->number;
      set.multiplier = 16 * numbers.get(0, 2);
      set.addend = 16 * numbers.get(0, 8);
      known.multiple = 16;
      known.least = from->least * set.multiplier + set.addend;
      known.most = from->most * set.multiplier + set.addend;
    } else {
      set.addend = 16 * numbers.get(0, 32);
      known.least = known.most = set.addend;
      known.multiple = 16;
    }
    add(Queue::System, set);
    if (from && numbers.once(3) && known.most < 1 << 10) {
      AddRegister more;
      more.to = set.to;
      more.from = from->number;
      more.multiplier = 16 * numbers.get(-2, 2);
      add(Queue::System, more);
      int64_t first = from->least * more.multiplier;
      int64_t last = from->most * more.multiplier;
      known.least += std::min(first, last);
      known.most += std::max(first, last);
    }
    registers.push_back(known);
  }

  void writeLoop(int64_t length) {
    Loop loop;
    int64_t most = loop.count = uint32_t(numbers.get(0, 3));
    const KnownRegister *from = pickRegister(0, 4, 1);
    if (from && numbers.once(2)) {
      loop.count = 0;
      loop.countFrom = from->number;
      most = from->most;
    }
    std::vector<KnownRegister> stepped;
    for (int64_t i = 0, count = numbers.get(1, 4); i < count; ++i) {
      SetRegister set;
      set.to = makeRegister();
      set.addend = 16 * numbers.get(0, 20);
      add(Queue::System, set);
      loop.increments[i] = {set.to, 16 * numbers.get(-3, 6)};
      int64_t change = loop.increments[i].by * std::max<int64_t>(0, most - 1);
      stepped.push_back({set.to, set.addend + std::min<int64_t>(0, change),
                         set.addend + std::max<int64_t>(0, change), 16,
                         depth + 1});
    }
    // The loop's ends are fetched many times: what is before is done.
    fence();
    add(Queue::System, loop);
    ++depth;
    registers.insert(registers.end(), stepped.begin(), stepped.end());
    writeBody(std::min<int64_t>(numbers.get(1, 5), length));
    fence();
    --depth;
    add(Queue::System, EndLoop());
    // The body may not have run.
    std::vector<KnownRegister> kept;
    for (const KnownRegister &known : registers) {
      if (known.depth <= depth) {
        kept.push_back(known);
      }
    }
    registers = kept;
  }
};

void fill(RandomNumbers &numbers, std::vector<uint8_t> &memory, size_t begin,
          size_t end, DataType type) {
  size_t size = type == DataType::I8 ? 1 : type == DataType::F16 ? 2 : 4;
  for (size_t at = begin; at + size <= end; at += size) {
    if (type == DataType::F16) {
      uint16_t bits = ScalarInterpreter::encodeF16(numbers.getFloat());
      std::memcpy(memory.data() + at, &bits, size);
    } else if (type == DataType::F32) {
      float value = numbers.getFloat();
      std::memcpy(memory.data() + at, &value, size);
    } else {
      auto value = int32_t(numbers.get(-128, 127));
      std::memcpy(memory.data() + at, &value, size);
    }
  }
}

} // namespace

Config npu::getSmallMachine(uint64_t seed) {
  Config config = getConfig("ane-a17-like");
  config.name = "small";
  config.scratchpad = {kSmallScratchpad, 8, 16, 4096};
  config.kernelBuffer = {4096, 2};
  config.decoder.threeBitStorage = seed % 2 == 0 ? 3 : 4;
  config.decoder.sixBitStorage = seed % 3 == 0 ? 6 : 8;
  CoreArray &array = std::get<CoreArray>(config.array);
  array.cores = 2;
  array.columns = 4;
  array.rowsF16 = 2;
  array.rowsI8 = 4;
  return config;
}

RandomProgram npu::makeRandomProgram(uint64_t seed, const Config &config,
                                     bool overlaps) {
  RandomNumbers numbers(seed);
  RandomProgram made;
  made.registers[kPosition] = numbers.get(0, 40);
  made.registers[kTokens] = numbers.get(0, 4);
  made.registers[kCapacity] = numbers.get(1, 60);
  made.registers[kOutputs] = numbers.get(0, 4);
  made.scratchpad.resize(kSmallScratchpad);
  for (DataType type :
       {DataType::I8, DataType::I32, DataType::F16, DataType::F32}) {
    Zone zone = getZone(type);
    fill(numbers, made.scratchpad, zone.begin, zone.end, type);
  }
  for (std::vector<uint8_t> &region : made.regions) {
    region.resize(kSmallRegion);
    DataType type = numbers.pick({DataType::I8, DataType::F16, DataType::F32});
    fill(numbers, region, 0, region.size(), type);
  }
  fill(numbers, made.regions[unsigned(Region::Tables)], 0, kSmallRegion,
       DataType::F16);
  // Indices for gathers.
  std::vector<uint8_t> &io = made.regions[unsigned(Region::Io)];
  for (size_t at = 0; at < kIndexBytes; at += 4) {
    auto index = uint32_t(numbers.get(0, kIndexLimit - 1));
    std::memcpy(io.data() + at, &index, 4);
  }
  made.program = Writer(numbers, config, overlaps).run();
  return made;
}
