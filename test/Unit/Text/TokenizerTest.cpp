// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-pair encoding on a vocabulary small enough to follow by hand.

#include "test/Unit/Text/TinyVocabulary.h"

#include <gtest/gtest.h>

#include <random>

using namespace umber;
using umber::testing::TinyVocabulary;
using Ids = std::vector<int32_t>;

namespace {

std::unique_ptr<Tokenizer> make(TinyVocabulary &vocabulary) {
  auto created = Tokenizer::create(vocabulary.data);
  EXPECT_TRUE(created.ok()) << created.status().message();
  return created.ok() ? std::move(*created) : nullptr;
}

Ids encode(const Tokenizer &tokenizer, std::string_view text,
           bool parseSpecial = false, bool addSpecial = false) {
  EncodeOptions options;
  options.parseSpecial = parseSpecial;
  options.addSpecial = addSpecial;
  auto ids = tokenizer.encode(text, options);
  EXPECT_TRUE(ids.ok()) << ids.status().message();
  return ids.ok() ? *ids : Ids();
}

TEST(TokenizerTest, MergesByRankNotByPosition) {
  TinyVocabulary vocabulary;
  int32_t bc = vocabulary.merge('b', 'c');
  int32_t ab = vocabulary.merge('a', 'b');
  int32_t abc = vocabulary.merge('a', bc);
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, "abc"), Ids({abc}));
  EXPECT_EQ(encode(*tokenizer, "abd"), Ids({ab, 'd'}));
  EXPECT_EQ(encode(*tokenizer, "bcbc"), Ids({bc, bc}));
}

TEST(TokenizerTest, MergesTheLeftmostOfEqualPairs) {
  TinyVocabulary vocabulary;
  int32_t aa = vocabulary.merge('a', 'a');
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, "aaa"), Ids({aa, 'a'}));
  EXPECT_EQ(encode(*tokenizer, "aaaaa"), Ids({aa, aa, 'a'}));
}

TEST(TokenizerTest, FindsWhatMergesMakeInAnyOrder) {
  TinyVocabulary vocabulary;
  int32_t cd = vocabulary.add("cd", TokenType::Normal);
  int32_t abc = vocabulary.add("abc", TokenType::Normal);
  int32_t ab = vocabulary.add("ab", TokenType::Normal);
  for (uint32_t symbol :
       {int('a'), int('b'), int('c'), int('d'), ab, int('c')}) {
    vocabulary.data.merges.push_back(symbol);
  }
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, "abdcd"), Ids({ab, 'd', cd}));
  EXPECT_EQ(encode(*tokenizer, "abc"), Ids({abc}));
}

TEST(TokenizerTest, TakesTheFirstOfTokensWithOneText) {
  TinyVocabulary vocabulary;
  int32_t cd = vocabulary.add("cd", TokenType::Normal);
  int32_t ab = vocabulary.merge('a', 'b');
  int32_t again = vocabulary.merge('c', 'd');
  EXPECT_EQ(again, ab + 1);
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, "abcd"), Ids({ab, cd}));
}

TEST(TokenizerTest, DoesNotMergeAcrossWords) {
  TinyVocabulary vocabulary;
  int32_t bSpace = vocabulary.merge('b', ' ');
  int32_t spaceC = vocabulary.merge(' ', 'c');
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, "b c"), Ids({'b', spaceC}));
  EXPECT_NE(encode(*tokenizer, "b c")[0], bSpace);
}

TEST(TokenizerTest, TakesTheLongestSpecialToken) {
  TinyVocabulary vocabulary;
  int32_t shorter = vocabulary.add("<s>", TokenType::Control);
  int32_t longer = vocabulary.add("<s><s>", TokenType::Control);
  int32_t user = vocabulary.add("@@", TokenType::UserDefined);
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, "a<s><s><s>b", true),
            Ids({'a', longer, shorter, 'b'}));
  EXPECT_EQ(encode(*tokenizer, "<s", true), Ids({'<', 's'}));
  // Text from outside cannot name a control token, but a user-defined one is
  // always text.
  EXPECT_EQ(encode(*tokenizer, "<s>@@"), Ids({'<', 's', '>', user}));
}

