// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/CriticalPath.h"

#include "runtime/drivers/npu/Engine.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

using namespace umber;
using namespace umber::npu;
using namespace umber::tools;

namespace {

double total(const CriticalPath &path) {
  return std::accumulate(path.seconds.begin(), path.seconds.end(),
                         path.waiting);
}

PathCommand make(Queue queue, double start, double end, double channel = 0) {
  PathCommand command;
  command.queue = queue;
  command.start = start;
  command.end = end;
  command.channel = command.alone = channel;
  command.isDramBound = channel > 0;
  return command;
}

TEST(CriticalPath, FollowsWhatWasWaitedFor) {
  // The vector unit waits for the product, which waits for nothing but the
  // launch; the store beside them ends earlier.
  CriticalPath path =
      findCriticalPath({make(Queue::Matrix, 1, 4), make(Queue::Cache, 1, 3),
                        make(Queue::Vector, 4, 6)},
                       0);
  EXPECT_EQ(path.seconds, (std::vector<double>{3, 0, 2}));
  EXPECT_EQ(path.waiting, 1);
}

TEST(CriticalPath, CountsGapsAsWaiting) {
  CriticalPath path = findCriticalPath(
      {make(Queue::Matrix, 0, 2), make(Queue::Vector, 2.5, 3)}, 0);
  EXPECT_EQ(path.seconds, (std::vector<double>{2, 0.5}));
  EXPECT_EQ(path.waiting, 0.5);
}

TEST(CriticalPath, IssuesStreamsAhead) {
  // The second stream is issued while the first moves its data, and its own
  // time begins behind that; the latency is the first one's alone.
  CriticalPath path = findCriticalPath(
      {make(Queue::Weights, 0, 5, 4), make(Queue::Weights, 1, 8, 3)}, 1);
  EXPECT_EQ(path.seconds, (std::vector<double>{4, 3}));
  EXPECT_EQ(path.waiting, 1);
}

TEST(CriticalPath, DividesTheChannel) {
  // Both need 3 of the channel; the one that ends last has waited for the
  // other's part of it.
  CriticalPath path = findCriticalPath(
      {make(Queue::Weights, 0, 6, 4), make(Queue::Load0, 0, 4, 2)}, 0);
  EXPECT_EQ(path.seconds, (std::vector<double>{4, 2}));
  EXPECT_EQ(path.waiting, 0);
}

TEST(CriticalPath, AddsUpToTheTimeOfRandomPrograms) {
  Result<Config> config = loadConfig("ane-a17-like");
  ASSERT_TRUE(config.ok());
  std::mt19937 random(3);
  auto choose = [&](uint64_t least, uint64_t most) {
    return std::uniform_int_distribution<uint64_t>(least, most)(random);
  };
  for (int round = 0; round < 200; ++round) {
    // A semaphore for each.
    std::vector<Command> program(choose(1, kSemaphores));
    for (size_t i = 0; i < program.size(); ++i) {
      Command &command = program[i];
      constexpr Queue kQueuesUsed[] = {Queue::Load0, Queue::Weights,
                                       Queue::Matrix, Queue::Vector};
      command.queue = kQueuesUsed[choose(0, 3)];
      if (command.queue == Queue::Load0 || command.queue == Queue::Weights) {
        command.work.readBytes = choose(1, 1 << 20);
        command.work.streamsWeights = command.queue == Queue::Weights;
      } else {
        command.work.arrayCycles = static_cast<double>(choose(1, 10000));
      }
      // Each may wait for the one before, which signals it alone.
      if (i > 0 && choose(0, 1)) {
        auto semaphore = static_cast<uint8_t>(i);
        program[i - 1].signal = {semaphore, 1};
        command.wait[0] = {semaphore, 1};
      }
    }
    Result<ProgramTiming> timing = simulate(*config, program);
    ASSERT_TRUE(timing.ok()) << timing.status().message();
    std::vector<PathCommand> commands;
    for (size_t i = 0; i < program.size(); ++i) {
      double channel = config->seconds(
          getResourceCycles(*config, program[i].work)[unsigned(Bound::Dram)]);
      commands.push_back(
          make(program[i].queue, config->seconds(timing->commands[i].start),
               config->seconds(timing->commands[i].end), channel));
    }
    CriticalPath path = findCriticalPath(commands, config->dram.latencySeconds);
    double end = config->seconds(timing->cycles);
    EXPECT_NEAR(total(path), end, 1e-9 * end);
    for (double seconds : path.seconds) {
      EXPECT_GE(seconds, -1e-15);
    }
  }
}

} // namespace
