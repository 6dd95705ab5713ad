// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text that appears while it is generated.

#include "test/Unit/Text/TinyVocabulary.h"

#include <gtest/gtest.h>

using namespace umber;
using umber::testing::TinyVocabulary;

namespace {

class DetokenizerTest : public ::testing::Test {
protected:
  DetokenizerTest() {
    control = vocabulary.add("<c>", TokenType::Control);
    auto created = Tokenizer::create(vocabulary.data);
    EXPECT_TRUE(created.ok());
    tokenizer = std::move(*created);
  }

  /// What each byte of a text shows when it comes as a token of its own; the
  /// last entry is what the end shows.
  std::vector<std::string> stream(std::string_view bytes) {
    Detokenizer detokenizer(*tokenizer, false);
    std::vector<std::string> shown;
    for (char byte : bytes) {
      shown.emplace_back(detokenizer.push(static_cast<uint8_t>(byte)));
    }
    shown.emplace_back(detokenizer.finish());
    return shown;
  }

  TinyVocabulary vocabulary;
  int32_t control;
  std::unique_ptr<Tokenizer> tokenizer;
};

using Shown = std::vector<std::string>;

TEST_F(DetokenizerTest, HoldsBackSplitCharacters) {
  EXPECT_EQ(stream("a\xC3\xA9z"), Shown({"a", "", "\xC3\xA9", "z", ""}));
  EXPECT_EQ(stream("\xE6\xBC\xA2"), Shown({"", "", "\xE6\xBC\xA2", ""}));
  EXPECT_EQ(stream("\xF0\x9F\x98\x80"),
            Shown({"", "", "", "\xF0\x9F\x98\x80", ""}));
}

TEST_F(DetokenizerTest, LosesNoBytes) {
  // Cut short in the middle and at the end, and never valid at all.
  for (std::string text : {"\xF0\x9F\x98", "\xC3Z", "\xF0\x9FZ\xC3\xA9",
                           "\xFF\xFE", "\xE0\x80\x80", "\xED\xA0\x80\xC3"}) {
    std::string all;
    for (const std::string &part : stream(text)) {
      all += part;
    }
    EXPECT_EQ(all, text);
  }
}

TEST_F(DetokenizerTest, DoesNotWaitForWhatCannotCome) {
  EXPECT_EQ(stream("\xFF"), Shown({"\xFF", ""}));
  EXPECT_EQ(stream("\xE0\x80"), Shown({"", "\xE0\x80", ""}));
  EXPECT_EQ(stream("\xC3Z"), Shown({"", "\xC3Z", ""}));
}

TEST_F(DetokenizerTest, ShowsControlTokensWhenAsked) {
  Detokenizer hiding(*tokenizer, false), showing(*tokenizer, true);
  EXPECT_EQ(hiding.push(control), "");
  EXPECT_EQ(showing.push(control), "<c>");
  // A control token between the halves of a character does not break it.
  EXPECT_EQ(hiding.push(0xC3), "");
  EXPECT_EQ(hiding.push(control), "");
  EXPECT_EQ(hiding.push(0xA9), "\xC3\xA9");
}

} // namespace
