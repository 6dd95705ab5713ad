// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fast one thread attends to a cache: one row, as in decoding, or the last
// rows of a prompt. Bytes per second are of keys, values and scales, each
// counted once for all rows; products are multiplications and additions of
// queries with keys and of weights with values.

#include "targets/CPU/AttentionScratch.h"
#include "test/Unit/Targets/KernelLibrary.h"
#include "umber/umber_abi.h"
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace umber;

namespace {

struct Shape {
  int64_t heads, kvHeads, headDim;
};
/// SmolLM2-135M's, Llama 3's, and one head for each.
constexpr Shape kShapes[] = {{9, 3, 64}, {32, 8, 128}, {8, 8, 64}};

/// Rows of any integers, and scales of 1/256, in f16 as in integers.
std::vector<uint8_t> getCache(const Shape &shape, int64_t bits,
                              int64_t capacity) {
  int64_t rows = shape.kvHeads * capacity;
  int64_t rowBytes = shape.headDim * bits / 8;
  std::vector<uint8_t> bytes(rows * (rowBytes + (bits <= 8 ? 2 : 0)));
  std::mt19937 engine(1);
  std::generate(bytes.begin(), bytes.end(), [&] { return engine() & 0x3b; });
  for (int64_t i = 0; bits <= 8 && i < rows; ++i) {
    const uint16_t scale = 0x1c00;
    std::memcpy(&bytes[rows * rowBytes + 2 * i], &scale, 2);
  }
  return bytes;
}

void attend(benchmark::State &state, const KernelTable *table) {
  const Shape &shape = kShapes[state.range(0)];
  int64_t bits = state.range(1), rows = state.range(2);
  int64_t context = state.range(3), columns = shape.heads * shape.headDim;
  std::vector<uint8_t> keys = getCache(shape, bits, context);
  std::vector<uint8_t> values = getCache(shape, bits, context);
  const void *keyArrays[] = {keys.data()}, *valueArrays[] = {values.data()};
  auto kernel = bits == 16  ? table->attendF16
                : bits == 8 ? table->attendI8
                            : table->attendI4;
  AttentionScratch sizes = {shape.headDim, shape.heads / shape.kvHeads};
  std::vector<float> q(rows * columns, 0.1f), y(rows * columns),
      scratch(sizes.elements());
  std::vector<int64_t> positions, sequences(rows, 0);
  int64_t seen = 0;
  for (int64_t row = 0; row < rows; ++row) {
    positions.push_back(context - rows + row);
    seen += positions.back() + 1;
  }
  umber_kernel_args step = {};
  step.tokens = rows;
  step.positions = positions.data();
  step.sequences = sequences.data();
  step.capacities = &context;
  step.workers = 1;
  step.scratch = scratch.data();
  for (auto _ : state) {
    kernel(&step, q.data(), 0, columns, y.data(), 0, columns, keyArrays,
           valueArrays, 0, shape.heads, shape.kvHeads, shape.headDim, 0,
           1 / std::sqrt(float(shape.headDim)), 0);
    benchmark::DoNotOptimize(y.data());
  }
  state.SetBytesProcessed(state.iterations() * int64_t(2 * keys.size()));
  state.counters["products/s"] = benchmark::Counter(
      double(state.iterations()) * double(2 * seen * columns),
      benchmark::Counter::kIsRate);
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  forKernels([](const std::string &isa, const KernelTable *table) {
    benchmark::RegisterBenchmark((isa + "/attention").c_str(), attend, table)
        ->ArgNames({"shape", "bits", "rows", "context"})
        ->ArgsProduct({{0, 1, 2}, {16, 8, 4}, {1}, {256, 4096}})
        ->ArgsProduct({{0, 1, 2}, {16, 8, 4}, {64}, {2048}});
  });
  benchmark::RunSpecifiedBenchmarks();
}
