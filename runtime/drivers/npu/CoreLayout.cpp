// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/CoreLayout.h"

using namespace umber;
using namespace umber::npu;

CoreLayout::CoreLayout(const Config &config, const ProductRequest &request)
    : f16(isF16(request.weights, config)), bytesPerElement(f16 ? 2 : 1),
      granule(config.scratchpad.granuleBytes), config(config),
      array(std::get<CoreArray>(config.array)), request(request) {}

int64_t CoreLayout::getStride(int64_t elements) const {
  return (divideUp(elements * bytesPerElement, granule) | 1) * granule;
}

Work CoreLayout::getProduct(const ProductTile &tile, bool spills, bool addsSums,
                            bool last) const {
  Work work;
  work.arrayCycles = getCoreCycles(array, tile, f16);
  (f16 ? work.macsF16 : work.macsI8) = tile.macs();
  // A is read once per pass over the columns that the cores have at once.
  int64_t passes = divideUp(tile.columns, array.cores * array.columns);
  int64_t bytes = tile.inner * bytesPerElement;
  work.scratchpadBytes = static_cast<uint64_t>(passes * tile.rows * bytes);
  work.scratchpadCycles =
      static_cast<double>(passes) *
      getScratchpadCycles(config.scratchpad, tile.rows, bytes,
                          getStride(request.shape.inner),
                          f16 ? array.rowsF16 : array.rowsI8);
  if (last) {
    addRows(work, tile.rows, tile.columns * bytesPerElement);
  }
  if (spills && addsSums) {
    addRows(work, tile.rows, tile.columns * 4);
  }
  if (spills && !last) {
    addRows(work, tile.rows, tile.columns * 4);
  }
  return work;
}

/// Rows that lie one behind the other, as an odd number of granules each: as
/// many at once as there are banks.
void CoreLayout::addRows(Work &work, int64_t rows, int64_t bytes) const {
  int64_t stride = (divideUp(bytes, granule) | 1) * granule;
  work.scratchpadBytes += static_cast<uint64_t>(rows * bytes);
  work.scratchpadCycles +=
      getScratchpadCycles(config.scratchpad, rows, bytes, stride, array.cores);
}
