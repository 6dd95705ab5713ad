// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the conformance suite runs on: a device and a package, and helpers on
// top of the C API that fail the test when a call fails.

#ifndef UMBER_RUNTIME_CTS_FIXTURE_H
#define UMBER_RUNTIME_CTS_FIXTURE_H

#include "umber/umber.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace umber::cts {

using Logits = std::vector<float>;
using Ids = std::vector<int32_t>;
using ModelHandle = std::shared_ptr<umber_model>;
using SessionHandle = std::shared_ptr<umber_session>;

/// A device's name, and which package it runs.
struct Subject {
  std::string device;
  std::string package; ///< its path
};

/// The devices that UMBER_CTS_DEVICES names, separated by ',', or all of this
/// machine that a package has code for, on each of the packages that
/// UMBER_CTS_PACKAGE names, one model with caches of several types; paths are
/// separated by ':'.
std::vector<Subject> subjects();
std::string subjectName(const testing::TestParamInfo<Subject> &info);

#define UMBER_INSTANTIATE_ON_EVERY_DEVICE(SUITE)                               \
  INSTANTIATE_TEST_SUITE_P(Drivers, SUITE,                                     \
                           testing::ValuesIn(umber::cts::subjects()),          \
                           umber::cts::subjectName)

class RuntimeTest : public testing::TestWithParam<Subject> {
protected:
  void SetUp() override;

  /// Loads the subject's package; with `threads` 0, on the device's default.
  ModelHandle load(int32_t threads = 2);
  /// On the subject's device, whatever `options` say.
  ModelHandle load(umber_model_options options);
  ModelHandle load(const Subject &subject,
                   umber_model_options options = UMBER_MODEL_OPTIONS_INIT);
  SessionHandle open(const ModelHandle &model, int32_t context = 0);

  Logits prefill(const SessionHandle &session, const Ids &ids);
  Logits decode(const SessionHandle &session, int32_t id);
  /// Logits of every row.
  std::vector<Logits> prefillAll(const SessionHandle &session, const Ids &ids);
  std::vector<char> writeState(const SessionHandle &session);

  /// `count` token ids that look random; other ones for another `seed`.
  Ids someIds(size_t count, uint32_t seed = 1) const;

  /// Where one should not be the other. What should is the same bit for bit:
  /// results do not depend on threads or on how tokens are cut into steps.
  void expectDifferent(const Logits &a, const Logits &b);

  ModelHandle model; // loaded with two threads
  umber_model_info info = UMBER_MODEL_INFO_INIT;
};

/// Expects a call to fail with this status and a message that holds `words`.
#define UMBER_EXPECT_FAILS(STATUS, WORDS, ...)                                 \
  do {                                                                         \
    umber_error error = {};                                                    \
    EXPECT_EQ(__VA_ARGS__, STATUS);                                            \
    EXPECT_NE(std::string(error.message).find(WORDS), std::string::npos)       \
        << error.message;                                                      \
  } while (false)

#define UMBER_EXPECT_OK(...)                                                   \
  do {                                                                         \
    umber_error error = {};                                                    \
    EXPECT_EQ(__VA_ARGS__, UMBER_OK) << error.message;                         \
  } while (false)

} // namespace umber::cts

#endif // UMBER_RUNTIME_CTS_FIXTURE_H
