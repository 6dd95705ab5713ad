// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapters in the bases of a target: what they add to R_out W diag(gain) R_in
// is what they add to W.

#include "runtime/adapter/FittedAdapter.h"
#include "test/Unit/Adapter/Fixture.h"

#include <cmath>
#include <random>

using namespace umber;
using namespace umber::test;

namespace {

constexpr int64_t kInputs = 12, kOutputs = 8, kRank = 3;

std::vector<float> someValues(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> between(-1, 1);
  std::vector<float> values(count);
  for (float &value : values) {
    value = between(random);
  }
  return values;
}

/// The matrix, with `size` rows, of a block diagonal of rotations of `block`.
std::vector<float> rotation(int64_t size, int64_t block) {
  std::vector<float> matrix(size * size, 0.0f);
  for (int64_t i = 0; i < size; ++i) {
    matrix[i * size + i] = 1.0f;
  }
  for (int64_t first = 0; block != 0 && first < size; first += block) {
    Orthogonal::get(block)->apply(matrix.data() + first * size, size);
  }
  return matrix;
}

/// a b, for a of m x k and b of k x n.
std::vector<float> multiply(const std::vector<float> &a,
                            const std::vector<float> &b, int64_t m, int64_t k,
                            int64_t n) {
  std::vector<float> c(m * n, 0.0f);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t l = 0; l < k; ++l) {
        c[i * n + j] += a[i * k + l] * b[l * n + j];
      }
    }
  }
  return c;
}

class FittedAdapterTest : public testing::Test {
protected:
  void SetUp() override {
    a = someValues(kRank * kInputs, 1);
    b = someValues(kOutputs * kRank, 2);
    model.model = std::make_unique<fbs::ModelInfoT>();
    model.model->name = "a model";
    model.model->arch = "llama";
    model.model->base_hash = 7;
    auto target = std::make_unique<fbs::TargetT>();
    target->name = "cpu";
    auto gain = std::make_unique<fbs::GainT>();
    gain->values = someValues(kInputs, 3);
    target->gains.push_back(std::move(gain));
    auto site = std::make_unique<fbs::AdapterSiteT>();
    site->name = "l5.attn.q";
    site->inputs = kInputs;
    site->outputs = kOutputs;
    target->sites.push_back(std::move(site));
    model.targets.push_back(std::move(target));
  }

  fbs::AdapterSiteT &site() { return *model.targets[0]->sites[0]; }

  Result<FittedAdapter> fit(const std::string &name = "blk.5.attn_q") {
    builder.Clear();
    fbs::FinishPackageBuffer(builder, fbs::Package::Pack(builder, &model));
    const fbs::Package &packed = *fbs::GetPackage(builder.GetBufferPointer());
    AdapterPair pair = {name, fbs::DType_F32, kRank, kInputs, kOutputs, {},
                        {},   0.5f,           {},    {}};
    auto bytes = [](const std::vector<float> &values) {
      return Bytes{reinterpret_cast<const uint8_t *>(values.data()),
                   values.size() * sizeof(float)};
    };
    pair.a = bytes(a);
    pair.b = bytes(b);
    auto adapter = std::make_shared<Adapter>(
        info, std::vector<AdapterPair>{pair}, std::shared_ptr<const void>());
    return FittedAdapter::fit(adapter, packed, *packed.targets()->Get(0));
  }

  /// B A as it is fitted.
  std::vector<float> fittedProduct() {
    Result<FittedAdapter> fitted = fit();
    EXPECT_TRUE(fitted.ok()) << fitted.status().message();
    std::vector<float> fittedA(a.size()), fittedB(b.size());
    (*fitted).load(0, fittedA.data(), fittedB.data());
    return multiply(fittedB, fittedA, kOutputs, kRank, kInputs);
  }

  void expectRefused(Result<FittedAdapter> fitted, const std::string &message) {
    ASSERT_FALSE(fitted.ok());
    EXPECT_EQ(fitted.status().code(), StatusCode::Unsupported);
    EXPECT_EQ(fitted.status().message(), message);
  }

  std::vector<float> a, b;
  AdapterInfo info;
  fbs::PackageT model;
  flatbuffers::FlatBufferBuilder builder;
};

void expectNear(const std::vector<float> &found,
                const std::vector<float> &expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 1e-5f) << i;
  }
}

TEST_F(FittedAdapterTest, StaysAsItIsInTheModelsOwnBases) {
  EXPECT_EQ(fittedProduct(), multiply(b, a, kOutputs, kRank, kInputs));
}

TEST_F(FittedAdapterTest, FollowsTheWeightsToOtherBases) {
  site().gain = 0;
  site().input_rotation = 4;
  site().output_rotation = 8;
  std::vector<float> product = multiply(b, a, kOutputs, kRank, kInputs);
  for (size_t i = 0; i < product.size(); ++i) {
    product[i] *= model.targets[0]->gains[0]->values[i % kInputs];
  }
  product = multiply(product, rotation(kInputs, 4), kOutputs, kInputs, kInputs);
  product =
      multiply(rotation(kOutputs, 8), product, kOutputs, kOutputs, kInputs);
  expectNear(fittedProduct(), product);
}

