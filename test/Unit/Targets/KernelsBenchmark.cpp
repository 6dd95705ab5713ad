// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fast one thread multiplies by encoded matrices, of so many MiB in turn:
// one stays in a cache, 256 do not. Bytes per second are of codes; of_memory is
// their share of what the same thread reads at most from memory, measured
// first.

#include "runtime/package/PanelEncoding.h"
#include "targets/Common/QuantizedRows.h"
#include "test/Unit/Targets/KernelLibrary.h"
#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace umber;

namespace {

constexpr int64_t kMiB = int64_t(1) << 20, kMemory = 256 * kMiB;
constexpr int64_t kRows = 1536, kColumns = 576, kGroup = 64;

/// Bytes per second that a thread reads from memory: the best of a few runs.
double getBandwidth() {
  static const double bandwidth = [] {
    std::vector<uint64_t> memory(kMemory / 8, 1);
    double best = 0;
    for (int run = 0; run < 5; ++run) {
      auto begin = std::chrono::steady_clock::now();
      uint64_t sums[16] = {};
      for (size_t i = 0; i < memory.size(); i += 16) {
        for (size_t j = 0; j < 16; ++j) {
          sums[j] += memory[i + j];
        }
      }
      benchmark::DoNotOptimize(sums);
      std::chrono::duration<double> took =
          std::chrono::steady_clock::now() - begin;
      best = std::max(best, double(kMemory) / took.count());
    }
    return best;
  }();
  return bandwidth;
}

PanelEncoding getEncoding(int64_t bits) {
  return bits == 8 ? PanelEncoding{kColumns, 8, 0, kColumns, 1, kColumns}
                   : PanelEncoding{kColumns, bits, 16, kColumns, 16, kColumns};
}

/// Matrices with any codes and entries, and scales of 1.
std::vector<uint8_t> getMatrices(const PanelEncoding &encoding, int64_t count) {
  std::vector<uint8_t> bytes(count * encoding.getBytes(kRows));
  std::mt19937 engine(1);
  std::generate(bytes.begin(), bytes.end(), [&] { return engine() & 63; });
  for (size_t at = 0; at < bytes.size(); at += encoding.getPanelBytes()) {
    for (int64_t i = 0; i < encoding.getScaleBytes(); i += 2) {
      const uint16_t one = 0x3C00;
      std::memcpy(&bytes[at + encoding.getTableBytes() + i], &one, 2);
    }
  }
  return bytes;
}

void multiply(benchmark::State &state, const KernelTable *table) {
  int64_t tokens = state.range(1);
  PanelEncoding encoding = getEncoding(state.range(0));
  int64_t bytes = encoding.getBytes(kRows);
  int64_t matrices = std::max<int64_t>(1, state.range(2) * kMiB / bytes),
          at = 0;
  std::vector<uint8_t> weights = getMatrices(encoding, matrices);
  QuantizedRow form = {kColumns, kGroup};
  int64_t words = form.getBytes() / 4;
  std::vector<float> x(tokens * kColumns, 0.5f), rows(tokens * words),
      y(tokens * kRows);
  for (int64_t t = 0; t < tokens; ++t) {
    table->quantize(x.data(), t * kColumns, rows.data(), t * words, kColumns,
                    kGroup, 127, 0, form.getGroups());
  }
  for (auto _ : state) {
    const uint8_t *w = weights.data() + at++ % matrices * bytes;
    if (tokens <= kFewTokens) {
      table->linearFew(&encoding.columns, rows.data(), 0, words, kGroup, w, 0,
                       kRows / kPanelRows, y.data(), 0, kRows, tokens, kRows);
      continue;
    }
    for (int64_t row = 0; row < kRows; row += kPanelRows) {
      table->linearQuantized(&encoding.columns, rows.data(), 0, words, kGroup,
                             w, row / kPanelRows * encoding.getPanelBytes(),
                             row, y.data(), row, kRows, tokens, kPanelRows);
    }
  }
  using benchmark::Counter;
  double done = double(state.iterations());
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["of_memory"] =
      Counter(done * double(bytes) / getBandwidth(), Counter::kIsRate);
  state.counters["products/s"] =
      Counter(done * double(tokens * kRows * kColumns), Counter::kIsRate);
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::AddCustomContext("bandwidth of one thread, GB/s",
                              std::to_string(getBandwidth() / 1e9));
  forKernels([](const std::string &isa, const KernelTable *table) {
    benchmark::RegisterBenchmark((isa + "/linear").c_str(), multiply, table)
        ->ArgNames({"bits", "tokens", "MiB"})
        ->ArgsProduct({{1, 2, 3, 4, 6, 8}, {1, 4}, {0, 1, 256}})
        ->ArgsProduct({{1, 2, 3, 4, 6, 8}, {64}, {1}});
  });
  benchmark::RunSpecifiedBenchmarks();
}
