// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Layers.h"
#include "dialects/Umber/Training/FastExp.h"
#include "test/Unit/Training/Derivatives.h"

namespace umber::training {
namespace {

TEST(FastExpTest, IsNearTheExponential) {
  for (float x = -86; x < 87; x += 0.37f) {
    EXPECT_NEAR(fastExp(x) / std::exp(double(x)), 1, 4e-7) << x;
  }
  EXPECT_EQ(fastExp(0), 1);
  EXPECT_EQ(fastExp(-200), 0);
}

TEST(NormTest, HasItsDerivatives) {
  std::vector<float> x = getRandom(15, 1), gain = getRandom(5, 2);
  std::vector<float> direction = getRandom(15, 3), y(15), dx(15), dGain(5);
  auto loss = [&] {
    normalize({gain, 0.01f}, x, y);
    return dot(y, direction);
  };
  double square = 0.01;
  for (int c = 5; c < 10; ++c) {
    square += double(x[c]) * x[c] / 5;
  }
  loss();
  EXPECT_NEAR(y[7], x[7] / std::sqrt(square) * gain[2], 1e-6);
  normalizeBackward({gain, 0.01f}, x, direction, dx, dGain);
  expectDerivative(x, dx, loss);
  expectDerivative(gain, dGain, loss);
}

TEST(RotaryTest, TurnsPairsAndBack) {
  for (bool isHalf : {false, true}) {
    // Two sequences of three tokens, two heads of five elements of which four
    // turn.
    RotaryTable table = getRotaryTable({0.5, 0.25}, 1, 7, 3, 2, 5, isHalf);
    std::vector<float> x = getRandom(60, 1), y = x;
    rotate(table, y, false);
    // The second sequence's third token, second head.
    int64_t at = 5 * 10 + 5, other = isHalf ? 2 : 1;
    double angle = 9 * 0.5;
    EXPECT_NEAR(
        y[at], x[at] * std::cos(angle) - x[at + other] * std::sin(angle), 1e-6);
    EXPECT_EQ(y[at + 4], x[at + 4]);
    rotate(table, y, true);
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(y[i], x[i], 1e-6);
    }
  }
}

TEST(GateTest, HasItsDerivatives) {
  for (GateFunction function : {GateFunction::SiLU, GateFunction::GeluTanh}) {
    std::vector<float> z = getRandom(9, 1), up = getRandom(9, 2);
    std::vector<float> direction = getRandom(9, 3), out(9), dz(9), dUp(9);
    auto loss = [&] {
      gate(function, z, up, out);
      return dot(out, direction);
    };
    loss();
    double silu = z[3] / (1 + std::exp(-double(z[3])));
    double gelu = 0.5 * z[3] * (1 + std::erf(z[3] / std::sqrt(2.0)));
    EXPECT_NEAR(out[3], (function == GateFunction::SiLU ? silu : gelu) * up[3],
                5e-4);
    gateBackward(function, z, up, direction, dz, dUp);
    expectDerivative(z, dz, loss);
    expectDerivative(up, dUp, loss);
  }
}

TEST(RoundTest, KeepsTheLargestAndRoundsHalfToEven) {
  std::vector<float> x = {127, 0.5f, 1.5f, -2.4f, 0, 0, 0, 0}, y(8);
  roundGroups(8, 4, x, y);
  EXPECT_EQ(y, (std::vector<float>{127, 0, 2, -2, 0, 0, 0, 0}));
}

} // namespace
} // namespace umber::training