TEST_F(FittedAdapterTest, InterleavesTheHalvesOfHeads) {
  site().interleaved_head = 4;
  std::vector<float> product = multiply(b, a, kOutputs, kRank, kInputs);
  std::vector<float> expected;
  for (int64_t row : {0, 2, 1, 3, 4, 6, 5, 7}) {
    expected.insert(expected.end(), product.begin() + row * kInputs,
                    product.begin() + (row + 1) * kInputs);
  }
  EXPECT_EQ(fittedProduct(), expected);
  // GGUF's rows are in that order already.
  info.rowOrder = RowOrder::GGUF;
  EXPECT_EQ(fittedProduct(), product);
}

TEST_F(FittedAdapterTest, LeavesTheBasesThatItHasEntered) {
  site().gain = 0;
  site().input_rotation = 4;
  site().output_rotation = 8;
  site().interleaved_head = 4;
  ASSERT_TRUE(fit().ok());
  const fbs::Target &target =
      *fbs::GetPackage(builder.GetBufferPointer())->targets()->Get(0);
  const fbs::AdapterSite &packed = *target.sites()->Get(0);
  SiteBases bases(target);
  ASSERT_TRUE(bases.add(packed).ok());
  std::vector<float> movedA = a, movedB = b;
  bases.enter(packed, RowOrder::HuggingFace, kRank, movedA.data(),
              movedB.data());
  EXPECT_GT(std::abs(movedB[0] - b[0]), 1e-3f);
  ASSERT_TRUE(bases.leave(packed, kRank, movedA.data(), movedB.data()).ok());
  expectNear(movedA, a);
  expectNear(movedB, b);
}

TEST_F(FittedAdapterTest, CannotDivideByAGainOfZero) {
  site().gain = 0;
  model.targets[0]->gains[0]->values[5] = 0;
  ASSERT_TRUE(fit().ok());
  const fbs::Target &target =
      *fbs::GetPackage(builder.GetBufferPointer())->targets()->Get(0);
  Status status = SiteBases(target).leave(*target.sites()->Get(0), kRank,
                                          a.data(), b.data());
  EXPECT_EQ(status.code(), StatusCode::Unsupported);
  EXPECT_EQ(status.message(), "expected absorbed gains that can be divided by, "
                              "found 0.000000 for input 5");
}

TEST_F(FittedAdapterTest, LeavesCorrectionsInTheTargetsBases) {
  site().gain = 0;
  site().output_rotation = 8;
  site().interleaved_head = 4;
  ASSERT_TRUE(fit().ok());
  const fbs::Target &target =
      *fbs::GetPackage(builder.GetBufferPointer())->targets()->Get(0);
  // Integers and a scale for each rank.
  const std::vector<int8_t> integersA(kRank * kInputs, 3),
      integersB(kOutputs * kRank, -127);
  const std::vector<uint16_t> scales = {0x3c00, 0x4000, 0x3800}; // 1, 2, 1/2
  auto bytes = [](const auto &values) {
    return Bytes{reinterpret_cast<const uint8_t *>(values.data()),
                 values.size() * sizeof values[0]};
  };
  AdapterPair pair = {
      "l5.attn.q",      fbs::DType_I8,    kRank, kInputs,       kOutputs,
      bytes(integersA), bytes(integersB), 1.0f,  bytes(scales), bytes(scales)};
  FittedAdapter fitted = FittedAdapter::recovery(
      std::make_shared<Adapter>(info, std::vector<AdapterPair>{pair},
                                std::shared_ptr<const void>()),
      target);
  ASSERT_EQ(fitted.count(), 1u);
  EXPECT_EQ(fitted.site(0), 0u);
  std::vector<float> loadedA(a.size()), loadedB(b.size());
  fitted.load(0, loadedA.data(), loadedB.data());
  for (int64_t r = 0; r < kRank; ++r) {
    float scale = r == 0 ? 1.0f : r == 1 ? 2.0f : 0.5f;
    EXPECT_EQ(loadedA[r * kInputs + 4], 3 * scale);
    EXPECT_EQ(loadedB[5 * kRank + r], -127 * scale);
  }
}

TEST_F(FittedAdapterTest, RefusesWhatDoesNotFit) {
  expectRefused(
      fit("blk.6.attn_q"),
      "blk.6.attn_q: expected a matrix that the model has, found none");
  site().outputs = 9;
  expectRefused(fit(), "blk.5.attn_q: expected a matrix of 9 x 12, found one "
                       "of 8 x 12");
  site().outputs = kOutputs;
  site().input_rotation = 67;
  expectRefused(fit(), "blk.5.attn_q: expected a rotation that this version "
                       "knows, found one of size 67");
  site().input_rotation = 0;
  info.baseHash = 8;
  expectRefused(fit(), "expected an adapter for this model, whose identity is "
                       "0x0000000000000007, found one for 0x0000000000000008");
  info.baseHash = 7;
  EXPECT_TRUE(fit().ok());
  info.architecture = "qwen2";
  expectRefused(fit(), "expected an adapter for a model of architecture llama, "
                       "found one for qwen2");
  info.architecture.clear();
  model.targets[0]->sites.clear();
  expectRefused(fit(), "expected a model that takes adapters, found one that "
                       "was compiled without");
}

} // namespace
