// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folders of PEFT's that are written, read again.

#include "runtime/adapter/PeftWriter.h"
#include "test/Unit/Adapter/Fixture.h"

#include <filesystem>
#include <fstream>

using namespace umber;
using namespace umber::test;

namespace {

PeftPair makePair(const std::string &tensor, int64_t rank, float scale) {
  PeftPair pair = {*Site::fromTensor(tensor), rank, 3, 5, {}, {}, scale};
  for (int64_t i = 0; i < 3 * rank; ++i) {
    pair.a.push_back(float(i) + 0.25f);
  }
  for (int64_t i = 0; i < 5 * rank; ++i) {
    pair.b.push_back(-float(i) / 3);
  }
  return pair;
}

using PeftWriterTest = AdapterFixture;

void expectEqual(const std::vector<PeftPair> &pairs, const Adapter &adapter) {
  ASSERT_EQ(adapter.pairs().size(), pairs.size());
  for (const PeftPair &pair : pairs) {
    bool isFound = false;
    for (const AdapterPair &read : adapter.pairs()) {
      if (read.site == pair.site.name()) {
        isFound = true;
        EXPECT_EQ(read.rank, pair.rank);
        EXPECT_EQ(read.scale, pair.scale);
        EXPECT_EQ(unpack(read.dtype, read.a), pair.a);
        EXPECT_EQ(unpack(read.dtype, read.b), pair.b);
      }
    }
    EXPECT_TRUE(isFound) << pair.site.name();
  }
}

TEST_F(PeftWriterTest, WritesWhatIsRead) {
  std::vector<PeftPair> pairs = {
      makePair("blk.0.attn_q", 2, 1.0f), makePair("blk.0.ffn_down", 2, 1.0f),
      makePair("blk.3.attn_q", 2, 1.0f), makePair("blk.3.ffn_down", 2, 1.0f)};
  ASSERT_TRUE(writePeftFolder("a base", pairs, pathOf("out/")).ok());
  auto adapter = open(pathOf("out"));
  expectEqual(pairs, *adapter);
  EXPECT_EQ(adapter->baseName(), "a base");
  Json config = Json::parse(read(pathOf("out/adapter_config.json")));
  EXPECT_EQ(config["target_modules"], Json({"down_proj", "q_proj"}));
  EXPECT_EQ(config["layers_to_transform"], Json({0, 3}));
  EXPECT_TRUE(config["rank_pattern"].empty());
}

TEST_F(PeftWriterTest, WritesRanksScalesAndModulesThatDiffer) {
  std::vector<PeftPair> pairs = {
      makePair("blk.0.attn_q", 2, 1.0f), makePair("blk.1.attn_v", 2, 1.0f),
      makePair("blk.11.attn_v", 3, 1.0f), makePair("blk.11.ffn_up", 2, 0.3f)};
  ASSERT_TRUE(writePeftFolder("", pairs, pathOf("out")).ok());
  expectEqual(pairs, *open(pathOf("out")));
}

TEST_F(PeftWriterTest, OverwritesNothing) {
  std::vector<PeftPair> pairs = {makePair("blk.0.attn_q", 2, 1.0f)};
  std::filesystem::create_directory(pathOf("empty"));
  EXPECT_TRUE(writePeftFolder("", pairs, pathOf("empty")).ok());
  Status status = writePeftFolder("", pairs, pathOf("empty"));
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_EQ(status.message(), pathOf("empty") +
                                  ": expected a new or empty folder, found "
                                  "something there");
  EXPECT_EQ(writePeftFolder("", pairs, pathOf("no/where")).code(),
            StatusCode::IoError);
  size_t count = 0;
  for (const auto &entry : std::filesystem::directory_iterator(directory)) {
    (void)entry;
    ++count;
  }
  EXPECT_EQ(count, 1u);
}

} // namespace
