// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.lora with adapters that are set at run time.

#include "test/Unit/Interpreter/Program.h"

namespace umber::interp {
namespace {

constexpr llvm::StringLiteral kProgram = R"mlir(
umber.param @site : tensor<2x3xf32>
func.func @f(%y: tensor<?x2xf32>, %x: tensor<?x3xf32>, %ad: !umber.adapters)
    -> tensor<?x2xf32> {
  %0 = umber.lora %y, %x, %ad[@site] : tensor<?x2xf32>, tensor<?x3xf32>
  return %0 : tensor<?x2xf32>
}
)mlir";

constexpr llvm::StringLiteral kCorrected = R"mlir(
umber.param @site : tensor<2x3xf32> {recover = #umber.low_rank<@a, @b>}
umber.param @a : tensor<2x3xf16> = dense<[[1.0, 2.0, 3.0], [1.0, 0.0, 0.0]]> : tensor<2x3xf16>
umber.param @b : tensor<2x2xf16> = dense<[[0.5, 0.0], [1.0, -0.5]]> : tensor<2x2xf16>
func.func @f(%y: tensor<?x2xf32>, %x: tensor<?x3xf32>, %ad: !umber.adapters)
    -> tensor<?x2xf32> {
  %0 = umber.lora %y, %x, %ad[@site] : tensor<?x2xf32>, tensor<?x3xf32>
  return %0 : tensor<?x2xf32>
}
)mlir";

class AdaptersTest : public ::testing::Test {
protected:
  explicit AdaptersTest(llvm::StringRef text = kProgram)
      : program(text), interpreter(program.getModule(), nullptr) {}

  void add(llvm::StringRef site, Tensor a, Tensor b, float scale) {
    ASSERT_FALSE(errorToBool(adapters->add(site, {a, b, scale})));
  }
  std::vector<float> run() {
    auto results =
        interpreter.call("f", {program.matrix(2, 2, {1, 2, 3, 4}),
                               program.matrix(2, 3, {1, 0, -1, 2, 1, 0}),
                               AdaptersRef(adapters)});
    return failed(results) ? std::vector<float>()
                           : results->front().getTensor()->getFloats().vec();
  }

  Program program;
  Interpreter interpreter;
  std::shared_ptr<Adapters> adapters = std::make_shared<Adapters>();
};

TEST_F(AdaptersTest, AddsNothingWithoutAnAdapter) {
  EXPECT_EQ(run(), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(AdaptersTest, AddsTheActiveAdaptersOfTheSite) {
  // A x = (1 - 3, 1), (2 + 2, 2); B (A x) = (-2 + 2, -1), (4 + 4, -2).
  add("site", program.halves(2, 3, {1, 2, 3, 1, 0, 0}),
      program.halves(2, 2, {1, 2, 0, -1}), 0.5f);
  EXPECT_EQ(run(), (std::vector<float>{1, 1.5, 7, 3}));
  // Rank 1: A x = 0, 3; another site's adapter has no effect.
  add("site", program.halves(1, 3, {1, 1, 1}), program.halves(2, 1, {1, 10}),
      1);
  add("other", program.halves(1, 1, {1}), program.halves(1, 1, {1}), 1);
  EXPECT_EQ(run(), (std::vector<float>{1, 1.5, 10, 33}));
}

class CorrectedTest : public AdaptersTest {
protected:
  CorrectedTest() : AdaptersTest(kCorrected) {}
};

TEST_F(CorrectedTest, AddsTheSitesCorrectionBeforeAdapters) {
  // A x = (-2, 1), (4, 2); B (A x) = (-1 + 1, -0.5), (2 + 2, -1): B stands in
  // rows of ranks.
  EXPECT_EQ(run(), (std::vector<float>{1, 1.5, 7, 3}));
  add("site", program.halves(1, 3, {1, 1, 1}), program.halves(2, 1, {1, 10}),
      1);
  EXPECT_EQ(run(), (std::vector<float>{1, 1.5, 10, 33}));
}

TEST_F(AdaptersTest, TakesRankZero) {
  add("site", program.halves(0, 3, {}), program.halves(2, 0, {}), 1.0f);
  EXPECT_EQ(run(), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(AdaptersTest, KeepsMatricesInTheirElementType) {
  // 2049 is no f16; the even neighbour is 2048.
  add("site", program.halves(1, 3, {2049, 0, 0}), program.halves(2, 1, {1, 0}),
      1.0f);
  EXPECT_EQ(run(), (std::vector<float>{2049, 2, 4099, 4}));
}

TEST_F(AdaptersTest, RefusesMatricesThatDoNotFitTheSite) {
  add("site", program.halves(1, 4, {1, 1, 1, 1}), program.halves(2, 1, {1, 1}),
      1.0f);
  EXPECT_TRUE(run().empty());
  EXPECT_EQ(program.getError(),
            "'umber.lora' op expected an adapter with A of 1x3 and B of 2x1, "
            "found 1x4xf16 and 2x1xf16");
}

TEST_F(AdaptersTest, RefusesMatricesOfDifferentRanks) {
  llvm::Error error = adapters->add(
      "site", {program.halves(2, 1, {1, 1}), program.halves(1, 1, {1}), 1.0f});
  EXPECT_EQ(
      llvm::toString(std::move(error)),
      "adapter for site: expected as many rows of A as columns of B, found "
      "2x1xf16 and 1x1xf16");
  error = adapters->add("site",
                        {program.index(1), program.halves(1, 1, {1}), 1.0f});
  EXPECT_EQ(llvm::toString(std::move(error)),
            "adapter for site: expected two floating-point matrices");
}

} // namespace
} // namespace umber::interp
