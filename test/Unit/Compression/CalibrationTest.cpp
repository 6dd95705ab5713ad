// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What calibration says a matrix's error costs, and what it really costs.

#include "passes/Compression/Calibration.h"
#include "dialects/Umber/Training/Loss.h"
#include "passes/Compression/Palette/Palettize.h"
#include "test/Unit/Interpreter/Program.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <numeric>
#include <random>

namespace umber {
namespace {

using namespace training;

constexpr int kLayers = 3, kLength = 32, kSequences = 8;
constexpr int64_t kVocab = 48;

/// A model of 16 features, 4 heads over 2, and 24 inner features.
std::string getProgram() {
  std::string params = "umber.param @embed : tensor<48x16xf32>\n"
                       "umber.param @unit : tensor<16xf32>\n";
  std::string body =
      "  %x0 = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x16xf32>\n";
  for (int l = 0; l < kLayers; ++l) {
    auto linear = [&](const char *result, const char *x, const char *weight,
                      int rows, int columns) {
      params += llvm::formatv("umber.param @l{0}.{1} : tensor<{2}x{3}xf32>\n",
                              l, weight, rows, columns);
      body += llvm::formatv("  %{1}{0} = umber.linear %{2}{0}, @l{0}.{3} : "
                            "tensor<?x{5}xf32> -> tensor<?x{4}xf32>\n",
                            l, result, x, weight, rows, columns);
    };
    auto norm = [&](const char *result, const char *x) {
      body += llvm::formatv("  %{1}{0} = umber.rms_norm %{2}{0}, @unit {{eps = "
                            "1.0e-05 : f32} : tensor<?x16xf32>\n",
                            l, result, x);
    };
    norm("n", "x");
    linear("q", "n", "q", 16, 16);
    linear("k", "n", "k", 8, 16);
    linear("v", "n", "v", 8, 16);
    std::string before = l == 0 ? "" : std::to_string(l - 1);
    body += llvm::formatv(
        "  %kv{0} = umber.kv_update %kv{1}[{0}], %k{0}, %v{0} at %pos : "
        "<3x2x4xf32>, tensor<?x8xf32>\n"
        "  %a{0} = umber.attention %q{0}, %kv{0}[{0}] at %pos {{heads = 4 : "
        "i64, kv_heads = 2 : i64, scale = 0.5 : f32} : tensor<?x16xf32>, "
        "<3x2x4xf32>\n",
        l, before);
    linear("o", "a", "o", 16, 16);
    body += llvm::formatv(
        "  %y{0} = arith.addf %x{0}, %o{0} : tensor<?x16xf32>\n", l);
    norm("m", "y");
    linear("g", "m", "gate", 24, 16);
    linear("u", "m", "up", 24, 16);
    body += llvm::formatv("  %h{0} = umber.gated_activation %g{0}, %u{0} "
                          "{{function = #umber.activation<silu>} : "
                          "tensor<?x24xf32>\n",
                          l);
    linear("d", "h", "down", 16, 24);
    body += llvm::formatv(
        "  %x{1} = arith.addf %y{0}, %d{0} : tensor<?x16xf32>\n", l, l + 1);
  }
  return params +
         "func.func @step(%ids: tensor<?xi32>, %pos: index, %kv: "
         "!umber.kv_cache<3x2x4xf32>) -> (tensor<?x48xf32>, "
         "!umber.kv_cache<3x2x4xf32>) {\n" +
         body +
         "  %f = umber.rms_norm %x3, @unit {eps = 1.0e-05 : f32} : "
         "tensor<?x16xf32>\n"
         "  %l = umber.linear %f, @embed : tensor<?x16xf32> -> "
         "tensor<?x48xf32>\n"
         "  return %l, %kv2 : tensor<?x48xf32>, "
         "!umber.kv_cache<3x2x4xf32>\n}\n";
}

/// Positions of values in the order of their size.
std::vector<double> getRanks(const std::vector<double> &values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size(); ++i) {
    ranks[order[i]] = double(i);
  }
  return ranks;
}

double getCorrelation(const std::vector<double> &a,
                      const std::vector<double> &b) {
  double n = double(a.size()), ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ma += a[i] / n;
    mb += b[i] / n;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i] - mb) * (b[i] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

class CalibrationTest : public ::testing::Test {
protected:
  CalibrationTest()
      : program(getProgram()), executor(program.getModule(), store) {
    std::mt19937 engine(5);
    auto uniform = [&] { return engine() / 2147483648.0 - 1; };
    for (auto param : program.getModule().getOps<mlir::umber::ParamOp>()) {
      auto type = param.getTensorType();
      std::vector<float> elements(type.getNumElements(), 1.0f);
      // Matrices of different importance.
      double size = std::exp(uniform()) * 0.4;
      for (float &element : elements) {
        element = type.getRank() == 1 ? 1.0f : float(size * uniform());
      }
      store.add(param.getKey(), type.getShape().vec(), elements);
      weights[param.getSymName()] = elements;
    }
    segments =
        *getSegments(*program.getModule().getOps<mlir::func::FuncOp>().begin());
    for (int i = 0; i < kSequences * kLength; ++i) {
      ids.push_back(int32_t(engine() % kVocab));
    }
  }

  std::vector<float> getLogits() {
    Activations values;
    for (const Segment &segment : segments) {
      EXPECT_TRUE(succeeded(executor.forward(
          segment, {kSequences, kLength, 0, ids}, values, false)));
    }
    return values[segments.back().output];
  }

  interp::Program program;
  interp::MemoryStore store;
  Executor executor;
  std::vector<Segment> segments;
  std::vector<int32_t> ids;
  llvm::StringMap<std::vector<float>> weights;
};

TEST_F(CalibrationTest, RanksMatricesAsQuantizingEachAloneDoes) {
  std::vector<double> predicted, measured;
  Calibration calibration(executor, segments, ids, kLength,
                          ::testing::TempDir(), /*coupledRows=*/2048);
  std::vector<float> expected = getLogits();
  std::vector<std::string> names;
  std::vector<std::vector<float>> decoded;
  llvm::StringMap<std::vector<float>> moments;
  auto keep = [&](llvm::StringRef name, llvm::ArrayRef<float> moment, int64_t) {
    moments[name] = moment.vec();
    return mlir::success();
  };
  auto sink = [&](llvm::StringRef name, llvm::ArrayRef<float> ofOutputs,
                  int64_t rows) {
    if (name == "embed") {
      return mlir::success();
    }
    const std::vector<float> &moment = moments[name];
    int64_t columns = std::llround(std::sqrt(double(moment.size())));
    auto prepared = palette::SecondMoment::get(
        std::vector<double>(moment.begin(), moment.end()), columns);
    EXPECT_TRUE(bool(prepared));
    auto outputs = palette::SecondMoment::get(
        std::vector<double>(ofOutputs.begin(), ofOutputs.end()), rows,
        palette::SecondMoment::Order::Given);
    EXPECT_TRUE(bool(outputs));
    palette::ProductMoments known{std::move(*prepared), {std::move(*outputs)}};
    auto result = palette::palettize(weights[name], known, /*bits=*/3);
    EXPECT_TRUE(bool(result));
    EncodedLayout layout = palette::getLayout(rows, columns, 3, 16);
    std::vector<float> &out = decoded.emplace_back(rows * columns);
    decodeRows(layout, *result, 0, out);
    predicted.push_back(
        palette::getOutputError(weights[name], layout, *result, known));
    names.push_back(name.str());
    return mlir::success();
  };
  auto report = [](double) {};
  ASSERT_TRUE(succeeded(calibration.collectInputMoments(keep, report)) &&
              succeeded(calibration.collectOutputMoments(sink, report)))
      << program.getError();
  ASSERT_EQ(names.size(), 7u * kLayers);
  for (size_t i = 0; i < names.size(); ++i) {
    executor.setWeights(names[i], decoded[i]);
    std::vector<float> teacher = expected, student = getLogits();
    measured.push_back(divergenceGradient(teacher, student, kVocab) /
                       double(ids.size()));
    executor.setWeights(names[i], weights[names[i]]);
  }
  EXPECT_GT(getCorrelation(getRanks(predicted), getRanks(measured)), 0.9);
  // In absolute numbers, too: what they sum to is within a factor of two.
  double ratio = std::accumulate(predicted.begin(), predicted.end(), 0.0) /
                 std::accumulate(measured.begin(), measured.end(), 0.0);
  EXPECT_GT(ratio, 0.5);
  EXPECT_LT(ratio, 2);
  // What the teacher's head reads is kept for all tokens.
  EXPECT_EQ(calibration.getHidden().size(), ids.size() * 16);
}

} // namespace
} // namespace umber
