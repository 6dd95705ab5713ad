// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Calibration.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Training/Loss.h"
#include "passes/Compression/RowFile.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

using namespace training;

/// What the values of a batch in a segment may take, with their derivatives.
constexpr int64_t kBatchBytes = int64_t(400) << 20;

namespace {

/// Rows of a weight whose derivatives one thread squares.
constexpr int64_t kOutputsPerTask = 512;

/// Sums over tokens of one weight's statistics.
struct Sums {
  std::vector<float> moment, squares;
  int64_t rows = 0; ///< tokens
  int64_t uses = 0; ///< products that are still to come

  void add(ArrayRef<float> x, ArrayRef<float> dy, int64_t tokens);
};

class Collector : public ReverseObserver {
public:
  explicit Collector(llvm::StringMap<Sums> &sums) : sums(sums) {}
  void product(LinearOp op, ArrayRef<float> x, ArrayRef<float> dy) override {
    Sums &sum = sums[op.getWeight()];
    int64_t columns = cast<RankedTensorType>(op.getX().getType()).getDimSize(1);
    sum.add(x, dy, x.size() / columns);
  }

private:
  llvm::StringMap<Sums> &sums;
};

} // namespace

void Sums::add(ArrayRef<float> x, ArrayRef<float> dy, int64_t tokens) {
  int64_t columns = x.size() / tokens, outputs = dy.size() / tokens;
  moment.resize(columns * columns);
  squares.resize(outputs);
  addSecondMoment(x.data(), tokens, columns, moment.data());
  llvm::parallelFor(
      0, llvm::divideCeil(outputs, kOutputsPerTask), [&](size_t task) {
        int64_t first = int64_t(task) * kOutputsPerTask;
        int64_t end = std::min(outputs, first + kOutputsPerTask);
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t o = first; o < end; ++o) {
            squares[o] += dy[t * outputs + o] * dy[t * outputs + o];
          }
        }
      });
  rows += tokens;
}

/// Turns sums into means, in place, and fills the upper half of the moment.
static void finish(Sums &sums) {
  int64_t columns =
      std::llround(std::sqrt(static_cast<double>(sums.moment.size())));
  double factor = 1 / double(sums.rows);
  for (int64_t r = 0; r < columns; ++r) {
    for (int64_t c = 0; c <= r; ++c) {
      float mean =
          static_cast<float>(double(sums.moment[r * columns + c]) * factor);
      sums.moment[r * columns + c] = sums.moment[c * columns + r] = mean;
    }
  }
  for (float &square : sums.squares) {
    square = static_cast<float>(0.5 * square * factor);
  }
}

/// How many sequences of a segment fit in memory at once.
static int64_t getBatchSequences(const Segment &segment, int64_t length) {
  int64_t columns = 0;
  for (Operation *op : segment.ops) {
    columns += cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(1);
  }
  int64_t bytes = 2 * columns * length * int64_t(sizeof(float));
  return std::max<int64_t>(1, kBatchBytes / bytes);
}

static int64_t getWidth(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

LogicalResult Calibration::run(Sink sink,
                               llvm::function_ref<void(double)> report) {
  int64_t sequences = int64_t(ids.size()) / length;
  llvm::StringMap<Sums> sums;
  for (const Segment &segment : segments) {
    for (Operation *op : segment.ops) {
      if (auto linear = dyn_cast<LinearOp>(op)) {
        ++sums[linear.getWeight()].uses;
      }
    }
  }
  // inputs[i]: what enters segment i + 1; turned into derivatives on the way
  // back.
  std::vector<RowFile> inputs;
  auto getBatch = [&](int64_t first, int64_t count) {
    return Batch{count, length, 0, ids.slice(first * length, count * length)};
  };
  auto readInput = [&](size_t i, const Batch &batch, int64_t first,
                       Activations &values) -> LogicalResult {
    if (i == 0) {
      return success();
    }
    std::vector<float> &rows = values[segments[i].input];
    rows.resize(batch.getRows() * getWidth(segments[i].input));
    return inputs[i - 1].read(segments[i].ops.front(), first * length, rows);
  };

  // Three runs of a segment's work: forward, forward again, in reverse.
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    const Segment &segment = segments[i];
    auto file =
        RowFile::create(segment.ops.front(), folder, getWidth(segment.output));
    if (failed(file)) {
      return failure();
    }
    inputs.push_back(std::move(*file));
    int64_t count = getBatchSequences(segment, length);
    for (int64_t first = 0; first < sequences; first += count) {
      Batch batch = getBatch(first, std::min(count, sequences - first));
      Activations values;
      if (failed(readInput(i, batch, first, values)) ||
          failed(executor.forward(segment, batch, values, false)) ||
          failed(inputs[i].write(segment.ops.front(), first * length,
                                 values[segment.output]))) {
        return failure();
      }
    }
    executor.releaseWeights();
    report(double(i) / double(3 * segments.size()));
  }

  UniformNumbers numbers(/*seed=*/1);
  Collector collector(sums);
  for (size_t i = segments.size(); i-- > 0;) {
    const Segment &segment = segments[i];
    Operation *op = segment.ops.front();
    int64_t count = getBatchSequences(segment, length);
    for (int64_t first = 0; first < sequences; first += count) {
      Batch batch = getBatch(first, std::min(count, sequences - first));
      Activations values, gradients;
      if (failed(readInput(i, batch, first, values)) ||
          failed(executor.forward(segment, batch, values, true))) {
        return failure();
      }
      std::vector<float> &output = gradients[segment.output];
      if (i + 1 == segments.size()) {
        auto head = segment.output.getDefiningOp<LinearOp>();
        if (!head) {
          return segment.output.getDefiningOp()->emitOpError(
              "expected logits to come from a product");
        }
        int64_t width = getWidth(head.getX());
        hidden.resize(sequences * length * width);
        llvm::copy(values[head.getX()], &hidden[first * length * width]);
        output = std::move(values[segment.output]);
        drawnLossGradient(output, getWidth(segment.output), numbers,
                          first * length);
      } else {
        output.resize(batch.getRows() * getWidth(segment.output));
        if (failed(inputs[i].read(op, first * length, output))) {
          return failure();
        }
      }
      if (failed(executor.backward(segment, batch, values, gradients,
                                   collector))) {
        return failure();
      }
      if (i > 0 && failed(inputs[i - 1].write(op, first * length,
                                              gradients[segment.input]))) {
        return failure();
      }
    }
    executor.releaseWeights();
    for (Operation *each : segment.ops) {
      auto linear = dyn_cast<LinearOp>(each);
      if (!linear) {
        continue;
      }
      Sums &sum = sums[linear.getWeight()];
      if (--sum.uses > 0) {
        continue;
      }
      finish(sum);
      if (failed(sink(linear.getWeight(), sum.moment, sum.squares))) {
        return failure();
      }
      sums.erase(linear.getWeight());
    }
    report(1 - 2 * double(i) / double(3 * segments.size()));
  }
  return success();
}

} // namespace umber
