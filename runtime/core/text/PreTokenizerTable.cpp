// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pre-tokenizers that Umber knows, by their GGUF name. The patterns are the
// models' own, from their tokenizer.json, in PCRE2's syntax; the names and the
// flags that go with them are those that GGUF converters write.

#include "runtime/core/text/PreTokenizerTable.h"

namespace umber {

// White space is spelled out because PCRE2's \s also takes U+180E, which has
// not been white space since Unicode 6.3. UMBER_WS goes into brackets.
#define UMBER_WS "\\p{Z}\\t-\\r\\x{85}"
#define UMBER_SPACES "[" UMBER_WS "]+(?![^" UMBER_WS "])"

// English contractions, any case, as the models' (?i:...) was matched in ASCII.
#define UMBER_CONTRACTIONS                                                     \
  "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"

// A word, with a space before it, in GPT-2's way. What no alternative takes
// becomes a piece of its own, hence there is no last one for single spaces.
#define UMBER_GPT2                                                             \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+"                                \
  "| ?[^" UMBER_WS "\\p{L}\\p{N}]+|" UMBER_SPACES

// Llama 3's and its descendants': DIGITS is how many digits go together,
// LETTER what a word consists of (with \p{L} in brackets, further categories).
#define UMBER_LLAMA3(DIGITS, LETTER)                                           \
  UMBER_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?[" LETTER "]+|\\p{N}" DIGITS      \
                     "| ?[^" UMBER_WS LETTER "\\p{N}]+[\\r\\n]*"               \
                     "|[" UMBER_WS "]*[\\r\\n]+|" UMBER_SPACES "|[" UMBER_WS   \
                     "]+"

// GPT-4o's words end where lower case turns to upper case; TAIL is an optional
// contraction. Mistral's Tekken is the same without one.
#define UMBER_UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define UMBER_LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define UMBER_GPT4O(DIGITS, TAIL)                                              \
  "[^\\r\\n\\p{L}\\p{N}]?" UMBER_UPPER "*" UMBER_LOWER "+" TAIL                \
  "|[^\\r\\n\\p{L}\\p{N}]?" UMBER_UPPER "+" UMBER_LOWER "*" TAIL               \
  "|\\p{N}" DIGITS "| ?[^" UMBER_WS "\\p{L}\\p{N}]+[\\r\\n/]*"                 \
  "|[" UMBER_WS "]*[\\r\\n]+|" UMBER_SPACES "|[" UMBER_WS "]+"

// Punctuation in a piece of its own, ASCII symbols included.
#define UMBER_PUNCTUATION "[\\p{P}$+<=>^~|`]+"

static const PreTokenizerInfo fallback = {
    {"[\\p{P}$+<=>^~|]+", UMBER_GPT2, "\\p{N}+", "[0-9][0-9][0-9]", nullptr},
    false,
    false};
static const PreTokenizerInfo gpt2 = {{UMBER_GPT2, nullptr}, false, false};
static const PreTokenizerInfo singleDigits = {
    {"\\p{N}", UMBER_GPT2, nullptr}, false, false};
static const PreTokenizerInfo llama3 = {
    {UMBER_LLAMA3("{1,3}", "\\p{L}"), nullptr}, true, true};
static const PreTokenizerInfo dbrx = {
    {UMBER_LLAMA3("{1,3}", "\\p{L}"), nullptr}, false, false};
static const PreTokenizerInfo qwen2 = {
    {UMBER_LLAMA3("", "\\p{L}"), nullptr}, false, false};
static const PreTokenizerInfo qwen35 = {
    {UMBER_LLAMA3("", "\\p{L}\\p{M}"), nullptr}, false, false};
static const PreTokenizerInfo falcon = {
    {UMBER_PUNCTUATION, UMBER_GPT2, "[0-9][0-9][0-9]", nullptr}, false, false};
static const PreTokenizerInfo deepseekCoder = {
    {"[\\r\\n]", "[" UMBER_WS "]?\\p{L}+", "[" UMBER_WS "]?\\p{P}+",
     "[\\x{800}-\\x{9fa5}\\x{ac00}-\\x{d7ff}]+", "\\p{N}", nullptr},
    false,
    false};
static const PreTokenizerInfo gpt4o = {
    {UMBER_GPT4O("{1,3}", "(?:" UMBER_CONTRACTIONS ")?"), nullptr},
    false,
    false};
static const PreTokenizerInfo tekken = {
    {UMBER_GPT4O("", ""), nullptr}, true, true};

static const struct {
  std::string_view name;
  const PreTokenizerInfo *info;
} table[] = {
    {"default", &fallback},
    {"gpt-2", &gpt2},
    {"phi-2", &gpt2},
    {"modern-bert", &gpt2},
    {"exaone4", &gpt2},
    {"mpt", &gpt2},
    {"olmo", &gpt2},
    {"smollm", &singleDigits},
    {"starcoder", &singleDigits},
    {"refact", &singleDigits},
    {"command-r", &singleDigits},
    {"codeshell", &singleDigits},
    {"exaone", &singleDigits},
    {"llama-bpe", &llama3},
    {"llama3", &llama3},
    {"llama-v3", &llama3},
    {"falcon3", &llama3},
    {"lfm2", &llama3},
    {"dbrx", &dbrx},
    {"smaug-bpe", &dbrx},
    {"qwen2", &qwen2},
    {"stablelm2", &qwen2},
    {"deepseek-r1-qwen", &qwen2},
    {"qwen35", &qwen35},
    {"falcon", &falcon},
    {"deepseek-coder", &deepseekCoder},
    {"gpt-4o", &gpt4o},
    {"llama4", &gpt4o},
    {"tekken", &tekken},
};

const PreTokenizerInfo *findPreTokenizer(std::string_view name) {
  for (const auto &entry : table) {
    if (entry.name == (name.empty() ? "default" : name)) {
      return entry.info;
    }
  }
  return nullptr;
}

} // namespace umber
