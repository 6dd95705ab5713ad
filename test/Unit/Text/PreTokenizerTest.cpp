// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where words end, by the name of the pre-tokenizer.

#include "runtime/core/text/PreTokenizer.h"

#include <gtest/gtest.h>

using namespace umber;
using Words = std::vector<std::string_view>;

namespace {

Words split(const std::string &name, std::string_view text) {
  auto created = PreTokenizer::create(name);
  EXPECT_TRUE(created.ok()) << created.status().message();
  Words words;
  if (created.ok()) {
    Status status = (*created)->split(text, words);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  return words;
}

TEST(PreTokenizerTest, Gpt2) {
  EXPECT_EQ(split("gpt-2", "I'm here,  at 10:30!\n\n ok"),
            Words({"I", "'m", " here", ",", " ", " at", " 10", ":", "30", "!",
                   "\n\n", " ok"}));
  EXPECT_EQ(split("gpt-2", "I'M"), Words({"I", "'", "M"}));
}

TEST(PreTokenizerTest, SmolLmSplitsDigitsFirst) {
  EXPECT_EQ(split("smollm", "a 123"), Words({"a", " ", "1", "2", "3"}));
  // The space is a piece of its own before the words are made.
  EXPECT_EQ(split("smollm", "1 b"), Words({"1", " b"}));
  EXPECT_EQ(split("smollm", "x\xC2\xB2"), Words({"x", "\xC2\xB2"}));
}

TEST(PreTokenizerTest, Llama3AndQwen2) {
  EXPECT_EQ(split("llama-bpe", "I'M 12345"),
            Words({"I", "'M", " ", "123", "45"}));
  EXPECT_EQ(split("qwen2", "I'M 12"), Words({"I", "'M", " ", "1", "2"}));
  EXPECT_EQ(split("llama-bpe", "(foo)\n\nbar"),
            Words({"(foo", ")\n\n", "bar"}));
}

TEST(PreTokenizerTest, FalconTakesThreeDigitsAtATime) {
  EXPECT_EQ(split("falcon", "a+b 12345"),
            Words({"a", "+", "b", " ", "123", "45"}));
}

TEST(PreTokenizerTest, MongolianVowelSeparatorIsNoSpace) {
  // U+180E: white space until Unicode 6.3, and in PCRE2's \s still.
  EXPECT_EQ(split("gpt-2", "\xE1\xA0\x8E."), Words({"\xE1\xA0\x8E."}));
}

TEST(PreTokenizerTest, CoversTheText) {
  constexpr char raw[] = "a\0b \xE3\x80\x80 \xF0\x9F\x98\x80\r\n\t 'x 1";
  std::string text(raw, sizeof(raw) - 1);
  for (const char *name :
       {"default", "gpt-2", "mpt", "smollm", "starcoder", "refact", "command-r",
        "llama-bpe", "llama3", "qwen2", "stablelm2", "qwen35", "falcon",
        "deepseek-coder"}) {
    std::string all;
    for (std::string_view word : split(name, text)) {
      EXPECT_FALSE(word.empty()) << name;
      all += word;
    }
    EXPECT_EQ(all, text) << name;
  }
}

TEST(PreTokenizerTest, SurvivesMonotonousText) {
  for (const char *unit : {"a", "A", " ", "\n", "1", "!", "'", "\xE6\xBC\xA2",
                           " \n", "'s", "a1"}) {
    std::string text;
    while (text.size() < 300000) {
      text += unit;
    }
    for (const char *name : {"gpt-2", "smollm", "llama-bpe", "qwen35", "falcon",
                             "deepseek-coder"}) {
      EXPECT_FALSE(split(name, text).empty());
    }
  }
}

TEST(PreTokenizerTest, UnknownNameListsTheKnown) {
  auto created = PreTokenizer::create("martian");
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.status().code(), StatusCode::Unsupported);
  EXPECT_NE(created.status().message().find("'martian'"), std::string::npos);
  EXPECT_NE(created.status().message().find("smollm"), std::string::npos);
}

} // namespace
