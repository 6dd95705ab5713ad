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
  if (sessions > 1) {
    text += " x" + std::to_string(sessions);
  }
  return depth > 0 ? text + " @ d" + std::to_string(depth) : text;
}

std::vector<double> Measurement::tokensPerSecond() const {
  std::vector<double> speeds;
  for (double s : seconds) {
    speeds.push_back(double(sessions) * tokens() / s);
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

std::vector<int32_t> randomTokens(size_t count, int32_t vocab,
                                  std::mt19937 &random) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < count; ++i) {
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

} // namespace

TestRun::TestRun(const umber_model *model, const Measurement &test)
    : isPrompt(test.promptTokens > 0) {
  std::mt19937 random(1);
  int32_t vocab = modelInfo(model).vocab;
  before = randomTokens(test.depth, vocab, random);
  ids = randomTokens(test.tokens() * test.sessions, vocab, random);
  for (int32_t i = 0; i < test.sessions; ++i) {
    owners.push_back(createSession(model, test.depth + test.tokens()));
    sessions.push_back(owners.back().get());
    if (test.loras) {
      test.loras->activate(sessions.back());
    }
  }
}

void TestRun::prepare() {
  int32_t depth = static_cast<int32_t>(before.size());
  for (umber_session *session : sessions) {
    if (umber_session_position(session) < depth) {
      umber_session_reset(session);
      prefill(session, before);
      continue;
    }
    check([&](umber_error *error) {
      return umber_session_truncate(session, depth, error);
    });
  }
}

double TestRun::run() {
  auto start = std::chrono::steady_clock::now();
  if (isPrompt) {
    prefill(sessions.front(), ids);
  } else {
    std::vector<const float *> logits(sessions.size());
    for (size_t at = 0; at < ids.size(); at += sessions.size()) {
      check([&](umber_error *error) {
        return umber_decode_batch(sessions.data(), ids.data() + at,
                                  sessions.size(), logits.data(), error);
      });
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

void measure(const umber_model *model, Measurement &measurement,
             int32_t repetitions) {
  TestRun test(model, measurement);
  test.prepare();
  test.run();
  for (int32_t i = 0; i < repetitions; ++i) {
    test.prepare();
    measurement.seconds.push_back(test.run());
  }
}

} // namespace umber::tools
