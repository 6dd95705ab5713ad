// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Estimates against what the roofline, Little's law and the sizes of launches
// give by hand.

#include "runtime/drivers/gpu/estimate/Estimate.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace umber;
using namespace umber::gpu;

namespace {

Config getConfig(const std::string &name) {
  Result<Config> config = loadConfig(name);
  EXPECT_TRUE(config.ok()) << config.status().message();
  return *config;
}

/// A product as the target has it: 32 rows of the matrix and `tile` of the
/// input in a workgroup of 256 threads.
LaunchWork makeProduct(int64_t rows, int64_t columns, double bits,
                       int64_t tile = 1) {
  LaunchWork launch;
  launch.name = "product";
  launch.threads = 256;
  launch.tileRows = tile;
  launch.tileGroups = (rows + 31) / 32;
  launch.parameterBytes = uint64_t(double(rows * columns) * bits / 8);
  launch.weights = uint64_t(rows * columns);
  launch.inputBytes = uint64_t(columns);
  launch.rowBytes = uint64_t(columns + 4 * rows);
  launch.integerOps = 2 * launch.weights;
  return launch;
}

LaunchEstimate estimateOne(const Config &config, const LaunchWork &launch,
                           const StepShape &step, int64_t rank = 0) {
  return estimateTogether(config, {&launch}, step, rank).front();
}

TEST(GpuEstimate, StreamsLargeMatricesAtTheBandwidth) {
  Config config = getConfig("h100-like");
  // Plain f16, which a decode step reads once.
  LaunchWork launch = makeProduct(16384, 4096, 16);
  launch.floatOps = launch.integerOps;
  launch.integerOps = 0;
  LaunchEstimate made = estimateOne(config, launch, {0, 1, 1});
  double bytes = 2.0 * 16384 * 4096;
  EXPECT_EQ(made.getBound(), Resource::Dram);
  EXPECT_EQ(made.dram.weights, bytes);
  EXPECT_EQ(made.groups, 512);
  double expected = bytes / (3.35e12 * 0.9) + 1e-6 + 6e-7;
  EXPECT_NEAR(made.seconds / expected, 1, 0.01);
  // With all memory under way that is needed, so does a smaller one.
  config.dram.threadBytes = 64;
  launch = makeProduct(4096, 4096, 16);
  made = estimateOne(config, launch, {0, 1, 1});
  EXPECT_NEAR(made.seconds / (bytes / 4 / (3.35e12 * 0.9) + 1.6e-6), 1, 0.01);
}

TEST(GpuEstimate, WaitsForMemoryWhereTooLittleIsUnderWay) {
  Config config = getConfig("h100-like");
  // One workgroup: its 256 threads have 16 bytes each under way.
  LaunchWork launch = makeProduct(32, 4096, 16);
  LaunchEstimate made = estimateOne(config, launch, {0, 1, 1});
  EXPECT_EQ(made.groups, 1);
  EXPECT_EQ(made.getBound(), Resource::Latency);
  double turns = 32 * 4096 * 2 / (256 * 16.0);
  EXPECT_NEAR(made.seconds, 1e-6 + 6e-7 + turns * 6e-7, 1e-12);
  // As many workgroups as there are processors take no longer.
  launch = makeProduct(32 * 132, 4096, 16);
  EXPECT_NEAR(estimateOne(config, launch, {0, 1, 1}).seconds, made.seconds,
              1e-9);
}

TEST(GpuEstimate, IsBoundByArithmeticInPrompts) {
  Config config = getConfig("h100-like");
  LaunchWork launch = makeProduct(4096, 4096, 3.5, 64);
  launch.hasCodes = true;
  LaunchEstimate made = estimateOne(config, launch, {0, 1024, 0});
  EXPECT_EQ(made.getBound(), Resource::Arithmetic);
  // 2,048 workgroups on 132 processors: the last turn has 68.
  double occupancy = 2048 / (132 * 16.0);
  double ops = 2.0 * 4096 * 4096 * 1024;
  double rate = 132 * 1.83e9 * 0.7;
  EXPECT_NEAR(made.seconds, 1.6e-6 + ops / (512 * rate) / occupancy, 1e-9);
  EXPECT_NEAR(made.codes, 16.0 * 4096 * 4096, 1);
  LaunchWork tensors = launch;
  tensors.usesTensorCores = true;
  LaunchEstimate faster = estimateOne(config, tensors, {0, 1024, 0});
  EXPECT_NEAR(faster.needed[unsigned(Resource::Arithmetic)],
              ops / (5153 * rate) / occupancy, 1e-9);
  // On a device without, the same code does without.
  config.arithmetic.tensorOps = 0;
  EXPECT_EQ(estimateOne(config, tensors, {0, 1024, 0}).seconds, made.seconds);
}

TEST(GpuEstimate, HasAsManyTurnsAsTheFullestProcessor) {
  Config config = getConfig("h100-like");
  LaunchWork launch;
  launch.threads = 512;
  launch.floatOps = 132ull << 30;
  launch.tileGroups = 132;
  double one = estimateOne(config, launch, {0, 1, 1})
                   .needed[unsigned(Resource::Arithmetic)];
  // Another workgroup, with as much to do as each has had.
  launch.tileGroups = 133;
  launch.floatOps = 133ull << 30;
  double two = estimateOne(config, launch, {0, 1, 1})
                   .needed[unsigned(Resource::Arithmetic)];
  EXPECT_NEAR(two / one, 2, 1e-9);
  // Few threads leave cycles idle.
  launch.threads = 64;
  EXPECT_NEAR(estimateOne(config, launch, {0, 1, 1})
                      .needed[unsigned(Resource::Arithmetic)] /
                  two,
              4, 1e-9);
}

TEST(GpuEstimate, ReadsWeightsAgainForEachTileThatTheCacheDoesNotKeep) {
  LaunchWork launch = makeProduct(4096, 4096, 4, 8);
  Config phone = getConfig("adreno-750-like"), card = getConfig("h100-like");
  EXPECT_EQ(estimateOne(phone, launch, {0, 64, 0}).dram.weights,
            8.0 * 4096 * 2048);
  EXPECT_EQ(estimateOne(card, launch, {0, 64, 0}).dram.weights, 4096.0 * 2048);
  EXPECT_GE(estimateOne(card, launch, {0, 64, 0}).l2Bytes, 8.0 * 4096 * 2048);
}

TEST(GpuEstimate, AddsUpWhatRunsTogether) {
  Config config = getConfig("h100-like");
  LaunchWork a = makeProduct(16384, 4096, 4), b = a;
  b.withPrevious = true;
  double alone = estimateOne(config, a, {0, 1, 1}).seconds;
  auto both = estimateTogether(config, {&a, &b}, {0, 1, 1}, 0);
  double together = both[0].seconds + both[1].seconds;
  EXPECT_NEAR(together, 2 * (alone - 1.6e-6) + 1.6e-6, 1e-12);
}

TEST(GpuEstimate, CountsAttentionsPositions) {
  Config config = getConfig("h100-like");
  for (uint64_t window : {0, 1, 5, 9, 40}) {
    LaunchWork launch;
    launch.positionOps = 10;
    launch.cacheBytes = 100;
    launch.cacheReaders = 3;
    launch.window = window;
    for (StepShape step : {StepShape{0, 1, 1}, StepShape{3, 8, 1},
                           StepShape{7, 1, 1}, StepShape{20, 16, 0}}) {
      double pairs = 0;
      for (int64_t t = 0; t < step.tokens; ++t) {
        double seen = double(step.position + t + 1);
        pairs += window ? std::min(seen, double(window)) : seen;
      }
      LaunchEstimate made = estimateOne(config, launch, step);
      EXPECT_NEAR(made.floatOps, 10 * pairs, 1e-6) << window;
      EXPECT_NEAR(made.l2Bytes, 300 * pairs, 1e-6) << window;
    }
  }
  // A context is cut into as many parts as it has positions for.
  LaunchWork split;
  split.positionOps = 1;
  split.tileGroups = 64;
  split.parts = 32;
  split.partPositions = 128;
  EXPECT_EQ(estimateOne(config, split, {0, 1, 1}).groups, 2);
  EXPECT_EQ(estimateOne(config, split, {511, 1, 1}).groups, 8);
  EXPECT_EQ(estimateOne(config, split, {100000, 1, 1}).groups, 64);
  LaunchWork launch;
  launch.positionOps = 1;
  launch.cacheBytes = 100;
  EXPECT_EQ(estimateOne(config, launch, {511, 1, 1}).dram.cache, 51200);
  // What is written, by others.
  launch.positionOps = 0;
  EXPECT_EQ(estimateOne(config, launch, {511, 1, 1}).dram.cache, 100);
}

TEST(GpuEstimate, CountsAdapters) {
  Config config = getConfig("h100-like");
  LaunchWork launch;
  launch.adapterElements = 4096;
  launch.correctionElements = 100;
  EXPECT_EQ(estimateOne(config, launch, {0, 1, 1}).dram.adapters, 200);
  EXPECT_EQ(estimateOne(config, launch, {0, 1, 1}, 16).dram.adapters,
            200 + 2 * 16 * 4096);
}

LaunchFile makeFile() {
  LaunchFile file;
  for (int64_t rows : {1, 128}) {
    LaunchProgram &program = file.programs.emplace_back();
    program.name = rows == 1 ? "decode" : "prefill";
    program.api = "cuda";
    program.rows = rows;
    for (const char *name : {"body", "head"}) {
      LaunchWork &launch = program.launches.emplace_back(
          makeProduct(4096, 4096, 4, std::min<int64_t>(rows, 8)));
      launch.name = name;
      launch.ofOutputs = launch.name == "head";
    }
  }
  return file;
}

TEST(GpuEstimate, AddsUpSteps) {
  Config config = getConfig("h100-like");
  LaunchFile file = makeFile();
  Result<Estimator> estimator = Estimator::create(file, config);
  ASSERT_TRUE(estimator.ok()) << estimator.status().message();
  EXPECT_EQ(estimator->getLaunches().size(), 2u);
  // Eight steps of 128, and a token that the narrowest program takes.
  PhaseEstimate phase = estimator->estimatePrefill(1025, 0);
  EXPECT_EQ(phase.steps, 9);
  EXPECT_EQ(phase.tokens, 1025);
  EXPECT_EQ(phase.rows, 128);
  EXPECT_NEAR(phase.stepSeconds, 9 * 1e-5, 1e-12);
  double sum = phase.stepSeconds;
  for (const LaunchEstimate &launch : phase.launches) {
    sum += launch.seconds;
  }
  EXPECT_NEAR(phase.seconds, sum, 1e-12);
  // The last step alone has logits; others' workgroups return at once.
  PhaseEstimate decode = estimator->estimateDecode(0, 0);
  EXPECT_NEAR(phase.launches[1].seconds, decode.launches[1].seconds + 8e-6,
              1e-12);
  ASSERT_EQ(phase.timeline.size(), 2u);
  EXPECT_NEAR(phase.timeline[0].start, 1e-5 + 1.6e-6, 1e-12);
}

TEST(GpuEstimate, NeedsLaunchesForTheDevicesApi) {
  LaunchFile file = makeFile();
  Config config = getConfig("adreno-750-like");
  EXPECT_EQ(Estimator::create(file, config).status().message(),
            "expected launches for vulkan, which adreno-750-like runs, found "
            "those for cuda");
}

} // namespace
