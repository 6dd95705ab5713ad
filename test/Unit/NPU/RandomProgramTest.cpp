// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulator against an interpreter that was written from the instructions'
// description alone.

#include "test/Unit/NPU/RandomProgram.h"
#include "runtime/drivers/npu/Engine.h"
#include "runtime/drivers/npu/isa/Checker.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/sim/Executor.h"
#include "test/Unit/NPU/Fixture.h"
#include "test/Unit/NPU/RandomOperations.h"
#include "test/Unit/NPU/ScalarInterpreter.h"

#include <set>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr uint64_t kPrograms = UMBER_TEST_RANDOM_PROGRAMS;

/// Empty, or the first byte in which the memories differ.
std::string findDifference(const std::string &name,
                           const std::vector<uint8_t> &expected,
                           const std::vector<uint8_t> &found) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] != found.at(i)) {
      return "byte " + std::to_string(i) + " of " + name + ": expected " +
             std::to_string(expected[i]) + ", found " +
             std::to_string(found[i]);
    }
  }
  return "";
}

void attach(Machine &machine, std::array<std::vector<uint8_t>, 7> &regions) {
  for (unsigned r = 0; r < kRegions; ++r) {
    machine.regions[r] = {regions[r].data(), regions[r].size(),
                          Region(r) == Region::Io || Region(r) == Region::Code};
  }
}

std::string runBoth(uint64_t seed, const Workers &workers, bool overlaps) {
  Config config = getSmallMachine(seed);
  RandomProgram made = makeRandomProgram(seed, config, overlaps);
  ScalarInterpreter interpreter;
  interpreter.scratchpad = made.scratchpad;
  interpreter.regions = made.regions;
  interpreter.registers = made.registers;
  try {
    interpreter.run(made.program);
  } catch (const std::out_of_range &error) {
    return std::string("the interpreter: ") + error.what();
  }

  // The simulator has the program as it is written.
  Result<std::vector<uint8_t>> bytes = encode(made.program);
  if (!bytes.ok()) {
    return bytes.status().message();
  }
  Result<Program> program = decode({bytes->data(), bytes->size()});
  if (!program.ok()) {
    return program.status().message();
  }
  Machine machine(config);
  machine.scratchpad = made.scratchpad;
  attach(machine, made.regions);
  Status status = execute(machine, workers, *program, made.registers);
  if (!status.ok()) {
    return status.message();
  }
  std::string difference = findDifference(
      "the scratchpad", interpreter.scratchpad, machine.scratchpad);
  for (unsigned r = 0; r < kRegions && difference.empty(); ++r) {
    difference = findDifference(kRegionNames[r], interpreter.regions[r],
                                made.regions[r]);
  }
  return difference;
}

TEST(RandomPrograms, GiveWhatTheInterpreterGives) {
  Workers workers;
  for (uint64_t seed = 0; seed < kPrograms; ++seed) {
    std::string difference = runBoth(seed, workers, false);
    ASSERT_EQ(difference, "") << "seed " << seed;
  }
}

// A program that was not verified has one meaning, too.
TEST(RandomPrograms, GiveTheSameWhereOperandsOverlap) {
  Workers workers;
  for (uint64_t seed = 0; seed < kPrograms / 4; ++seed) {
    std::string difference = runBoth(seed, workers, true);
    ASSERT_EQ(difference, "") << "seed " << seed;
  }
}

TEST(RandomPrograms, AreLegalAndHaveNoRaces) {
  for (uint64_t seed = 0; seed < kPrograms / 10; ++seed) {
    Config config = getSmallMachine(seed);
    RandomProgram made = makeRandomProgram(seed, config);
    RegionSizes sizes;
    sizes.fill(kSmallRegion);
    Status status = check(made.program, config, made.registers, sizes);
    ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status.message();
  }
}

// So that the test above means something.
TEST(RandomPrograms, HaveEveryInstruction) {
  std::set<std::string> names;
  std::set<Queue> queues;
  size_t fetched = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomProgram made = makeRandomProgram(seed, getSmallMachine(seed));
    Expander expander(made.program, made.registers);
    while (expander.next()) {
      names.insert(getName(expander.current().operation));
      queues.insert(expander.current().queue);
      ++fetched;
    }
  }
  EXPECT_EQ(names.size(), std::variant_size_v<Operation>);
  EXPECT_EQ(queues.size(), kQueues);
  EXPECT_GT(fetched, 300u * 15);
}

// They are ordered so that no wait is left, and their time needs no data.
TEST(RandomPrograms, RunOnTheTimingEngine) {
  Workers workers;
  for (uint64_t seed = 0; seed < kPrograms / 20; ++seed) {
    Config config = getSmallMachine(seed);
    RandomProgram made = makeRandomProgram(seed, config);
    Machine machine(config, false);
    for (unsigned r = 0; r < kRegions; ++r) {
      machine.regions[r].size = made.regions[r].size();
    }
    Result<Trace> timed = trace(machine, workers, made.program, made.registers);
    ASSERT_TRUE(timed.ok())
        << "seed " << seed << ": " << timed.status().message();
    Result<ProgramTiming> timing = simulate(config, timed->commands);
    ASSERT_TRUE(timing.ok())
        << "seed " << seed << ": " << timing.status().message();
    EXPECT_GT(timing->cycles, 0);

    // With data the work is the same.
    Machine full(config);
    full.scratchpad = made.scratchpad;
    attach(full, made.regions);
    Result<Trace> both = trace(full, workers, made.program, made.registers);
    ASSERT_TRUE(both.ok()) << "seed " << seed << ": "
                           << both.status().message();
    ASSERT_EQ(both->commands.size(), timed->commands.size());
    Result<ProgramTiming> again = simulate(config, both->commands);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->cycles, timing->cycles);
  }
}

} // namespace
