// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions that move data between DRAM and the engine.

#include "runtime/drivers/npu/sim/Operations.h"
#include "runtime/drivers/npu/sim/Rows.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

/// Calls move(bytes of DRAM, bytes of the scratchpad) for each row.
template <typename F>
void transfer(Operands &operands, const Transfer &transfer, Access ofDram,
              F move) {
  uint64_t rows = transfer.rows, planes = transfer.planes;
  operands.checkRange("rows", rows, 0, kMostRows);
  operands.checkRange("planes", planes, 1, kMostRows);
  operands.checkSize("bytes", transfer.bytes);
  if (!operands.ok() || rows == 0) {
    return;
  }
  Wide planeStride = transfer.planeStride, rowStride = transfer.rowStride;
  Wide lastRow = Wide(rows - 1) * rowStride;
  Wide lastPlane = Wide(planes - 1) * planeStride;
  uint8_t *dram =
      operands.open("dram", transfer.dram,
                    std::min<Wide>(lastRow, 0) + std::min<Wide>(lastPlane, 0),
                    std::max<Wide>(lastRow, 0) + std::max<Wide>(lastPlane, 0) +
                        transfer.bytes,
                    ofDram);
  uint8_t *scratchpad = operands.open(
      "scratchpad", transfer.scratchpad, transfer.bytes, rows,
      transfer.scratchpadRowStride, planes, transfer.scratchpadPlaneStride);
  if (!operands.compute()) {
    return;
  }
  for (uint64_t p = 0; p < planes; ++p) {
    for (uint64_t r = 0; r < rows; ++r) {
      // All that is accessed is within the region, so the sum fits.
      auto at = int64_t(Wide(p) * planeStride + Wide(r) * rowStride);
      move(dram + at, scratchpad + p * transfer.scratchpadPlaneStride +
                          r * transfer.scratchpadRowStride);
    }
  }
}

} // namespace

void npu::execute(Operands &operands, const Workers &, const Load &load) {
  transfer(operands, load, Access::Read,
           [&](const uint8_t *dram, uint8_t *scratchpad) {
             std::memcpy(scratchpad, dram, load.bytes);
           });
}

void npu::execute(Operands &operands, const Workers &, const Store &store) {
  transfer(operands, store, Access::Write,
           [&](uint8_t *dram, const uint8_t *scratchpad) {
             std::memcpy(dram, scratchpad, store.bytes);
           });
}

void npu::execute(Operands &operands, const Workers &, const Gather &gather) {
  uint64_t count = gather.count;
  operands.checkRange("count", count, 0, kMostRows);
  operands.checkSize("bytes", gather.bytes);
  operands.checkSize("limit", gather.limit);
  if (!operands.ok() || count == 0) {
    return;
  }
  const uint8_t *source = operands.open("indices", gather.indices, 4 * count);
  uint8_t *to =
      operands.open("to", gather.to, gather.bytes, count, gather.stride, 1, 0);
  // Any row may be asked for.
  const uint8_t *table =
      operands.open("table", gather.table, 0, Wide(gather.limit) * gather.bytes,
                    Access::Read);
  if (!operands.compute()) {
    return;
  }
  std::vector<uint32_t> indices(count);
  std::memcpy(indices.data(), source, 4 * count);
  for (uint64_t i = 0; i < count; ++i) {
    if (indices[i] >= gather.limit) {
      return operands.fail(("index " + std::to_string(i)).c_str(),
                           "0 to " + std::to_string(gather.limit - 1),
                           std::to_string(int32_t(indices[i])));
    }
  }
  for (uint64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * gather.stride,
                table + uint64_t(indices[i]) * gather.bytes, gather.bytes);
  }
}

void npu::execute(Operands &operands, const Workers &, const LoadTable &load) {
  if (load.type != DataType::I8 && load.type != DataType::F16) {
    operands.fail("type", "i8 or f16",
                  load.type == DataType::I32 ? "i32" : "f32");
  }
  operands.checkRange("entries", load.entries, 1, 256);
  operands.checkSize("count", load.count);
  unsigned end = unsigned(load.slot) + load.count;
  if (end > kTableSlots) {
    operands.fail("slot", "at most " + std::to_string(kTableSlots) + " slots",
                  "slots " + std::to_string(load.slot) + " to " +
                      std::to_string(end));
  }
  if (!operands.ok()) {
    return;
  }
  uint64_t bytes = uint64_t(load.entries) * getSize(load.type);
  const uint8_t *from = operands.open("from", load.from, 0,
                                      Wide(load.count) * bytes, Access::Read);
  if (!operands.ok()) {
    return;
  }
  for (unsigned i = 0; i < load.count; ++i) {
    PaletteTable &table = operands.machine.tables[load.slot + i];
    table = {};
    table.isLoaded = true;
    table.type = load.type;
    if (!operands.compute()) {
      continue;
    }
    loadRow(from + i * bytes, load.type, load.entries, table.floats.data());
    if (load.type == DataType::I8) {
      std::memcpy(table.integers.data(), from + i * bytes, load.entries);
    }
  }
}
