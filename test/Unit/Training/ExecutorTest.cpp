// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Executor.h"
#include "dialects/Umber/Training/Sample.h"
#include "test/Unit/Interpreter/Program.h"
#include "test/Unit/Training/Derivatives.h"
#include <list>

using mlir::umber::LinearOp;
using mlir::umber::RmsNormOp;

namespace umber::training {
namespace {

/// Two layers of 6 features with 3 heads over 1, a matrix with a correction;
/// the head's weight is the embedding.
constexpr llvm::StringLiteral kProgram = R"mlir(
umber.param @embed : tensor<11x6xf32>
umber.param @gain : tensor<6xf32>
umber.param @q : tensor<6x6xf32>
umber.param @k : tensor<2x6xf32>
umber.param @v : tensor<2x6xf32>
umber.param @bias : tensor<2xf32>
umber.param @gate : tensor<4x6xf32> {recover = #umber.low_rank<@a, @b>}
umber.param @a : tensor<2x6xf16>
umber.param @b : tensor<2x4xf16>
umber.param @up : tensor<4x6xf32>
umber.param @down : tensor<6x4xf32>
func.func @step(%ids: tensor<?xi32>, %pos: index, %kv: !umber.kv_cache<2x1x2xf32>, %ad: !umber.adapters)
    -> (tensor<?x11xf32>, !umber.kv_cache<2x1x2xf32>) {
  %x0 = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x6xf32>
  %n0 = umber.rms_norm %x0, @gain {eps = 1.0e-05 : f32} : tensor<?x6xf32>
  %q0 = umber.linear %n0, @q : tensor<?x6xf32> -> tensor<?x6xf32>
  %k0 = umber.linear %n0, @k : tensor<?x6xf32> -> tensor<?x2xf32>
  %v0 = umber.linear %n0, @v bias @bias : tensor<?x6xf32> -> tensor<?x2xf32>
  %r0 = umber.rotary %q0 at %pos {base = 100.0 : f32, heads = 3 : i64, style = #umber.rotary_style<half>} : tensor<?x6xf32>
  %kv0 = umber.kv_update %kv[0], %k0, %v0 at %pos : <2x1x2xf32>, tensor<?x2xf32>
  %a0 = umber.attention %r0, %kv0[0] at %pos {heads = 3 : i64, kv_heads = 1 : i64, scale = 0.7 : f32} : tensor<?x6xf32>, <2x1x2xf32>
  %x1 = arith.addf %x0, %a0 : tensor<?x6xf32>
  %g1 = umber.linear %x1, @gate : tensor<?x6xf32> -> tensor<?x4xf32>
  %u1 = umber.linear %x1, @up : tensor<?x6xf32> -> tensor<?x4xf32>
  %c1 = umber.lora %g1, %x1, %ad[@gate] : tensor<?x4xf32>, tensor<?x6xf32>
  %h1 = umber.gated_activation %c1, %u1 {function = #umber.activation<silu>} : tensor<?x4xf32>
  %d1 = umber.linear %h1, @down : tensor<?x4xf32> -> tensor<?x6xf32>
  %x2 = arith.addf %x1, %d1 : tensor<?x6xf32>
  %n2 = umber.rms_norm %x2, @gain {eps = 1.0e-05 : f32} : tensor<?x6xf32>
  %q2 = umber.linear %n2, @q : tensor<?x6xf32> -> tensor<?x6xf32>
  %k2 = umber.linear %n2, @k : tensor<?x6xf32> -> tensor<?x2xf32>
  %v2 = umber.linear %n2, @v bias @bias : tensor<?x6xf32> -> tensor<?x2xf32>
  %kv2 = umber.kv_update %kv0[1], %k2, %v2 at %pos : <2x1x2xf32>, tensor<?x2xf32>
  %a2 = umber.attention %q2, %kv2[1] at %pos {heads = 3 : i64, kv_heads = 1 : i64, scale = 0.7 : f32} : tensor<?x6xf32>, <2x1x2xf32>
  %x3 = arith.addf %x2, %a2 : tensor<?x6xf32>
  %l = umber.linear %x3, @embed : tensor<?x6xf32> -> tensor<?x11xf32>
  return %l, %kv2 : tensor<?x11xf32>, !umber.kv_cache<2x1x2xf32>
}
)mlir";

/// Sums of dL/dW over products, by weight.
struct WeightGradients : ReverseObserver {
  void product(LinearOp op, llvm::ArrayRef<float> x,
               llvm::ArrayRef<float> dy) override {
    int64_t columns = getDim(op.getX()), outputs = getDim(op.getResult());
    std::vector<float> &sum = gradients[op.getWeight()];
    sum.resize(outputs * columns);
    for (size_t t = 0; t < x.size() / columns; ++t) {
      for (int64_t o = 0; o < outputs; ++o) {
        for (int64_t c = 0; c < columns; ++c) {
          sum[o * columns + c] += dy[t * outputs + o] * x[t * columns + c];
        }
      }
    }
  }
  void gain(RmsNormOp op, llvm::ArrayRef<float> dGain) override {
    std::vector<float> &sum = gradients[op.getWeight()];
    sum.resize(dGain.size());
    for (size_t i = 0; i < dGain.size(); ++i) {
      sum[i] += dGain[i];
    }
  }
  static int64_t getDim(mlir::Value value) {
    return mlir::cast<mlir::RankedTensorType>(value.getType()).getDimSize(1);
  }
  llvm::StringMap<std::vector<float>> gradients;
};

class ExecutorTest : public ::testing::Test {
protected:
  ExecutorTest() : program(kProgram), executor(program.getModule(), store) {
    uint32_t seed = 1;
    for (auto param : program.getModule().getOps<mlir::umber::ParamOp>()) {
      mlir::RankedTensorType type = param.getTensorType();
      std::vector<float> values = getRandom(type.getNumElements(), seed++);
      for (float &value : values) {
        value = type.getElementType().isF16() ? float(_Float16(value)) : value;
      }
      store.add(param.getKey(), type.getShape().vec(), std::move(values));
    }
    auto found =
        getSegments(*program.getModule().getOps<mlir::func::FuncOp>().begin());
    EXPECT_TRUE(succeeded(found)) << program.getError();
    segments = std::move(*found);
  }

  std::vector<float> run(const Batch &batch, KVMemory *memory = nullptr) {
    Activations values;
    for (const Segment &segment : segments) {
      EXPECT_TRUE(
          succeeded(executor.forward(segment, batch, values, false, memory)));
      EXPECT_EQ(values.size(), 1u);
    }
    return values[segments.back().output];
  }

  interp::Program program;
  interp::MemoryStore store;
  Executor executor;
  std::vector<Segment> segments;
  const std::vector<int32_t> ids = {3, 1, 4, 1, 5, 9, 2, 6};
};

TEST_F(ExecutorTest, SplitsAfterEachAttention) {
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_FALSE(segments[0].input);
  EXPECT_EQ(segments[0].output, segments[1].input);
  EXPECT_EQ(segments[1].output, segments[2].input);
  EXPECT_EQ(segments[2].ops.size(), 1u);
}

TEST_F(ExecutorTest, AgreesWithTheInterpreter) {
  std::vector<float> both = run({2, 4, 0, ids});
  for (int s = 0; s < 2; ++s) {
    interp::Interpreter interpreter(program.getModule(), &store);
    auto step = *program.getModule().getOps<mlir::func::FuncOp>().begin();
    auto session = interp::KVCache::create(
        mlir::cast<mlir::umber::KVCacheType>(step.getArgumentTypes()[2]));
    auto results = interpreter.call(
        "step", {interp::Tensor::ofIntegers(
                     mlir::IntegerType::get(step.getContext(), 32), {4},
                     std::vector<int64_t>(ids.begin() + 4 * s,
                                          ids.begin() + 4 * s + 4)),
                 program.index(0), session,
                 interp::AdaptersRef(std::make_shared<interp::Adapters>())});
    ASSERT_TRUE(succeeded(results)) << program.getError();
    auto logits = results->front().getTensor()->getFloats();
    for (size_t i = 0; i < logits.size(); ++i) {
      EXPECT_NEAR(both[s * 44 + i], logits[i], 1e-5);
    }
  }
}

// But for the memory's 8 significant bits; logits go up to 20.
TEST_F(ExecutorTest, GivesTheSameATokenAtATime) {
  std::vector<float> all = run({2, 4, 0, ids});
  KVMemory memory(2, 4);
  for (int t = 0; t < 4; ++t) {
    std::vector<int32_t> now = {ids[t], ids[4 + t]};
    std::vector<float> logits = run({2, 1, t, now}, &memory);
    for (int c = 0; c < 11; ++c) {
      EXPECT_NEAR(logits[c], all[t * 11 + c], 0.1);
      EXPECT_NEAR(logits[11 + c], all[44 + t * 11 + c], 0.1);
    }
  }
}

TEST_F(ExecutorTest, HasTheDerivativesByAllWeights) {
  Batch batch{2, 4, 0, ids};
  std::vector<float> direction = getRandom(88, 99);
  std::vector<Activations> values(segments.size());
  for (size_t i = 0; i < segments.size(); ++i) {
    if (i > 0) {
      values[i][segments[i].input] = values[i - 1][segments[i].input];
    }
    ASSERT_TRUE(
        succeeded(executor.forward(segments[i], batch, values[i], true)));
  }
  Activations gradients;
  gradients[segments.back().output] = direction;
  WeightGradients observer;
  for (size_t i = segments.size(); i-- > 0;) {
    ASSERT_TRUE(succeeded(
        executor.backward(segments[i], batch, values[i], gradients, observer)));
  }
  EXPECT_TRUE(gradients.empty());
  std::list<std::vector<float>> kept; // the executor's from now on
  for (const char *name : {"q", "k", "v", "gate", "up", "down", "gain"}) {
    auto op = segments.front().ops.front();
    auto weights = executor.getWeights(op, name);
    ASSERT_TRUE(succeeded(weights));
    std::vector<float> &changed = kept.emplace_back(weights->vec());
    executor.setWeights(name, changed);
    SCOPED_TRACE(name);
    expectDerivative(
        changed, observer.gradients[name],
        [&] { return dot(run(batch), direction); }, 2e-2);
  }
}

TEST_F(ExecutorTest, SamplesTheSameFromTheSameSeed) {
  auto sample = [&](uint64_t seed) {
    auto sampled =
        sampleSequences(executor, segments, {5, 7, seed}, [](double) {});
    EXPECT_TRUE(succeeded(sampled));
    return *sampled;
  };
  std::vector<int32_t> first = sample(1);
  ASSERT_EQ(first.size(), 35u);
  for (int32_t id : first) {
    EXPECT_GE(id, 0);
    EXPECT_LT(id, 11);
  }
  EXPECT_EQ(first, sample(1));
  EXPECT_NE(first, sample(2));
}

} // namespace
} // namespace umber::training
