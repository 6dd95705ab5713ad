// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/Adapters.h"

#include "runtime/adapter/FittedAdapter.h"
#include "runtime/adapter/Values.h"
#include "runtime/drivers/npu/driver/AdapterPlacement.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

/// Rounds to F16. Unsupported if that makes a value infinite.
Status round(const std::vector<float> &values, const std::string &where,
             std::vector<uint16_t> &to) {
  to.resize(values.size());
  roundAllToF16(values.data(), to.data(), values.size());
  for (size_t i = 0; i < to.size(); ++i) {
    if (!isFiniteF16(to[i])) {
      return Status(StatusCode::Unsupported,
                    where + ": expected values that f16 holds, found " +
                        std::to_string(values[i]));
    }
  }
  return {};
}

const HalfAdapter &half(const ActiveAdapter &active) {
  return static_cast<const HalfAdapter &>(*active.adapter);
}

bool areSame(const std::vector<ActiveAdapter> &a,
             const std::vector<ActiveAdapter> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ActiveAdapter &x, const ActiveAdapter &y) {
                      return x.adapter == y.adapter && x.scale == y.scale;
                    });
}

} // namespace

Result<std::shared_ptr<const DeviceAdapter>>
HalfAdapter::create(const Plan &plan, const FittedAdapter &adapter) {
  auto made = std::make_shared<HalfAdapter>();
  for (size_t i = 0; i < adapter.count(); ++i) {
    const AdapterPair &pair = adapter.pair(i);
    if (pair.rank > plan.model.programs.adapterRank) {
      return Status(StatusCode::InvalidArgument,
                    "expected a rank of at most " +
                        std::to_string(plan.model.programs.adapterRank) +
                        ", for which the programs have room, found " +
                        std::to_string(pair.rank) + " at " + pair.site);
    }
    made->largest = std::max(made->largest, pair.rank);
    if (std::fabs(pair.scale) > std::fabs(made->factor)) {
      made->factor = pair.scale;
    }
  }
  for (size_t i = 0; i < adapter.count(); ++i) {
    const AdapterPair &pair = adapter.pair(i);
    std::vector<float> a(pair.rank * pair.inputs), b(pair.outputs * pair.rank);
    adapter.load(i, a.data(), b.data());
    if (pair.scale != made->factor) {
      // Not above 1 in magnitude, so that no value overflows.
      float ratio = pair.scale / made->factor;
      for (float &value : b) {
        value *= ratio;
      }
    }
    Pair rounded{adapter.site(i), pair.rank, {}, {}};
    if (Status status = round(a, pair.site + ", A", rounded.a); !status.ok()) {
      return status;
    }
    if (Status status = round(b, pair.site + ", B", rounded.b); !status.ok()) {
      return status;
    }
    made->size += sizeof(uint16_t) * (rounded.a.size() + rounded.b.size());
    made->all.push_back(std::move(rounded));
  }
  return std::shared_ptr<const DeviceAdapter>(std::move(made));
}

std::shared_ptr<const AdapterImage>
AdapterImages::find(const std::vector<ActiveAdapter> &active) {
  std::lock_guard<std::mutex> lock(mutex);
  images.erase(
      std::remove_if(images.begin(), images.end(),
                     [](const auto &image) { return image.expired(); }),
      images.end());
  for (const std::weak_ptr<const AdapterImage> &weak : images) {
    auto image = weak.lock();
    if (image && areSame(image->active, active)) {
      return image;
    }
  }
  return nullptr;
}

Result<std::shared_ptr<const AdapterImage>>
AdapterImages::get(std::vector<ActiveAdapter> active) {
  if (auto image = find(active)) {
    return image;
  }
  const ProgramFile &programs = plan.model.programs;
  int64_t ranks = 0;
  for (const ActiveAdapter &adapter : active) {
    ranks += half(adapter).largestRank();
  }
  if (ranks > programs.adapterRank) {
    return Status(StatusCode::InvalidArgument,
                  "adapters: expected ranks that add up to at most " +
                      std::to_string(programs.adapterRank) +
                      ", for which the programs have room, found " +
                      std::to_string(ranks));
  }
  auto memory = HostMemory::allocate(programs.adapterBytes, "adapters");
  if (!memory.ok()) {
    return memory.status();
  }
  char *region = memory->data();
  int64_t first = 0;
  for (const ActiveAdapter &adapter : active) {
    const HalfAdapter &source = half(adapter);
    float scale = adapter.scale * source.scale();
    for (int64_t r = 0; r < source.largestRank(); ++r) {
      std::memcpy(region + programs.adapterScales + sizeof scale * (first + r),
                  &scale, sizeof scale);
    }
    for (const HalfAdapter::Pair &pair : source.pairs()) {
      placeAdapter(programs.sites[pair.site], first, pair.rank, pair.a.data(),
                   pair.b.data(), region);
    }
    first += source.largestRank();
  }
  auto image = std::make_shared<const AdapterImage>(
      AdapterImage{std::move(active), std::move(*memory)});
  std::lock_guard<std::mutex> lock(mutex);
  images.push_back(image);
  return image;
}
