// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter's own interface: calls, probes, observations and caches.

#include "dialects/Umber/Interpreter/Session.h"
#include "test/Unit/Interpreter/Program.h"
#include <limits>

namespace umber::interp {
namespace {

constexpr llvm::StringLiteral kProgram = R"mlir(
func.func @twice(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  umber.observe %x as "in" : tensor<?x2xf32>
  %0 = arith.addf %x, %x : tensor<?x2xf32>
  %1 = arith.addf %0, %0 : tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}
func.func @append(%kv: !umber.kv_cache<1x1x2xf32>, %x: tensor<?x2xf32>, %pos: index)
    -> (tensor<?x2xf32>, !umber.kv_cache<1x1x2xf32>) {
  %kv1 = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x2xf32>, tensor<?x2xf32>
  %o = umber.attention %x, %kv1[0] at %pos {heads = 1 : i64, kv_heads = 1 : i64, scale = 0.0 : f32}
      : tensor<?x2xf32>, !umber.kv_cache<1x1x2xf32>
  return %o, %kv1 : tensor<?x2xf32>, !umber.kv_cache<1x1x2xf32>
}
)mlir";

class InterpreterTest : public ::testing::Test {
protected:
  InterpreterTest()
      : program(kProgram), interpreter(program.getModule(), nullptr) {}

  Program program;
  Interpreter interpreter;
};

TEST_F(InterpreterTest, ChecksCalls) {
  EXPECT_TRUE(failed(interpreter.call("thrice", {})));
  EXPECT_TRUE(failed(interpreter.call("twice", {})));
  EXPECT_TRUE(failed(
      interpreter.call("twice", Value(program.matrix(1, 3, {1, 2, 3})))));
  EXPECT_TRUE(failed(interpreter.call("twice", Value(program.index(1)))));
  EXPECT_EQ(
      program.getError(),
      "expected a function named 'thrice'"
      "'func.func' op expected 1 arguments, found 0"
      "'func.func' op expected argument 0 of type 'tensor<?x2xf32>', found "
      "1x3xf32"
      "'func.func' op expected argument 0 of type 'tensor<?x2xf32>', found "
      "index");
}

TEST_F(InterpreterTest, ProbesEachResultInOrder) {
  std::vector<std::pair<int64_t, float>> seen;
  interpreter.setProbe(
      [&](int64_t number, mlir::OpResult, const Tensor &value) {
        seen.emplace_back(number, value.getFloats()[0]);
        return mlir::success();
      });
  Value x = program.matrix(1, 2, {3, 4});
  ASSERT_TRUE(succeeded(interpreter.call("twice", x)));
  ASSERT_TRUE(succeeded(interpreter.call("twice", x)));
  EXPECT_EQ(seen, (std::vector<std::pair<int64_t, float>>{
                      {0, 6.0f}, {1, 12.0f}, {0, 6.0f}, {1, 12.0f}}));
}

TEST_F(InterpreterTest, StopsWhereAProbeFails) {
  int calls = 0;
  interpreter.setProbe([&](int64_t, mlir::OpResult, const Tensor &) {
    ++calls;
    return mlir::failure();
  });
  EXPECT_TRUE(
      failed(interpreter.call("twice", Value(program.matrix(1, 2, {3, 4})))));
  EXPECT_EQ(calls, 1);
}

TEST_F(InterpreterTest, CollectsObservations) {
  Value first = program.matrix(2, 2, {1, -2, 3, 4});
  Value second = program.matrix(1, 2, {-5, 0.5});
  ASSERT_TRUE(succeeded(interpreter.call("twice", first)));
  ASSERT_TRUE(succeeded(interpreter.call("twice", second)));
  ASSERT_EQ(interpreter.getObservations().size(), 1u);
  const Observation &seen = interpreter.getObservations().lookup("in");
  EXPECT_EQ(seen.rows, 3);
  EXPECT_EQ(seen.maxAbs, (std::vector<float>{5, 4}));
  EXPECT_EQ(seen.secondMoment, (std::vector<double>{35, 7.5, 7.5, 20.25}));
}

TEST_F(InterpreterTest, UpdatesACacheOnce) {
  KVCache empty = KVCache::create(mlir::umber::KVCacheType::get(
      program.getModule().getContext(), 1, 1, 2,
      mlir::Float32Type::get(program.getModule().getContext())));
  auto append = [&](Value cache, std::vector<float> row, int64_t pos) {
    return interpreter.call(
        "append",
        {cache, program.matrix(1, 2, std::move(row)), program.index(pos)});
  };
  auto one = append(empty, {2, 4}, 0);
  ASSERT_TRUE(succeeded(one)) << program.getError();
  auto two = append((*one)[1], {4, 8}, 1);
  ASSERT_TRUE(succeeded(two)) << program.getError();
  EXPECT_EQ((*two)[0].getTensor()->getFloats(), llvm::ArrayRef<float>({3, 6}));

  // What has been consumed cannot be used again.
  EXPECT_TRUE(failed(append((*one)[1], {4, 8}, 1)));
  EXPECT_EQ(program.getError(),
            "'umber.kv_update' op expected a cache that nothing has consumed");

  // Going back forgets what came later.
  auto back = append((*two)[1], {10, 20}, 0);
  ASSERT_TRUE(succeeded(back)) << program.getError();
  EXPECT_EQ((*back)[0].getTensor()->getFloats(),
            llvm::ArrayRef<float>({10, 20}));
  EXPECT_EQ((*back)[1].getCache()->getLength(0), 1);
}

TEST_F(InterpreterTest, ChoosesTheFirstOfTheLargestLogits) {
  mlir::Location loc = program.getModule().getLoc();
  auto token = chooseGreedily({1.0f, 3.0f, 2.5f, 3.0f}, loc);
  ASSERT_TRUE(succeeded(token));
  EXPECT_EQ(token->id, 1);
  EXPECT_EQ(token->margin, 0.0f);
  token = chooseGreedily({1.0f, 3.0f, 3.5f}, loc);
  ASSERT_TRUE(succeeded(token));
  EXPECT_EQ(token->id, 2);
  EXPECT_EQ(token->margin, 0.5f);
  token = chooseGreedily({4.0f, 3.0f, 1.0f}, loc);
  ASSERT_TRUE(succeeded(token));
  EXPECT_EQ(token->margin, 1.0f);
  EXPECT_TRUE(failed(chooseGreedily({1.0f}, loc)));
  EXPECT_TRUE(failed(
      chooseGreedily({1.0f, std::numeric_limits<float>::quiet_NaN()}, loc)));
}

} // namespace
} // namespace umber::interp
