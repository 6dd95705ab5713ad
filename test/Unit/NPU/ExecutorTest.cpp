// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the executor refuses, and how it says so.

#include "runtime/drivers/npu/sim/Executor.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "test/Unit/NPU/Fixture.h"
#include "test/Unit/NPU/RandomProgram.h"

#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

class ExecutorTest : public testing::Test {
protected:
  ExecutorTest() : config(getSmallMachine(0)), machine(config) {
    for (unsigned r = 0; r < kRegions; ++r) {
      memory[r].resize(1000);
      machine.regions[r] = {memory[r].data(), memory[r].size(), false};
    }
  }

  Status run(const std::vector<Operation> &operations) {
    Program program;
    for (const Operation &operation : operations) {
      program.emplace_back();
      program.back().operation = operation;
    }
    program.emplace_back();
    return execute(machine, Workers(), program, {});
  }
  /// The message for the last of these, which must be the one that is refused.
  std::string refuse(const std::vector<Operation> &operations) {
    Status status = run(operations);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
    std::string prefix = "instruction " +
                         std::to_string(operations.size() - 1) + " (" +
                         getName(operations.back()) + "): ";
    const std::string &message = status.message();
    if (message.rfind(prefix, 0) != 0) {
      return message;
    }
    return message.substr(prefix.size());
  }

  Config config;
  Machine machine;
  std::array<std::vector<uint8_t>, kRegions> memory;
};

Tile at(uint32_t offset, DataType type = DataType::F32, uint32_t stride = 64) {
  return {{offset, 0}, stride, type};
}

Load loadRows(uint32_t bytes, uint32_t rows = 1) {
  Load load;
  load.bytes = bytes;
  load.rows = rows;
  load.rowStride = bytes;
  load.scratchpadRowStride = 64;
  return load;
}

StreamWeights weights(uint32_t rows, uint32_t columns) {
  StreamWeights stream;
  stream.from.region = Region::Weights;
  stream.rows = rows;
  stream.columns = columns;
  return stream;
}

StreamWeights palette(uint32_t rows, uint8_t bits) {
  StreamWeights stream = weights(rows, 8);
  stream.isPalette = true;
  stream.bits = stream.storageBits = bits;
  stream.rowsPerTable = 2;
  return stream;
}

LoadTable table(uint8_t slot, DataType type = DataType::I8) {
  LoadTable load;
  load.from.region = Region::Tables;
  load.slot = slot;
  load.entries = 4;
  load.type = type;
  return load;
}

/// Of what weights(8, 8) has loaded.
Multiply product() {
  Multiply multiply;
  multiply.a = at(0);
  multiply.c = at(1024);
  multiply.rows = 2;
  multiply.columns = 8;
  multiply.inner = 8;
  return multiply;
}

Elementwise add(uint32_t rows = 2, uint32_t columns = 8) {
  Elementwise elementwise;
  elementwise.op = ElementwiseOp::Add;
  elementwise.spread = Spread::Full;
  elementwise.rows = rows;
  elementwise.columns = columns;
  elementwise.a = at(0);
  elementwise.b = at(1024);
  elementwise.d = at(2048);
  return elementwise;
}

template <typename T, typename F>
T with(T operation, F change) {
  change(operation);
  return operation;
}

TEST_F(ExecutorTest, RefusesAccessesBeyondTheScratchpad) {
  EXPECT_EQ(refuse({with(loadRows(64),
                         [](Load &l) { l.scratchpad.offset = 16384 - 48; })}),
            "scratchpad: expected at most the 16384 bytes of the scratchpad, "
            "found bytes 16336 to 16400");
  // The last row is as long as it is, not as its stride.
  EXPECT_TRUE(run({with(loadRows(32, 2), [](Load &l) {
                l.scratchpad.offset = 16384 - 96;
              })}).ok());
  EXPECT_EQ(refuse({with(loadRows(33, 2),
                         [](Load &l) { l.scratchpad.offset = 16384 - 96; })}),
            "scratchpad: expected at most the 16384 bytes of the scratchpad, "
            "found bytes 16288 to 16385");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.b.at.offset = 1 << 30; })}),
      "b: expected at most the 16384 bytes of the scratchpad, found "
      "bytes 1073741824 to 1073741920");
  // Sizes whose product has more than 64 bits.
  Elementwise large = add(UINT32_MAX, UINT32_MAX);
  large.a.stride = large.b.stride = large.d.stride = UINT32_MAX & ~15u;
  EXPECT_EQ(refuse({large}),
            "a: expected at most the 16384 bytes of the scratchpad, found "
            "bytes 0 to 18446744013580009500");
  Normalize norm;
  norm.a = norm.d = at(0);
  norm.rows = 1;
  norm.columns = norm.heads = UINT32_MAX;
  EXPECT_EQ(refuse({norm}),
            "a: expected at most the 16384 bytes of the scratchpad, found "
            "bytes 0 to 73786976260478468100");
  norm.columns = 8;
  norm.heads = 1;
  norm.hasGain = true;
  norm.gain.offset = 16384 - 16;
  EXPECT_EQ(refuse({norm}),
            "gain: expected at most the 16384 bytes of the scratchpad, found "
            "bytes 16368 to 16400");
}

