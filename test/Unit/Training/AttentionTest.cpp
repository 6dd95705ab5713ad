// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Attention.h"
#include "test/Unit/Training/Derivatives.h"

namespace umber::training {
namespace {

AttentionShape getShape() {
  AttentionShape shape;
  shape.heads = 4;
  shape.kvHeads = 2;
  shape.headDim = 3;
  shape.scale = 0.6f;
  shape.sequences = 2;
  shape.length = 5;
  return shape;
}

/// By the definition.
std::vector<float> attendPlainly(const AttentionShape &shape,
                                 const std::vector<float> &q,
                                 const std::vector<float> &k,
                                 const std::vector<float> &v) {
  std::vector<float> out(q.size());
  int64_t group = shape.heads / shape.kvHeads, d = shape.headDim;
  for (int64_t s = 0; s < shape.sequences; ++s) {
    for (int64_t t = 0; t < shape.length; ++t) {
      for (int64_t h = 0; h < shape.heads; ++h) {
        const float *query = &q[((s * shape.length + t) * shape.heads + h) * d];
        std::vector<double> weights;
        double sum = 0;
        int64_t first =
            shape.window == 0 ? 0 : std::max<int64_t>(0, t - shape.window + 1);
        auto key = [&](const std::vector<float> &from, int64_t j) {
          return &from[((s * shape.length + j) * shape.kvHeads + h / group) *
                       d];
        };
        for (int64_t j = first; j <= t; ++j) {
          double score = 0;
          for (int64_t c = 0; c < d; ++c) {
            score += double(query[c]) * key(k, j)[c];
          }
          score *= shape.scale;
          if (shape.softCap > 0) {
            score = shape.softCap * std::tanh(score / shape.softCap);
          }
          weights.push_back(std::exp(score));
          sum += weights.back();
        }
        for (int64_t c = 0; c < d; ++c) {
          double mean = 0;
          for (int64_t j = first; j <= t; ++j) {
            mean += weights[j - first] / sum * key(v, j)[c];
          }
          out[((s * shape.length + t) * shape.heads + h) * d + c] = mean;
        }
      }
    }
  }
  return out;
}

void check(const AttentionShape &shape) {
  int64_t rows = shape.sequences * shape.length;
  std::vector<float> q = getRandom(rows * shape.getWidth(), 1);
  std::vector<float> k = getRandom(rows * shape.getKVWidth(), 2);
  std::vector<float> v = getRandom(rows * shape.getKVWidth(), 3);
  std::vector<float> direction = getRandom(q.size(), 4);
  KVView view{k.data(), v.data(), shape.length * shape.getKVWidth()};
  std::vector<float> out(q.size());
  auto loss = [&] {
    attend(shape, q.data(), view, out.data());
    return dot(out, direction);
  };
  loss();
  std::vector<float> expected = attendPlainly(shape, q, k, v);
  for (size_t i = 0; i < out.size(); ++i) {
    EXPECT_NEAR(out[i], expected[i], 1e-5) << "at " << i;
  }
  std::vector<float> dq(q.size()), dk(k.size()), dv(v.size());
  attendBackward(shape, q.data(), view, direction.data(), dq.data(), dk.data(),
                 dv.data());
  expectDerivative(q, dq, loss);
  expectDerivative(k, dk, loss);
  expectDerivative(v, dv, loss);
}

TEST(AttentionTest, IsCausalWithSharedKeys) { check(getShape()); }

TEST(AttentionTest, TakesAWindowAndACap) {
  AttentionShape shape = getShape();
  shape.window = 2;
  shape.softCap = 0.7f;
  check(shape);
}

TEST(AttentionTest, TakesSequencesLongerThanABlockOfQueries) {
  AttentionShape shape = getShape();
  shape.heads = 2;
  shape.kvHeads = 1;
  shape.headDim = 1;
  shape.sequences = 1;
  shape.length = 150;
  check(shape);
}

TEST(AttentionTest, TakesSingleTokens) {
  AttentionShape shape = getShape();
  shape.length = 1;
  check(shape);
}

TEST(AttentionTest, GivesTheSameATokenAtATime) {
  AttentionShape shape = getShape();
  int64_t width = shape.getWidth(), kvWidth = shape.getKVWidth();
  std::vector<float> q = getRandom(shape.length * width, 1);
  std::vector<float> k = getRandom(shape.length * kvWidth, 2);
  std::vector<float> v = getRandom(shape.length * kvWidth, 3);
  std::vector<float> all(q.size()), out(width);
  shape.sequences = 1;
  attend(shape, q.data(), KVView{k.data(), v.data(), 0}, all.data());
  for (int64_t t = 0; t < 5; ++t) {
    shape.length = 1;
    shape.position = t;
    attend(shape, &q[t * width], KVView{k.data(), v.data(), 0}, out.data());
    for (int64_t c = 0; c < width; ++c) {
      EXPECT_NEAR(out[c], all[t * width + c], 1e-6);
    }
  }
}

} // namespace
} // namespace umber::training
