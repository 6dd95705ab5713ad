// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Low-rank adapters on a neural engine: programs have one place for all that
// are active, Region::Adapters, in which they stand one behind the other along
// the rank. A swap is another region.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRIVER_ADAPTERS_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRIVER_ADAPTERS_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/HostMemory.h"
#include "runtime/drivers/npu/driver/Plan.h"

#include <mutex>

namespace umber::npu {

/// An adapter's matrices, rounded to F16. Immutable.
class HalfAdapter : public DeviceAdapter {
public:
  /// InvalidArgument for a rank that the programs have no room for, Unsupported
  /// for values that F16 does not hold.
  static Result<std::shared_ptr<const DeviceAdapter>>
  create(const Plan &plan, const FittedAdapter &adapter);

  uint64_t bytes() const override { return size; }
  int bits() const override { return 16; }

  struct Pair {
    uint32_t site = 0; ///< of the plan
    int64_t rank = 0;
    std::vector<uint16_t> a; ///< [rank][inputs]
    std::vector<uint16_t> b; ///< [outputs][rank]
  };
  const std::vector<Pair> &pairs() const { return all; }
  int64_t largestRank() const { return largest; }
  /// Of all pairs: programs scale a rank of every site by one number. Where
  /// pairs have scales of their own it is the largest, and what others have
  /// less is in their B.
  float scale() const { return factor; }

private:
  std::vector<Pair> all;
  int64_t largest = 0;
  float factor = 0;
  uint64_t size = 0;
};

/// What Region::Adapters has while some adapters are active. Immutable.
struct AdapterImage {
  std::vector<ActiveAdapter> active;
  HostMemory memory;
};

/// The images that sessions use; those with the same adapters share one. Any
/// thread may call it.
class AdapterImages {
public:
  /// The plan outlives this.
  explicit AdapterImages(const Plan &plan) : plan(plan) {}

  /// InvalidArgument for ranks that add up to more than the programs have room
  /// for; OutOfMemory.
  Result<std::shared_ptr<const AdapterImage>>
  get(std::vector<ActiveAdapter> active);

private:
  std::shared_ptr<const AdapterImage>
  find(const std::vector<ActiveAdapter> &active);

  const Plan &plan;
  std::mutex mutex;
  std::vector<std::weak_ptr<const AdapterImage>> images;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRIVER_ADAPTERS_H
