// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Low-rank adapters on a GPU: what is active at a site is one pair of matrices,
// all adapters' below one another. See StackedAdapters in umb.fbs.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_ADAPTERS_H
#define UMBER_RUNTIME_DRIVERS_GPU_ADAPTERS_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/gpu/Device.h"
#include "runtime/package/umb_generated.h"

#include <list>
#include <mutex>
#include <utility>

namespace umber::gpu {

/// An adapter's matrices, rounded to f16. Each row of A and each column of B is
/// scaled to magnitudes of about 127 first, so that what was trained in bf16
/// has no overflows and integers stay what they are.
class HalfAdapter : public DeviceAdapter {
public:
  struct Pair {
    uint64_t rank = 0; ///< 0: nothing at this site
    std::vector<float> scales;
    std::vector<uint16_t> a, b; ///< [rank][inputs] and [outputs][rank]
  };

  HalfAdapter(const fbs::Target &target, const FittedAdapter &adapter);

  const Pair &at(uint32_t site) const { return pairs[site]; }
  uint64_t bytes() const override { return total; }
  int bits() const override { return 16; }

private:
  std::vector<Pair> pairs; // of each site
  uint64_t total = 0;
};

/// What is active at every site, on the device.
struct Stack {
  std::unique_ptr<Buffer> buffer;
  std::vector<Range> sites;
  uint64_t largestRank = 0;
};

/// The stacks of a model, of which the latest stay on the device. Any thread
/// may use it.
class Stacks {
public:
  /// Both outlive this.
  Stacks(Device &device, const fbs::Target &target)
      : device(device), target(target) {}

  /// OutOfMemory; Unsupported if a site's matrices are more than what the
  /// device lets a kernel see.
  Result<std::shared_ptr<const Stack>>
  get(const std::vector<ActiveAdapter> &adapters);

private:
  /// Adapters are told apart by where they are, which is theirs alone as long
  /// as there are references.
  struct Entry {
    std::vector<std::pair<std::weak_ptr<const DeviceAdapter>, float>> key;
    std::shared_ptr<const Stack> stack;

    bool isOf(const std::vector<ActiveAdapter> &adapters) const;
    bool isExpired() const;
  };

  Result<std::shared_ptr<const Stack>>
  make(const std::vector<ActiveAdapter> &adapters);

  Device &device;
  const fbs::Target &target;
  std::mutex mutex;
  std::list<Entry> latest; // most recent first
};

/// The words of a site of `inputs` by `outputs` with these pairs, each times a
/// scale.
std::vector<uint32_t>
stackPairs(uint32_t inputs, uint32_t outputs,
           const std::vector<std::pair<const HalfAdapter::Pair *, float>> &all);

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_ADAPTERS_H
