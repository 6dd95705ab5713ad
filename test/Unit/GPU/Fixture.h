// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package with a target "gpu" of the kernels in TestKernels.comp, and what
// they compute.

#ifndef UMBER_TEST_UNIT_GPU_FIXTURE_H
#define UMBER_TEST_UNIT_GPU_FIXTURE_H

#include "runtime/adapter/FittedAdapter.h"
#include "runtime/drivers/Driver.h"
#include "runtime/package/Package.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace umber::test {

constexpr int32_t kVocab = 10, kInputs = 3, kHeads = 2, kMaxTokens = 4;
constexpr int32_t kRowBytes = 5;

/// Parameters of the kernels: of "embed" and of "project".
constexpr uint32_t kEmbed[kInputs] = {3, 50, 7};
constexpr uint32_t kProject[kVocab] = {1, 9, 2, 8, 3, 7, 4, 6, 5, 11};

/// What is active at the one site: B (s * (A x)), with small integers.
struct ReferencePair {
  int32_t rank;
  float scale;
  std::vector<float> a, b; ///< [rank][kInputs] and [kVocab][rank]
};

/// The tiny model on the host.
class Reference {
public:
  /// Appends a token; returns its logits.
  std::vector<float> add(int32_t id);
  /// All positions so far as a session saves them.
  std::vector<uint8_t> saved() const;

  std::vector<ReferencePair> active;

private:
  struct Entry {
    uint32_t digest[kHeads];
  };
  std::vector<Entry> cache;
};

class GpuFixture : public testing::Test {
protected:
  using Edit = std::function<void(fbs::PackageT &)>;

  void SetUp() override;
  void TearDown() override;

  /// The package, its metadata changed by `edit` and the code of instruction
  /// set `isa` as given.
  std::shared_ptr<const Package> makePackage(const std::string &isa,
                                             const std::string &code,
                                             const Edit &edit = nullptr);

  /// The pair as an adapter of the package's target.
  static FittedAdapter fit(const Package &package, const ReferencePair &pair);

  /// A file of the build, or what UMBER_TEST_KERNELS has in its place: where
  /// the tests run that were built elsewhere.
  static std::string readKernels(const std::string &path);

  std::string directory;
};

/// What every device does with the package; `load` makes it ready.
void expectStepsAsReference(const DeviceModel &model);
void expectSavedAsReference(const DeviceModel &model);
void expectAdaptersAsReference(const DeviceModel &model,
                               const Package &package);
void expectBatchesAsReference(const DeviceModel &model);
void expectThreadsAsReference(const DeviceModel &model);
void expectProfile(const DeviceModel &model);

} // namespace umber::test

#endif // UMBER_TEST_UNIT_GPU_FIXTURE_H