TEST_F(ExecutorTest, RefusesWhatIsNotOfWholeGranules) {
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.d.at.offset = 8; })}),
            "d: expected a multiple of 16, found 8");
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.a.stride = 40; })}),
            "a: expected a stride that is a multiple of 16, found 40");
  EXPECT_EQ(refuse({with(loadRows(8),
                         [](Load &l) { l.scratchpadPlaneStride = 24; })}),
            "scratchpad: expected a stride that is a multiple of 16, found 24");
  // A register's value counts.
  SetRegister set;
  set.to = 20;
  set.addend = 8;
  EXPECT_EQ(
      refuse({set, with(add(), [](Elementwise &e) { e.a.at.base = 20; })}),
      "a: expected a multiple of 16, found 8");
}

TEST_F(ExecutorTest, RefusesRowsThatOverlapWhereTheyAreWritten) {
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.d.stride = 16; })}),
            "d: expected a stride of at least a row's 32 bytes, found 16");
  // One row has none behind it; a row that is read may repeat.
  Elementwise one = add(1);
  one.d.stride = 0;
  EXPECT_TRUE(run({one}).ok());
  Elementwise repeated = add();
  repeated.a.stride = 0;
  EXPECT_TRUE(run({repeated}).ok());
}

TEST_F(ExecutorTest, RefusesAccessesBeyondARegion) {
  EXPECT_EQ(refuse({with(loadRows(64), [](Load &l) { l.dram.offset = 937; })}),
            "dram: expected at most the 1000 bytes of activations, found bytes "
            "937 to 1001");
  EXPECT_EQ(refuse({with(loadRows(10, 3),
                         [](Load &l) {
                           l.dram.offset = 100;
                           l.rowStride = -60;
                         })}),
            "dram: expected at most the 1000 bytes of activations, found bytes "
            "-20 to 110");
  EXPECT_EQ(refuse({with(loadRows(10),
                         [](Load &l) {
                           l.planes = 65535;
                           l.planeStride = (int64_t(1) << 39) - 1;
                         })}),
            "dram: expected at most the 1000 bytes of activations, found bytes "
            "0 to 36027697507270668");
  EXPECT_EQ(refuse({with(weights(20, 60), [](StreamWeights &) {})}),
            "from: expected at most the 1000 bytes of weights, found bytes 0 "
            "to 1200");
  EXPECT_EQ(refuse({with(weights(8, 8),
                         [](StreamWeights &w) {
                           w.rowsPerScale = 2;
                           w.firstRow = 1000;
                           w.scales.region = Region::Tables;
                         })}),
            "scales: expected at most the 1000 bytes of tables, found bytes "
            "1000 to 1008");
  EXPECT_EQ(refuse({with(table(0),
                         [](LoadTable &t) {
                           t.count = 8;
                           t.entries = 256;
                         })}),
            "from: expected at most the 1000 bytes of tables, found bytes 0 to "
            "2048");
  EXPECT_EQ(
      refuse({with(loadRows(1), [](Load &l) { l.dram.region = Region(7); })}),
      "dram: expected a region below 7, found 7");
  machine.region(Region::Io).data = nullptr;
  EXPECT_EQ(
      refuse({with(loadRows(1), [](Load &l) { l.dram.region = Region::Io; })}),
      "dram: expected a region that has data, found io");
}

