// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cache's microkernels against the interpreter's cache: what is stored is
// equal to the bit, and attention to it is within rounding of a computation in
// double.

#include "test/Unit/CPU/CacheKernels.h"
#include "dialects/Umber/Interpreter/KVCache.h"
#include "mlir/IR/Builders.h"
#include "targets/CPU/AttentionScratch.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using mlir::umber::KVCacheType;

namespace umber::interp {
namespace {

struct Param {
  int bits, headDim, kvHeads;
};

/// How attention is asked for.
struct Query {
  int64_t heads;
  int64_t window = 0;
  float scale = 1;
  float softCap = 0;
};

class CacheKernelsTest : public testing::TestWithParam<Param> {
protected:
  /// One layer in memory as the CPU target has it, and in the interpreter.
  struct Sequence {
    CacheArray keys, values;
    KVCache reference;
    int64_t length = 0;
  };

  /// Two sequences, of different capacities.
  void SetUp() override {
    context.loadDialect<mlir::umber::UmberDialect>();
    mlir::Builder b(&context);
    auto [bits, headDim, kvHeads] = GetParam();
    mlir::Type element = b.getIntegerType(bits);
    if (bits >= 16) {
      element = bits == 16 ? mlir::Type(b.getF16Type()) : b.getF32Type();
    }
    auto type = KVCacheType::get(&context, 1, kvHeads, headDim, element);
    for (int64_t capacity : {640, 384}) {
      CacheArray array(capacity, kvHeads, headDim, bits);
      sequences.push_back({array, array, KVCache::create(type)});
    }
  }

  int64_t width() const { return GetParam().kvHeads * GetParam().headDim; }

  std::vector<float> randomRows(int64_t rows, int64_t columns,
                                float magnitude = 1) {
    std::normal_distribution<float> normal(0, magnitude);
    std::vector<float> elements(rows * columns);
    for (float &element : elements) {
      element = normal(random);
    }
    return elements;
  }

  Step makeStep(const std::vector<StepRow> &rows) const {
    std::vector<int64_t> capacities;
    for (const Sequence &sequence : sequences) {
      capacities.push_back(sequence.keys.capacity);
    }
    return Step(rows, capacities);
  }

  template <typename T>
  std::vector<T *> arrays(CacheArray Sequence::*which) {
    std::vector<T *> pointers;
    for (Sequence &sequence : sequences) {
      pointers.push_back(reinterpret_cast<T *>((sequence.*which).bytes.data()));
    }
    return pointers;
  }

  /// The workers have the heads evenly.
  void storeRows(const std::vector<StepRow> &rows, const std::vector<float> &x,
                 CacheArray Sequence::*which, int workers = 1) {
    withElement(GetParam().bits, [&](auto element) {
      using T = decltype(element);
      std::vector<T *> caches = arrays<T>(which);
      int64_t heads = GetParam().kvHeads;
      makeStep(rows).run(
          workers, std::nullopt, 0, [&](const umber_kernel_args &args) {
            CacheKernels<T>::store(&args, x.data(), 0, width(), caches.data(),
                                   heads * args.worker / args.workers,
                                   heads * (args.worker + 1) / args.workers,
                                   heads, GetParam().headDim);
          });
    });
  }

  /// Appends `counts[s]` tokens to sequence s, in one step.
  void append(const std::vector<int64_t> &counts, float magnitude = 1) {
    std::vector<StepRow> rows;
    for (size_t s = 0; s < counts.size(); ++s) {
      for (int64_t i = 0; i < counts[s]; ++i) {
        rows.push_back({int64_t(s), sequences[s].length + i});
      }
    }
    appendRows(rows, randomRows(rows.size(), width(), magnitude),
               randomRows(rows.size(), width(), magnitude));
  }

