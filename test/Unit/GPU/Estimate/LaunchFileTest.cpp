// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/estimate/LaunchFile.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace umber;
using namespace umber::gpu;

namespace {

LaunchFile makeFile() {
  LaunchFile file;
  file.model = "tiny";
  file.contextLength = 64;
  file.info.kernels.push_back({"l0.q", {}, {}});
  MatrixInfo &matrix = file.info.matrices.emplace_back();
  matrix.name = "l0.attn.q";
  matrix.rows = 4;
  matrix.columns = 2;
  matrix.bits = 4;
  LaunchProgram &program = file.programs.emplace_back();
  program.name = "decode";
  program.api = "cuda";
  for (const char *name : {"l0.q:rows", "l0.q:products"}) {
    LaunchWork &launch = program.launches.emplace_back();
    launch.name = name;
    launch.kind = "qkv";
    launch.threads = 64;
    launch.rowBytes = 100;
  }
  LaunchWork &product = program.launches.back();
  product.layer = 0;
  product.matrix = 0;
  product.hasCodes = true;
  product.parameterBytes = 1000;
  product.tileGroups = 7;
  product.window = 12;
  return file;
}

std::string read(const std::vector<uint8_t> &bytes) {
  Result<LaunchFile> file = readLaunchFile({bytes.data(), bytes.size()});
  return file.ok() ? "" : file.status().message();
}

/// The message where one thing in the file is another.
template <typename F>
std::string readChanged(F change) {
  std::vector<uint8_t> bytes = writeLaunchFile(makeFile());
  nlohmann::json json = nlohmann::json::from_cbor(bytes);
  change(json);
  return read(nlohmann::json::to_cbor(json));
}

TEST(LaunchFile, IsReadAsWritten) {
  LaunchFile file = makeFile();
  std::vector<uint8_t> bytes = writeLaunchFile(file);
  Result<LaunchFile> again = readLaunchFile({bytes.data(), bytes.size()});
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(writeLaunchFile(*again), bytes);
  const LaunchWork &rows = again->programs[0].launches[0];
  const LaunchWork &product = again->programs[0].launches[1];
  EXPECT_EQ(rows.layer, -1);
  EXPECT_EQ(rows.matrix, -1);
  EXPECT_EQ(product.layer, 0);
  EXPECT_EQ(product.matrix, 0);
  EXPECT_TRUE(product.hasCodes);
  EXPECT_EQ(product.parameterBytes, 1000u);
  EXPECT_EQ(product.tileGroups, 7);
  EXPECT_EQ(product.window, 12u);
}

TEST(LaunchFile, IsRefusedIfItIsCut) {
  std::vector<uint8_t> bytes = writeLaunchFile(makeFile());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(read({bytes.begin(), bytes.begin() + long(size)}), "") << size;
  }
}

TEST(LaunchFile, IsRefusedWithWhatIsWrong) {
  auto launch = [](nlohmann::json &json) -> nlohmann::json & {
    return json["programs"][0]["launches"][1];
  };
  EXPECT_EQ(readChanged([&](auto &json) { launch(json)["threads"] = 4096u; }),
            "threads: expected 1 to 1024, found 4096");
  EXPECT_EQ(readChanged([&](auto &json) { launch(json)["matrix"] = 2u; }),
            "matrix: expected 0 to 1, found 2");
  EXPECT_EQ(readChanged([&](auto &json) { launch(json)["kernel"] = 1u; }),
            "kernel: expected a number below 1, found 1");
  EXPECT_EQ(
      readChanged([&](auto &json) { launch(json)["name"] = "l0.q:rows"; }),
      "name: expected one of its own, found 'l0.q:rows' twice");
  EXPECT_EQ(
      readChanged([&](auto &json) { launch(json)["row_bytes"] = UINT64_MAX; }),
      "row_bytes: expected 0 to 1099511627776, found 18446744073709551615");
  EXPECT_EQ(readChanged([&](auto &json) { launch(json).erase("weights"); }),
            "weights: expected a number, found nothing");
  EXPECT_EQ(readChanged([&](auto &json) {
              json["programs"] = nlohmann::json::array();
            }),
            "programs: expected at least one, found none");
}

} // namespace
