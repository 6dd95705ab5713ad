// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a hand-off between two dispatches costs: a team whose workers do nothing
// but meet. Run it on an otherwise idle machine.

#include "runtime/drivers/cpu/Team.h"

#include <benchmark/benchmark.h>

using namespace umber::cpu;

namespace {

constexpr int kMeetings = 1000;

void meetOften(void *context, int worker) {
  Team &team = *static_cast<Team *>(context);
  for (int i = 0; i < kMeetings; ++i) {
    team.meet();
  }
}

void meetOnce(void *context, int worker) {
  static_cast<Team *>(context)->meet();
}

void handOff(benchmark::State &state) {
  auto team = Team::create(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    (*team)->run(meetOften, team->get());
  }
  state.counters["per_meeting"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * kMeetings,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void emptyStep(benchmark::State &state) {
  auto team = Team::create(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    (*team)->run(meetOnce, team->get());
  }
}

BENCHMARK(handOff)->Arg(1)->Arg(2)->Arg(4)->UseRealTime();
BENCHMARK(emptyStep)->Arg(1)->Arg(2)->Arg(4)->UseRealTime();

} // namespace

BENCHMARK_MAIN();
