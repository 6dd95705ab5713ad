// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Splits text into the words that byte-pair merges do not cross.

#include "runtime/core/text/PreTokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string>

namespace umber {

/// A pattern comes from a package, a text from anyone. PCRE2's own default of
/// ten million steps a match stays (well under a second); its default of 20 GB
/// of backtracking memory does not.
static constexpr uint32_t heapLimitKiB = 64 * 1024;
static constexpr size_t maxPatternLength = 64 * 1024;

namespace {

struct Deleter {
  void operator()(pcre2_code *code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context *context) const {
    pcre2_match_context_free(context);
  }
  void operator()(pcre2_compile_context *context) const {
    pcre2_compile_context_free(context);
  }
};

template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

} // namespace

struct PreTokenizer::Pattern {
  Owned<pcre2_code> code;
  Owned<pcre2_match_context> limits;
  /// Position in the chain, from 1, for messages.
  size_t number = 0;
};

PreTokenizer::PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer &&) noexcept = default;
PreTokenizer &PreTokenizer::operator=(PreTokenizer &&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

static std::string errorText(int code) {
  PCRE2_UCHAR buffer[256];
  int length = pcre2_get_error_message(code, buffer, sizeof(buffer));
  return length < 0 ? "PCRE2 error " + std::to_string(code)
                    : std::string(reinterpret_cast<const char *>(buffer),
                                  static_cast<size_t>(length));
}

static Status outOfMemory() {
  return Status(StatusCode::OutOfMemory,
                "tokenizer: no memory for the pre-tokenizer");
}

Result<PreTokenizer>
PreTokenizer::create(const std::vector<std::string_view> &patterns) {
  Owned<pcre2_compile_context> context(pcre2_compile_context_create(nullptr));
  if (!context) {
    return outOfMemory();
  }
  pcre2_set_max_pattern_length(context.get(), maxPatternLength);

  PreTokenizer result;
  for (std::string_view source : patterns) {
    auto pattern = std::make_unique<Pattern>();
    pattern->number = result.patterns.size() + 1;
    int error = 0;
    PCRE2_SIZE offset = 0;
    pattern->code.reset(pcre2_compile(
        reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
        PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
        context.get()));
    if (!pattern->code) {
      return Status(StatusCode::CorruptFile,
                    "tokenizer: pre-tokenizer pattern " +
                        std::to_string(pattern->number) + ", offset " +
                        std::to_string(offset) + ": " + errorText(error));
    }
    // Where there is no just-in-time compiler, or it may not map executable
    // memory, PCRE2 interprets the same code: slower, nothing else.
    (void)pcre2_jit_compile(pattern->code.get(), PCRE2_JIT_COMPLETE);
    pattern->limits.reset(pcre2_match_context_create(nullptr));
    if (!pattern->limits) {
      return outOfMemory();
    }
    pcre2_set_heap_limit(pattern->limits.get(), heapLimitKiB);
    result.patterns.push_back(std::move(pattern));
  }
  return result;
}

/// Appends the pieces of one span. The offsets in `spans` are into `text`.
static Status splitSpan(const pcre2_code *code, pcre2_match_context *limits,
                        pcre2_match_data *match, size_t number,
                        std::string_view text, PreTokenizer::Span span,
                        std::vector<PreTokenizer::Span> &spans) {
  std::string_view piece = text.substr(span.begin, span.end - span.begin);
  auto subject = reinterpret_cast<PCRE2_SPTR>(piece.data());
  const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(match);
  size_t done = 0;
  size_t from = 0;
  uint32_t options = PCRE2_NO_UTF_CHECK;
  auto emit = [&](size_t end) {
    if (end > done) {
      spans.push_back({span.begin + done, span.begin + end});
      done = end;
    }
  };
  while (from < piece.size()) {
    int rc =
        pcre2_match(code, subject, piece.size(), from, options, match, limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
      // The interpreter keeps its state on the heap, which is larger.
      rc = pcre2_match(code, subject, piece.size(), from,
                       options | PCRE2_NO_JIT, match, limits);
    }
    if (rc == PCRE2_ERROR_NOMATCH) {
      break;
    }
    if (rc < 0) {
      return Status(StatusCode::InvalidArgument,
                    "tokenizer: pre-tokenizer pattern " +
                        std::to_string(number) + " gave up at byte " +
                        std::to_string(span.begin + from) +
                        " of the text: " + errorText(rc));
    }
    // With \K a match may start after it ends; such a match is taken as empty.
    size_t end = bounds[1];
    size_t begin = bounds[0] < end ? bounds[0] : end;
    emit(begin);
    emit(end);
    // An empty match cuts without taking anything; the next one must not be
    // empty at the same place, or this would never end.
    options = PCRE2_NO_UTF_CHECK | (begin == end ? PCRE2_NOTEMPTY_ATSTART : 0u);
    from = end > from ? end : from;
  }
  emit(piece.size());
  return Status();
}

Status PreTokenizer::split(std::string_view text,
                           std::vector<Span> &spans) const {
  spans.clear();
  if (text.empty()) {
    return Status();
  }
  spans.push_back({0, text.size()});
  std::vector<Span> previous;
  for (const auto &pattern : patterns) {
    Owned<pcre2_match_data> match(pcre2_match_data_create(1, nullptr));
    if (!match) {
      return outOfMemory();
    }
    previous.swap(spans);
    spans.clear();
    for (Span span : previous) {
      Status status =
          splitSpan(pattern->code.get(), pattern->limits.get(), match.get(),
                    pattern->number, text, span, spans);
      if (!status.ok()) {
        return status;
      }
    }
  }
  return Status();
}

} // namespace umber
