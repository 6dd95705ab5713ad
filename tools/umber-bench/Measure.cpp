// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-bench/Measure.h"

#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

namespace umber::tools {

std::string Measurement::name() const {
  std::string text = promptTokens > 0 ? "pp" + std::to_string(promptTokens)
                                      : "tg" + std::to_string(newTokens);
  return depth > 0 ? text + " @ d" + std::to_string(depth) : text;
}

std::vector<double> Measurement::tokensPerSecond() const {
  std::vector<double> speeds;
  for (double s : seconds) {
    speeds.push_back(tokens() / s);
  }
  return speeds;
}

double mean(const std::vector<double> &values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

double standardDeviation(const std::vector<double> &values) {
  if (values.size() < 2) {
    return 0.0;
  }
  double center = mean(values), sum = 0.0;
  for (double value : values) {
    sum += (value - center) * (value - center);
  }
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

namespace {

std::vector<int32_t> randomTokens(int32_t count, int32_t vocab,
                                  std::mt19937 &random) {
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < count; ++i) {
    ids.push_back(
        static_cast<int32_t>(random() % static_cast<uint32_t>(vocab)));
  }
  return ids;
}

void prefill(umber_session *session, const std::vector<int32_t> &ids) {
  const float *logits;
  check([&](umber_error *error) {
    return umber_prefill(session, ids.data(), ids.size(), &logits, error);
  });
}

double runOnce(umber_session *session, const std::vector<int32_t> &before,
               const std::vector<int32_t> &ids, bool isPrompt) {
  umber_session_reset(session);
  if (!before.empty()) {
    prefill(session, before);
  }
  auto start = std::chrono::steady_clock::now();
  if (isPrompt) {
    prefill(session, ids);
  } else {
    for (int32_t id : ids) {
      const float *logits;
      check([&](umber_error *error) {
        return umber_decode(session, id, &logits, error);
      });
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

} // namespace

void measure(const umber_model *model, Measurement &measurement,
             int32_t repetitions) {
  std::mt19937 random(1);
  int32_t vocab = modelInfo(model).vocab;
  std::vector<int32_t> before = randomTokens(measurement.depth, vocab, random);
  std::vector<int32_t> ids = randomTokens(measurement.tokens(), vocab, random);
  Session session =
      createSession(model, measurement.depth + measurement.tokens());
  bool isPrompt = measurement.promptTokens > 0;
  runOnce(session.get(), before, ids, isPrompt);
  for (int32_t i = 0; i < repetitions; ++i) {
    measurement.seconds.push_back(
        runOnce(session.get(), before, ids, isPrompt));
  }
}

} // namespace umber::tools