TEST(TokenizerTest, AddsWhatTheModelAsksFor) {
  TinyVocabulary vocabulary;
  vocabulary.data.bos = vocabulary.add("<bos>", TokenType::Control);
  vocabulary.data.eos = vocabulary.add("<eos>", TokenType::Control);
  vocabulary.data.addBos = true;
  vocabulary.data.addEos = true;
  auto tokenizer = make(vocabulary);
  Ids expected = {vocabulary.data.bos, 'x', vocabulary.data.eos};
  EXPECT_EQ(encode(*tokenizer, "x", false, true), expected);
  EXPECT_EQ(encode(*tokenizer, "x"), Ids({'x'}));
  EXPECT_EQ(encode(*tokenizer, ""), Ids());
}

TEST(TokenizerTest, EveryTextComesBack) {
  TinyVocabulary vocabulary;
  int32_t first = vocabulary.merge(0xC3, 0xA9);
  vocabulary.merge(first, first);
  vocabulary.merge(' ', ' ');
  auto tokenizer = make(vocabulary);
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (unsigned i = 0, size = random() % 40; i < size; ++i) {
      // Mostly the bytes that UTF-8 is picky about, and NULs.
      static constexpr unsigned char picky[] = {
          0x00, 0x20, 0x41, 0x80, 0xBF, 0xC0, 0xC3, 0xA9, 0xE0, 0xED,
          0x9F, 0xA0, 0xF0, 0x90, 0x8F, 0xF4, 0xF5, 0xFF, 0x0A, 0x27};
      unsigned pick = random();
      text.push_back(static_cast<char>(
          pick % 4 ? picky[pick / 4 % sizeof(picky)] : pick / 4 % 256));
    }
    EXPECT_EQ(tokenizer->decode(encode(*tokenizer, text), false), text);
  }
}

TEST(TokenizerTest, BytesNextToIllFormedOnesKeepTheirTokens) {
  TinyVocabulary vocabulary;
  int32_t e = vocabulary.merge(0xC3, 0xA9);
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, "\xFF\xC3\xA9\xC3"), Ids({0xFF, e, 0xC3}));
  // A surrogate, an overlong slash, and a character cut short.
  EXPECT_EQ(encode(*tokenizer, "\xED\xA0\x80"), Ids({0xED, 0xA0, 0x80}));
  EXPECT_EQ(encode(*tokenizer, "\xC0\xAF"), Ids({0xC0, 0xAF}));
  EXPECT_EQ(encode(*tokenizer, "\xF0\x9F\x98"), Ids({0xF0, 0x9F, 0x98}));
}

TEST(TokenizerTest, LeavesOutBytesWithoutToken) {
  TinyVocabulary vocabulary;
  vocabulary.data.tokens[4] = "nothing";
  vocabulary.data.unk = vocabulary.add("<unk>", TokenType::Unknown);
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(encode(*tokenizer, std::string_view("a\x04"
                                                "b",
                                                3)),
            Ids({'a', 'b'}));
}

TEST(TokenizerTest, HidesControlTokens) {
  TinyVocabulary vocabulary;
  int32_t control = vocabulary.add("<c>", TokenType::Control);
  int32_t user = vocabulary.add("<u>", TokenType::UserDefined);
  auto tokenizer = make(vocabulary);
  EXPECT_EQ(tokenizer->decode({'a', control, user}, false), "a<u>");
  EXPECT_EQ(tokenizer->decode({'a', control, user}, true), "a<c><u>");
  EXPECT_EQ(tokenizer->decode({-1, 100000, 'a'}, true), "a");
  EXPECT_EQ(tokenizer->find("<c>"), control);
  EXPECT_EQ(tokenizer->find("absent"), -1);
}

TEST(TokenizerTest, RefusesByName) {
  TinyVocabulary vocabulary;
  vocabulary.data.pre = "no-such-thing";
  auto created = Tokenizer::create(vocabulary.data);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.status().code(), StatusCode::Unsupported);
  EXPECT_NE(created.status().message().find("'no-such-thing'"),
            std::string::npos);

  vocabulary.data.pre = "gpt-2";
  vocabulary.data.model = "bert";
  created = Tokenizer::create(vocabulary.data);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.status().code(), StatusCode::Unsupported);
  EXPECT_NE(created.status().message().find("'bert'"), std::string::npos);
}

TEST(TokenizerTest, RefusesMergesThatMakeNoToken) {
  TinyVocabulary vocabulary;
  vocabulary.merge('a', 'b');
  vocabulary.data.merges.push_back('x');
  vocabulary.data.merges.push_back('y');
  auto created = Tokenizer::create(vocabulary.data);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.status().code(), StatusCode::CorruptFile);
  EXPECT_NE(created.status().message().find("merge 1"), std::string::npos);
}

} // namespace
