// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Adapters.h"

#include "runtime/adapter/FittedAdapter.h"
#include "runtime/adapter/Values.h"
#include "runtime/drivers/cpu/LargePages.h"
#include "runtime/drivers/cpu/Team.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <future>
#include <numeric>

using namespace umber;
using namespace umber::cpu;

namespace {

constexpr int64_t kPanel = UMBER_ABI_ADAPTER_PANEL;
constexpr float kLargestHalf = 65504.0f;
constexpr int kMostThreads = 8;
/// Sites of a layer.
constexpr size_t kTogether = 7;

int64_t padded(int64_t count) { return (count + kPanel - 1) / kPanel * kPanel; }

/// Bytes of A or B, whose sides are `rank` and, padded, `side`.
uint64_t packedBytes(int64_t rank, int64_t side) {
  uint64_t bytes = 2 * uint64_t(rank) * padded(side);
  return (bytes + UMBER_ABI_ALIGNMENT - 1) / UMBER_ABI_ALIGNMENT *
         UMBER_ABI_ALIGNMENT;
}

bool fitsHalf(const std::vector<float> &values) {
  return std::all_of(values.begin(), values.end(), [](float value) {
    return std::fabs(value) <= kLargestHalf;
  });
}

/// A pair on its way from the file to where kernels read it.
class Packer {
public:
  Packer(const FittedAdapter &adapter, size_t index)
      : pair(adapter.pair(index)), a(pair.rank * pair.inputs),
        b(pair.outputs * pair.rank) {
    adapter.load(index, a.data(), b.data());
  }

  /// Memory is zeroed, so that padding is.
  void pack(umber_low_rank &site, uint16_t *packedA, uint16_t *packedB) {
    site.a = packedA;
    site.b = packedB;
    site.rank = pair.rank;
    site.scale = pair.scale;
    std::vector<uint16_t> halves(std::max(a.size(), b.size()));
    bool isHalf = fitsHalf(a) && fitsHalf(b);
    site.type = isHalf ? UMBER_ABI_F16 : UMBER_ABI_BF16;
    auto round = [&](const std::vector<float> &values) {
      (isHalf ? roundAllToF16 : roundAllToBF16)(values.data(), halves.data(),
                                                values.size());
    };
    round(a);
    for (int64_t r = 0; r < pair.rank; ++r) {
      std::memcpy(packedA + r * padded(pair.inputs), &halves[r * pair.inputs],
                  pair.inputs * sizeof *packedA);
    }
    round(b);
    for (int64_t o = 0; o < pair.outputs; ++o) {
      uint16_t *panel = packedB + o / kPanel * pair.rank * kPanel + o % kPanel;
      for (int64_t r = 0; r < pair.rank; ++r) {
        panel[r * kPanel] = halves[o * pair.rank + r];
      }
    }
  }

private:
  const AdapterPair &pair;
  std::vector<float> a, b;
};

} // namespace

Result<std::shared_ptr<const DeviceAdapter>>
PackedAdapter::create(uint32_t sites, const FittedAdapter &adapter) {
  auto made = std::make_shared<PackedAdapter>();
  made->sites.resize(sites);
  // In the order in which a step reads them: the pairs by their sites, and of
  // neighbours, which one kernel often has, all A before all B.
  std::vector<size_t> order(adapter.count());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return adapter.site(a) < adapter.site(b);
  });
  struct Place {
    uint64_t a, b;
  };
  std::vector<Place> places(adapter.count());
  uint64_t bytes = 0;
  for (size_t first = 0; first < order.size(); first += kTogether) {
    size_t end = std::min(first + kTogether, order.size());
    for (size_t i = first; i < end; ++i) {
      places[order[i]].a = bytes;
      bytes += packedBytes(adapter.pair(order[i]).rank,
                           adapter.pair(order[i]).inputs);
    }
    for (size_t i = first; i < end; ++i) {
      places[order[i]].b = bytes;
      bytes += packedBytes(adapter.pair(order[i]).rank,
                           adapter.pair(order[i]).outputs);
    }
  }
  for (size_t i = 0; i < adapter.count(); ++i) {
    made->largest = std::max(made->largest, adapter.pair(i).rank);
  }
  Result<HostMemory> memory = HostMemory::allocate(bytes, "an adapter");
  if (!memory.ok()) {
    return memory.status();
  }
  made->memory = std::move(*memory);
  wishForLargePages(made->memory.data(), made->memory.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < adapter.count();) {
      char *memory = made->memory.data();
      Packer(adapter, i)
          .pack(made->sites[adapter.site(i)],
                reinterpret_cast<uint16_t *>(memory + places[i].a),
                reinterpret_cast<uint16_t *>(memory + places[i].b));
    }
  };
  std::vector<std::future<void>> helpers;
  for (int i = 1; i < std::min(availableCores(), kMostThreads); ++i) {
    helpers.push_back(std::async(std::launch::async, work));
  }
  work();
  for (std::future<void> &helper : helpers) {
    helper.get();
  }
  return std::shared_ptr<const DeviceAdapter>(std::move(made));
}

