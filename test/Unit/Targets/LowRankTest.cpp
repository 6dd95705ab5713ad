// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Low-rank adapters on every instruction set: within rounding what f64 makes of
// the matrices, and the same bits for any number of workers and whatever other
// rows there are.

#include "runtime/drivers/cpu/AdapterPacker.h"
#include "test/Unit/Targets/KernelLibraries.h"
#include <cmath>
#include <functional>
#include <random>
#include <vector>

using namespace umber;
using namespace umber::cpu;

namespace {

struct Shape {
  int64_t rank, inputs, outputs;
};

const Shape kShapes[] = {{1, 1, 1},     {3, 33, 47},   {4, 16, 16},
                         {5, 100, 128}, {16, 576, 96}, {18, 40, 205}};

class LowRankTest : public testing::TestWithParam<KernelLibrary> {
protected:
  void SetUp() override { openOrSkip(GetParam(), table); }

  std::vector<float> getRandom(int64_t count) {
    std::uniform_real_distribution<float> distribution(-1.0f, 1.0f);
    std::vector<float> values(count);
    for (float &value : values) {
      value = distribution(engine);
    }
    return values;
  }

  LowRankMatrices getMatrices(const Shape &shape) {
    LowRankMatrices matrices(shape.rank, shape.inputs, shape.outputs);
    matrices.a = getRandom(matrices.a.size());
    matrices.b = getRandom(matrices.b.size());
    return matrices;
  }

  const KernelTable *table = nullptr;
  std::mt19937 engine{1};
};

/// Matrices as kernels read them.
class Packed {
public:
  Packed(const LowRankMatrices &matrices, int bits)
      : a(packedAdapterBytes(matrices.rank, matrices.inputs, bits)),
        b(packedAdapterBytes(matrices.rank, matrices.outputs, bits)),
        scales(matrices.rank) {
    isPacked =
        packAdapter(matrices, bits, {a.data(), b.data(), scales.data()}, site);
    site.scale = 0.75;
  }

