// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/Adapters.h"

#include "runtime/adapter/FittedAdapter.h"
#include "runtime/adapter/Values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace umber;
using namespace umber::gpu;

namespace {

/// A server that takes turns with a few adapters finds them all here.
constexpr size_t kMostStacks = 16;

constexpr float kLargest = 127.0f;

uint64_t alignWords(uint64_t words) { return (words + 3) / 4 * 4; }

/// Divides `count` values, `stride` apart, by what makes their largest
/// magnitude about kLargest, and returns that: of integers what they count, so
/// that they are integers again, else a power of two, which loses nothing.
float normalize(float *values, uint64_t count, uint64_t stride,
                bool areIntegers) {
  float largest = 0;
  for (uint64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::fabs(values[i * stride]));
  }
  float scale = areIntegers ? largest / kLargest
                            : std::exp2(std::floor(std::log2(largest)) - 6);
  if (!std::isnormal(scale)) {
    // Zeros, or so small that f16 makes zeros of them as well.
    return 1.0f;
  }
  for (uint64_t i = 0; i < count; ++i) {
    values[i * stride] /= scale;
  }
  return scale;
}

/// Sets halves of words; the rest of each row is zero already.
void setHalf(uint32_t *row, uint64_t column, uint16_t value) {
  row[column / 2] |= uint32_t(value) << (column % 2 * 16);
}

} // namespace

HalfAdapter::HalfAdapter(const fbs::Target &target,
                         const FittedAdapter &adapter) {
  pairs.resize(target.sites() ? target.sites()->size() : 0);
  for (size_t i = 0; i < adapter.count(); ++i) {
    const AdapterPair &from = adapter.pair(i);
    uint64_t rank = from.rank, inputs = from.inputs, outputs = from.outputs;
    std::vector<float> a(rank * inputs), b(outputs * rank);
    adapter.load(i, a.data(), b.data());
    Pair &pair = pairs[adapter.site(i)];
    pair.rank = rank;
    bool areIntegers = from.dtype == fbs::DType_I8;
    for (uint64_t r = 0; r < rank; ++r) {
      pair.scales.push_back(normalize(&a[r * inputs], inputs, 1, areIntegers) *
                            normalize(&b[r], outputs, rank, areIntegers) *
                            from.scale);
    }
    pair.a.resize(a.size());
    pair.b.resize(b.size());
    roundAllToF16(a.data(), pair.a.data(), a.size());
    roundAllToF16(b.data(), pair.b.data(), b.size());
    total += rank * sizeof(float) + (a.size() + b.size()) * sizeof(uint16_t);
  }
}

std::vector<uint32_t> umber::gpu::stackPairs(
    uint32_t inputs, uint32_t outputs,
    const std::vector<std::pair<const HalfAdapter::Pair *, float>> &all) {
  uint64_t rank = 0;
  for (const auto &[pair, scale] : all) {
    rank += pair->rank;
  }
  if (rank == 0) {
    return std::vector<uint32_t>(4);
  }
  uint64_t rowOfA = (uint64_t(inputs) + 1) / 2, rowOfB = (rank + 1) / 2;
  uint64_t a = 4 + alignWords(rank), b = a + alignWords(rank * rowOfA);
  std::vector<uint32_t> words(b + alignWords(outputs * rowOfB));
  words[0] = uint32_t(rank);
  uint64_t first = 0;
  for (const auto &[pair, scale] : all) {
    for (uint64_t r = 0; r < pair->rank; ++r) {
      float product = pair->scales[r] * scale;
      std::memcpy(&words[4 + first + r], &product, sizeof product);
      uint32_t *row = &words[a + (first + r) * rowOfA];
      for (uint64_t i = 0; i < inputs; ++i) {
        setHalf(row, i, pair->a[r * inputs + i]);
      }
    }
    for (uint64_t o = 0; o < outputs; ++o) {
      for (uint64_t r = 0; r < pair->rank; ++r) {
        setHalf(&words[b + o * rowOfB], first + r, pair->b[o * pair->rank + r]);
      }
    }
    first += pair->rank;
  }
  return words;
}