TEST_F(ExecutorTest, RefusesWritesToWhatIsReadOnly) {
  Store store;
  static_cast<Transfer &>(store) = loadRows(16);
  for (Region region : {Region::Weights, Region::Adapters, Region::Tables}) {
    store.dram.region = region;
    EXPECT_EQ(
        refuse({store}),
        std::string("dram: expected a region that can be written, found ") +
            kRegionNames[unsigned(region)]);
  }
  // As the host says.
  store.dram.region = Region::Io;
  EXPECT_TRUE(run({store}).ok());
  machine.region(Region::Io).isReadOnly = true;
  EXPECT_EQ(refuse({store}),
            "dram: expected a region that can be written, found io");

  AppendCache append;
  append.a = at(0);
  append.rows = 1;
  append.columns = 8;
  append.to.region = Region::Cache;
  append.scales.region = Region::Io;
  EXPECT_EQ(refuse({append}),
            "scales: expected a region that can be written, found io");
}

TEST_F(ExecutorTest, RefusesIndicesThatAreNotBelowTheLimit) {
  Gather gather;
  gather.to.offset = 1024;
  gather.table.region = Region::Weights;
  gather.bytes = 10;
  gather.count = 3;
  gather.limit = 100;
  int32_t indices[] = {5, 99, 100};
  std::memcpy(machine.scratchpad.data(), indices, sizeof indices);
  EXPECT_EQ(refuse({gather}), "index 2: expected 0 to 99, found 100");
  indices[1] = -1;
  std::memcpy(machine.scratchpad.data(), indices, sizeof indices);
  EXPECT_EQ(refuse({gather}), "index 1: expected 0 to 99, found -1");
  gather.count = 1;
  EXPECT_TRUE(run({gather}).ok());
  // All rows must be there.
  gather.limit = 101;
  EXPECT_EQ(refuse({gather}),
            "table: expected at most the 1000 bytes of weights, found bytes 0 "
            "to 1010");
  gather.limit = 0;
  EXPECT_EQ(refuse({gather}), "limit: expected 1 or more, found 0");
}

TEST_F(ExecutorTest, RefusesTablesThatAreNotLoaded) {
  EXPECT_EQ(refuse({table(0), palette(3, 2)}),
            "table 1: expected a palette, found none");
  EXPECT_EQ(refuse({table(0), table(1, DataType::F16), palette(3, 2)}),
            "table 1: expected i8, found f16");
  EXPECT_TRUE(run({table(0), palette(2, 2)}).ok());
  EXPECT_EQ(
      refuse({with(palette(3, 2), [](StreamWeights &w) { w.table = 63; })}),
      "tables: expected at most 64 slots, found slots 63 to 65");
  EXPECT_EQ(refuse({with(palette(3, 2),
                         [](StreamWeights &w) { w.rowsPerTable = 0; })}),
            "rows per table: expected 1 or more, found 0");
  EXPECT_EQ(refuse({with(table(60), [](LoadTable &t) { t.count = 5; })}),
            "slot: expected at most 64 slots, found slots 60 to 65");
  EXPECT_EQ(refuse({with(table(60), [](LoadTable &t) { t.entries = 257; })}),
            "entries: expected 1 to 256, found 257");
  EXPECT_EQ(refuse({table(0, DataType::F32)}),
            "type: expected i8 or f16, found f32");
}

TEST_F(ExecutorTest, RefusesWeightsThatItCannotDecode) {
  EXPECT_EQ(refuse({palette(2, 5)}),
            "bits: expected 1, 2, 3, 4, 6 or 8, found 5");
  EXPECT_EQ(refuse({with(palette(2, 4),
                         [](StreamWeights &w) { w.storageBits = 0; })}),
            "storage bits: expected 4, as small stores 4, found 0");
  config.decoder.threeBitStorage = 4;
  EXPECT_EQ(refuse({palette(2, 3)}),
            "storage bits: expected 4, as small stores 3, found 3");
  EXPECT_EQ(refuse({with(weights(2, 2), [](StreamWeights &w) { w.bits = 4; })}),
            "bits: expected 8 or 16, found 4");
  EXPECT_EQ(refuse({weights(0, 2)}), "rows: expected 1 to 65535, found 0");
  EXPECT_EQ(refuse({weights(2, 65536)}),
            "columns: expected 1 to 65535, found 65536");
  EXPECT_EQ(refuse({weights(65535, 65535)}),
            "kernel slot: expected at most 2048 bytes, found 4294836225");
  EXPECT_EQ(refuse({with(weights(2, 2), [](StreamWeights &w) { w.slot = 2; })}),
            "kernel slot: expected a number below 2, found 2");
}