  void appendRows(const std::vector<StepRow> &rows, const std::vector<float> &k,
                  const std::vector<float> &v) {
    storeRows(rows, k, &Sequence::keys, 2);
    storeRows(rows, v, &Sequence::values, 2);
    for (size_t row = 0, count; row < rows.size(); row += count) {
      Sequence &sequence = sequences[rows[row].sequence];
      for (count = 1; row + count < rows.size() &&
                      rows[row + count].sequence == rows[row].sequence;) {
        ++count;
      }
      auto slice = [&](const std::vector<float> &x) {
        return llvm::ArrayRef<float>(x).slice(row * width(), count * width());
      };
      auto updated = sequence.reference.update(0, sequence.length, count,
                                               slice(k), slice(v));
      ASSERT_TRUE(bool(updated)) << llvm::toString(updated.takeError());
      sequence.reference = *updated;
      sequence.length += count;
    }
  }

  std::vector<float>
  attend(const std::vector<StepRow> &rows, const std::vector<float> &q,
         const Query &query, int workers = 1,
         std::optional<cpu::Turns::Order> order = std::nullopt) {
    int64_t columns = query.heads * GetParam().headDim;
    std::vector<float> y(rows.size() * columns);
    withElement(GetParam().bits, [&](auto element) {
      using T = decltype(element);
      std::vector<T *> keys = arrays<T>(&Sequence::keys),
                       values = arrays<T>(&Sequence::values);
      auto [bits, headDim, kvHeads] = GetParam();
      AttentionScratch sizes = {headDim, query.heads / kvHeads};
      // Not the first in the scratch.
      makeStep(rows).run(workers, order, 16 + sizes.elements(),
                         [&, headDim = headDim,
                          kvHeads = kvHeads](const umber_kernel_args &args) {
                           CacheKernels<T>::attend(
                               &args, q.data(), 0, columns, y.data(), 0,
                               columns, keys.data(), values.data(), 16,
                               query.heads, kvHeads, headDim, query.window,
                               query.scale, query.softCap);
                         });
    });
    return y;
  }