bool Stacks::Entry::isOf(const std::vector<ActiveAdapter> &adapters) const {
  return std::equal(key.begin(), key.end(), adapters.begin(), adapters.end(),
                    [](const auto &kept, const ActiveAdapter &active) {
                      return kept.first.lock() == active.adapter &&
                             kept.second == active.scale;
                    });
}

bool Stacks::Entry::isExpired() const {
  return std::any_of(key.begin(), key.end(),
                     [](const auto &kept) { return kept.first.expired(); });
}

Result<std::shared_ptr<const Stack>>
Stacks::get(const std::vector<ActiveAdapter> &adapters) {
  std::lock_guard<std::mutex> lock(mutex);
  latest.remove_if([](const Entry &entry) { return entry.isExpired(); });
  auto found =
      std::find_if(latest.begin(), latest.end(),
                   [&](const Entry &entry) { return entry.isOf(adapters); });
  if (found != latest.end()) {
    latest.splice(latest.begin(), latest, found);
    return latest.front().stack;
  }
  Result<std::shared_ptr<const Stack>> made = make(adapters);
  if (!made.ok()) {
    return made;
  }
  Entry entry{{}, *made};
  for (const ActiveAdapter &active : adapters) {
    entry.key.push_back({active.adapter, active.scale});
  }
  latest.push_front(std::move(entry));
  if (latest.size() > kMostStacks) {
    latest.pop_back();
  }
  return made;
}

Result<std::shared_ptr<const Stack>>
Stacks::make(const std::vector<ActiveAdapter> &adapters) {
  auto stack = std::make_shared<Stack>();
  uint32_t count = target.sites() ? target.sites()->size() : 0;
  std::vector<uint32_t> all;
  for (uint32_t i = 0; i < count; ++i) {
    const fbs::AdapterSite &site = *target.sites()->Get(i);
    std::vector<std::pair<const HalfAdapter::Pair *, float>> pairs;
    for (const ActiveAdapter &active : adapters) {
      const auto &adapter = static_cast<const HalfAdapter &>(*active.adapter);
      if (active.scale != 0.0f && adapter.at(i).rank > 0) {
        pairs.push_back({&adapter.at(i), active.scale});
      }
    }
    std::vector<uint32_t> words =
        stackPairs(site.inputs(), site.outputs(), pairs);
    uint64_t bytes = words.size() * sizeof words[0];
    if (bytes > device.maxRangeBytes()) {
      return Status(StatusCode::Unsupported,
                    device.name() + ": adapters of " + std::to_string(bytes) +
                        " bytes at site " + site.name()->str() +
                        " are more than the " +
                        std::to_string(device.maxRangeBytes()) +
                        " that the device lets a kernel see");
    }
    stack->largestRank = std::max<uint64_t>(stack->largestRank, words[0]);
    stack->sites.push_back({nullptr, all.size() * sizeof all[0], bytes});
    all.insert(all.end(), words.begin(), words.end());
    all.resize(alignRange(all.size() * sizeof all[0]) / sizeof all[0]);
  }
  Result<std::unique_ptr<Buffer>> buffer = device.allocate(
      std::max<uint64_t>(all.size() * sizeof all[0], kRangeAlignment),
      "adapters");
  if (!buffer.ok()) {
    return buffer.status();
  }
  if (!all.empty()) {
    Status status =
        device.write(**buffer, 0, all.data(), all.size() * sizeof all[0]);
    if (!status.ok()) {
      return status;
    }
  }
  for (Range &site : stack->sites) {
    site.buffer = buffer->get();
  }
  stack->buffer = std::move(*buffer);
  return std::shared_ptr<const Stack>(std::move(stack));
}
