// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/text/PreTokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace umber {

namespace {

// The patterns that the models' own tokenizers were trained with.
constexpr const char *kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char *kDigit = R"(\p{N})";
constexpr const char *kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Entry {
  const char *name;
  /// Each splits the pieces that the one before has left.
  const char *patterns[2];
  bool wholeWords;
};

constexpr Entry kEntries[] = {
    {"", {kGpt2, nullptr}, false},
    {"default", {kGpt2, nullptr}, false},
    {"gpt-2", {kGpt2, nullptr}, false},
    {"smollm", {kDigit, kGpt2}, false},
    {"llama-bpe", {kLlama3, nullptr}, true},
    {"llama3", {kLlama3, nullptr}, true},
    {"qwen2", {kQwen2, nullptr}, false},
};

/// Steps of backtracking in one match; only a hostile text needs more.
constexpr uint32_t kMatchLimit = 10000000;

} // namespace

struct PreTokenizer::Pattern {
  pcre2_code *code = nullptr;
  pcre2_match_context *context = nullptr;
  ~Pattern() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }

  Status split(std::string_view text, std::vector<std::string_view> &pieces) const;
};

PreTokenizer::PreTokenizer() = default;
PreTokenizer::~PreTokenizer() = default;

Result<std::unique_ptr<PreTokenizer>>
PreTokenizer::create(const std::string &name) {
  const Entry *found = nullptr;
  std::string known;
  for (const Entry &entry : kEntries) {
    found = name == entry.name ? &entry : found;
    known += *entry.name ? std::string(known.empty() ? "" : ", ") + entry.name
                         : "";
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
    // Where there is no JIT for the processor, matching is slower and the same.
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    result->patterns.push_back(std::move(pattern));
  }
  return result;
}

Status PreTokenizer::Pattern::split(std::string_view text,
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
