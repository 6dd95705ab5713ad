// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Corrections against the optimum by another algorithm, against other
// corrections, and at the edges.

#include "passes/Adapters/LowRankCorrection.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "passes/Compression/Palette/Tables.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace umber;
using namespace umber::palette;

namespace {

using Matrix = std::vector<double>; // row-major

Matrix multiply(const Matrix &a, const Matrix &b, int64_t m, int64_t k,
                int64_t n) {
  Matrix c(m * n);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t l = 0; l < k; ++l) {
      for (int64_t j = 0; j < n; ++j) {
        c[i * n + j] += a[i * k + l] * b[l * n + j];
      }
    }
  }
  return c;
}

Matrix transpose(const Matrix &a, int64_t m, int64_t n) {
  Matrix b(n * m);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      b[j * m + i] = a[i * n + j];
    }
  }
  return b;
}

/// L, lower, with L L^T = h.
Matrix getRoot(const Matrix &h, int64_t n) {
  Matrix l(n * n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = h[i * n + j];
      for (int64_t k = 0; k < j; ++k) {
        sum -= l[i * n + k] * l[j * n + k];
      }
      l[i * n + j] = i == j ? std::sqrt(sum) : sum / l[j * n + j];
    }
  }
  return l;
}

/// The squares of a matrix's singular values, largest first, by one-sided
/// Jacobi rotations of its columns.
std::vector<double> getSingularSquares(Matrix a, int64_t m, int64_t n) {
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0;
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        double pp = 0, qq = 0, pq = 0;
        for (int64_t i = 0; i < m; ++i) {
          pp += a[i * n + p] * a[i * n + p];
          qq += a[i * n + q] * a[i * n + q];
          pq += a[i * n + p] * a[i * n + q];
        }
        if (pq == 0) {
          continue;
        }
        off = std::max(off, std::abs(pq) / std::sqrt(pp * qq));
        double zeta = (qq - pp) / (2 * pq);
        double t =
            (zeta < 0 ? -1 : 1) / (std::abs(zeta) + std::sqrt(1 + zeta * zeta));
        double c = 1 / std::sqrt(1 + t * t), s = c * t;
        for (int64_t i = 0; i < m; ++i) {
          double x = a[i * n + p], y = a[i * n + q];
          a[i * n + p] = c * x - s * y;
          a[i * n + q] = s * x + c * y;
        }
      }
    }
    if (off < 1e-13) {
      break;
    }
  }
  std::vector<double> squares(n);
  for (int64_t i = 0; i < m * n; ++i) {
    squares[i % n] += a[i] * a[i];
  }
  std::sort(squares.rbegin(), squares.rend());
  return squares;
}

/// A problem with its damped moments written out.
struct Problem {
  int64_t rows, columns;
  std::vector<float> error;
  ProductMoments moments{SecondMoment::getIdentity(0), {}};
  Matrix h, g;

  /// `heights`: rows that each of the outputs' moments couples; none: G = 1.
  Problem(int64_t rows, int64_t columns, std::vector<int64_t> heights,
          Random &random)
      : rows(rows), columns(columns), error(random.get(rows * columns)),
        h(getCorrelatedMoment(columns, random)), g(rows * rows) {
    auto inputs = SecondMoment::get(h, columns);
    EXPECT_EQ(errorOf(inputs), "");
    addDamping(h, columns, *inputs);
    moments.inputs = std::move(*inputs);
    for (int64_t i = 0; i < rows; ++i) {
      g[i * rows + i] = heights.empty();
    }
    int64_t first = 0;
    for (int64_t height : heights) {
      Matrix block = getCorrelatedMoment(height, random);
      auto outputs =
          SecondMoment::get(block, height, SecondMoment::Order::Given, 1.5);
      EXPECT_EQ(errorOf(outputs), "");
      addDamping(block, height, *outputs);
      moments.outputs.push_back(std::move(*outputs));
      for (int64_t i = 0; i < height; ++i) {
        for (int64_t j = 0; j < height; ++j) {
          g[(first + i) * rows + first + j] = block[i * height + j];
        }
      }
      first += height;
    }
  }