  /// What the reference's cache gives for one head, worked out in double.
  std::vector<float> expectAttended(StepRow row, const float *q, int64_t head,
                                    const Query &query) {
    int64_t end = row.position + 1, begin = 0;
    if (query.window > 0) {
      begin = std::max<int64_t>(0, end - query.window);
    }
    int64_t kvHead = head / (query.heads / GetParam().kvHeads);
    const KVCache &cache = sequences[row.sequence].reference;
    std::vector<double> out(GetParam().headDim), scores;
    double total = 0, largest = -1e300, cap = query.softCap;
    for (int64_t j = begin; j < end; ++j) {
      double score = 0;
      llvm::ArrayRef<float> key = cache.getKey(0, j, kvHead);
      for (size_t d = 0; d < key.size(); ++d) {
        score += double(q[d]) * key[d];
      }
      score *= query.scale;
      scores.push_back(cap > 0 ? cap * std::tanh(score / cap) : score);
      largest = std::max(largest, scores.back());
    }
    for (int64_t j = begin; j < end; ++j) {
      double weight = std::exp(scores[j - begin] - largest);
      total += weight;
      llvm::ArrayRef<float> value = cache.getValue(0, j, kvHead);
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

  void expectAttention(const std::vector<StepRow> &rows, const Query &query) {
    int64_t dim = GetParam().headDim;
    std::vector<float> q = randomRows(rows.size(), query.heads * dim);
    std::vector<float> found = attend(rows, q, query);
    for (size_t i = 0; i < rows.size() * query.heads; ++i) {
      StepRow row = rows[i / query.heads];
      std::vector<float> expected =
          expectAttended(row, &q[i * dim], i % query.heads, query);
      for (int64_t d = 0; d < dim; ++d) {
        ASSERT_NEAR(found[i * dim + d], expected[d], 4e-6)
            << "sequence " << row.sequence << ", position " << row.position
            << ", head " << i % query.heads << " of " << query.heads
            << ", window " << query.window << ", cap " << query.softCap;
      }
    }
    // Whoever computes them, when, and with which others, rows are the same.
    EXPECT_EQ(attend(rows, q, query, 3), found);
    for (auto order :
         {cpu::Turns::Order::Ascending, cpu::Turns::Order::Descending}) {
      EXPECT_EQ(attend(rows, q, query, 2, order), found) << int(order);
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      size_t columns = query.heads * dim;
      std::vector<float> own(q.begin() + i * columns,
                             q.begin() + (i + 1) * columns);
      std::vector<float> expected(found.begin() + i * columns,
                                  found.begin() + (i + 1) * columns);
      ASSERT_EQ(attend({rows[i]}, own, query, i == 0 ? 2 : 1), expected)
          << "row " << i << " alone";
    }
  }

  std::mt19937 random{7};
  mlir::MLIRContext context;
  std::vector<Sequence> sequences;
};

TEST_P(CacheKernelsTest, StoreWhatTheInterpreterStores) {
  // Of every size, with an f16 scale that is normal, subnormal or zero.
  for (float magnitude : {1.0f, 1e4f, 1e-3f, 1e-5f, 1e-7f, 1e-30f}) {
    append({7, 3}, magnitude);
  }
  // Ties, zeros, and scales that are powers of two.
  std::vector<float> ties(5 * width());
  for (size_t i = width(); i < ties.size(); ++i) {
    ties[i] = float(int(random() % 13) - 6) + 0.5f;
  }
  float range = GetParam().bits == 4 ? 7 : 127;
  for (int64_t i = 0; i < 5 * width(); i += GetParam().headDim) {
    ties[i] = i < width() ? 0.0f : -range;
  }
  int64_t at = sequences[0].length;
  appendRows({{0, at}, {0, at + 1}, {0, at + 2}, {0, at + 3}, {0, at + 4}},
             ties, ties);

  // Attention to one position is its value.
  std::vector<float> q(width(), 0.0f);
  for (int64_t s = 0; s < 2; ++s) {
    for (int64_t j = 0; j < sequences[s].length; ++j) {
      std::vector<float> expected;
      for (int64_t head = 0; head < GetParam().kvHeads; ++head) {
        llvm::ArrayRef<float> value =
            sequences[s].reference.getValue(0, j, head);
        expected.insert(expected.end(), value.begin(), value.end());
      }
      EXPECT_EQ(attend({{s, j}}, q, {GetParam().kvHeads, 1}), expected)
          << "sequence " << s << ", position " << j;
    }
  }
}

TEST_P(CacheKernelsTest, LeaveOtherRowsAlone) {
  storeRows({{0, 5}, {1, 9}, {1, 10}}, randomRows(3, width()),
            &Sequence::values);
  for (int64_t s = 0; s < 2; ++s) {
    const CacheArray &array = sequences[s].values;
    int64_t rows = array.heads * array.capacity;
    for (int64_t row = 0; row < rows; ++row) {
      int64_t position = row % array.capacity;
      bool stored = s == 0 ? position == 5 : position == 9 || position == 10;
      auto untouched = [&](int64_t at, int64_t size) {
        return std::all_of(array.bytes.begin() + at,
                           array.bytes.begin() + at + size,
                           [](unsigned char byte) { return byte == 0xff; });
      };
      EXPECT_TRUE(stored || untouched(row * array.rowBytes, array.rowBytes));
      if (array.scaleBytes > 0) {
        EXPECT_EQ(untouched(rows * array.rowBytes + row * 2, 2), !stored);
      }
    }
  }
}

TEST_P(CacheKernelsTest, AttendAsTheInterpreterDoes) {
  for (int i = 0; i < 4; ++i) {
    append({25, 30});
  }
  float scale = 1 / std::sqrt(float(GetParam().headDim));
  std::vector<StepRow> rows = {{0, 0},  {0, 1},  {1, 31},
                               {0, 99}, {1, 32}, {1, 119}};
  for (int64_t group : {1, 2, 3, 4, 5, 7, 8}) {
    int64_t heads = group * GetParam().kvHeads;
    expectAttention(rows, {heads, 0, scale, 0});
    expectAttention(rows, {heads, 53, scale, 2});
  }
  expectAttention(rows, {GetParam().kvHeads, 1, scale, 0});
}

class LongCacheKernelsTest : public CacheKernelsTest {};

TEST_P(LongCacheKernelsTest, PutChunksTogether) {
  append({600, 380});
  float scale = 1 / std::sqrt(float(GetParam().headDim));
  int64_t heads = 3 * GetParam().kvHeads;
  // As in decoding: rows of different lengths, from one chunk to three.
  std::vector<StepRow> rows = {{0, 599}, {1, 200}, {1, 255}, {1, 256}};
  expectAttention({rows[0]}, {heads, 0, scale, 0});
  expectAttention(rows, {heads, 0, scale, 0});
  expectAttention(rows, {heads, 300, scale, 2});
  expectAttention({{0, 512}}, {70 * GetParam().kvHeads, 0, scale, 0});
  // As in a prompt: rows that share blocks, and where windows begin and chunks
  // end.
  rows.clear();
  for (int64_t position = 220; position < 300; ++position) {
    rows.push_back({0, position});
  }
  expectAttention(rows, {heads, 0, scale, 0});
  expectAttention(rows, {heads, 39, scale, 0});
}

class LongestCacheKernelsTest : public CacheKernelsTest {};

TEST_P(LongestCacheKernelsTest, AttendInMoreRoundsThanOne) {
  int64_t capacity = 3 * kScratchPartials * kChunkPositions;
  for (CacheArray Sequence::*which : {&Sequence::keys, &Sequence::values}) {
    sequences[0].*which = CacheArray(capacity, GetParam().kvHeads,
                                     GetParam().headDim, GetParam().bits);
  }
  append({capacity - 5, 10});
  expectAttention({{0, capacity - 6}, {1, 3}},
                  {2 * GetParam().kvHeads, 0, 0.5f, 0});
}

class IntegerCacheKernelsTest : public CacheKernelsTest {};

TEST_P(IntegerCacheKernelsTest, GiveNaNWhereNoScaleIsFinite) {
  int64_t kvHeads = GetParam().kvHeads, dim = GetParam().headDim;
  std::vector<float> q(width(), 1.0f);
  for (float bad : {std::nanf(""), INFINITY, -3e38f}) {
    for (auto which : {&Sequence::keys, &Sequence::values}) {
      for (int64_t j = 0; j < 4; ++j) {
        storeRows({{0, j}}, randomRows(1, width()), &Sequence::keys);
        storeRows({{0, j}}, randomRows(1, width()), &Sequence::values);
      }
      std::vector<float> row = randomRows(1, width());
      row.back() = bad; // the last head's
      storeRows({{0, 2}}, row, which);
      for (float cap : {0.0f, 5.0f}) {
        std::vector<float> after = attend({{0, 3}}, q, {kvHeads, 0, 1, cap}),
                           before = attend({{0, 1}}, q, {kvHeads, 0, 1, cap});
        int64_t last = (kvHeads - 1) * dim;
        for (int64_t i = 0; i < width(); ++i) {
          EXPECT_FALSE(std::isnan(before[i])) << bad << ", cap " << cap;
          EXPECT_EQ(std::isnan(after[i]), i >= last) << bad << ", cap " << cap;
        }
      }
    }
  }
}

std::vector<Param> shapes(std::vector<int> types, std::vector<int> headDims) {
  std::vector<Param> all;
  for (int bits : types) {
    for (int headDim : headDims) {
      all.push_back({bits, headDim, headDim % 3 + 1});
    }
  }
  return all;
}

std::string shapeName(const testing::TestParamInfo<Param> &info) {
  return "b" + std::to_string(info.param.bits) + "_heads" +
         std::to_string(info.param.kvHeads) + "x" +
         std::to_string(info.param.headDim);
}

const std::vector<int> kHeadDims = {1,  2,  7,  15, 16, 17,
                                    24, 31, 33, 64, 80, 127};

INSTANTIATE_TEST_SUITE_P(Shapes, CacheKernelsTest,
                         testing::ValuesIn(shapes({32, 16, 8, 4}, kHeadDims)),
                         shapeName);
INSTANTIATE_TEST_SUITE_P(Shapes, IntegerCacheKernelsTest,
                         testing::ValuesIn(shapes({8, 4}, kHeadDims)),
                         shapeName);
INSTANTIATE_TEST_SUITE_P(Shapes, LongCacheKernelsTest,
                         testing::ValuesIn(shapes({32, 16, 8, 4}, {7, 64})),
                         shapeName);
INSTANTIATE_TEST_SUITE_P(Shapes, LongestCacheKernelsTest,
                         testing::Values(Param{16, 7, 2}, Param{8, 16, 3}),
                         shapeName);

} // namespace
} // namespace umber::interp
