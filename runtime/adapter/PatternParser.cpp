// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a pattern's text to the instructions that match it.

#include "runtime/adapter/Pattern.h"
#include "runtime/adapter/Quote.h"

#include <algorithm>
#include <optional>
#include <string>

namespace umber {

namespace {

/// Far above what configurations have, and low enough for any stack.
constexpr int kMaxDepth = 64;
constexpr size_t kMaxProgram = 1 << 14;
constexpr uint32_t kMaxRepeats = 1 << 15; // Refused with a part of any length.
constexpr uint32_t kNoLimit = ~0u;

} // namespace

/// Each part's instructions follow those of the part before it. What a part
/// needs in front of it is put there when it is known, so jumps are relative to
/// the start of the part until then.
class PatternParser {
public:
  explicit PatternParser(std::string_view text) : text(text) {}

  Result<Pattern> parse() {
    Code code = alternatives(0);
    if (at < text.size()) {
      fail("no ')' without a '('");
    }
    if (!error.empty()) {
      return Status(StatusCode::CorruptFile, error);
    }
    code.push_back({Pattern::Kind::Match, 0, 0, false});
    for (uint32_t i = 0; i < code.size(); ++i) {
      code[i].other += i;
    }
    pattern.program = std::move(code);
    return std::move(pattern);
  }

private:
  using Kind = Pattern::Kind;
  /// `other` counts from the instruction itself, modulo 2^32, so that code can
  /// be moved and copied.
  using Code = std::vector<Pattern::Instruction>;

  bool failed() const { return !error.empty(); }

  void fail(const std::string &expected) {
    if (!failed()) {
      error = "expected a regular expression with " + expected +
              ", found another at character " + std::to_string(at);
    }
    at = text.size();
  }

  bool take(char c) {
    bool found = at < text.size() && text[at] == c;
    at += found;
    return found;
  }

  void append(Code &code, const Code &more) {
    if (code.size() + more.size() > kMaxProgram) {
      fail("at most " + std::to_string(kMaxProgram) + " steps");
      return;
    }
    code.insert(code.end(), more.begin(), more.end());
  }

  static Code fork(size_t other, bool onlyOther = false) {
    return {{Kind::Fork, 0, uint32_t(other), onlyOther}};
  }

  Code character(const Pattern::Set &set) {
    pattern.sets.push_back(set);
    return {{Kind::Char, uint32_t(pattern.sets.size() - 1), 0, false}};
  }

  Code alternatives(int depth) {
    Code code = sequence(depth);
    while (!failed() && take('|')) {
      Code right = sequence(depth);
      // Fork to both, and over the right one from the left one's end.
      Code both = fork(code.size() + 2);
      append(both, code);
      append(both, fork(right.size() + 1, /*onlyOther=*/true));
      append(both, right);
      code = std::move(both);
    }
    return code;
  }

  Code sequence(int depth) {
    Code code;
    while (!failed() && at < text.size() && text[at] != '|' &&
           text[at] != ')') {
      Code part = atom(depth);
      // Python cannot repeat an anchor either.
      bool isAnchor = part.size() == 1 && (part[0].kind == Kind::Begin ||
                                           part[0].kind == Kind::End);
      append(code, repetition(part, isAnchor && text[at - 1] != ')'));
    }
    return code;
  }

  Code repetition(const Code &part, bool isAnchor) {
    uint32_t least = 0, most = kNoLimit;
    if (take('+')) {
      least = 1;
    } else if (take('?')) {
      most = 1;
    } else if (!take('*') && !takeCounts(least, most)) {
      return part;
    }
    if (isAnchor) {
      fail("something to repeat");
    }
    // Lazy ones match the same texts.
    take('?');
    if (at < text.size() &&
        std::string_view("*+?").find(text[at]) != std::string_view::npos) {
      fail("one repetition of a part");
    }
    Code code;
    for (uint32_t i = 0; i < least && !failed(); ++i) {
      append(code, part);
    }
    if (most == kNoLimit) {
      append(code, fork(part.size() + 2));
      append(code, part);
      append(code, fork(-part.size() - 1, /*onlyOther=*/true));
    }
    for (uint32_t i = least; most != kNoLimit && i < most && !failed(); ++i) {
      append(code, fork(part.size() + 1));
      append(code, part);
    }
    return code;
  }

  std::optional<uint32_t> number() {
    size_t start = at;
    uint32_t value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = std::min(value * 10 + uint32_t(text[at++] - '0'), kMaxRepeats);
    }
    return at > start ? std::optional<uint32_t>(value) : std::nullopt;
  }

