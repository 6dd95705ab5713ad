// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What instructions cost, on ane-a17-like: 16 cores of 16 columns, 16 rows of
// f16 or 32 of i8, 64 banks of 16 bytes.

#include "runtime/drivers/npu/sim/WorkModel.h"

#include "runtime/drivers/npu/Engine.h"
#include "runtime/drivers/npu/Product.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/sim/Executor.h"
#include "test/Unit/NPU/Fixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

class WorkModelTest : public testing::Test {
protected:
  WorkModelTest() : config(getConfig("ane-a17-like")), machine(config, false) {
    for (DramRegion &region : machine.regions) {
      region.size = uint64_t(1) << 32;
    }
  }

  Trace run(const std::vector<Operation> &operations) {
    Program program;
    for (const Operation &operation : operations) {
      program.emplace_back();
      program.back().operation = operation;
      program.back().queue = Queue::Matrix;
    }
    program.emplace_back();
    Result<Trace> result = trace(machine, Workers(), program, {});
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? *result : Trace{std::vector<Command>(9), {}};
  }
  Work getWork(const std::vector<Operation> &operations) {
    return run(operations).commands[operations.size() - 1].work;
  }

  Config config;
  Machine machine;
};

TEST_F(WorkModelTest, MovesSegments) {
  Load load;
  load.bytes = 100;
  load.rows = 6;
  load.planes = 3;
  load.rowStride = 200;
  load.planeStride = 2000;
  load.scratchpadRowStride = 112;
  load.scratchpadPlaneStride = 672;
  Work work = getWork({load});
  EXPECT_EQ(work.readBytes, 1800u);
  EXPECT_EQ(work.segmentBytes, 100u);
  EXPECT_EQ(work.scratchpadBytes, 1800u);
  // 18 rows of 7 granules.
  EXPECT_EQ(work.scratchpadCycles, 18 * 7 / 64.0);
  // Rows that lie one behind the other are one segment; so are planes.
  load.rowStride = 100;
  EXPECT_EQ(getWork({load}).segmentBytes, 600u);
  load.planeStride = 600;
  EXPECT_EQ(getWork({load}).segmentBytes, 1800u);

  Store store;
  static_cast<Transfer &>(store) = load;
  work = getWork({store});
  EXPECT_EQ(work.readBytes, 0u);
  EXPECT_EQ(work.writeBytes, 1800u);

  Gather gather;
  gather.count = 7;
  gather.bytes = 300;
  gather.stride = 304;
  gather.limit = 10;
  work = getWork({gather});
  EXPECT_EQ(work.readBytes, 2100u);
  EXPECT_EQ(work.segmentBytes, 300u);
}

TEST_F(WorkModelTest, StreamsWeightsAsTheyAreStored) {
  LoadTable table;
  table.count = 3;
  table.entries = 8;
  table.type = DataType::F16;
  EXPECT_EQ(getWork({table}).readBytes, 48u);
  StreamWeights weights;
  weights.rows = 48;
  weights.columns = 101;
  weights.isPalette = true;
  weights.bits = 3;
  weights.storageBits = 4;
  weights.rowsPerTable = 16;
  weights.rowsPerScale = 5;
  weights.firstRow = 4;
  Work work = getWork({table, weights});
  // Rows of whole bytes; scales 0 to 10.
  EXPECT_EQ(work.readBytes, 48u * 51 + 2 * 11);
  EXPECT_EQ(work.decodedWeights, 48u * 101);
  EXPECT_TRUE(work.streamsWeights);
  weights.isPalette = false;
  weights.bits = 16;
  weights.rowsPerScale = 0;
  work = getWork({weights});
  EXPECT_EQ(work.readBytes, 48u * 202);
  EXPECT_EQ(work.decodedWeights, 0u);
}

/// A product of weights of f16, as a whole.
std::vector<Operation> makeProduct(uint32_t rows, uint32_t columns,
                                   uint32_t inner, uint32_t stride) {
  StreamWeights weights;
  weights.rows = columns;
  weights.columns = inner;
  weights.bits = 16;
  Multiply product;
  product.a = {{0, 0}, stride, DataType::F16};
  product.c = {{1 << 20, 0}, ((columns * 2 + 15) / 16 | 1) * 16, DataType::F16};
  product.rows = rows;
  product.columns = columns;
  product.inner = inner;
  return {weights, product};
}

// The work that umber-sim --gemm gives the same product.
TEST_F(WorkModelTest, AgreesWithTheModelOfSingleProducts) {
  ProductRequest request;
  request.shape = {64, 512, 256};
  CoreTiling tiling;
  tiling.tile = request.shape;
  tiling.residentA = true;
  Work expected;
  for (const Command &command : makeCoreProgram(config, request, tiling)) {
    if (command.work.arrayCycles > 0) {
      expected = command.work;
    }
  }
  Work work = getWork(makeProduct(64, 512, 256, 33 * 16));
  EXPECT_EQ(work.arrayCycles, expected.arrayCycles);
  EXPECT_EQ(work.macsF16, expected.macsF16);
  EXPECT_EQ(work.macsI8, 0u);
  EXPECT_EQ(work.scratchpadBytes, expected.scratchpadBytes);
  EXPECT_EQ(work.scratchpadCycles, expected.scratchpadCycles);
}

