// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs of a few commands whose times are known by hand, on an engine of
// round numbers: 1 GHz, 100 bytes of DRAM a cycle, 10 cycles of latency.

#include "runtime/drivers/npu/Engine.h"
#include "test/Unit/NPU/Fixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

Config getMachine() {
  Config config = getConfig("ane-a17-like");
  config.arrayHz = config.vectorHz = 1e9;
  config.dispatchSeconds = 0;
  config.dram = {100e9, 1, 50e9, 10e-9, 1, 1 << 20, 1 << 20};
  config.decoder.weightsPerSecond = 50e9;
  config.vector = {32, 100e-9, 0.5};
  config.energy = {1, 2, 3, 4, 5, 6};
  return config;
}

Command compute(double cycles) {
  Command command;
  command.queue = Queue::Matrix;
  command.work.arrayCycles = cycles;
  return command;
}

Command load(Queue queue, uint64_t bytes, bool weights = true) {
  Command command;
  command.queue = queue;
  command.work.readBytes = bytes;
  command.work.streamsWeights = weights;
  return command;
}

ProgramTiming run(const Config &config, const std::vector<Command> &program) {
  Result<ProgramTiming> timing = simulate(config, program);
  EXPECT_TRUE(timing.ok()) << timing.status().message();
  return timing.ok() ? *timing : ProgramTiming();
}

std::string getFailure(const std::vector<Command> &program) {
  return simulate(getMachine(), program).status().message();
}

// So late that times are whole cycles apart, a stream of less than one still
// ends.
TEST(Engine, EndsHoweverLateItIs) {
  std::vector<Command> program = {load(Queue::Load0, 1),
                                  load(Queue::Load0, 250)};
  program.insert(program.begin(), compute(0x1p55));
  program[0].signal = {1, 1};
  program[1].wait[0] = {1, 1};
  EXPECT_GE(run(getMachine(), program).cycles, 0x1p55);
}

// Fetched a cycle apart; in order.
TEST(Engine, RunsAQueueInOrder) {
  ProgramTiming timing =
      run(getMachine(), {compute(10), compute(0), compute(5)});
  EXPECT_EQ(timing.commands[0].start, 1);
  EXPECT_EQ(timing.commands[0].end, 11);
  EXPECT_EQ(timing.commands[1].end, 12);
  EXPECT_EQ(timing.commands[2].end, 17);
  EXPECT_EQ(timing.cycles, 17);
  EXPECT_EQ(timing.queueBusy[unsigned(Queue::Matrix)], 16);
  EXPECT_EQ(timing.bound, Bound::Mac);
  EXPECT_EQ(timing.dramIdle, 17);
}

TEST(Engine, FetchesAWordACycle) {
  std::vector<Command> program = {compute(1), compute(1)};
  program[0].words = 2;
  program[1].queue = Queue::Vector;
  program[1].words = 3;
  ProgramTiming timing = run(getMachine(), program);
  EXPECT_EQ(timing.commands[0].start, 2);
  EXPECT_EQ(timing.commands[1].start, 5);
}

TEST(Engine, StartsAfterTheLaunch) {
  Config config = getMachine();
  config.dispatchSeconds = 1e-6;
  EXPECT_EQ(run(config, {compute(10)}).commands[0].start, 1001);
}

// The wait takes 2 of 3 signals away; 1 is left for the next.
TEST(Engine, WaitsForSemaphoresAndTakesThemAway) {
  std::vector<Command> program = {compute(10), compute(20), compute(5),
                                  compute(5), compute(1)};
  program[0].signal = {3, 1};
  program[1].signal = {3, 2};
  program[2].queue = program[3].queue = Queue::Vector;
  program[2].wait[0] = {3, 2};
  program[3].wait[0] = {3, 1};
  program[4].signal = {4, 1};
  ProgramTiming timing = run(getMachine(), program);
  EXPECT_EQ(timing.commands[1].end, 31);
  EXPECT_EQ(timing.commands[2].start, 31);
  EXPECT_EQ(timing.commands[2].bound, Bound::Sync);
  EXPECT_EQ(timing.commands[3].start, 36);
  EXPECT_EQ(timing.commands[3].bound, Bound::Mac);
}

