// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece models, against the ids that the sentencepiece package gives;
// see generate_sentencepiece.py.

#include "runtime/core/text/Tokenizer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <limits>
#include <random>

using namespace umber;
using Ids = std::vector<int32_t>;

namespace {

class SentencePieceTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::ifstream(UMBER_TEST_DATA "/sentencepiece.json") >> json;
    pieces = json["pieces"].get<std::vector<std::string>>();
    data.model = "llama";
    data.tokens.assign(pieces.begin(), pieces.end());
    data.types = json["types"].get<std::vector<uint8_t>>();
    data.scores = json["scores"].get<std::vector<float>>();
    data.unk = 0;
    data.bos = 1;
    data.eos = 2;
    data.addBos = data.addSpacePrefix = true;
  }

  std::unique_ptr<Tokenizer> make() {
    auto created = Tokenizer::create(data);
    EXPECT_TRUE(created.ok()) << created.status().message();
    return created.ok() ? std::move(*created) : nullptr;
  }

  std::string errorOf() {
    auto created = Tokenizer::create(data);
    return created.ok() ? "" : created.status().message();
  }

  nlohmann::json json;
  std::vector<std::string> pieces;
  TokenizerData data;
};

TEST_F(SentencePieceTest, GivesTheReferencesIds) {
  auto tokenizer = make();
  ASSERT_GT(json["texts"].size(), 40u);
  for (size_t i = 0; i < json["texts"].size(); ++i) {
    auto text = json["texts"][i].get<std::string>();
    auto ids = tokenizer->encode(text, {});
    ASSERT_TRUE(ids.ok()) << ids.status().message();
    EXPECT_EQ(*ids, json["ids"][i].get<Ids>()) << text;
    EXPECT_EQ(tokenizer->decode(*ids, false), text);
  }
}

TEST_F(SentencePieceTest, AnyBytesComeBack) {
  auto tokenizer = make();
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string text;
    for (size_t length = random() % 20; text.size() < length;) {
      text += char(random() % 4 ? ' ' + random() % 90 : random() % 256);
    }
    auto ids = tokenizer->encode(text, {});
    ASSERT_TRUE(ids.ok()) << ids.status().message();
    EXPECT_EQ(tokenizer->decode(*ids, false), text);
  }
}

TEST_F(SentencePieceTest, TextAfterAControlTokenGetsASpaceToo) {
  auto tokenizer = make();
  EncodeOptions options;
  options.addSpecial = options.parseSpecial = true;
  auto ids = tokenizer->encode("the</s>the", options);
  ASSERT_TRUE(ids.ok()) << ids.status().message();
  int32_t the = tokenizer->find("\xE2\x96\x81the");
  ASSERT_GE(the, 0);
  EXPECT_EQ(*ids, Ids({1, the, 2, the}));
  EXPECT_EQ(tokenizer->decode(*ids, true), "<s>the</s>the");
}

TEST_F(SentencePieceTest, TokensAsTheyComeKeepTheirSpace) {
  auto tokenizer = make();
  Detokenizer detokenizer(*tokenizer, false);
  int32_t the = tokenizer->find("\xE2\x96\x81the");
  EXPECT_EQ(detokenizer.push(the), " the");
  EXPECT_EQ(detokenizer.push(the), " the");
}

TEST_F(SentencePieceTest, AddsNoSpaceWhereTheModelHasNone) {
  data.addSpacePrefix = false;
  auto tokenizer = make();
  auto ids = tokenizer->encode(" the", {});
  ASSERT_TRUE(ids.ok()) << ids.status().message();
  EXPECT_EQ(*ids, Ids({tokenizer->find("\xE2\x96\x81the")}));
  EXPECT_EQ(tokenizer->decode(*ids, false), " the");
}

TEST_F(SentencePieceTest, RefusesTablesThatMakeNoSense) {
  data.scores.pop_back();
  EXPECT_EQ(errorOf().find("tokenizer: expected a score for each of 600"), 0u);
  data.scores.push_back(std::numeric_limits<float>::quiet_NaN());
  EXPECT_NE(errorOf().find("finite"), std::string::npos);
  data.scores.back() = -1;
  std::string longPiece(2000, 'a');
  data.tokens.back() = longPiece;
  EXPECT_NE(errorOf().find("at most 1024 bytes"), std::string::npos);
}

} // namespace
