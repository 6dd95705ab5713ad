// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products on whole devices, against published tables. docs/neural-engine.md
// has the tables, with the command that reproduces each row.

#include "runtime/drivers/npu/Product.h"
#include "test/Unit/NPU/Fixture.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

ProductTiming run(const Config &config, ProductShape shape,
                  const std::string &weights, int64_t layers = 1) {
  Result<ProductTiming> timing =
      runProduct(config, {shape, *parseWeightFormat(weights), layers});
  EXPECT_TRUE(timing.ok()) << timing.status().message();
  return timing.ok() ? *timing : ProductTiming();
}

std::string getFailure(const std::string &device, ProductShape shape,
                       const std::string &weights) {
  return runProduct(getConfig(device), {shape, *parseWeightFormat(weights), 1})
      .status()
      .message();
}

/// Mean and largest of errors.
struct Errors {
  std::vector<double> values;

  double mean() const {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / static_cast<double>(values.size());
  }
  double worst() const {
    return *std::max_element(values.begin(), values.end());
  }
};

// Cycles of Gemmini's RTL, from ONNXim's tests of GemmWS.
TEST(Gemmini, TakesTheCyclesOfItsRtl) {
  struct Row {
    ProductShape shape;
    double cycles;
  };
  const Row rows[] = {
      {{1, 1000, 512}, 66360},       {{1, 1000, 2048}, 270431},
      {{512, 768, 512}, 3171978},    {{512, 512, 768}, 3170315},
      {{512, 768, 768}, 4756894},    {{512, 2304, 768}, 14266861},
      {{512, 1024, 512}, 4227300},   {{512, 512, 1024}, 4228207},
      {{512, 1024, 1024}, 8458619},  {{512, 2, 1024}, 67553},
      {{512, 3072, 1024}, 25390266}, {{512, 4096, 1024}, 33912072},
      {{512, 1024, 4096}, 33912533},
  };
  Errors errors;
  Config config = getConfig("gemmini-8x8");
  for (const Row &row : rows) {
    ProductTiming timing = run(config, row.shape, "i8");
    errors.values.push_back(getError(timing.cycles, row.cycles));
    EXPECT_EQ(timing.bound, Bound::Mac);
  }
  EXPECT_LT(errors.mean(), 0.01);
  EXPECT_LT(errors.worst(), 0.05);
}

// The mappings of ONNXim's tests, which are those of Gemmini's library.
TEST(Gemmini, ChoosesTheTilesOfItsLibrary) {
  Config config = getConfig("gemmini-8x8");
  auto tile = [&](ProductShape shape) {
    ProductTile blocks = chooseBlocks(config, shape);
    return std::vector<int64_t>{8 * blocks.rows, 8 * blocks.columns,
                                8 * blocks.inner};
  };
  EXPECT_EQ(tile({1, 1000, 2048}), (std::vector<int64_t>{8, 64, 448}));
  EXPECT_EQ(tile({512, 2, 1024}), (std::vector<int64_t>{64, 8, 448}));
  EXPECT_EQ(tile({512, 1024, 1024}), (std::vector<int64_t>{40, 40, 408}));
  EXPECT_EQ(tile({8, 8, 8}), (std::vector<int64_t>{8, 8, 8}));
}

// Milliseconds per layer of 4096 x 4096, from anemll-forge's results.
TEST(Palettes, StreamAsMeasured) {
  struct Row {
    const char *weights;
    double m6, m5Max; ///< 0: not measured
  };
  const Row rows[] = {
      {"f16", 0.218, 0.211},   {"i8", 0.103, 0.109},    {"p4", 0.045, 0.108},
      {"p3", 0.050, 0},        {"p2x64", 0.049, 0.110}, {"p2", 0.028, 0},
      {"p2x16", 0.028, 0.112}, {"p4x64", 0.024, 0.110}, {"p1", 0.026, 0},
      {"p4x16", 0.026, 0.111}, {"p8x16", 0.023, 0.111},
  };
  for (int64_t layers : {1, 24}) {
    Errors m6, m5Max;
    for (const Row &row : rows) {
      auto error = [&](const char *device, double ms) {
        ProductTiming timing =
            run(getConfig(device), {1, 4096, 4096}, row.weights, layers);
        return getError(1e3 * timing.seconds / static_cast<double>(layers), ms);
      };
      m6.values.push_back(error("ane-m6-like", row.m6));
      if (row.m5Max > 0) {
        m5Max.values.push_back(error("ane-m5max-like", row.m5Max));
      }
    }
    EXPECT_LT(m6.mean(), 0.10);
    EXPECT_LT(m6.worst(), 0.20);
    EXPECT_LT(m5Max.mean(), 0.10);
    EXPECT_LT(m5Max.worst(), 0.20);
  }
}

// ane-guide, chapter 10: 1.50, 0.89 and 0.62 mJ on the engine's rail.
TEST(Energies, FallWithTheWeightsAsMeasured) {
  Config config = getConfig("ane-m2-like");
  ProductTiming f16 = run(config, {1, 4096, 4096}, "f16");
  ProductTiming i8 = run(config, {1, 4096, 4096}, "i8");
  ProductTiming p4 = run(config, {1, 4096, 4096}, "p4");
  EXPECT_LT(getError(i8.energy.total() / f16.energy.total(), 0.59), 0.15);
  EXPECT_LT(getError(p4.energy.total() / f16.energy.total(), 0.41), 0.15);
  EXPECT_LT(getError(f16.energy.total(), 1.50e-3), 0.15);
  EXPECT_LT(getError(f16.seconds, 0.690e-3), 0.05);
  EXPECT_LT(getError(i8.seconds, 0.431e-3), 0.05);
  EXPECT_LT(getError(p4.seconds, 0.270e-3), 0.06);
}