//===----------------------------------------------------------------------===//
// Active adapters
//===----------------------------------------------------------------------===//

static const PackedAdapter &packed(const ActiveAdapter &active) {
  return static_cast<const PackedAdapter &>(*active.adapter);
}

void ActiveAdapters::addBinding(uint32_t site, uint32_t slot) {
  bindings.push_back({site, slot, {}, {}});
}

int64_t ActiveAdapters::width(const std::vector<ActiveAdapter> &adapters) {
  int64_t sum = 0;
  for (const ActiveAdapter &adapter : adapters) {
    sum += packed(adapter).largestRank();
  }
  return padded(sum);
}

Status ActiveAdapters::reserve(int64_t width) {
  if (width <= stride) {
    return {};
  }
  Result<HostMemory> memory = HostMemory::allocate(
      uint64_t(slots) * maxTokens * width * sizeof(float), "adapters' ranks");
  if (!memory.ok()) {
    return memory.status();
  }
  products = std::move(*memory);
  stride = width;
  return {};
}

void ActiveAdapters::append(uint32_t site, int64_t firstRow, int64_t rows,
                            std::vector<umber_low_rank> &to) const {
  int64_t column = 0;
  for (const ActiveAdapter &adapter : active) {
    umber_low_rank pair = packed(adapter).at(site);
    if (pair.rank > 0 && adapter.scale != 0.0f) {
      pair.scale *= adapter.scale;
      pair.first_row = firstRow;
      pair.rows = rows;
      pair.column = column;
      to.push_back(pair);
    }
    column += packed(adapter).largestRank();
  }
}

void ActiveAdapters::publish(Binding &binding) {
  binding.abi.count = int64_t(binding.adapters.size());
  binding.abi.adapters = binding.adapters.data();
  binding.abi.products = reinterpret_cast<float *>(products.data()) +
                         int64_t(binding.slot) * maxTokens * stride;
  binding.abi.stride = stride;
}

Status ActiveAdapters::set(std::vector<ActiveAdapter> adapters) {
  if (Status status = reserve(width(adapters)); !status.ok()) {
    return status;
  }
  active = std::move(adapters);
  isOwn = false;
  setOwn();
  return {};
}

void ActiveAdapters::setOwn() {
  if (isOwn) {
    return;
  }
  for (Binding &binding : bindings) {
    binding.adapters.clear();
    append(binding.site, 0, maxTokens, binding.adapters);
    publish(binding);
  }
  isOwn = true;
}

bool ActiveAdapters::areSame(const ActiveAdapters &other) const {
  return std::equal(active.begin(), active.end(), other.active.begin(),
                    other.active.end(),
                    [](const ActiveAdapter &a, const ActiveAdapter &b) {
                      return a.adapter == b.adapter && a.scale == b.scale;
                    });
}

Status
ActiveAdapters::setRows(const std::vector<const ActiveAdapters *> &rows) {
  bool isAny = !active.empty();
  int64_t widest = 0;
  for (const ActiveAdapters *row : rows) {
    isAny |= !row->active.empty();
    widest = std::max(widest, width(row->active));
  }
  if (!isAny) {
    setOwn(); // An earlier step may have had others'.
    return {};
  }
  if (Status status = reserve(widest); !status.ok()) {
    return status;
  }
  isOwn = false;
  // Neighbours with the same adapters are multiplied together.
  struct Run {
    const ActiveAdapters *adapters;
    int64_t first, count;
  };
  std::vector<Run> runs;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!runs.empty() && runs.back().adapters->areSame(*rows[i])) {
      ++runs.back().count;
    } else {
      runs.push_back({rows[i], int64_t(i), 1});
    }
  }
  for (Binding &binding : bindings) {
    binding.adapters.clear();
    for (const Run &run : runs) {
      run.adapters->append(binding.site, run.first, run.count,
                           binding.adapters);
    }
    publish(binding);
  }
  return {};
}
