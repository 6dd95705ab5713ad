// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions of the queues that load, store and fill the cache.

#include "test/Unit/NPU/RandomOperations.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

Transfer RandomOperations::transfer(Region region) {
  Transfer made;
  int64_t rows = numbers.get(1, 5), planes = numbers.get(1, 3);
  int64_t bytes = numbers.get(1, 70);
  made.bytes = uint32_t(bytes);
  made.rows = count(rows, made.rowsFrom);
  made.planes = uint32_t(planes);
  made.rowStride = numbers.once(3) ? bytes : numbers.get(-90, 150);
  if (!overlaps) {
    // Rows do not lie over one another where they are written.
    made.rowStride = (made.rowStride < 0 ? -1 : 1) *
                     std::max(std::abs(made.rowStride), bytes);
  }
  made.planeStride = numbers.get(-400, 400);
  int64_t least = made.planeStride, most = made.planeStride;
  if (const KnownRegister *known = pickRegister(-500, 500, 1);
      known && numbers.once(3)) {
    made.planeStrideFrom = known->number;
    least += known->least;
    most += known->most;
  }
  int64_t first = std::min<int64_t>(0, (rows - 1) * made.rowStride) +
                  std::min<int64_t>(0, (planes - 1) * least);
  int64_t last = std::max<int64_t>(0, (rows - 1) * made.rowStride) +
                 std::max<int64_t>(0, (planes - 1) * most);
  made.dram = dram(region, first, last + bytes);
  made.scratchpadRowStride =
      uint32_t(16 * numbers.get(overlaps ? 0 : (bytes + 15) / 16, 6));
  made.scratchpadPlaneStride = uint32_t(16 * numbers.get(0, 20));
  made.scratchpad =
      place(numbers.pick({DataType::F32, DataType::I8}),
            (rows - 1) * made.scratchpadRowStride +
                (planes - 1) * made.scratchpadPlaneStride + bytes);
  return made;
}

void RandomOperations::gather() {
  Load load;
  load.bytes = uint32_t(4 * numbers.get(1, 8));
  load.dram = {Region::Io, uint64_t(4 * numbers.get(0, 40)), 0};
  load.scratchpad = place(DataType::I32, load.bytes);
  std::vector<Span> indices = taken;
  add(numbers.pick({Queue::Load0, Queue::Load1}), load);
  taken = indices;
  Gather gather;
  gather.indices = load.scratchpad;
  gather.count = count(load.bytes / 4, gather.countFrom);
  gather.limit = uint32_t(numbers.get(kIndexLimit, kIndexLimit + 4));
  gather.bytes = uint32_t(numbers.get(1, 100));
  gather.stride =
      uint32_t(16 * numbers.get(overlaps ? 0 : (gather.bytes + 15) / 16, 8));
  gather.to =
      place(DataType::F32,
            (load.bytes / 4 - 1) * int64_t(gather.stride) + gather.bytes);
  gather.table = dram(readable(), 0, int64_t(gather.limit) * gather.bytes);
  add(numbers.pick({Queue::Load0, Queue::Load1}), gather);
}

void RandomOperations::append() {
  AppendCache made;
  int64_t rows = numbers.get(1, 4), columns = numbers.get(1, 20);
  int64_t heads = numbers.get(1, 3);
  made.bits = uint8_t(numbers.pick({4, 8, 16, 32}));
  columns += made.bits == 4 && !overlaps ? columns % 2 : 0;
  made.heads = uint32_t(heads);
  made.columns = uint32_t(columns);
  made.rows = count(rows, made.rowsFrom);
  made.headStride = uint32_t(numbers.get(0, 100));
  made.scaleHeadStride = uint32_t(numbers.get(0, 20));
  int64_t most = 1;
  if (const KnownRegister *known = pickRegister(0, 60, 1);
      known && numbers.once(2)) {
    made.strideFrom = known->number;
    most = std::max<int64_t>(known->most, 1);
    made.headStride %= 16;
  }
  int64_t rowBytes = (columns * made.bits + 7) / 8;
  made.a = tile(DataType::F32, rows, heads * columns);
  Region region = writable();
  made.to =
      dram(region, 0, (heads - 1) * most * made.headStride + rows * rowBytes);
  made.scales =
      dram(writable(), 0, (heads - 1) * most * made.scaleHeadStride + 2 * rows);
  add(Queue::Cache, made);
}
