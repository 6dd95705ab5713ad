// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/cts/Fixture.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <random>
#include <sstream>

using namespace umber::cts;

void RuntimeTest::SetUp() {
  model = load();
  ASSERT_TRUE(model);
  UMBER_EXPECT_OK(umber_model_get_info(model.get(), &info, &error));
}

ModelHandle RuntimeTest::load(int32_t threads) {
  umber_model_options options = UMBER_MODEL_OPTIONS_INIT;
  options.threads = threads;
  return load(options);
}

ModelHandle RuntimeTest::load(umber_model_options options) {
  return load(GetParam(), options);
}

ModelHandle RuntimeTest::load(const Subject &subject,
                              umber_model_options options) {
  options.device = subject.device.c_str();
  umber_model *loaded = nullptr;
  UMBER_EXPECT_OK(
      umber_model_load(subject.package.c_str(), &options, &loaded, &error));
  return ModelHandle(loaded, umber_model_destroy);
}

SessionHandle RuntimeTest::open(const ModelHandle &from, int32_t context) {
  umber_session_options options = UMBER_SESSION_OPTIONS_INIT;
  options.context = context;
  umber_session *session = nullptr;
  UMBER_EXPECT_OK(umber_session_create(from.get(), &options, &session, &error));
  return SessionHandle(session, umber_session_destroy);
}

Logits RuntimeTest::prefill(const SessionHandle &session, const Ids &ids) {
  const float *logits = nullptr;
  UMBER_EXPECT_OK(
      umber_prefill(session.get(), ids.data(), ids.size(), &logits, &error));
  return logits ? Logits(logits, logits + info.vocab) : Logits();
}

Logits RuntimeTest::decode(const SessionHandle &session, int32_t id) {
  const float *logits = nullptr;
  UMBER_EXPECT_OK(umber_decode(session.get(), id, &logits, &error));
  return logits ? Logits(logits, logits + info.vocab) : Logits();
}

std::vector<Logits> RuntimeTest::prefillAll(const SessionHandle &session,
                                            const Ids &ids) {
  struct Sink {
    size_t vocab;
    std::vector<Logits> rows;
  } sink{static_cast<size_t>(info.vocab), {}};
  auto receive = [](void *user, size_t firstRow, size_t rows,
                    const float *logits) -> int {
    Sink &sink = *static_cast<Sink *>(user);
    EXPECT_EQ(firstRow, sink.rows.size());
    for (size_t row = 0; row < rows; ++row, logits += sink.vocab) {
      sink.rows.emplace_back(logits, logits + sink.vocab);
    }
    return 0;
  };
  UMBER_EXPECT_OK(umber_prefill_all(session.get(), ids.data(), ids.size(),
                                    receive, &sink, &error));
  return std::move(sink.rows);
}

std::vector<char> RuntimeTest::writeState(const SessionHandle &session) {
  std::vector<char> bytes(umber_session_state_size(session.get()));
  UMBER_EXPECT_OK(umber_session_write_state(session.get(), bytes.data(),
                                            bytes.size(), &error));
  return bytes;
}

Ids RuntimeTest::someIds(size_t count, uint32_t seed) const {
  std::minstd_rand random(seed);
  Ids ids(count);
  for (int32_t &id : ids) {
    id = static_cast<int32_t>(random() % static_cast<uint32_t>(info.vocab));
  }
  return ids;
}

void RuntimeTest::expectDifferent(const Logits &a, const Logits &b) {
  ASSERT_EQ(a.size(), b.size());
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::fabs(a[i] - b[i]));
  }
  EXPECT_GT(largest, 2e-2f);
}

/// The parts of an environment variable, or of `otherwise`, if it is not set.
static std::vector<std::string> split(const char *variable, char separator,
                                      const char *otherwise) {
  const char *list = std::getenv(variable);
  std::stringstream text(list ? list : otherwise);
  std::vector<std::string> parts;
  for (std::string part; std::getline(text, part, separator);) {
    parts.push_back(part);
  }
  return parts;
}

std::vector<Subject> umber::cts::subjects() {
  std::vector<Subject> list;
  for (const std::string &package : split("UMBER_CTS_PACKAGE", ':', "")) {
    for (const std::string &device :
         split("UMBER_CTS_DEVICES", ',', "cpu,null")) {
      list.push_back({device, package});
    }
  }
  return list;
}

std::string
umber::cts::subjectName(const testing::TestParamInfo<Subject> &info) {
  std::string package = info.param.package;
  package = package.substr(package.find_last_of('/') + 1);
  std::string name =
      info.param.device + "_" + package.substr(0, package.find('.'));
  for (char &letter : name) {
    letter = std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  }
  return name;
}

namespace {

TEST(Conformance, HasSomethingToRunOn) {
  EXPECT_FALSE(subjects().empty())
      << "set UMBER_CTS_PACKAGE to the path of a package";
}

} // namespace

namespace umber::cts {
UMBER_INSTANTIATE_ON_EVERY_DEVICE(RuntimeTest);
} // namespace umber::cts