// Rows that are 64 granules apart are all in one bank.
TEST_F(WorkModelTest, CountsConflictsOfBanks) {
  Work spread = getWork(makeProduct(16, 256, 256, 33 * 16));
  Work conflicting = getWork(makeProduct(16, 256, 256, 64 * 16));
  EXPECT_EQ(spread.scratchpadBytes, conflicting.scratchpadBytes);
  // One pass, 16 rows of 32 granules at once: 4 granules of each a cycle, or
  // each 16 times one after another.
  EXPECT_EQ(conflicting.scratchpadCycles - spread.scratchpadCycles,
            32 / 4 * 16 - 32 / 4);
}

TEST_F(WorkModelTest, MultipliesPalettesAtTheRateOfTheirValues) {
  LoadTable table;
  table.entries = 16;
  StreamWeights weights;
  weights.rows = 256;
  weights.columns = 128;
  weights.isPalette = true;
  weights.bits = weights.storageBits = 4;
  weights.rowsPerTable = 256;
  Multiply product;
  product.a = {{0, 0}, 144, DataType::I8};
  product.scales = {{8192, 0}, 16, DataType::F32};
  product.c = {{16384, 0}, 1040, DataType::F32};
  product.rows = 8;
  product.columns = 256;
  product.inner = 128;
  product.group = 64;
  uint64_t macs = 8 * 256 * 128;
  // The decoder's palettes hold f16.
  EXPECT_EQ(getWork({table, weights, product}).macsF16, macs);
  config.decoder.f16Values = false;
  EXPECT_EQ(getWork({table, weights, product}).macsI8, macs);
  config.decoder.f16Values = true;
  weights.isPalette = false;
  weights.bits = 8;
  EXPECT_EQ(getWork({weights, product}).macsI8, macs);
  // Rows of A and their scales, once; C once, or twice if it is added to.
  EXPECT_EQ(getWork({weights, product}).scratchpadBytes,
            8u * 128 + 8 * 2 * 4 + 8 * 256 * 4);
  product.adds = true;
  EXPECT_EQ(getWork({weights, product}).scratchpadBytes,
            8u * 128 + 8 * 2 * 4 + 2 * 8 * 256 * 4);
  product.isLast = false;
  EXPECT_EQ(getWork({weights, product}).scratchpadBytes, 8u * 128 + 8 * 2 * 4);
  // Activations of f16 are multiplied in f16, whatever the weights are.
  product.a = {{0, 0}, 272, DataType::F16};
  EXPECT_EQ(getWork({weights, product}).macsF16, macs);
  EXPECT_EQ(getWork({weights, product}).macsI8, 0u);
}

TEST_F(WorkModelTest, CountsElementsOncePerPass) {
  Elementwise add;
  add.op = ElementwiseOp::Add;
  add.a = add.b = add.d = {{0, 0}, 400, DataType::F32};
  add.rows = 10;
  add.columns = 100;
  add.spread = Spread::Full;
  Work work = getWork({add});
  EXPECT_EQ(work.vectorElements, 1000u);
  EXPECT_EQ(work.vectorInputs, 2);
  EXPECT_FALSE(work.reduces);
  EXPECT_EQ(work.scratchpadBytes, 0u);
  EXPECT_EQ(work.scratchpadCycles, 3 * 10 * 25 / 64.0);
  add.spread = Spread::Column;
  EXPECT_EQ(getWork({add}).vectorInputs, 1);

  Normalize norm;
  norm.a = norm.d = add.a;
  norm.rows = 10;
  norm.columns = 50;
  norm.heads = 2;
  work = getWork({norm});
  EXPECT_EQ(work.vectorElements, 2000u);
  EXPECT_TRUE(work.reduces);

  AppendCache append;
  append.a = add.a;
  append.to.region = append.scales.region = Region::Cache;
  append.heads = 2;
  append.rows = 10;
  append.columns = 50;
  append.headStride = 5000;
  append.scaleHeadStride = 200;
  work = getWork({append});
  EXPECT_EQ(work.vectorElements, 2000u);
  EXPECT_EQ(work.writeBytes, 1000u + 2 * 20);
  append.bits = 16;
  work = getWork({append});
  EXPECT_EQ(work.vectorElements, 1000u);
  EXPECT_EQ(work.writeBytes, 2000u);
  EXPECT_EQ(work.segmentBytes, 1000u);
}

TEST_F(WorkModelTest, TracesWhatIsFetched) {
  Program program(4);
  Loop loop;
  loop.count = 3;
  loop.increments[0] = {20, 64};
  program[0].operation = loop;
  Load load;
  load.bytes = 64;
  load.dram.base = load.scratchpad.base = 20;
  program[1].operation = load;
  program[1].queue = Queue::Load1;
  program[1].wait[1] = {5, 2};
  program[1].signal = {7, 1};
  program[2].operation = EndLoop();
  Fence fence;
  fence.queues = 1 << unsigned(Queue::Load1);
  program.insert(program.end() - 1, Instruction());
  program[3].operation = fence;
  Result<Trace> traced = trace(machine, Workers(), program, {});
  ASSERT_TRUE(traced.ok()) << traced.status().message();
  EXPECT_EQ(traced->instructions,
            (std::vector<uint32_t>{0, 1, 2, 1, 2, 1, 2, 3, 4}));
  const Command &command = traced->commands[3];
  EXPECT_EQ(command.queue, Queue::Load1);
  EXPECT_EQ(command.wait[1].semaphore, 5);
  EXPECT_EQ(command.wait[1].count, 2);
  EXPECT_EQ(command.signal.semaphore, 7);
  EXPECT_EQ(command.words, getWords(program[1]));
  EXPECT_GT(command.words, 1);
  EXPECT_EQ(traced->commands[7].fence, fence.queues);
}

} // namespace