TEST_F(ExecutorTest, RefusesProductsOfOtherWeights) {
  EXPECT_EQ(refuse({product()}),
            "kernel slot: expected weights of 8 x 8, found none");
  EXPECT_EQ(refuse({weights(8, 7), product()}),
            "kernel slot: expected weights of 8 x 8, found 8 x 7");
  EXPECT_EQ(refuse({with(product(), [](Multiply &m) { m.slot = 2; })}),
            "kernel slot: expected a number below 2, found 2");
  EXPECT_TRUE(run({weights(8, 8), product()}).ok());
  auto integers = [](Multiply &m) {
    m.a.type = DataType::I8;
    m.group = 4;
    m.scales = at(512);
  };
  EXPECT_TRUE(run({weights(8, 8), with(product(), integers)}).ok());
  EXPECT_EQ(refuse({with(weights(8, 8), [](StreamWeights &w) { w.bits = 16; }),
                    with(product(), integers)}),
            "kernel slot: expected weights of i8, as a is, found f16");
  EXPECT_EQ(refuse({weights(8, 8), with(product(),
                                        [&](Multiply &m) {
                                          integers(m);
                                          m.group = 0;
                                        })}),
            "group: expected 1 or more, found 0");
  EXPECT_EQ(
      refuse({weights(8, 8),
              with(product(), [&](Multiply &m) { m.c.type = DataType::I8; })}),
      "c: expected f16 or f32, found i8");
}

TEST_F(ExecutorTest, RefusesSumsThatAreNotThere) {
  auto part = [](bool isFirst, bool isLast, uint32_t rows) {
    return with(product(), [&](Multiply &m) {
      m.isFirst = isFirst;
      m.isLast = isLast;
      m.rows = rows;
    });
  };
  StreamWeights w = weights(8, 8);
  EXPECT_EQ(refuse({w, part(false, true, 2)}),
            "accumulators: expected sums of 2 x 8, found none");
  EXPECT_EQ(refuse({w, part(true, false, 3), part(false, true, 2)}),
            "accumulators: expected sums of 2 x 8, found 3 x 8");
  EXPECT_TRUE(run({w, part(true, false, 3), part(false, true, 3)}).ok());
  // They have left the array.
  EXPECT_EQ(refuse({w, part(true, false, 3), part(false, true, 3),
                    part(false, true, 3)}),
            "accumulators: expected sums of 3 x 8, found none");
  // The array keeps 1024 sums, but a whole product can be larger.
  config.scratchpad.accumulatorBytes = 96;
  EXPECT_TRUE(run({w, part(true, true, 4)}).ok());
  EXPECT_EQ(refuse({w, part(true, false, 4)}),
            "accumulators: expected at most 96 bytes, found 128");
}

