// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package with a tiny model for a neural engine, in hand-written programs:
// of token t after a first token f,
//   logits = W e_t + B (s * (A e_t)) + [e_f's first four elements, 0 …]
// where f is known from the cache alone.

#ifndef UMBER_TEST_UNIT_NPU_DRIVER_FIXTURE_H
#define UMBER_TEST_UNIT_NPU_DRIVER_FIXTURE_H

#include "runtime/adapter/FittedAdapter.h"
#include "runtime/drivers/Driver.h"
#include "runtime/drivers/npu/sim/ProgramFile.h"
#include "runtime/package/Package.h"

#include <functional>
#include <gtest/gtest.h>

namespace umber::npu {

constexpr int32_t kVocab = 8;
constexpr int64_t kHidden = 16;
constexpr int64_t kCached = 4; ///< elements of a key
constexpr int64_t kRank = 4;
constexpr int32_t kRows = 3; ///< of a step of a prompt
constexpr char kTarget[] = "npu:ane-a17-like";

/// A package's parts, for tests to change.
struct Parts {
  ProgramFile programs;
  std::vector<uint8_t> encoded; ///< instead of `programs`, if not empty
  std::vector<uint8_t> weights, tables;
  fbs::PackageT meta; ///< without its segments
  std::string segmentPrefix = kTarget;
  bool hasImages = true; ///< weights and tables
};

class DriverFixture : public testing::Test {
protected:
  using Edit = std::function<void(Parts &)>;

  void SetUp() override;
  void TearDown() override;

  static Parts makeParts();
  /// Writes a package and opens it.
  std::shared_ptr<Package> makePackage(const Edit &edit = nullptr);
  Result<std::unique_ptr<DeviceModel>> tryLoad(const Edit &edit,
                                               LoadOptions options = {});
  std::unique_ptr<DeviceModel> load(const Edit &edit = nullptr);
  /// Expects that loading fails so, with exactly that message.
  void expectRefused(StatusCode code, const std::string &message,
                     const Edit &edit, LoadOptions options = {});
  std::unique_ptr<DeviceState> open(const DeviceModel &model,
                                    int32_t capacity = 10);

  /// Logits of the last `outputs` rows.
  static std::vector<float> run(DeviceState &state, std::vector<int32_t> ids,
                                int32_t position, int32_t outputs = 1);

  /// Of A, [rank][kHidden], and B, [kVocab][rank].
  struct Correction {
    int64_t rank;
    float scale;
    std::vector<float> a, b;
  };
  static Correction makeCorrection(int64_t rank, float scale, uint32_t seed);
  static Result<std::shared_ptr<const DeviceAdapter>>
  tryLoadAdapter(const DeviceModel &model, const Correction &correction);
  static std::shared_ptr<const DeviceAdapter>
  loadAdapter(const DeviceModel &model, const Correction &correction);

  /// What the model computes, in the same order.
  static std::vector<float>
  expectedLogits(int32_t first, int32_t id,
                 const std::vector<std::pair<Correction, float>> &active = {});

  std::string directory;
};

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_DRIVER_FIXTURE_H
