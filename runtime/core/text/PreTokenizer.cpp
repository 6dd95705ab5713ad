// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/text/PreTokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace umber {

namespace {

// The patterns that the models' own tokenizers were trained with. White space
// is spelled out where they say \s: PCRE2's also takes U+180E, which has not
// been white space since Unicode 6.3 and is none in theirs.
#define UMBER_WS R"(\p{Z}\t-\r\x{85})"
#define UMBER_LAST_WS "[" UMBER_WS "]+(?![^" UMBER_WS "])|[" UMBER_WS "]+"

constexpr const char *kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^)" UMBER_WS
    R"(\p{L}\p{N}]+|)" UMBER_LAST_WS;
constexpr const char *kDigit = R"(\p{N})";
constexpr const char *kThreeDigits = "[0-9][0-9][0-9]";
constexpr const char *kPunctuation = R"([\p{P}$+<=>^~|`]+)";

// Llama 3's and its descendants' differ in how many digits go together and in
// what a word is made of.
#define UMBER_LLAMA3(DIGITS, LETTERS)                                          \
  R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[)" LETTERS                \
  R"(]+|\p{N})" DIGITS "| ?[^" UMBER_WS LETTERS R"(\p{N}]+[\r\n]*|[)" UMBER_WS \
  R"(]*[\r\n]+|)" UMBER_LAST_WS
constexpr const char *kLlama3 = UMBER_LLAMA3("{1,3}", R"(\p{L})");
constexpr const char *kQwen2 = UMBER_LLAMA3("", R"(\p{L})");
constexpr const char *kQwen35 = UMBER_LLAMA3("", R"(\p{L}\p{M})");

struct Entry {
  const char *name;
  /// Each splits the pieces that the one before has left.
  const char *patterns[5];
  bool wholeWords;
};

constexpr Entry kEntries[] = {
    {"", {kGpt2}, false},
    {"default", {kGpt2}, false},
    {"gpt-2", {kGpt2}, false},
    {"mpt", {kGpt2}, false},
    {"smollm", {kDigit, kGpt2}, false},
    {"starcoder", {kDigit, kGpt2}, false},
    {"refact", {kDigit, kGpt2}, false},
    {"command-r", {kDigit, kGpt2}, false},
    {"llama-bpe", {kLlama3}, true},
    {"llama3", {kLlama3}, true},
    {"qwen2", {kQwen2}, false},
    {"stablelm2", {kQwen2}, false},
    {"qwen35", {kQwen35}, false},
    {"falcon", {kPunctuation, kGpt2, kThreeDigits}, false},
    {"deepseek-coder",
     {"[\r\n]", "[" UMBER_WS R"(]?\p{L}+)", "[" UMBER_WS R"(]?\p{P}+)",
      R"([\x{800}-\x{9fa5}\x{ac00}-\x{d7ff}]+)", kDigit},
     false},
};

/// Steps of backtracking in one match; only a hostile text needs more.
constexpr uint32_t kMatchLimit = 10000000;
/// Memory for it, in KiB; PCRE2 would take 20 GB.
constexpr uint32_t kHeapLimit = 64 * 1024;

} // namespace

struct PreTokenizer::Pattern {
  pcre2_code *code = nullptr;
  pcre2_match_context *context = nullptr;
  ~Pattern() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }

  Status split(std::string_view text,
               std::vector<std::string_view> &pieces) const;
};

PreTokenizer::PreTokenizer() = default;
PreTokenizer::~PreTokenizer() = default;

Result<std::unique_ptr<PreTokenizer>>
PreTokenizer::create(const std::string &name) {
  const Entry *found = nullptr;
  std::string known;
  for (const Entry &entry : kEntries) {
    found = name == entry.name ? &entry : found;
    known +=
        *entry.name ? std::string(known.empty() ? "" : ", ") + entry.name : "";
  }
  if (!found) {
    return Status(StatusCode::Unsupported,
                  "tokenizer: pre-tokenizer '" + name +
                      "' is not supported; supported are " + known);
  }
  std::unique_ptr<PreTokenizer> result(new PreTokenizer());
  result->wholeWords = found->wholeWords;
  for (const char *text : found->patterns) {
    if (!text) {
      continue;
    }
    int error;
    PCRE2_SIZE offset;
    auto pattern = std::make_unique<Pattern>();
    pattern->code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
    pattern->context = pcre2_match_context_create(nullptr);
    if (!pattern->code || !pattern->context) {
      return Status(StatusCode::Internal,
                    "tokenizer: could not compile the pattern of '" + name +
                        "'");
    }
    pcre2_set_match_limit(pattern->context, kMatchLimit);
    pcre2_set_heap_limit(pattern->context, kHeapLimit);
    // Where there is no JIT for the processor, matching is slower and the same.
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    result->patterns.push_back(std::move(pattern));
  }
  return result;
}

Status
PreTokenizer::Pattern::split(std::string_view text,
                             std::vector<std::string_view> &pieces) const {
  pcre2_match_data *match = pcre2_match_data_create(1, nullptr);
  if (!match) {
    return Status(StatusCode::OutOfMemory, "tokenizer: out of memory");
  }
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
  size_t done = 0, from = 0;
  int found = 0;
  while (from < text.size()) {
    found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()),
                        text.size(), from, PCRE2_NO_UTF_CHECK, match, context);
    if (found < 0) {
      break;
    }
    size_t begin = range[0], end = range[1];
    if (begin > done) {
      pieces.push_back(text.substr(done, begin - done));
    }
    if (end > begin) {
      pieces.push_back(text.substr(begin, end - begin));
    }
    done = end;
    from = end > begin ? end : end + 1;
  }
  pcre2_match_data_free(match);
  if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
    return Status(StatusCode::InvalidArgument,
                  "tokenizer: the text is too hard to split into words "
                  "(pcre2 error " +
                      std::to_string(found) + ")");
  }
  if (done < text.size()) {
    pieces.push_back(text.substr(done));
  }
  return Status();
}

Status PreTokenizer::split(std::string_view text,
                           std::vector<std::string_view> &words) const {
  std::vector<std::string_view> pieces = {text}, next;
  for (const auto &pattern : patterns) {
    next.clear();
    for (std::string_view piece : pieces) {
      if (Status status = pattern->split(piece, next); !status.ok()) {
        return status;
      }
    }
    pieces.swap(next);
  }
  words.insert(words.end(), pieces.begin(), pieces.end());
  return Status();
}

} // namespace umber
