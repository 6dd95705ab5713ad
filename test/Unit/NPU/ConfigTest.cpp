// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptions of hardware: what comes with Umber is read, and what is wrong is
// refused with the key, what was expected and what was found.

#include "test/Unit/NPU/Fixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

std::string getText(const std::string &name) {
  for (const NamedConfig &named : kNamedConfigs) {
    if (named.name == name) {
      return std::string(named.text);
    }
  }
  ADD_FAILURE() << name;
  return "";
}

std::string parse(const std::string &text) {
  Result<Config> config = parseConfig(
      {reinterpret_cast<const uint8_t *>(text.data()), text.size()}, "x.json");
  return config.ok() ? "" : config.status().message();
}

/// The message when, in a description, `from` is replaced.
std::string parseChanged(const std::string &from, const std::string &to,
                         const std::string &name = "ane-a17-like") {
  std::string text = getText(name);
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return parse(text.replace(at, from.size(), to));
}

TEST(Configs, OfUmberAreRead) {
  EXPECT_GE(kNamedConfigs.size(), 6u);
  for (const NamedConfig &named : kNamedConfigs) {
    Config config = getConfig(std::string(named.name));
    EXPECT_EQ(config.name, named.name);
    EXPECT_GE(config.parameters.size(), 10u);
    for (const ConfigParameter &parameter : config.parameters) {
      EXPECT_FALSE(parameter.source.empty()) << parameter.path;
    }
  }
}

TEST(Configs, HaveTheirValuesAndProvenance) {
  Config config = getConfig("ane-a17-like");
  const auto &array = std::get<CoreArray>(config.array);
  EXPECT_EQ(array.cores * array.columns * array.rowsF16, 4096);
  EXPECT_EQ(config.dram.bytesPerSecond, 51.2e9);
  EXPECT_EQ(config.scratchpad.bytes, 2 << 20);
  bool found = false;
  for (const ConfigParameter &parameter : config.parameters) {
    if (parameter.path == "dram.efficiency") {
      found = true;
      EXPECT_EQ(parameter.value, 0.853);
      EXPECT_EQ(parameter.provenance, Provenance::Calibrated);
    }
  }
  EXPECT_TRUE(found);
}

TEST(Configs, RefuseWhatIsWrong) {
  EXPECT_EQ(parseChanged("\"cores\": {", "\"kores\": {"),
            "x.json: array.cores: expected an object with value, provenance "
            "and source, found no such key");
  EXPECT_EQ(parseChanged("\"banks\":", "\"extra\": 1, \"banks\":"),
            "x.json: 'scratchpad.extra': expected only keys of this kind of "
            "device, found an unknown one");
  EXPECT_EQ(parseChanged("\"value\": 64", "\"value\": 64, \"unit\": \"B\""),
            "x.json: 'scratchpad.banks.unit': expected only keys of this kind "
            "of device, found an unknown one");
  EXPECT_EQ(parseChanged("\"value\": 64", "\"value\": \"64\""),
            "x.json: scratchpad.banks.value: expected an integer from 1 to "
            "4096, found '\"64\"'");
  EXPECT_EQ(parseChanged("\"value\": 64", "\"value\": 64.5"),
            "x.json: scratchpad.banks.value: expected an integer from 1 to "
            "4096, found '64.5'");
  EXPECT_EQ(parseChanged("\"value\": 64", "\"value\": 0"),
            "x.json: scratchpad.banks.value: expected an integer from 1 to "
            "4096, found '0'");
  EXPECT_EQ(parseChanged("\"value\": 64", "\"value\": 18446744073709551615"),
            "x.json: scratchpad.banks.value: expected an integer from 1 to "
            "4096, found '18446744073709551615'");
  EXPECT_EQ(parseChanged("\"value\": 0.853", "\"value\": 1.5"),
            "x.json: dram.efficiency.value: expected a number from 0.01 "
            "to 1, found '1.5'");
  EXPECT_EQ(parseChanged("\"value\": 64", "\"valeu\": 64"),
            "x.json: scratchpad.banks.value: expected an integer from 1 to "
            "4096, found no such key");
  EXPECT_EQ(parseChanged("{\"value\": 64", "7, \"x\": {\"value\": 64"),
            "x.json: scratchpad.banks: expected an object with value, "
            "provenance and source, found '7'");
  EXPECT_EQ(parseChanged("\"provenance\": \"calibrated\"",
                         "\"provenance\": \"guessed\""),
            "x.json: array.efficiency.provenance: expected measured, vendor, "
            "computed, assumed or calibrated, found '\"guessed\"'");
  EXPECT_EQ(parseChanged("\"banks\":", "\"bytes\": 1, \"banks\":"),
            "x.json: JSON: expected every key once, found 'bytes' twice");
  EXPECT_EQ(parseChanged("\"cores\"", "\"rores\"").find("x.json: kind: "), 0u);
  EXPECT_EQ(parseChanged("\"energy\": {", "\"energy\": 1, \"e\": {"),
            "x.json: energy: expected an object, found '1'");
}

TEST(Configs, RefuseWhatDoesNotFitTogether) {
  EXPECT_EQ(parseChanged("\"value\": 131072", "\"value\": 1024"),
            "x.json: scratchpad.accumulator_bytes: expected room for the sums "
            "of two passes, 32768 bytes each, found 1024");
  EXPECT_EQ(
      parseChanged("\"value\": 1048576", "\"value\": 1024", "ane-m6-like"),
      "x.json: kernel_buffer.bytes: expected at least 1024 bytes a slot, "
      "one cycle's weights, found 512");
}

TEST(Configs, RefuseWhatIsNoJson) {
  EXPECT_EQ(parse(""), "x.json: JSON: expected valid text, found an error at "
                       "byte 1");
  EXPECT_EQ(parse("[]"), "x.json: JSON: expected an object, found array");
  EXPECT_EQ(parse("{}"), "x.json: name: expected a string, found no such key");
  // Every text that is cut short.
  std::string text = getText("gemmini-8x8");
  for (size_t size = 0; size + 2 < text.size(); size += 7) {
    EXPECT_NE(parse(text.substr(0, size)), "");
  }
}

TEST(Configs, AreFoundByName) {
  Result<Config> config = loadConfig("ane");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().message().find(
                "no device 'ane', expected a .json file or one of "
                "ane-a17-like, "),
            0u);
  EXPECT_EQ(loadConfig("/no/such.json").status().message(),
            "/no/such.json: No such file or directory");
}

} // namespace
