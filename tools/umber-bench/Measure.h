// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_BENCH_MEASURE_H
#define UMBER_TOOLS_UMBER_BENCH_MEASURE_H

#include "tools/common/Handles.h"
#include "tools/common/Loras.h"

#include <cstdint>
#include <string>
#include <vector>

namespace umber::tools {

/// One row of the table: the speed of a prompt (`pp`) or of generation (`tg`).
struct Measurement {
  int32_t threads = 0;
  int32_t promptTokens = 0;     ///< 0 for generation
  int32_t newTokens = 0;        ///< 0 for a prompt
  int32_t depth = 0;            ///< tokens in the context before
  int32_t sessions = 1;         ///< sequences that are decoded together
  const Loras *loras = nullptr; ///< active in all of them; null: none
  std::vector<double> seconds;

  /// "pp512", "tg128", "tg128 x4", "tg128 @ d4096".
  std::string name() const;
  /// Of each session.
  int32_t tokens() const { return promptTokens + newTokens; }
  /// Of all sessions together.
  std::vector<double> tokensPerSecond() const;
};

double mean(const std::vector<double> &values);
/// Of a sample; 0 for fewer than two values.
double standardDeviation(const std::vector<double> &values);

/// Sessions in which a test can be run again and again. Token ids are random,
/// from a fixed seed; tokenizing and sampling are no part of it.
class TestRun {
public:
  TestRun(const umber_model *model, const Measurement &test);

  /// Brings the sessions to the test's depth. The context before the test is
  /// read the first time; later they keep it and forget what follows.
  void prepare();
  /// Seconds of one run.
  double run();

  const std::vector<umber_session *> &all() const { return sessions; }

private:
  std::vector<Session> owners;
  std::vector<umber_session *> sessions;
  std::vector<int32_t> before, ids; ///< ids: step by step, one of each session
  bool isPrompt;
};

/// Runs the test `repetitions` times, after one run that is not counted.
void measure(const umber_model *model, Measurement &measurement,
             int32_t repetitions);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_MEASURE_H
