// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/null/NullDriver.h"

#include "runtime/drivers/HostMemory.h"
#include "runtime/package/Package.h"

#include <cstring>

using namespace umber;

namespace {

/// As many rows as a compiled prefill program usually takes.
constexpr int32_t kMaxTokens = 64;

/// A step of the SplitMix64 generator (Steele, Lea, Flood: Fast Splittable
/// Pseudorandom Number Generators, 2014): spreads any change over all bits.
uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

/// Per position, a digest of all tokens up to it. A device has keys and values
/// here; like them, an entry depends on what came before, so that the suite
/// sees whether a session remembers and forgets what it should.
class NullState : public DeviceState {
public:
  static Result<std::unique_ptr<DeviceState>> create(int32_t vocab,
                                                     int32_t capacity) {
    std::unique_ptr<NullState> state(new NullState(vocab));
    Result<HostMemory> digests = HostMemory::allocate(
        uint64_t(capacity) * sizeof(uint64_t), "the null device's cache");
    if (!digests.ok()) {
      return digests.status();
    }
    Result<HostMemory> logits = HostMemory::allocate(
        uint64_t(kMaxTokens) * vocab * sizeof(float), "logits");
    if (!logits.ok()) {
      return logits.status();
    }
    state->digests = std::move(*digests);
    state->logits = std::move(*logits);
    return std::unique_ptr<DeviceState>(std::move(state));
  }

  Status run(const Step &step, const float **rows) override {
    uint64_t *digest = reinterpret_cast<uint64_t *>(digests.data());
    float *out = reinterpret_cast<float *>(logits.data());
    *rows = out;
    for (int32_t row = 0; row < step.tokens; ++row) {
      int32_t position = step.position + row;
      uint64_t before = position == 0 ? 0 : digest[position - 1];
      digest[position] = mix(before ^ static_cast<uint32_t>(step.ids[row]));
      if (row >= step.tokens - step.outputs) {
        writeLogits(digest[position], out);
        out += vocab;
      }
    }
    return {};
  }

  uint64_t cacheBytes(int32_t positions) const override {
    return uint64_t(positions) * sizeof(uint64_t);
  }

  Status readCache(int32_t positions, void *out) const override {
    std::memcpy(out, digests.data(), cacheBytes(positions));
    return {};
  }

  Status writeCache(int32_t positions, const void *in) override {
    std::memcpy(digests.data(), in, cacheBytes(positions));
    return {};
  }

private:
  explicit NullState(int32_t vocab) : vocab(vocab) {}

  /// Uniform in [-4, 4), so that every token can be sampled.
  void writeLogits(uint64_t digest, float *row) const {
    for (int32_t id = 0; id < vocab; ++id) {
      row[id] = static_cast<float>(mix(digest + id) >> 40) * 0x1p-21f - 4;
    }
  }

  int32_t vocab;
  HostMemory digests;
  HostMemory logits;
};

class NullModel : public DeviceModel {
public:
  explicit NullModel(std::shared_ptr<const Package> package)
      : package(std::move(package)) {}

  int32_t maxTokens() const override { return kMaxTokens; }
  int32_t threads() const override { return 1; }
  const std::string &isa() const override { return noIsa; }
  uint64_t weightBytes() const override { return 0; }
  const char *cacheLayout() const override { return "null"; }

  Result<std::unique_ptr<DeviceState>>
  createState(int32_t capacity) const override {
    return NullState::create(
        static_cast<int32_t>(package->meta().model()->vocab()), capacity);
  }

private:
  std::shared_ptr<const Package> package;
  std::string noIsa;
};

} // namespace

Result<DeviceDescription> NullDriver::describe() const {
  return DeviceDescription{"null", "Computes nothing, for tests", 1};
}

Result<std::unique_ptr<DeviceModel>>
NullDriver::load(std::shared_ptr<const Package> package,
                 const LoadOptions &options) const {
  // A real driver finds its target in the package here, and says NotFound with
  // the targets that there are if it has none. Options that make no sense for
  // the device are an error, too, except `threads`, which is only a wish.
  if (!options.isa.empty()) {
    return Status(StatusCode::InvalidArgument,
                  "the null device has no instruction sets to choose from");
  }
  return std::unique_ptr<DeviceModel>(
      std::make_unique<NullModel>(std::move(package)));
}
