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

/// The parts of a variable of the environment.
static std::vector<std::string> listOf(const char *name, char separator) {
  const char *variable = std::getenv(name);
  std::stringstream stream(variable ? variable : "");
  std::vector<std::string> list;
  for (std::string part; std::getline(stream, part, separator);) {
    list.push_back(part);
  }
  return list;
}

/// Whether a package has no code for a device at all. Any other error is for
/// the tests to find.
static bool hasNothingFor(const Subject &subject) {
  umber_model_options options = UMBER_MODEL_OPTIONS_INIT;
  options.device = subject.device.c_str();
  umber_model *model = nullptr;
  umber_error error;
  umber_status status =
      umber_model_load(subject.package.c_str(), &options, &model, &error);
  umber_model_destroy(model);
  return status == UMBER_NOT_FOUND &&
         std::string(error.message).find("has no target") != std::string::npos;
}

std::vector<Subject> umber::cts::subjects() {
  std::vector<Subject> list;
  std::vector<std::string> asked = listOf("UMBER_CTS_DEVICES", ',');
  for (const std::string &package : listOf("UMBER_CTS_PACKAGE", ':')) {
    for (const std::string &device : asked) {
      list.push_back({device, package});
    }
    for (size_t i = 0; asked.empty() && i < umber_device_count(); ++i) {
      umber_device_info device = UMBER_DEVICE_INFO_INIT;
      umber_error error;
      if (umber_device_get(i, &device, &error) != UMBER_OK) {
        continue;
      }
      Subject subject = {device.name, package};
      if (!hasNothingFor(subject)) {
        list.push_back(subject);
      }
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
