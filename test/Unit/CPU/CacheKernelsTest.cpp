// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cache's microkernels against the interpreter's cache: what is stored is
// equal to the bit, and attention to it is within rounding of a computation in
// double.

#include "dialects/Umber/Interpreter/KVCache.h"
#include "mlir/IR/Builders.h"
#include "targets/CPU/ukernels/CacheRows.h"
#include <cmath>
#include <gtest/gtest.h>
#include <optional>
#include <random>

using mlir::umber::KVCacheType;

extern "C" {
#define UMBER_DECLARE_KERNELS(SUFFIX, T)                                       \
  void umber_uk_cache_store_##SUFFIX(                                          \
      const float *x, int64_t xOffset, int64_t xStride, int64_t tokens,        \
      T *cache, int64_t first, int64_t count, int64_t headDim);                \
  void umber_uk_attention_##SUFFIX(                                            \
      const float *q, int64_t qOffset, const T *keys, const T *values,         \
      int64_t firstRow, int64_t rows, float *out, int64_t outOffset,           \
      int64_t heads, int64_t headDim, int64_t begin, int64_t end, float scale, \
      float softCap);
UMBER_DECLARE_KERNELS(i8, int8_t)
UMBER_DECLARE_KERNELS(i4, umber::NibblePair)
}

namespace umber::interp {
namespace {

struct Param {
  int bits, headDim, kvHeads;
};

/// One layer in memory as the CPU target has it, and in the interpreter.
class CacheKernels : public testing::TestWithParam<Param> {
protected:
  static constexpr int64_t kCapacity = 128;

  void SetUp() override {
    context.loadDialect<mlir::umber::UmberDialect>();
    mlir::Builder b(&context);
    reference = KVCache::create(
        KVCacheType::get(&context, 1, GetParam().kvHeads, GetParam().headDim,
                         b.getIntegerType(GetParam().bits)));
    int64_t rowBytes = (GetParam().headDim * GetParam().bits + 7) / 8;
    for (auto *memory : {&keys, &values}) {
      memory->assign(rows() * (rowBytes + 2), 0x55);
    }
  }

  int64_t rows() const { return GetParam().kvHeads * kCapacity; }
  int64_t width() const { return GetParam().kvHeads * GetParam().headDim; }

  std::vector<float> randomRows(int64_t tokens, float magnitude = 1) {
    std::normal_distribution<float> normal(0, magnitude);
    std::vector<float> elements(tokens * width());
    for (float &element : elements) {
      element = normal(random);
    }
    return elements;
  }

  void storeRows(const std::vector<float> &x, int64_t pos,
                 std::vector<unsigned char> &memory) {
    for (int64_t head = 0; head < GetParam().kvHeads; ++head) {
      int64_t from = head * GetParam().headDim, tokens = x.size() / width();
      int64_t first = head * kCapacity + pos;
      if (GetParam().bits == 8) {
        umber_uk_cache_store_i8(x.data(), from, width(), tokens,
                                reinterpret_cast<int8_t *>(memory.data()),
                                first, rows(), GetParam().headDim);
      } else {
        umber_uk_cache_store_i4(x.data(), from, width(), tokens,
                                reinterpret_cast<NibblePair *>(memory.data()),
                                first, rows(), GetParam().headDim);
      }
    }
  }

  void update(const std::vector<float> &k, const std::vector<float> &v,
              int64_t pos) {
    storeRows(k, pos, keys);
    storeRows(v, pos, values);
    auto updated = reference->update(0, pos, k.size() / width(), k, v);
    ASSERT_TRUE(bool(updated)) << llvm::toString(updated.takeError());
    reference = *updated;
  }

  std::vector<float> attend(const std::vector<float> &q, int64_t heads,
                            int64_t kvHead, int64_t begin, int64_t end,
                            float scale, float cap = 0) {
    std::vector<float> out(heads * GetParam().headDim);
    int64_t first = kvHead * kCapacity;
    if (GetParam().bits == 8) {
      umber_uk_attention_i8(
          q.data(), 0, reinterpret_cast<const int8_t *>(keys.data()),
          reinterpret_cast<const int8_t *>(values.data()), first, rows(),
          out.data(), 0, heads, GetParam().headDim, begin, end, scale, cap);
    } else {
      umber_uk_attention_i4(
          q.data(), 0, reinterpret_cast<const NibblePair *>(keys.data()),
          reinterpret_cast<const NibblePair *>(values.data()), first, rows(),
          out.data(), 0, heads, GetParam().headDim, begin, end, scale, cap);
    }
    return out;
  }

  /// What the reference's cache gives, worked out in double.
  std::vector<float> expectAttended(const float *q, int64_t kvHead,
                                    int64_t begin, int64_t end, double scale,
                                    double cap) {
    std::vector<double> out(GetParam().headDim);
    double total = 0, largest = -1e300;
    std::vector<double> scores;
    for (int64_t j = begin; j < end; ++j) {
      double score = 0;
      llvm::ArrayRef<float> key = reference->getKey(0, j, kvHead);
      for (size_t d = 0; d < key.size(); ++d) {
        score += double(q[d]) * key[d];
      }
      score *= scale;
      scores.push_back(cap > 0 ? cap * std::tanh(score / cap) : score);
      largest = std::max(largest, scores.back());
    }
    for (int64_t j = begin; j < end; ++j) {
      double weight = std::exp(scores[j - begin] - largest);
      total += weight;
      llvm::ArrayRef<float> value = reference->getValue(0, j, kvHead);
      for (size_t d = 0; d < value.size(); ++d) {
        out[d] += weight * value[d];
      }
    }
    std::vector<float> result;
    for (double element : out) {
      result.push_back(float(element / total));
    }
    return result;
  }

