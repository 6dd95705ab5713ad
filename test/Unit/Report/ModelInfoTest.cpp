// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/description/ModelInfo.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace umber;

namespace {

ModelInfo makeInfo() {
  ModelInfo info;
  info.parameters = 12;
  info.bodyWeights = 8;
  info.layers = 2;
  info.cacheBits = 8;
  info.headDim = 16;
  MatrixInfo &matrix = info.matrices.emplace_back();
  matrix.name = "l0.attn.q";
  matrix.rows = 4;
  matrix.columns = 2;
  matrix.bits = 4;
  matrix.isBody = true;
  matrix.begin = 64;
  matrix.end = 128;
  matrix.error = 0.25;
  matrix.choices = {{2, 10, 12, 0.5}, {4, 20, 24, std::nullopt}};
  info.kernels = {
      {"a", {{"umber.linear", "tensor<4xf32>", "l0.attn.q", "x"}}, {}},
      {"b", {}, {0}}};
  return info;
}

std::string getError(const nlohmann::json &json) {
  Result<ModelInfo> read = readModelInfo(json);
  return read.ok() ? "" : read.status().message();
}

TEST(ModelInfo, IsReadAsItWasWritten) {
  Result<ModelInfo> read = readModelInfo(toJson(makeInfo()));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(toJson(*read), toJson(makeInfo()));
  EXPECT_EQ(read->matrices[0].choices[0].loss, 0.5);
  EXPECT_EQ(read->matrices[0].choices[1].loss, std::nullopt);
  EXPECT_EQ(read->kernels[1].inputs, std::vector<uint32_t>{0});
}

TEST(ModelInfo, LeavesOutWhatIsNotFinite) {
  ModelInfo info = makeInfo();
  info.matrices[0].error = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(toJson(info)["matrices"][0].contains("error"));
}

TEST(ModelInfo, SaysWhatIsWrong) {
  nlohmann::json good = toJson(makeInfo());
  auto with = [&](const char *pointer, nlohmann::json value) {
    nlohmann::json changed = good;
    changed[nlohmann::json::json_pointer(pointer)] = std::move(value);
    return getError(changed);
  };
  EXPECT_EQ(getError(good), "");
  EXPECT_EQ(getError(nlohmann::json::object()),
            "parameters: expected a number, found nothing");
  EXPECT_EQ(with("/layers", -1), "layers: expected a number, found number");
  EXPECT_EQ(with("/matrices", 1), "matrices: expected an array, found number");
  EXPECT_EQ(with("/matrices/0", 1), "matrices: expected objects, found number");
  EXPECT_EQ(with("/matrices/0/bits", uint64_t(0)),
            "bits: expected 1 to 32, found 0");
  EXPECT_EQ(with("/matrices/0/error", -1.0),
            "error: expected a number of 0 or more");
  EXPECT_EQ(with("/matrices/0/choices/1/loss", "much"),
            "loss: expected a number of 0 or more");
  EXPECT_EQ(with("/kernels/1/inputs/0", uint64_t(2)),
            "inputs: expected numbers below 2, found 2");
  EXPECT_EQ(with("/kernels/1/inputs/0", "a"),
            "inputs: expected numbers, found string");
  EXPECT_EQ(with("/kernels/0/ops/0/name", uint64_t(1)),
            "name: expected a string, found number");
}

} // namespace
