// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptions of GPUs: what comes with Umber is read, and what is wrong is
// refused with the key, what was expected and what was found.

#include "runtime/drivers/gpu/estimate/Config.h"

#include <gtest/gtest.h>

using namespace umber;
using namespace umber::gpu;

namespace {

/// The message when, in h100-like's text, `from` is replaced.
std::string parseChanged(const std::string &from, const std::string &to) {
  std::string text;
  for (const NamedConfig &named : kNamedConfigs) {
    if (named.name == "h100-like") {
      text = named.text;
    }
  }
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  Result<Config> config = parseConfig(
      {reinterpret_cast<const uint8_t *>(text.data()), text.size()}, "x.json");
  return config.ok() ? "" : config.status().message();
}

TEST(GpuConfigs, OfUmberAreRead) {
  EXPECT_GE(kNamedConfigs.size(), 2u);
  for (const NamedConfig &named : kNamedConfigs) {
    Result<Config> config = loadConfig(std::string(named.name));
    ASSERT_TRUE(config.ok()) << config.status().message();
    EXPECT_EQ(config->name, named.name);
    EXPECT_EQ(config->parameters.size(), 24u);
    for (const ConfigParameter &parameter : config->parameters) {
      EXPECT_FALSE(parameter.source.empty()) << parameter.path;
    }
  }
}

TEST(GpuConfigs, HavePublishedPeaks) {
  Result<Config> config = loadConfig("h100-like");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->api, "cuda");
  EXPECT_EQ(config->dram.bytesPerSecond, 3.35e12);
  EXPECT_NEAR(double(config->processors.count) * 1.98e9 *
                  config->arithmetic.floatOps,
              66.9e12, 0.1e12);
}

TEST(GpuConfigs, AreRefusedWithTheKey) {
  EXPECT_EQ(parseChanged("\"value\": 132,", "\"value\": 0,"),
            "x.json: processors.count.value: expected an integer from 1 to "
            "4096, found '0'");
  EXPECT_EQ(parseChanged("\"value\": 0.9,", "\"value\": 1.5,"),
            "x.json: dram.efficiency.value: expected a number from 0.01 to 1, "
            "found '1.5'");
  EXPECT_EQ(parseChanged("\"cuda\"", "\"metal\""),
            "x.json: api: expected vulkan or cuda, found '\"metal\"'");
  EXPECT_EQ(parseChanged("\"busy_threads\"", "\"idle_threads\""),
            "x.json: processors.busy_threads: expected an object with value, "
            "provenance and source, found no such key");
  EXPECT_EQ(parseChanged("\"summary\"", "\"more\": 1, \"summary\""),
            "x.json: 'more': expected only keys of this kind of device, found "
            "an unknown one");
  EXPECT_EQ(
      parseChanged("\"provenance\": \"vendor\"", "\"provenance\": \"rumour\""),
      "x.json: processors.count.provenance: expected measured, vendor, "
      "computed, assumed or calibrated, found '\"rumour\"'");
  EXPECT_EQ(parseChanged("{", "[").rfind("x.json: JSON: ", 0), 0u);
}

TEST(GpuConfigs, ThatAreUnknownNameThoseThereAre) {
  EXPECT_EQ(loadConfig("h100").status().message(),
            "no device 'h100', expected a .json file or one of "
            "adreno-750-like, h100-like");
}

} // namespace
