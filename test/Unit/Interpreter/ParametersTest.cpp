// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters that come from a store.

#include "test/Unit/Interpreter/Program.h"

namespace umber::interp {
namespace {

constexpr llvm::StringLiteral kProgram = R"mlir(
umber.param @w from "blk.w" : tensor<300x1100xf32>
umber.param @b : tensor<300xf32>
umber.param @narrow : tensor<1x2xf16>
umber.param @encoded : tensor<1x2xf16, #umber.palette<bits = 4, rows = 1>>
func.func @product(%x: tensor<?x1100xf32>) -> tensor<?x300xf32> {
  %0 = umber.linear %x, @w bias @b : tensor<?x1100xf32> -> tensor<?x300xf32>
  return %0 : tensor<?x300xf32>
}
func.func @row(%ids: tensor<?xi32>) -> tensor<?x1100xf32> {
  %0 = umber.embed @w[%ids] : tensor<?xi32> -> tensor<?x1100xf32>
  return %0 : tensor<?x1100xf32>
}
func.func @sums(%x: tensor<1x2xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  %0 = umber.linear %x, @narrow : tensor<1x2xf32> -> tensor<1x1xf32>
  %1 = umber.linear %x, @encoded : tensor<1x2xf32> -> tensor<1x1xf32>
  return %0, %1 : tensor<1x1xf32>, tensor<1x1xf32>
}
)mlir";

std::vector<float> counting(int64_t count) {
  std::vector<float> elements(count);
  for (int64_t i = 0; i < count; ++i) {
    elements[i] = float(i * 7919 % 1000) / 999.0f - 0.5f;
  }
  return elements;
}

class ParametersTest : public ::testing::Test {
protected:
  ParametersTest() : program(kProgram) {
    store.add("blk.w", {300, 1100}, counting(300 * 1100));
    store.add("b", {300}, counting(300));
  }

  std::vector<float> run(Interpreter &interpreter, llvm::StringRef function,
                         Value argument) {
    auto results = interpreter.call(function, argument);
    return failed(results) ? std::vector<float>()
                           : results->front().getTensor()->getFloats().vec();
  }

  Program program;
  MemoryStore store;
};

TEST_F(ParametersTest, StreamsWhatDoesNotFit) {
  Tensor x = program.matrix(2, 1100, counting(2200));
  Interpreter keeping(program.getModule(), &store);
  std::vector<float> expected = run(keeping, "product", x);
  ASSERT_EQ(expected.size(), 600u);
  EXPECT_EQ(run(keeping, "product", x), expected);
  EXPECT_EQ(store.reads, 2) << "a parameter that fits is read once";

  InterpreterOptions options;
  options.parameterBytes = 1000;
  Interpreter streaming(program.getModule(), &store, options);
  store.reads = 0;
  EXPECT_EQ(run(streaming, "product", x), expected);
  EXPECT_GT(store.reads, 2) << "a large one comes in blocks";

  double exact = counting(300)[299];
  std::vector<float> elements = counting(300 * 1100);
  for (int64_t i = 0; i < 1100; ++i) {
    exact += double(elements[299 * 1100 + i]) * x.getFloats()[1100 + i];
  }
  EXPECT_NEAR(expected[599], exact, 1e-4);
}

TEST_F(ParametersTest, ReadsOnlyTheRowsOfAnEmbedding) {
  Interpreter streaming(program.getModule(), &store);
  auto i32 = mlir::IntegerType::get(program.getModule().getContext(), 32);
  std::vector<float> rows =
      run(streaming, "row", Tensor::ofIntegers(i32, {2}, {299, 0}));
  ASSERT_EQ(rows.size(), 2200u);
  EXPECT_EQ(rows[0], counting(300 * 1100)[299 * 1100]);
  EXPECT_EQ(rows[1100], counting(1)[0]);
  EXPECT_EQ(store.reads, 2);
}

TEST_F(ParametersTest, RoundsPlainElementsButNotEncodedOnes) {
  store.add("narrow", {1, 2}, {2049, 0});
  store.add("encoded", {1, 2}, {2049, 0});
  Interpreter interpreter(program.getModule(), &store);
  auto results =
      interpreter.call("sums", Value(program.matrix(1, 2, {1.0f, 1.0f})));
  ASSERT_TRUE(succeeded(results)) << program.getError();
  EXPECT_EQ((*results)[0].getTensor()->getFloats()[0], 2048.0f);
  EXPECT_EQ((*results)[1].getTensor()->getFloats()[0], 2049.0f);
}

TEST_F(ParametersTest, ReportsAnotherShape) {
  store.add("blk.w", {1100, 300}, counting(300 * 1100));
  Interpreter interpreter(program.getModule(), &store);
  EXPECT_TRUE(run(interpreter, "product", program.matrix(0, 1100, {})).empty());
  EXPECT_EQ(
      program.getError(),
      "'umber.linear' op expected @w of shape (300, 1100) in the parameter "
      "file, found (1100, 300)");
}

TEST_F(ParametersTest, ReportsWhatTheStoreLacks) {
  Interpreter interpreter(program.getModule(), &store);
  EXPECT_TRUE(
      failed(interpreter.call("sums", Value(program.matrix(1, 2, {1, 1})))));
  EXPECT_EQ(program.getError(),
            "'umber.linear' op cannot read @narrow: no such key");
}

} // namespace
} // namespace umber::interp
