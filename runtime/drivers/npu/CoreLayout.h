// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_CORELAYOUT_H
#define UMBER_RUNTIME_DRIVERS_NPU_CORELAYOUT_H

#include "runtime/drivers/npu/Product.h"

namespace umber::npu {

/// How a request's activations lie in the scratchpad of an engine with cores,
/// and what its matrix commands are. Of a Config and a request that outlive it.
class CoreLayout {
public:
  CoreLayout(const Config &config, const ProductRequest &request);

  /// Bytes from one row of `elements` to the next: an odd number of granules,
  /// so that rows lie in different banks.
  int64_t getStride(int64_t elements) const;

  /// The work of one matrix command. Partial sums that outgrow the
  /// accumulators (`spills`) are read, if it adds to any, and written, if it is
  /// not the last of its tile; the last one writes C.
  Work getProduct(const ProductTile &tile, bool spills, bool addsSums,
                  bool last) const;

  bool f16;
  int64_t bytesPerElement;
  int64_t granule;

private:
  void addRows(Work &work, int64_t rows, int64_t bytes) const;

  const Config &config;
  const CoreArray &array;
  const ProductRequest &request;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_CORELAYOUT_H
