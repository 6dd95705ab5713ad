// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Calibration.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Training/Loss.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

using namespace training;

/// What the values of a batch in a segment may take, with their derivatives.
constexpr int64_t kBatchBytes = int64_t(400) << 20;

/// Rows of the last product that are coupled, at most.
constexpr int64_t kCoupledLogits = 64;

namespace {

/// A sum over tokens, until the last product with a weight has been run.
struct Sum {
  std::vector<float> values; ///< squares of width x width
  int64_t width = 0;
  int64_t tokens = 0;
  int64_t uses = 0; ///< products that are still to come
};

using Sums = llvm::StringMap<Sum>;

/// Adds up the second moments of derivatives.
class OutputCollector : public ReverseObserver {
public:
  OutputCollector(Sums &sums, LinearOp head, int64_t coupledRows)
      : sums(sums), head(head), coupledRows(coupledRows) {}
  void product(LinearOp op, ArrayRef<float> x, ArrayRef<float> dy) override;

private:
  Sums &sums;
  LinearOp head;
  int64_t coupledRows;
};

} // namespace

static int64_t getWidth(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

void OutputCollector::product(LinearOp op, ArrayRef<float> x,
                              ArrayRef<float> dy) {
  Sum &sum = sums[op.getWeight()];
  int64_t outputs = getWidth(op.getResult());
  int64_t tokens = int64_t(dy.size()) / outputs;
  sum.width = std::min(outputs, coupledRows);
  if (op == head) {
    sum.width = std::min(sum.width, kCoupledLogits);
  }
  sum.values.resize(outputs * sum.width);
  sum.tokens += tokens;
  for (int64_t first = 0; first < outputs; first += sum.width) {
    addSecondMoment(&dy[first], outputs, tokens,
                    std::min(sum.width, outputs - first),
                    &sum.values[first * sum.width], sum.width);
  }
}

/// Products of a segment that read the same value have the same moment.
static void addMoments(const Segment &segment, const Activations &values,
                       Sums &sums) {
  llvm::DenseMap<Value, std::vector<float>> moments;
  for (Operation *op : segment.ops) {
    auto linear = dyn_cast<LinearOp>(op);
    if (!linear) {
      continue;
    }
    int64_t columns = getWidth(linear.getX());
    const std::vector<float> &x = values.find(linear.getX())->second;
    int64_t tokens = int64_t(x.size()) / columns;
    auto [found, isNew] = moments.try_emplace(linear.getX());
    if (isNew) {
      found->second.resize(columns * columns);
      addSecondMoment(x.data(), columns, tokens, columns, found->second.data(),
                      columns);
    }
    Sum &sum = sums[linear.getWeight()];
    sum.width = columns;
    sum.values.resize(columns * columns);
    addTo(found->second, sum.values);
    sum.tokens += tokens;
  }
}

/// Turns the sum over the lower half of each square into `factor` times the
/// mean, on both halves.
static void finish(Sum &sum, double factor) {
  int64_t rows = int64_t(sum.values.size()) / sum.width;
  for (int64_t r = 0; r < rows; ++r) {
    float *square = &sum.values[(r - r % sum.width) * sum.width];
    int64_t i = r % sum.width;
    for (int64_t j = 0; j <= i; ++j) {
      float mean = static_cast<float>(factor * square[i * sum.width + j] /
                                      double(sum.tokens));
      square[i * sum.width + j] = mean;
      if (j < rows - (r - i)) {
        square[j * sum.width + i] = mean;
      }
    }
  }
}

static Sums countUses(ArrayRef<Segment> segments) {
  Sums sums;
  for (const Segment &segment : segments) {
    for (Operation *op : segment.ops) {
      if (auto linear = dyn_cast<LinearOp>(op)) {
        ++sums[linear.getWeight()].uses;
      }
    }
  }
  return sums;
}

/// Gives away the sums that a segment was the last to add to.
static LogicalResult giveAway(const Segment &segment, Sums &sums, double factor,
                              Calibration::Sink sink) {
  for (Operation *op : segment.ops) {
    auto linear = dyn_cast<LinearOp>(op);
    if (!linear || --sums[linear.getWeight()].uses > 0) {
      continue;
    }
    Sum &sum = sums[linear.getWeight()];
    finish(sum, factor);
    if (failed(sink(linear.getWeight(), sum.values, sum.width))) {
      return failure();
    }
    sums.erase(linear.getWeight());
  }
  return success();
}

/// How many sequences of a segment fit in memory at once.
static int64_t getBatchSequences(const Segment &segment, int64_t length) {
  int64_t columns = 0;
  for (Operation *op : segment.ops) {
    columns += getWidth(op->getResult(0));
  }
  int64_t bytes = 2 * columns * length * int64_t(sizeof(float));
  return std::max<int64_t>(1, kBatchBytes / bytes);
}

Batch Calibration::getBatch(int64_t first, int64_t count) const {
  return {count, length, 0, ids.slice(first * length, count * length)};
}

LogicalResult Calibration::readInput(size_t segment, int64_t first,
                                     const Batch &batch,
                                     Activations &values) const {
  if (segment == 0) {
    return success();
  }
  Value input = segments[segment].input;
  std::vector<float> &rows = values[input];
  rows.resize(batch.getRows() * getWidth(input));
  return boundaries[segment - 1].read(segments[segment].ops.front(),
                                      first * length, rows);
}

LogicalResult Calibration::collectInputMoments(Sink sink, Report report) {
  int64_t sequences = int64_t(ids.size()) / length;
  auto head = segments.back().output.getDefiningOp<LinearOp>();
  if (!head) {
    return segments.back().output.getDefiningOp()->emitOpError(
        "expected logits to come from a product");
  }
  int64_t width = getWidth(head.getX());
  hidden.resize(sequences * length * width);
  Sums sums = countUses(segments);
  for (auto [i, whole] : llvm::enumerate(segments)) {
    bool isLast = i + 1 == segments.size();
    // Nobody needs the logits yet.
    Segment segment = whole;
    if (isLast) {
      llvm::erase(segment.ops, head);
    } else {
      auto file =
          RowFile::create(whole.ops.front(), folder, getWidth(whole.output));
      if (failed(file)) {
        return failure();
      }
      boundaries.push_back(std::move(*file));
    }
    int64_t count = getBatchSequences(segment, length);
    for (int64_t first = 0; first < sequences; first += count) {
      Batch batch = getBatch(first, std::min(count, sequences - first));
      Activations values;
      if (failed(readInput(i, first, batch, values)) ||
          failed(executor.forward(segment, batch, values, true))) {
        return failure();
      }
      addMoments(whole, values, sums);
      if (isLast) {
        llvm::copy(values[head.getX()], &hidden[first * length * width]);
      } else if (failed(boundaries[i].write(whole.ops.front(), first * length,
                                            values[whole.output]))) {
        return failure();
      }
    }
    executor.releaseWeights();
    if (failed(giveAway(whole, sums, /*factor=*/1, sink))) {
      return failure();
    }
    report(0.7 * double(i) / double(segments.size()));
  }
  return success();
}

LogicalResult Calibration::collectOutputMoments(Sink sink, Report report) {
  int64_t sequences = int64_t(ids.size()) / length;
  sequences = llvm::divideCeil(sequences, kReverseShare);
  Sums sums = countUses(segments);
  auto head = segments.back().output.getDefiningOp<LinearOp>();
  OutputCollector collector(sums, head, coupledRows);
  UniformNumbers numbers(/*seed=*/1);
  for (size_t i = segments.size(); i-- > 0;) {
    const Segment &segment = segments[i];
    Operation *op = segment.ops.front();
    int64_t count = getBatchSequences(segment, length);
    for (int64_t first = 0; first < sequences; first += count) {
      Batch batch = getBatch(first, std::min(count, sequences - first));
      Activations values, gradients;
      if (failed(readInput(i, first, batch, values)) ||
          failed(executor.forward(segment, batch, values, true))) {
        return failure();
      }
      std::vector<float> &output = gradients[segment.output];
      if (i + 1 == segments.size()) {
        output = std::move(values[segment.output]);
        drawnLossGradient(output, getWidth(segment.output), numbers,
                          first * length);
      } else {
        output.resize(batch.getRows() * getWidth(segment.output));
        if (failed(boundaries[i].read(op, first * length, output))) {
          return failure();
        }
      }
      if (failed(executor.backward(segment, batch, values, gradients,
                                   collector))) {
        return failure();
      }
      // What entered the segment has done its work.
      if (i > 0 && failed(boundaries[i - 1].write(op, first * length,
                                                  gradients[segment.input]))) {
        return failure();
      }
    }
    executor.releaseWeights();
    if (failed(giveAway(segment, sums, /*factor=*/0.5, sink))) {
      return failure();
    }
    report(1 - 0.3 * double(i) / double(segments.size()));
  }
  return success();
}

} // namespace umber
