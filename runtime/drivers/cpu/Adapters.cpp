// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Adapters.h"

#include "runtime/adapter/FittedAdapter.h"
#include "runtime/drivers/cpu/AdapterPacker.h"
#include "runtime/drivers/cpu/LargePages.h"
#include "runtime/drivers/cpu/Team.h"

#include <algorithm>
#include <atomic>
#include <future>

using namespace umber;
using namespace umber::cpu;

namespace {

constexpr int kMostThreads = 8;

} // namespace

Result<std::shared_ptr<const DeviceAdapter>>
PackedAdapter::create(const Plan &plan, const FittedAdapter &adapter,
                      int bits) {
  auto made = std::make_shared<PackedAdapter>();
  const auto *sites = plan.target->sites();
  made->sites.resize(sites ? sites->size() : 0);
  made->width = bits;
  // In the order in which a step reads them: of the sites of a kernel, all A
  // before all B.
  std::vector<int64_t> pairOf(made->sites.size(), -1);
  for (size_t i = 0; i < adapter.count(); ++i) {
    pairOf[adapter.site(i)] = int64_t(i);
  }
  struct Place {
    uint64_t a, b, scales;
  };
  std::vector<Place> places(adapter.count());
  uint64_t bytes = 0;
  for (const std::vector<uint32_t> &group : plan.adapterSites) {
    auto place = [&](uint64_t Place::*matrix, int64_t AdapterPair::*side) {
      for (uint32_t site : group) {
        if (pairOf[site] >= 0) {
          const AdapterPair &pair = adapter.pair(pairOf[site]);
          places[pairOf[site]].*matrix = bytes;
          bytes += packedAdapterBytes(pair.rank, pair.*side, bits);
        }
      }
    };
    place(&Place::a, &AdapterPair::inputs);
    place(&Place::b, &AdapterPair::outputs);
  }
  for (size_t i = 0; i < adapter.count(); ++i) {
    made->largest = std::max(made->largest, adapter.pair(i).rank);
    places[i].scales = bytes;
    bytes += adapter.pair(i).rank * sizeof(float);
  }
  Result<HostMemory> memory = HostMemory::allocate(bytes, "an adapter");
  if (!memory.ok()) {
    return memory.status();
  }
  made->memory = std::move(*memory);
  wishForLargePages(made->memory.data(), made->memory.size());
  std::atomic<size_t> next{0};
  std::atomic<bool> areAllPacked{true};
  auto work = [&] {
    for (size_t i; (i = next++) < adapter.count() && areAllPacked;) {
      char *memory = made->memory.data();
      const AdapterPair &pair = adapter.pair(i);
      LowRankMatrices matrices(pair.rank, pair.inputs, pair.outputs);
      adapter.load(i, matrices.a.data(), matrices.b.data());
      umber_low_rank &site = made->sites[adapter.site(i)];
      site.scale = pair.scale;
      bool isPacked =
          packAdapter(matrices, bits,
                      {memory + places[i].a, memory + places[i].b,
                       reinterpret_cast<float *>(memory + places[i].scales)},
                      site);
      if (!isPacked) {
        areAllPacked = false;
      }
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
  if (!areAllPacked) {
    return create(plan, adapter, 16);
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
  bindings.push_back({{}, {}, {}, site, slot});
}

int64_t ActiveAdapters::width(const std::vector<ActiveAdapter> &adapters) {
  int64_t sum = 0;
  for (const ActiveAdapter &adapter : adapters) {
    sum += packed(adapter).largestRank();
  }
  return paddedToPanel(sum);
}

Status ActiveAdapters::reserve(int64_t width) {
  if (width <= stride) {
    return {};
  }
  Result<HostMemory> memory = HostMemory::allocate(
      uint64_t(slots) * productRows() * width * sizeof(float),
      "adapters' ranks");
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
  if (binding.adapters.size() == 1) {
    binding.single = binding.adapters.front();
    binding.abi.adapters = &binding.single;
  }
  binding.abi.products = reinterpret_cast<float *>(products.data()) +
                         int64_t(binding.slot) * productRows() * stride;
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
