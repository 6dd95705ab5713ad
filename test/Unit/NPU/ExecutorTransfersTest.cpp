// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the executor refuses of the queues that load, store and fill the cache.

#include "test/Unit/NPU/ExecutorFixture.h"

#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

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

TEST_F(ExecutorTest, RefusesSizesThatTransfersDoNotTake) {
  EXPECT_EQ(refuse({loadRows(0)}), "bytes: expected 1 or more, found 0");
  EXPECT_EQ(refuse({with(loadRows(1), [](Load &l) { l.planes = 0; })}),
            "planes: expected 1 to 65535, found 0");

  AppendCache append;
  append.a = at(0);
  append.rows = append.columns = 1;
  append.to.region = append.scales.region = Region::Cache;
  append.bits = 5;
  EXPECT_EQ(refuse({append}), "bits: expected 4, 8, 16 or 32, found 5");
  append.bits = 8;
  append.heads = 0;
  EXPECT_EQ(refuse({append}), "heads: expected 1 or more, found 0");
}

} // namespace
