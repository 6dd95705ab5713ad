// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A target's own corrections, from a package of which everything can be chosen.

#include "runtime/adapter/AdapterPackage.h"
#include "runtime/package/Package.h"
#include "test/Unit/Adapter/Fixture.h"
#include "test/Unit/Package/TestPackage.h"

using namespace umber;
using namespace umber::test;

namespace {

constexpr uint16_t kOne = 0x3c00, kInfinity = 0x7c00, kNaN = 0x7e01;

class RecoveryTest : public AdapterFixture {
protected:
  void SetUp() override {
    AdapterFixture::SetUp();
    // A at 0 and B at 64, or a scale of each at 128 and 192; all of them 1.
    values.assign(256 / sizeof(uint16_t), kOne);
  }

  /// Of rank 1, for a matrix of 5 x 3.
  Result<std::shared_ptr<const Adapter>> read(fbs::DType dtype,
                                              bool hasRecovery = true) {
    fbs::PackageT model;
    model.model = std::make_unique<fbs::ModelInfoT>();
    model.model->name = "tiny";
    model.model->arch = "llama";
    model.model->layers = 1;
    model.model->vocab = 5;
    model.model->context_length = 8;
    model.cache = std::make_unique<fbs::CacheInfoT>();
    model.cache->layers = model.cache->kv_heads = model.cache->head_dim = 1;
    auto target = std::make_unique<fbs::TargetT>();
    target->name = "cpu";
    auto site = std::make_unique<fbs::AdapterSiteT>();
    site->name = "l0.attn.v";
    site->inputs = 3;
    site->outputs = 5;
    target->sites.push_back(std::move(site));
    if (hasRecovery) {
      auto pair = std::make_unique<fbs::AdapterPairT>();
      pair->site = "l0.attn.v";
      pair->dtype = dtype;
      pair->rank = 1;
      pair->inputs = 3;
      pair->outputs = 5;
      pair->scale = 1.0f;
      pair->b_offset = 64;
      pair->a_scales = 128;
      pair->b_scales = 192;
      target->recovery.push_back(std::move(pair));
    }
    model.targets.push_back(std::move(target));
    const auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
    writeTestPackage(pathOf("m.umb"),
                     {{fbs::SegmentKind_Weights,
                       "cpu.recovery",
                       {bytes, bytes + values.size() * sizeof values[0]}}},
                     std::move(model));
    auto package = Package::open(pathOf("m.umb"));
    EXPECT_TRUE(package.ok()) << package.status().message();
    return readRecovery(*package, *(*package)->meta().targets()->Get(0));
  }

  std::vector<uint16_t> values;
};

void expectRefused(const Result<std::shared_ptr<const Adapter>> &read,
                   const std::string &message) {
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().code(), StatusCode::CorruptFile);
  EXPECT_EQ(read.status().message(), message);
}

TEST_F(RecoveryTest, IsAnAdapterOfTheTargetsSites) {
  auto adapter = read(fbs::DType_F16);
  ASSERT_TRUE(adapter.ok()) << adapter.status().message();
  ASSERT_EQ((*adapter)->pairs().size(), 1u);
  const AdapterPair &pair = (*adapter)->pairs()[0];
  EXPECT_EQ(pair.site, "l0.attn.v");
  EXPECT_EQ(unpack(pair.dtype, pair.b), std::vector<float>(5, 1.0f));
  EXPECT_EQ(pair.bytes(), 16u);
}

TEST_F(RecoveryTest, MayHaveAScalePerRank) {
  auto adapter = read(fbs::DType_I8);
  ASSERT_TRUE(adapter.ok()) << adapter.status().message();
  const AdapterPair &pair = (*adapter)->pairs()[0];
  EXPECT_EQ(pair.bytes(), 3u + 5 + 2 + 2);
  std::vector<float> a(3), b(5);
  pair.load(a.data(), b.data());
  EXPECT_EQ(a, (std::vector<float>{0, 0x3c, 0}));
  EXPECT_EQ(b, (std::vector<float>{0, 0x3c, 0, 0x3c, 0}));
}

TEST_F(RecoveryTest, MayBeNone) {
  auto adapter = read(fbs::DType_F16, /*hasRecovery=*/false);
  ASSERT_TRUE(adapter.ok()) << adapter.status().message();
  EXPECT_EQ(*adapter, nullptr);
}

TEST_F(RecoveryTest, RefusesWhatIsNotFinite) {
  values[2] = kNaN;
  expectRefused(read(fbs::DType_F16),
                "tensor 'l0.attn.v.a': expected finite values, found an "
                "infinity or NaN at [0, 2]");
  EXPECT_TRUE(read(fbs::DType_I8).ok()); // They are any integers.
  values[128 / 2] = kInfinity;
  expectRefused(read(fbs::DType_I8),
                "tensor 'l0.attn.v.a.scales': expected finite values, found an "
                "infinity or NaN at [0, 0]");
  values[128 / 2] = kOne;
  values[192 / 2] = kNaN;
  expectRefused(read(fbs::DType_I8),
                "tensor 'l0.attn.v.b.scales': expected finite values, found an "
                "infinity or NaN at [0, 0]");
}

} // namespace