  std::mt19937 random{7};
  mlir::MLIRContext context;
  std::optional<KVCache> reference;
  std::vector<unsigned char> keys, values;
};

TEST_P(CacheKernels, StoreWhatTheInterpreterStores) {
  // Of every size, with an f16 scale that is normal, subnormal or zero.
  std::vector<float> magnitudes = {1, 1e4f, 1e-3f, 1e-5f, 1e-7f, 1e-30f};
  int64_t pos = 0;
  for (float magnitude : magnitudes) {
    std::vector<float> rows = randomRows(7, magnitude);
    update(rows, rows, pos);
    pos += 7;
  }
  // Ties, zeros, and scales that are powers of two.
  std::vector<float> ties(5 * width());
  for (size_t i = width(); i < ties.size(); ++i) {
    ties[i] = float(int(random() % 13) - 6) + 0.5f;
  }
  float range = (1 << (GetParam().bits - 1)) - 1;
  for (int64_t i = 0; i < 5 * width(); i += GetParam().headDim) {
    ties[i] = i < width() ? 0.0f : -range;
  }
  update(ties, ties, pos);
  pos += 5;

  // Attention to one position is its value.
  std::vector<float> q(GetParam().headDim, 0.0f);
  for (int64_t j = 0; j < pos; ++j) {
    for (int64_t head = 0; head < GetParam().kvHeads; ++head) {
      llvm::ArrayRef<float> expected = reference->getValue(0, j, head);
      EXPECT_EQ(attend(q, 1, head, j, j + 1, 1), expected.vec())
          << "position " << j << ", head " << head;
    }
  }
}

TEST_P(CacheKernels, LeaveOtherRowsAlone) {
  auto before = values;
  storeRows(randomRows(3), 5, values);
  int64_t rowBytes = (GetParam().headDim * GetParam().bits + 7) / 8;
  for (int64_t row = 0; row < rows(); ++row) {
    bool stored = row % kCapacity >= 5 && row % kCapacity < 8;
    auto same = [&](int64_t at, int64_t size) {
      return std::equal(before.begin() + at, before.begin() + at + size,
                        values.begin() + at);
    };
    EXPECT_EQ(same(rows() * rowBytes + row * 2, 2), !stored) << row;
    EXPECT_TRUE(stored || same(row * rowBytes, rowBytes)) << row;
  }
}

TEST_P(CacheKernels, AttendAsTheInterpreterDoes) {
  for (int64_t pos = 0; pos < 100; pos += 25) {
    update(randomRows(25), randomRows(25), pos);
  }
  float scale = 1 / std::sqrt(float(GetParam().headDim));
  for (int64_t heads : {1, 2, 3, 4, 5, 7, 8}) {
    std::vector<float> q(heads * GetParam().headDim);
    std::normal_distribution<float> normal;
    for (float &element : q) {
      element = normal(random);
    }
    for (auto [begin, end] : {std::pair(0, 1), {0, 32}, {0, 100}, {37, 90}}) {
      for (float cap : {0.0f, 2.0f}) {
        for (int64_t kvHead = 0; kvHead < GetParam().kvHeads; ++kvHead) {
          auto found = attend(q, heads, kvHead, begin, end, scale, cap);
          for (int64_t h = 0; h < heads; ++h) {
            const float *query = q.data() + h * GetParam().headDim;
            auto expected =
                expectAttended(query, kvHead, begin, end, scale, cap);
            for (int64_t d = 0; d < GetParam().headDim; ++d) {
              ASSERT_NEAR(found[h * GetParam().headDim + d], expected[d], 4e-6)
                  << "head " << h << " of " << heads << ", positions " << begin
                  << " to " << end << ", cap " << cap;
            }
          }
        }
      }
    }
  }
}

TEST_P(CacheKernels, GiveNaNWhereNoScaleIsFinite) {
  std::vector<float> q(GetParam().headDim, 1.0f);
  for (float bad : {std::nanf(""), INFINITY, -3e38f}) {
    for (auto *memory : {&keys, &values}) {
      storeRows(randomRows(4), 0, keys);
      storeRows(randomRows(4), 0, values);
      std::vector<float> rows = randomRows(1);
      rows.back() = bad; // the last head's
      storeRows(rows, 2, *memory);
      int64_t last = GetParam().kvHeads - 1;
      for (float cap : {0.0f, 5.0f}) {
        for (float element : attend(q, 1, last, 0, 4, 1, cap)) {
          EXPECT_TRUE(std::isnan(element)) << bad << ", cap " << cap;
        }
        for (float element : attend(q, 1, last, 0, 2, 1, cap)) {
          EXPECT_FALSE(std::isnan(element)) << bad << ", cap " << cap;
        }
      }
    }
  }
}

std::vector<Param> allShapes() {
  std::vector<Param> shapes;
  for (int bits : {8, 4}) {
    for (int headDim : {1, 2, 7, 15, 16, 17, 24, 31, 33, 64, 80, 127}) {
      shapes.push_back({bits, headDim, headDim % 3 + 1});
    }
  }
  return shapes;
}

INSTANTIATE_TEST_SUITE_P(Shapes, CacheKernels, testing::ValuesIn(allShapes()),
                         [](const testing::TestParamInfo<Param> &info) {
                           return "i" + std::to_string(info.param.bits) +
                                  "_heads" +
                                  std::to_string(info.param.kvHeads) + "x" +
                                  std::to_string(info.param.headDim);
                         });

} // namespace
} // namespace umber::interp
