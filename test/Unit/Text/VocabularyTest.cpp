// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tokenizer against a real vocabulary, and ids that other people's
// tokenizers give: see generate_ids.py.

#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "runtime/core/text/ChatTemplate.h"
#include "runtime/core/text/Tokenizer.h"
#include "tools/common/ImportedTokenizer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

using namespace umber;
using json = nlohmann::json;
using Clock = std::chrono::steady_clock;

static double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

static json readJson(const std::string &path) {
  std::ifstream file(path);
  return json::parse(file, nullptr, /*allow_exceptions=*/false);
}

namespace {

class VocabularyTest : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    const char *path = std::getenv("UMBER_TEST_MODEL");
    if (!path) {
      return;
    }
    auto file = gguf::File::open(path);
    ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
    auto import = importTokenizer(**file);
    ASSERT_TRUE(bool(import)) << llvm::toString(import.takeError());
    imported = new TokenizerImport(std::move(*import));
    auto created = Tokenizer::create(makeTokenizerData(*imported));
    ASSERT_TRUE(created.ok()) << created.status().message();
    tokenizer = created->release();
  }

  static void TearDownTestSuite() {
    delete tokenizer;
    delete imported;
    tokenizer = nullptr;
    imported = nullptr;
  }

  void SetUp() override {
    if (!std::getenv("UMBER_TEST_MODEL")) {
      GTEST_SKIP() << "UMBER_TEST_MODEL names no GGUF file";
    }
    ASSERT_NE(tokenizer, nullptr);
  }

  static std::vector<int32_t> encode(std::string_view text,
                                     bool parseSpecial = false) {
    EncodeOptions options;
    options.parseSpecial = parseSpecial;
    auto ids = tokenizer->encode(text, options);
    EXPECT_TRUE(ids.ok()) << ids.status().message();
    return ids.ok() ? *ids : std::vector<int32_t>();
  }

  static TokenizerImport *imported;
  static Tokenizer *tokenizer;
};

TokenizerImport *VocabularyTest::imported = nullptr;
Tokenizer *VocabularyTest::tokenizer = nullptr;

TEST_F(VocabularyTest, AgreesWithReferenceTokenizers) {
  json cases = readJson(UMBER_TEST_DATA "/smollm2-ids.json");
  ASSERT_GT(cases.size(), 300u);
  for (const json &item : cases) {
    auto text = item["text"].get<std::string>();
    EXPECT_EQ(encode(text, true), item["ids"].get<std::vector<int32_t>>())
        << item["text"].dump(-1, ' ', /*ensure_ascii=*/true);
  }
}

TEST_F(VocabularyTest, AgreesWithGoldenPrompts) {
  json cases = readJson(UMBER_GOLDEN "/smollm2-135m-greedy.json");
  ASSERT_FALSE(cases.is_discarded());
  ASSERT_FALSE(cases.empty());
  for (const json &item : cases) {
    auto text = item["prompt"].get<std::string>();
    EXPECT_EQ(encode(text, true),
              item["prompt_ids"].get<std::vector<int32_t>>())
        << text;
  }
}

TEST_F(VocabularyTest, DecodesWhatItEncodes) {
  json cases = readJson(UMBER_TEST_DATA "/smollm2-ids.json");
  for (const json &item : cases) {
    auto text = item["text"].get<std::string>();
    // Bytes that no token stands for cannot come back.
    bool lossy = false;
    for (char byte : text) {
      lossy |=
          std::string_view("\x04\x06\x13\x14\x16\x1d\xf1\xf2").find(byte) !=
          std::string_view::npos;
    }
    if (!lossy) {
      EXPECT_EQ(tokenizer->decode(encode(text, true), true), text);
    }
  }
}

TEST_F(VocabularyTest, DecodesIllFormedTextExactly) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (unsigned i = 0, size = random() % 60; i < size; ++i) {
      // Continuation and lead bytes in any order, and ASCII; all of them bytes
      // that SmolLM2 has a token for.
      unsigned byte = random() % 3 ? 0x80 + random() % 0x40
                                   : (random() % 2 ? 0xC2 + random() % 0x2F
                                                   : 0x20 + random() % 0x5F);
      text.push_back(static_cast<char>(byte));
    }
    EXPECT_EQ(tokenizer->decode(encode(text), false), text);
  }
}

TEST_F(VocabularyTest, EncodesLongWordsInReasonableTime) {
  std::string letters(100000, 'a'), spaces(1000000, ' '), mixed;
  std::mt19937 random(3);
  for (int i = 0; i < 100000; ++i) {
    mixed.push_back(static_cast<char>('a' + random() % 26));
  }
  for (const std::string &text :
       {letters, spaces, mixed, std::string(1000000, '!')}) {
    auto start = Clock::now();
    std::vector<int32_t> ids = encode(text);
    EXPECT_EQ(tokenizer->decode(ids, false), text);
    // Quadratic merging takes minutes; this only rules that out.
    EXPECT_LT(millisecondsSince(start), 20000);
  }
}

TEST_F(VocabularyTest, IsUsedByManyThreads) {
  std::string text = "One tokenizer, 12 threads — and naïve café 漢字 😀\n\n";
  std::vector<int32_t> expected = encode(text);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        auto ids = tokenizer->encode(text, {});
        wrong[t] += !ids.ok() || *ids != expected;
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST_F(VocabularyTest, ReportsItsSpeed) {
  auto start = Clock::now();
  auto created = Tokenizer::create(makeTokenizerData(*imported));
  double load = millisecondsSince(start);
  ASSERT_TRUE(created.ok());
  json cases = readJson(UMBER_TEST_DATA "/smollm2-ids.json");
  std::string text;
  while (text.size() < 4000000) {
    text += "The quick brown fox jumps over the lazy dog, and it's 2026. "
            "def f(x):\n    return x + 1\n\nNaïve café. ";
  }
  start = Clock::now();
  size_t count = encode(text).size();
  double time = millisecondsSince(start);
  EXPECT_GT(count, 0u);
  std::printf("load %.2f ms, encode %.1f MB/s\n", load,
              static_cast<double>(text.size()) / 1e3 / time);
}

TEST_F(VocabularyTest, RendersTheModelsOwnTemplate) {
  auto chat = ChatTemplate::recognise(imported->chatTemplate);
  ASSERT_TRUE(chat.ok()) << chat.status().message();
  std::string text = chat->render({{"user", "Hi"}}, true);
  EXPECT_EQ(text, "<|im_start|>system\nYou are a helpful AI assistant named "
                  "SmolLM, trained by Hugging Face<|im_end|>\n"
                  "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  std::vector<int32_t> ids = encode(text, true);
  EXPECT_EQ(ids.front(), 1);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 2), 2);
}

} // namespace