  umber_low_rank site = {};
  bool isPacked;

private:
  std::vector<char> a, b;
  std::vector<float> scales;
};

/// y += adapters, by workers that take their turns.
std::vector<float> run(const KernelTable &table,
                       std::vector<umber_low_rank> adapters, int64_t workers,
                       const std::vector<float> &x, int64_t inputs,
                       std::vector<float> y, int64_t outputs) {
  constexpr int64_t kPanel = UMBER_ABI_ADAPTER_PANEL;
  int64_t stride = 0, rows = int64_t(x.size()) / inputs;
  for (umber_low_rank &adapter : adapters) {
    adapter.column = stride;
    stride += adapter.rank;
  }
  std::vector<float> products(std::max<int64_t>(rows, 2) * stride, NAN);
  umber_adapter_site site = {int64_t(adapters.size()), adapters.data(),
                             products.data(), stride};
  umber_kernel_args args = {};
  args.tokens = rows;
  args.workers = workers;
  args.barrier = [](void *) {};
  auto *words = reinterpret_cast<const int64_t *>(&site);
  auto forWorkers = [&](const std::function<void()> &work) {
    for (args.worker = 0; args.worker < workers; ++args.worker) {
      work();
    }
  };
  forWorkers(
      [&] { table.lowRankInputs(&args, words, x.data(), 0, inputs, outputs); });
  forWorkers([&] {
    table.lowRankBarrier(&args);
    int64_t panels = (outputs + kPanel - 1) / kPanel;
    table.lowRankOutputs(
        &args, words, y.data(), 0, outputs,
        panels * args.worker / workers * kPanel,
        std::min(outputs, panels * (args.worker + 1) / workers * kPanel));
  });
  return y;
}

TEST_P(LowRankTest, AddsWhatTheMatricesSay) {
  for (const Shape &shape : kShapes) {
    LowRankMatrices matrices = getMatrices(shape);
    for (int bits : {8, 16}) {
      Packed packed(matrices, bits);
      ASSERT_TRUE(packed.isPacked);
      packed.site.rows = 100;
      for (int64_t rows : {1, 2, 7, 13}) {
        std::vector<float> x = getRandom(rows * shape.inputs);
        std::vector<float> y = getRandom(rows * shape.outputs);
        std::vector<float> found =
            run(*table, {packed.site}, 1, x, shape.inputs, y, shape.outputs);
        // Rounded values are wrong by at most half a step, of 1 / 127 or
        // 2^-11, at each of the two products.
        double step = bits == 8 ? 0.5 / 127 : 0x1p-11;
        for (int64_t row = 0; row < rows; ++row) {
          for (int64_t o = 0; o < shape.outputs; ++o) {
            double sum = 0, most = 0;
            for (int64_t r = 0; r < shape.rank; ++r) {
              double product = 0, magnitude = 0;
              for (int64_t i = 0; i < shape.inputs; ++i) {
                double v = x[row * shape.inputs + i];
                product += matrices.a[r * shape.inputs + i] * v;
                magnitude += std::fabs(v);
              }
              sum += matrices.b[o * shape.rank + r] * product;
              most += std::fabs(product) + (1 + step) * magnitude;
            }
            double expected = y[row * shape.outputs + o] + 0.75 * sum;
            ASSERT_NEAR(found[row * shape.outputs + o], expected,
                        0.75 * step * most + 1e-4)
                << bits << " bits, rank " << shape.rank << ", row " << row
                << ", column " << o;
          }
        }
      }
    }
  }
}

TEST_P(LowRankTest, BitsDoNotDependOnWorkersOrOtherRows) {
  for (const Shape &shape : kShapes) {
    LowRankMatrices first = getMatrices(shape), second = getMatrices(shape);
    for (float &value : second.b) {
      value *= 1e5f; // too large for F16
    }
    for (int bits : {8, 16}) {
      Packed one(first, bits), other(second, bits);
      EXPECT_EQ(other.site.type, bits == 8 ? UMBER_ABI_I8 : UMBER_ABI_BF16);
      one.site.rows = other.site.rows = 100;
      std::vector<float> x = getRandom(13 * shape.inputs);
      std::vector<float> y = getRandom(13 * shape.outputs);
      std::vector<float> expected = run(*table, {one.site, other.site}, 1, x,
                                        shape.inputs, y, shape.outputs);
      for (int64_t workers : {2, 3, 5, 40}) {
        EXPECT_EQ(expected, run(*table, {one.site, other.site}, workers, x,
                                shape.inputs, y, shape.outputs));
      }
      for (int64_t row = 0; row < 13; ++row) {
        for (int64_t workers : {1, 2, 3}) {
          auto part = [&](const std::vector<float> &v, int64_t columns) {
            return std::vector<float>(v.begin() + row * columns,
                                      v.begin() + (row + 1) * columns);
          };
          EXPECT_EQ(part(expected, shape.outputs),
                    run(*table, {one.site, other.site}, workers,
                        part(x, shape.inputs), shape.inputs,
                        part(y, shape.outputs), shape.outputs));
        }
      }
    }
  }
}

TEST_P(LowRankTest, RowsHaveTheirOwnAdapters) {
  Shape shape = {6, 50, 70};
  Packed one(getMatrices(shape), 8), other(getMatrices(shape), 16);
  one.site.first_row = 0;
  one.site.rows = 2;
  other.site.first_row = 3;
  other.site.rows = 100; // the step has fewer
  std::vector<float> x = getRandom(5 * shape.inputs), y(5 * shape.outputs, 1);
  std::vector<float> found =
      run(*table, {one.site, other.site}, 3, x, shape.inputs, y, shape.outputs);
  umber_low_rank all[] = {one.site, other.site};
  for (umber_low_rank &site : all) {
    site.first_row = 0;
    site.rows = 100;
  }
  for (int64_t row = 0; row < 5; ++row) {
    std::vector<float> expected(shape.outputs, 1);
    if (row != 2) {
      expected = run(*table, {all[row > 2]}, 1,
                     {x.begin() + row * shape.inputs,
                      x.begin() + (row + 1) * shape.inputs},
                     shape.inputs, expected, shape.outputs);
    }
    EXPECT_EQ(expected,
              std::vector<float>(found.begin() + row * shape.outputs,
                                 found.begin() + (row + 1) * shape.outputs))
        << row;
  }
}

INSTANTIATE_TEST_SUITE_P(, LowRankTest, testing::ValuesIn(kKernelLibraries),
                         getLibraryName);

TEST(AdapterPackerTest, EightBitsNeedScalesThatAreNormal) {
  for (float size : {1e30f, 1e-30f}) {
    LowRankMatrices matrices(2, 20, 20);
    matrices.a.assign(matrices.a.size(), size);
    matrices.b.assign(matrices.b.size(), size);
    EXPECT_FALSE(Packed(matrices, 8).isPacked);
    EXPECT_TRUE(Packed(matrices, 16).isPacked);
  }
  EXPECT_TRUE(Packed(LowRankMatrices(2, 20, 20), 8).isPacked) << "zeros";
}

} // namespace