  /// tr(G X H X^T), X the error without B A.
  double getLoss(const Matrix &a, const Matrix &b, int64_t rank) const {
    Matrix x = multiply(b, a, rows, rank, columns);
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = error[i] - x[i];
    }
    Matrix byInputs = multiply(x, h, rows, columns, columns);
    Matrix byOutputs = multiply(g, x, rows, rows, columns);
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      sum += byInputs[i] * byOutputs[i];
    }
    return sum;
  }
  double getLoss(const LowRankCorrection &correction) const {
    return getLoss({correction.a.begin(), correction.a.end()},
                   {correction.b.begin(), correction.b.end()}, correction.rank);
  }

  /// The least loss that is possible at each rank: Eckart and Young.
  std::vector<double> getOptima() const {
    Matrix weighed = multiply(multiply(transpose(getRoot(g, rows), rows, rows),
                                       Matrix(error.begin(), error.end()), rows,
                                       rows, columns),
                              getRoot(h, columns), rows, columns, columns);
    // The shorter way, so that no singular value is a rounded zero.
    std::vector<double> squares =
        rows < columns ? getSingularSquares(transpose(weighed, rows, columns),
                                            columns, rows)
                       : getSingularSquares(weighed, rows, columns);
    std::vector<double> optima(squares.size() + 1);
    for (size_t i = squares.size(); i-- > 0;) {
      optima[i] = optima[i + 1] + squares[i];
    }
    return optima;
  }

  LowRankCorrection solve(int64_t rank) const {
    auto correction = findCorrection(error, moments, rank);
    EXPECT_EQ(errorOf(correction), "");
    return std::move(*correction);
  }

private:
  static void addDamping(Matrix &h, int64_t n, const SecondMoment &moment) {
    for (int64_t i = 0; i < n; ++i) {
      h[i * n + i] += moment.getDamping() * moment.getScale();
    }
  }
};

/// Tall, wide, square, odd and very thin; with rows coupled and without.
std::vector<Problem> getProblems() {
  Random random(50);
  std::vector<Problem> problems;
  problems.emplace_back(24, 24, std::vector<int64_t>(), random);
  problems.emplace_back(53, 19, std::vector<int64_t>(), random);
  problems.emplace_back(17, 45, std::vector<int64_t>(), random);
  problems.emplace_back(24, 24, std::vector<int64_t>{24}, random);
  problems.emplace_back(53, 19, std::vector<int64_t>{32, 21}, random);
  problems.emplace_back(17, 45, std::vector<int64_t>{16, 1}, random);
  problems.emplace_back(1, 9, std::vector<int64_t>(), random);
  problems.emplace_back(9, 1, std::vector<int64_t>{9}, random);
  return problems;
}

} // namespace

TEST(LowRankCorrection, LeavesTheDiscardedSingularValues) {
  for (const Problem &problem : getProblems()) {
    SCOPED_TRACE(std::to_string(problem.rows) + " x " +
                 std::to_string(problem.columns));
    std::vector<double> optima = problem.getOptima();
    for (int64_t rank = 1; rank < int64_t(optima.size()); ++rank) {
      LowRankCorrection found = problem.solve(rank);
      EXPECT_EQ(found.rank, rank);
      double tolerance = 1e-5 * optima[0];
      EXPECT_NEAR(found.errorBefore, optima[0], tolerance);
      EXPECT_NEAR(found.errorAfter, optima[rank], tolerance);
      EXPECT_NEAR(problem.getLoss(found), optima[rank], tolerance);
    }
  }
}

TEST(LowRankCorrection, NoOtherIsBetter) {
  constexpr int64_t kRank = 3;
  Random random(51);
  for (const Problem &problem : getProblems()) {
    if (std::min(problem.rows, problem.columns) <= kRank) {
      continue;
    }
    int64_t rows = problem.rows, columns = problem.columns;
    LowRankCorrection found = problem.solve(kRank);
    Matrix a(found.a.begin(), found.a.end()), b(found.b.begin(), found.b.end());
    double least = problem.getLoss(a, b, kRank), slack = 1e-5 * least;
    for (int trial = 0; trial < 30; ++trial) {
      // Random rows of A, with the best B for them: E H A^T (A H A^T)^-1.
      std::vector<float> randomA = random.get(kRank * columns);
      Matrix other(randomA.begin(), randomA.end());
      Matrix ha = multiply(problem.h, transpose(other, kRank, columns), columns,
                           columns, kRank);
      Matrix gram = multiply(other, ha, kRank, columns, kRank);
      Matrix target =
          multiply(Matrix(problem.error.begin(), problem.error.end()), ha, rows,
                   columns, kRank);
      for (int64_t r = 0; r < rows; ++r) {
        Matrix square = gram;
        ASSERT_TRUE(solveInPlace(
            square, llvm::MutableArrayRef(&target[r * kRank], kRank)));
      }
      EXPECT_LT(least, problem.getLoss(other, target, kRank));
      // Steps away from it, each a little more than rounding.
      for (double step : {1e-2, 1e-1}) {
        Matrix nearA = a, nearB = b;
        for (double &element : nearA) {
          element *= 1 + step * random.get();
        }
        for (double &element : nearB) {
          element *= 1 + step * random.get();
        }
        EXPECT_LT(least - slack, problem.getLoss(nearA, b, kRank));
        EXPECT_LT(least - slack, problem.getLoss(a, nearB, kRank));
        EXPECT_LT(least - slack, problem.getLoss(nearA, nearB, kRank));
      }
    }
    // The best for the weights themselves is not the best for the outputs.
    ProductMoments nothing{SecondMoment::getIdentity(columns), {}};
    auto plain = findCorrection(problem.error, nothing, kRank);
    ASSERT_EQ(errorOf(plain), "");
    EXPECT_LT(1.01 * least, problem.getLoss(*plain));
  }
}