TEST(Engine, WaitsForBothSemaphores) {
  std::vector<Command> program = {compute(10), compute(50), compute(1)};
  program[0].signal = {1, 1};
  program[1].queue = Queue::Vector;
  program[1].signal = {2, 1};
  program[2].queue = Queue::Store;
  program[2].wait[0] = {1, 1};
  program[2].wait[1] = {2, 1};
  EXPECT_EQ(run(getMachine(), program).commands[2].start, 52);
}

TEST(Engine, HoldsLaterCommandsAtAFence) {
  std::vector<Command> program = {compute(50), compute(1), compute(1)};
  program[1].queue = Queue::System;
  program[1].fence = 1 << unsigned(Queue::Matrix);
  program[2].queue = Queue::Vector;
  ProgramTiming timing = run(getMachine(), program);
  EXPECT_EQ(timing.commands[0].end, 51);
  EXPECT_EQ(timing.commands[1].start, 52);
  EXPECT_EQ(timing.commands[2].start, 53);
  // Of a queue that is not asked for, nothing is awaited.
  program[1].fence = 1 << unsigned(Queue::Store);
  EXPECT_EQ(run(getMachine(), program).commands[2].start, 3);
}

// 1000 bytes at 100 a cycle, after 10 cycles.
TEST(Engine, LoadsAfterTheLatency) {
  ProgramTiming timing = run(getMachine(), {load(Queue::Weights, 1000)});
  EXPECT_NEAR(timing.commands[0].end, 1 + 10 + 10, 0.01);
  EXPECT_NEAR(timing.dramIdle, 11, 0.01);
  EXPECT_EQ(timing.dramBytes, 1000u);
  // Activations have an engine of half of the bandwidth.
  EXPECT_NEAR(run(getMachine(), {load(Queue::Load0, 1000, false)}).cycles, 31,
              0.01);
}

TEST(Engine, HidesTheLatencyOfTheNextLoad) {
  ProgramTiming timing = run(
      getMachine(), {load(Queue::Weights, 2000), load(Queue::Weights, 1000)});
  EXPECT_NEAR(timing.commands[0].end, 31, 0.01);
  EXPECT_NEAR(timing.commands[1].start, 11, 0.01);
  EXPECT_NEAR(timing.commands[1].end, 41, 0.01);
  EXPECT_EQ(timing.bound, Bound::Dram);
}

// Both have 50 bytes a cycle until the short one is through.
TEST(Engine, SharesDramFairly) {
  Command first = load(Queue::Load0, 4000), second = load(Queue::Load1, 1000);
  first.words = second.words = 0;
  ProgramTiming timing = run(getMachine(), {first, second});
  EXPECT_NEAR(timing.commands[1].end, 10 + 20, 0.01);
  EXPECT_NEAR(timing.commands[0].end, 10 + 20 + 30, 0.01);
}

// The decoder takes half a weight a byte: 25 bytes a cycle; 75 are left.
TEST(Engine, GivesWhatADecoderLeavesToOthers) {
  Command slow = load(Queue::Weights, 2500), fast = load(Queue::Load0, 7500);
  slow.words = fast.words = 0;
  slow.work.decodedWeights = 5000;
  ProgramTiming timing = run(getMachine(), {slow, fast});
  EXPECT_NEAR(timing.commands[0].end, 10 + 100, 0.01);
  EXPECT_NEAR(timing.commands[1].end, 10 + 100, 0.01);
  EXPECT_EQ(timing.commands[0].bound, Bound::Lut);
  EXPECT_EQ(timing.commands[1].bound, Bound::Dram);
  // Alone, it leaves the channel underused.
  timing = run(getMachine(), {slow});
  EXPECT_EQ(timing.bound, Bound::Lut);
  EXPECT_NEAR(timing.cycles, 110, 0.01);
}

TEST(Engine, MovesWholeBursts) {
  Config config = getMachine();
  config.dram.burstBytes = 64;
  Command command = load(Queue::Load0, 100);
  EXPECT_EQ(run(config, {command}).dramBytes, 128u);
  command.work.segmentBytes = 10;
  EXPECT_EQ(run(config, {command}).dramBytes, 640u);
  command.work.segmentBytes = 30;
  EXPECT_EQ(run(config, {command}).dramBytes, 256u);
}

