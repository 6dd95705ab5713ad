// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/EncodingText.h"

#include <charconv>
#include <initializer_list>
#include <map>
#include <string_view>

namespace umber {

namespace {

/// Higher than any matrix, and low enough that sums with it cannot overflow.
constexpr int64_t kMaxHeight = int64_t(1) << 40;

Status bad(const std::string &expected) {
  return Status(StatusCode::CorruptFile, "expected " + expected);
}

class Parser {
public:
  explicit Parser(const std::string &text) : text(text), rest(text) {}

  /// Reads `name<key = value, ...>`.
  Status run();

  const std::string &text;
  std::string_view name;
  std::map<std::string_view, std::string_view> fields;

private:
  /// What is before the first of `ends`, and which of them it was; the text
  /// after it is left to read.
  std::string_view take(const char *ends, char &end) {
    size_t at = rest.find_first_of(ends);
    std::string_view part = rest.substr(0, at);
    end = at == std::string_view::npos ? '\0' : rest[at];
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    return part;
  }
  static std::string_view trim(std::string_view part) {
    while (!part.empty() && part.front() == ' ') {
      part.remove_prefix(1);
    }
    while (!part.empty() && part.back() == ' ') {
      part.remove_suffix(1);
    }
    return part;
  }

  std::string_view rest;
};

Status Parser::run() {
  char end;
  name = take("<", end);
  while (end == '<' || end == ',') {
    std::string_view key = trim(take("=", end));
    std::string_view value = trim(take(",>", end));
    if (end == '\0' || !fields.emplace(key, value).second) {
      break;
    }
  }
  if (end != '>' || !rest.empty()) {
    return bad("an encoding like palette<bits = 4, rows = 16>, found '" + text +
               "'");
  }
  return Status();
}

/// Takes fields out of a parser's, checking them.
class Fields {
public:
  explicit Fields(Parser &parser) : parser(parser) {}

  /// A number from `least` to `most`; `otherwise` where there is none.
  int64_t number(std::string_view key, int64_t least, int64_t most,
                 int64_t otherwise) {
    auto it = parser.fields.find(key);
    if (it == parser.fields.end()) {
      if (otherwise < 0) {
        fail(std::string(key));
      }
      return otherwise;
    }
    std::string_view value = it->second;
    int64_t parsed = -1;
    const char *end = value.data() + value.size();
    auto [stop, error] = std::from_chars(value.data(), end, parsed);
    if (error != std::errc() || stop != end || parsed < least ||
        parsed > most) {
      fail(std::string(key) + " from " + std::to_string(least) + " to " +
           std::to_string(most));
    }
    parser.fields.erase(it);
    return parsed;
  }

  /// A width that divides `columns`; 0 stands for all of them.
  int64_t width(std::string_view key, int64_t columns) {
    int64_t value = number(key, 0, columns, 0);
    if (status.ok() && value != 0 && columns % value != 0) {
      fail(std::string(key) + " that divides " + std::to_string(columns) +
           " columns");
    }
    return value == 0 ? columns : value;
  }

  /// Which of `words` stands there; the first where there is none.
  std::string_view word(std::string_view key,
                        std::initializer_list<std::string_view> words) {
    auto it = parser.fields.find(key);
    if (it == parser.fields.end()) {
      return *words.begin();
    }
    for (std::string_view word : words) {
      if (it->second == word) {
        parser.fields.erase(it);
        return word;
      }
    }
    fail("a known " + std::string(key));
    return *words.begin();
  }

  void fail(const std::string &expected) {
    if (status.ok()) {
      status =
          bad("an encoding with " + expected + ", found '" + parser.text + "'");
    }
  }

  /// The first thing that was wrong; fields that nothing has taken are.
  Status finish() {
    if (!parser.fields.empty()) {
      fail("known fields");
    }
    return status;
  }

private:
  Parser &parser;
  Status status;
};

} // namespace

Result<PanelEncoding> parseEncoding(const std::string &text, int64_t columns) {
  Parser parser(text);
  if (Status status = parser.run(); !status.ok()) {
    return status;
  }
  Fields fields(parser);
  PanelEncoding encoding = {columns, 8, 0, columns, 1, columns};
  if (parser.name == "palette") {
    encoding.bits = fields.number("bits", 1, 8, -1);
    if (encoding.bits == 5 || encoding.bits == 7) {
      fields.fail("1, 2, 3, 4, 6 or 8 bits");
    }
    encoding.tableRows = fields.number("rows", 1, kMaxHeight, -1);
    encoding.tableColumns = fields.width("cols", columns);
    bool perRow = fields.word("scale", {"table", "row"}) == "row";
    encoding.scaleRows = perRow ? 1 : encoding.tableRows;
    encoding.scaleColumns =
        perRow ? fields.width("scale_cols", columns) : encoding.tableColumns;
  } else if (parser.name == "quantized") {
    // Narrower integers are stored as bytes too.
    fields.number("bits", 2, 8, -1);
    encoding.scaleColumns = fields.width("group", columns);
  } else {
    return bad("a palette or a quantized encoding, found '" + text + "'");
  }
  if (Status status = fields.finish(); !status.ok()) {
    return status;
  }
  return encoding;
}

} // namespace umber