  /// `{m}`, `{m,}`, `{,n}` or `{m,n}`; any other brace is a character.
  bool takeCounts(uint32_t &least, uint32_t &most) {
    size_t start = at;
    if (!take('{')) {
      return false;
    }
    std::optional<uint32_t> low = number(), high = low;
    bool isRange = take(',');
    if (isRange) {
      high = number();
    }
    if (!take('}') || (!low && !isRange)) {
      at = start;
      return false;
    }
    least = low.value_or(0);
    most = high.value_or(kNoLimit);
    if (least > most) {
      fail("repetitions from less to more");
    }
    return true;
  }

  Code atom(int depth) {
    char c = text[at++];
    switch (c) {
    case '(':
      return group(depth);
    case '[':
      return character(characterClass());
    case '.':
      return character(~Pattern::Set().set('\n'));
    case '^':
      return {{Kind::Begin, 0, 0, false}};
    case '$':
      return {{Kind::End, 0, 0, false}};
    case '\\':
      if (take('A')) {
        return {{Kind::Begin, 0, 0, false}};
      }
      if (take('Z')) {
        return {{Kind::End, 0, 0, false}};
      }
      return character(escaped());
    case '*':
    case '+':
    case '?':
      fail("something to repeat");
      return {};
    case '{': {
      uint32_t least, most;
      --at;
      if (takeCounts(least, most)) {
        fail("something to repeat");
        return {};
      }
      ++at;
      return character(Pattern::Set().set(uint8_t(c)));
    }
    default:
      return character(Pattern::Set().set(uint8_t(c)));
    }
  }

  Code group(int depth) {
    if (depth == kMaxDepth) {
      fail("groups that nest " + std::to_string(kMaxDepth) + " deep at most");
      return {};
    }
    if (take('?')) {
      if (take('P')) {
        size_t end = text.find('>', at);
        if (!take('<') || end == std::string_view::npos) {
          fail("plain groups");
          return {};
        }
        at = end + 1;
      } else if (!take(':')) {
        fail("plain groups");
        return {};
      }
    }
    Code code = alternatives(depth + 1);
    if (!take(')')) {
      fail("a ')' for every '('");
    }
    return code;
  }

  /// Behind the backslash.
  Pattern::Set escaped() {
    Pattern::Set set;
    if (at == text.size()) {
      fail("something behind a backslash");
      return set;
    }
    char c = text[at++];
    auto range = [&](char first, char last) {
      for (int i = first; i <= last; ++i) {
        set.set(size_t(i));
      }
    };
    switch (c) {
    case 'd':
    case 'D':
      range('0', '9');
      return c == 'd' ? set : ~set;
    case 'w':
    case 'W':
      range('0', '9');
      range('a', 'z');
      range('A', 'Z');
      set.set('_');
      return c == 'w' ? set : ~set;
    case 's':
    case 'S':
      range('\t', '\r');
      set.set(' ');
      return c == 's' ? set : ~set;
    }
    bool isAlphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z');
    if (isAlphanumeric) {
      fail("the escapes \\d, \\w, \\s, \\A and \\Z");
    }
    return set.set(uint8_t(c));
  }

  Pattern::Set characterClass() {
    bool negated = take('^');
    Pattern::Set set;
    // A bracket at the beginning is a character.
    for (bool first = true; first || !take(']'); first = false) {
      if (at >= text.size()) {
        fail("a ']' for every '['");
        break;
      }
      Pattern::Set low = member();
      bool isRange =
          at + 1 < text.size() && text[at] == '-' && text[at + 1] != ']';
      if (!isRange) {
        set |= low;
        continue;
      }
      ++at;
      Pattern::Set high = member();
      if (low.count() != 1 || high.count() != 1) {
        fail("ranges from one character to another");
        break;
      }
      size_t from = lowest(low), to = lowest(high);
      if (from > to) {
        fail("ranges from a lower character to a higher one");
        break;
      }
      for (size_t i = from; i <= to; ++i) {
        set.set(i);
      }
    }
    return negated ? ~set : set;
  }

  Pattern::Set member() {
    char c = text[at++];
    return c == '\\' ? escaped() : Pattern::Set().set(uint8_t(c));
  }

  /// The set's lowest character; it has one.
  static size_t lowest(const Pattern::Set &set) {
    size_t i = 0;
    while (!set[i]) {
      ++i;
    }
    return i;
  }

  std::string_view text;
  size_t at = 0;
  std::string error;
  Pattern pattern;
};

Result<Pattern> Pattern::parse(std::string_view text) {
  return PatternParser(text).parse();
}

} // namespace umber