// 5 requests of 64 bytes under way for 10 cycles each: 32 bytes a cycle.
TEST(Engine, KeepsToOutstandingRequests) {
  Config config = getMachine();
  config.dram.burstBytes = 64;
  config.dram.maxReads = 5;
  EXPECT_NEAR(run(config, {load(Queue::Load0, 3200)}).cycles, 11 + 100, 0.01);
  Command store;
  store.queue = Queue::Store;
  store.work.writeBytes = 3200;
  EXPECT_NEAR(run(config, {store}).cycles, 11 + 64, 0.01);
}

TEST(Engine, TakesTheSlowestPartOfAWork) {
  Command command = compute(10);
  command.work.scratchpadCycles = 30;
  command.work.scratchpadBytes = 7;
  ProgramTiming timing = run(getMachine(), {command});
  EXPECT_EQ(timing.cycles, 31);
  EXPECT_EQ(timing.bound, Bound::Sram);
  // A start of 100 cycles; 32 lanes.
  command.work.vectorElements = 320;
  timing = run(getMachine(), {command});
  EXPECT_NEAR(timing.cycles, 1 + 110, 1e-6);
  EXPECT_EQ(timing.bound, Bound::Vpu);
  command.work.vectorInputs = 2;
  EXPECT_NEAR(run(getMachine(), {command}).cycles, 1 + 120, 1e-6);
  command.work.reduces = true;
  EXPECT_NEAR(run(getMachine(), {command}).cycles, 1 + 125, 1e-6);
  // A store that is held back by a slow source.
  command.work.writeBytes = 10;
  EXPECT_NEAR(run(getMachine(), {command}).cycles, 11 + 125, 0.01);
}

TEST(Engine, AddsUpEnergies) {
  Command first = load(Queue::Load0, 100);
  first.words = 0;
  first.work.scratchpadBytes = 10;
  Command second = compute(11);
  second.words = 0;
  second.work.macsF16 = 1000;
  second.work.macsI8 = 500;
  second.work.vectorElements = 1;
  second.work.arrayCycles = 300;
  ProgramTiming timing = run(getMachine(), {first, second});
  const Energy &load = timing.commands[0].energy;
  const Energy &math = timing.commands[1].energy;
  EXPECT_NEAR(load.memory, (100 * 4 + 10 * 3) * 1e-12, 1e-18);
  EXPECT_NEAR(math.compute, (1000 * 1 + 500 * 2) * 1e-12, 1e-18);
  EXPECT_NEAR(math.vector, 5e-12, 1e-18);
  // 11 cycles together, then 289 alone, at 6 W.
  EXPECT_NEAR(load.idle, 6 * 5.5e-9, 1e-11);
  EXPECT_NEAR(math.idle, 6 * 294.5e-9, 1e-11);
  EXPECT_NEAR(timing.energy.total(), load.total() + math.total(), 1e-15);
}

TEST(Engine, ReportsWaitsThatAreNeverMet) {
  std::vector<Command> program = {compute(1), compute(1)};
  program[0].wait[0] = {5, 2};
  program[0].signal = {6, 1};
  program[1].queue = Queue::Vector;
  program[1].wait[0] = {6, 1};
  program[1].signal = {5, 2};
  EXPECT_EQ(getFailure(program),
            "command 0: waits for ever: matrix at command 0 for semaphore 5 to "
            "reach 2, which is 0; vector at command 1 for semaphore 6 to reach "
            "1, which is 0");
  // Behind a fence that is never passed.
  program[1].wait[0] = {};
  program[1].fence = 1 << unsigned(Queue::Matrix);
  EXPECT_EQ(getFailure(program),
            "command 0: waits for ever: matrix at command 0 for semaphore 5 to "
            "reach 2, which is 0; vector at command 1 behind the fence of "
            "command 1");
}

TEST(Engine, RefusesWhatIsNotThere) {
  Command command = compute(1);
  command.signal = {32, 1};
  EXPECT_EQ(getFailure({compute(1), command}),
            "command 1: expected a semaphore below 32, found 32");
  command = compute(1);
  command.wait[1] = {0, 64};
  EXPECT_EQ(getFailure({command}),
            "command 0: expected a count of at most 63, found 64");
  command = compute(1);
  command.queue = Queue(8);
  EXPECT_EQ(getFailure({command}),
            "command 0: expected a queue below 8, found 8");
  command = compute(1);
  command.signal = {7, 40};
  EXPECT_EQ(getFailure({command, command}), "command 1: semaphore 7 passes 63");
  EXPECT_EQ(run(getMachine(), {}).cycles, 0);
}

} // namespace