TEST_F(ExecutorTest, RefusesTypesAndSizesThatAnInstructionDoesNotTake) {
  EXPECT_EQ(refuse({add(0, 8)}), "rows: expected 1 or more, found 0");
  EXPECT_EQ(refuse({add(2, 0)}), "columns: expected 1 or more, found 0");
  EXPECT_EQ(refuse({loadRows(0)}), "bytes: expected 1 or more, found 0");
  EXPECT_EQ(refuse({with(loadRows(1), [](Load &l) { l.planes = 0; })}),
            "planes: expected 1 to 65535, found 0");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.a.type = DataType(9); })}),
      "a: expected i8 or i32 or f16 or f32, found type 9");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.op = ElementwiseOp(8); })}),
      "operation: expected 0 to 7, found 8");
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.spread = Spread(5); })}),
            "spread: expected 0 to 4, found 5");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.spread = Spread::None; })}),
      "b: expected an operand, found none");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.op = ElementwiseOp::Copy; })}),
      "b: expected none of a copy, found an operand");

  Reduce reduce;
  reduce.a = at(0);
  reduce.d = at(1024);
  reduce.rows = reduce.columns = 2;
  reduce.op = ReduceOp::ArgMax;
  EXPECT_EQ(refuse({reduce}), "d: expected i32, found f32");
  reduce.op = ReduceOp(3);
  EXPECT_EQ(refuse({reduce}), "operation: expected 0 to 2, found 3");

  Normalize norm;
  norm.a = norm.d = at(0);
  norm.rows = norm.columns = 2;
  norm.heads = 0;
  EXPECT_EQ(refuse({norm}), "heads: expected 1 or more, found 0");

  Quantize quantize;
  quantize.a = at(0);
  quantize.d = at(1024, DataType::I8);
  quantize.scales = at(2048);
  quantize.rows = quantize.columns = 2;
  EXPECT_EQ(refuse({quantize}), "group: expected 1 or more, found 0");
  quantize.group = 2;
  EXPECT_TRUE(run({quantize}).ok());
  quantize.bits = 1;
  EXPECT_EQ(refuse({quantize}), "bits: expected 2 to 8, found 1");
  quantize.bits = 8;
  quantize.scales.type = DataType::F16;
  EXPECT_EQ(refuse({quantize}), "scales: expected f32, found f16");

  Dequantize dequantize;
  dequantize.a = at(0, DataType::I8);
  dequantize.scales = dequantize.d = at(1024);
  dequantize.rows = dequantize.columns = 2;
  EXPECT_EQ(refuse({dequantize}), "group: expected 1 or more, found 0");
  dequantize.group = 1;
  dequantize.a.type = DataType::F16;
  EXPECT_EQ(refuse({dequantize}), "a: expected i8, found f16");

  Rotate rotate;
  rotate.a = rotate.d = rotate.table = at(0);
  rotate.rows = 1;
  rotate.columns = 3;
  EXPECT_EQ(refuse({rotate}), "columns: expected an even number, found 3");

  SoftmaxStep softmax;
  softmax.a = softmax.d = softmax.state = softmax.factors = at(0);
  softmax.rows = softmax.columns = 2;
  softmax.rowsPerToken = 0;
  EXPECT_EQ(refuse({softmax}), "rows per token: expected 1 or more, found 0");

  AppendCache append;
  append.a = at(0);
  append.rows = append.columns = 1;
  append.to.region = append.scales.region = Region::Cache;
  append.bits = 5;
  EXPECT_EQ(refuse({append}), "bits: expected 4, 8, 16 or 32, found 5");
  append.bits = 8;
  append.heads = 0;
  EXPECT_EQ(refuse({append}), "heads: expected 1 or more, found 0");

  MultiplyDynamic dynamic;
  dynamic.a = dynamic.b = at(0);
  dynamic.c = at(1024);
  dynamic.rows = dynamic.columns = dynamic.inner = 2;
  EXPECT_TRUE(run({dynamic}).ok());
  dynamic.hasScales = true;
  EXPECT_EQ(refuse({dynamic}), "b: expected i8 or f16, found f32");
}

// A count that a register gives can be 0.
TEST_F(ExecutorTest, DoesNothingForNoRows) {
  EXPECT_TRUE(run({with(loadRows(64, 0), [](Load &l) {
                l.scratchpad.offset = 1 << 20;
              })}).ok());
  Gather gather;
  gather.bytes = gather.limit = 1;
  gather.table.region = Region::Weights;
  EXPECT_TRUE(run({gather}).ok());
  AppendCache append;
  append.columns = 1;
  EXPECT_TRUE(run({append}).ok());
}

TEST_F(ExecutorTest, LeavesWhatEarlierInstructionsDid) {
  memory[unsigned(Region::Activations)][0] = 42;
  EXPECT_EQ(refuse({loadRows(16), add(0, 1)}),
            "rows: expected 1 or more, found 0");
  EXPECT_EQ(machine.scratchpad[0], 42);
}

TEST_F(ExecutorTest, TracesOnlyArraysOfCores) {
  Config gemmini = getConfig("gemmini-8x8");
  Machine other(gemmini, false);
  Program program(1);
  Result<Trace> traced = trace(other, Workers(), program, {});
  ASSERT_FALSE(traced.ok());
  EXPECT_EQ(traced.status().code(), StatusCode::Unsupported);
  EXPECT_EQ(traced.status().message(),
            "gemmini-8x8 runs no programs: it is no array of cores");
}

TEST_F(ExecutorTest, TracesOnlyArithmeticThatTheArrayHas) {
  std::get<CoreArray>(config.array).rowsF16 = 0;
  Program program(3);
  program[0].operation = weights(8, 8);
  program[1].operation = product();
  Result<Trace> traced = trace(machine, Workers(), program, {});
  ASSERT_FALSE(traced.ok());
  EXPECT_EQ(traced.status().code(), StatusCode::Unsupported);
  EXPECT_EQ(
      traced.status().message(),
      "instruction 1 (mm): small multiplies no f16 (array.rows_f16 is 0)");
}

} // namespace