TEST(CoreProducts, KeepAChainOnTheChip) {
  Config config = getConfig("ane-a17-like");
  ProductTiming one = run(config, {1, 4096, 4096}, "p4");
  ProductTiming ten = run(config, {1, 4096, 4096}, "p4", 10);
  // A row of A and one of C, and the weights.
  EXPECT_EQ(one.dramBytes, 4096u * 4096 / 2 + 2 * 8192);
  EXPECT_EQ(ten.dramBytes, 10u * 4096 * 4096 / 2 + 2 * 8192);
  // The stream does not stop between layers.
  EXPECT_LT(ten.dramIdleCycles - one.dramIdleCycles, 0.01 * ten.cycles);
}

// Rows that do not fit into the scratchpad stream the weights once per part.
TEST(CoreProducts, StreamWeightsPerPartOfTheRows) {
  Config config = getConfig("ane-a17-like");
  // A slower array, so that it is the limit.
  std::get<CoreArray>(config.array).efficiency = 0.55;
  config.scratchpad.accumulatorBytes = 65536;
  ProductShape shape = {1024, 3072, 3072};
  ProductTiming timing = run(config, shape, "p4");
  uint64_t parts = divideUp(shape.rows, timing.tile.rows);
  EXPECT_GT(parts, 1u);
  // And C once, and A once or once per tile of columns.
  uint64_t operand = 2 * uint64_t(1024) * 3072;
  uint64_t tiles = divideUp(shape.columns, timing.tile.columns);
  uint64_t rest = timing.dramBytes - parts * 3072 * 3072 / 2 - operand;
  EXPECT_TRUE(rest == operand || rest == tiles * operand) << rest;
  EXPECT_EQ(timing.bound, Bound::Mac);
}

TEST(CoreProducts, AreLegalWhateverTheirSize) {
  for (const char *device : {"ane-a17-like", "ane-m6-like", "edge-npu"}) {
    Config config = getConfig(device);
    for (ProductShape shape : {ProductShape{1, 1, 1},
                               {1, 49152, 576},
                               {7, 13, 40000},
                               {300, 1, 1},
                               {33, 65, 127},
                               {2048, 2048, 64},
                               {4096, 16, 16384}}) {
      ProductRequest request = {shape, *parseWeightFormat("i8"), 2};
      Result<CoreTiling> tiling = chooseTiling(config, request);
      ASSERT_TRUE(tiling.ok()) << tiling.status().message();
      uint64_t macs = 0,
               slots = config.kernelBuffer.bytes / config.kernelBuffer.slots;
      for (const Command &command : makeCoreProgram(config, request, *tiling)) {
        macs += command.work.macsI8;
        if (command.queue == Queue::Weights) {
          EXPECT_LE(command.work.readBytes, slots);
        }
      }
      EXPECT_EQ(macs, 2 * shape.macs());
      ProductTiming timing = run(config, shape, "i8", 2);
      EXPECT_GT(timing.utilization, 0);
      EXPECT_LE(timing.utilization, 1);
      // Never faster than its weights come.
      EXPECT_GE(timing.cycles, config.cycles(2.0 * shape.columns * shape.inner /
                                             config.dram.bytesPerSecond));
    }
  }
}

TEST(CoreProducts, AreRefusedWhereTheyDoNotFit) {
  EXPECT_EQ(getFailure("ane-a17-like", {1, 1, int64_t(1) << 24}, "f16")
                .find("ane-a17-like"),
            std::string::npos);
  EXPECT_EQ(getFailure("ane-a17-like", {1 << 24, 1 << 16, 1 << 16}, "f16"),
            "ane-a17-like needs more than 4194304 commands for so large a "
            "product");
  Config config = getConfig("ane-a17-like");
  config.scratchpad.bytes = 1024;
  ProductRequest request = {{16, 4096, 4096}, {}, 1};
  EXPECT_EQ(chooseTiling(config, request).status().message(),
            "ane-a17-like has no room for a tile of 16 rows, 256 columns "
            "(scratchpad.bytes 1024, kernel_buffer.bytes 1048576)");
}

TEST(SystolicProducts, RunWithAndWithoutALimitedInterface) {
  ProductShape shape = {256, 128, 256};
  EXPECT_EQ(run(getConfig("scalesim-32x32"), shape, "i8").cycles, 11199);
  ProductTiming timing = run(getConfig("scalesim-32x32-10w"), shape, "i8", 2);
  EXPECT_EQ(timing.cycles, 2 * 52447);
  EXPECT_EQ(timing.stallCycles, 2 * 41248);
  EXPECT_EQ(timing.cyclesWithPrefetch, 2 * 59002);
  EXPECT_EQ(timing.bound, Bound::Dram);
  EXPECT_EQ(timing.dramBytes, 2u * (557090 + 262175));
}

} // namespace
