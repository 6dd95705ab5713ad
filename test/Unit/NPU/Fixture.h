// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TEST_UNIT_NPU_FIXTURE_H
#define UMBER_TEST_UNIT_NPU_FIXTURE_H

#include "runtime/drivers/npu/Config.h"
#include <cmath>
#include <gtest/gtest.h>
#include <string>

namespace umber::npu {

inline Config getConfig(const std::string &name) {
  Result<Config> config = loadConfig(name);
  EXPECT_TRUE(config.ok()) << config.status().message();
  return config.ok() ? *config : Config();
}

/// Of `found` from `expected`, a fraction.
inline double getError(double found, double expected) {
  return std::fabs(found / expected - 1);
}

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_FIXTURE_H