TEST(LowRankCorrection, MoreRankIsBetterUpToNothingLeft) {
  for (const Problem &problem : getProblems()) {
    int64_t smaller = std::min(problem.rows, problem.columns);
    double before = problem.solve(1).errorBefore, last = before;
    for (int64_t rank = 1; rank <= smaller; ++rank) {
      double loss = problem.getLoss(problem.solve(rank));
      EXPECT_LT(loss, last);
      last = loss;
    }
    EXPECT_LT(last, 1e-9 * before);
    LowRankCorrection more = problem.solve(smaller + 5);
    EXPECT_EQ(more.rank, smaller);
    EXPECT_EQ(more.errorAfter, 0);
    EXPECT_EQ(int64_t(more.a.size()), smaller * problem.columns);
    EXPECT_EQ(int64_t(more.b.size()), smaller * problem.rows);
  }
}

TEST(LowRankCorrection, BothFactorsFitF16) {
  Random random(52);
  for (float size : {1e-6f, 1.0f, 1e6f}) {
    Problem problem(40, 33, {40}, random);
    for (float &element : problem.error) {
      element *= size;
    }
    LowRankCorrection found = problem.solve(4);
    double loss = problem.getLoss(found);
    for (int64_t i = 0; i < 4; ++i) {
      float largestA = 0, largestB = 0;
      for (int64_t c = 0; c < 33; ++c) {
        largestA = std::max(largestA, std::abs(found.a[i * 33 + c]));
      }
      for (int64_t r = 0; r < 40; ++r) {
        largestB = std::max(largestB, std::abs(found.b[r * 4 + i]));
      }
      EXPECT_NEAR(largestA / largestB, 1, 1e-5);
    }
    for (std::vector<float> *factor : {&found.a, &found.b}) {
      for (float &element : *factor) {
        element = fromHalf(toHalf(element));
        ASSERT_TRUE(std::isfinite(element));
      }
    }
    EXPECT_NEAR(problem.getLoss(found), loss, 1e-3 * loss);
  }
}

TEST(LowRankCorrection, TakesMomentsThatDoNotVaryAndNoError) {
  int64_t rows = 6, columns = 8;
  Random random(53);
  std::vector<float> error = random.get(rows * columns);
  // All inputs equal, none at all, and an error of nothing.
  for (double element : {1.0, 0.0}) {
    auto inputs =
        SecondMoment::get(Matrix(columns * columns, element), columns);
    ASSERT_EQ(errorOf(inputs), "");
    ProductMoments moments{std::move(*inputs), {}};
    auto found = findCorrection(error, moments, 2);
    ASSERT_EQ(errorOf(found), "");
    EXPECT_LT(found->errorAfter, found->errorBefore);
    for (float x : found->a) {
      EXPECT_TRUE(std::isfinite(x));
    }
    auto nothing =
        findCorrection(std::vector<float>(rows * columns), moments, 2);
    ASSERT_EQ(errorOf(nothing), "");
    EXPECT_EQ(nothing->errorBefore, 0);
    EXPECT_EQ(nothing->errorAfter, 0);
    EXPECT_EQ(nothing->a, std::vector<float>(2 * columns));
    EXPECT_EQ(nothing->b, std::vector<float>(rows * 2));
  }
}
