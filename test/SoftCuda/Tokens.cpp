// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Tokens.h"

#include <cctype>

using namespace umber::softcuda;

namespace {

bool startsName(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '%' || c == '.';
}

bool isOfName(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         c == '.';
}

} // namespace

Tokens::Tokens(const std::string &text) : text(text) { advance(); }

void Tokens::skipSpace() {
  while (at < text.size()) {
    if (text[at] == '\n') {
      ++line;
      ++at;
    } else if (std::isspace(static_cast<unsigned char>(text[at]))) {
      ++at;
    } else if (text.compare(at, 2, "//") == 0) {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.compare(at, 2, "/*") == 0) {
      size_t end = text.find("*/", at);
      if (end == std::string::npos) {
        throw PtxError(line, "a comment has no end");
      }
      for (; at < end + 2; ++at) {
        line += text[at] == '\n';
      }
    } else {
      return;
    }
  }
}

void Tokens::advance() {
  skipSpace();
  size_t begin = at;
  if (at == text.size()) {
    kind = End;
  } else if (startsName(text[at])) {
    kind = Name;
    ++at;
    // Modifiers of some opcodes are of the form .L1::evict_last.
    while (at < text.size() &&
           (isOfName(text[at]) || text.compare(at, 2, "::") == 0 ||
            (text[at] == ':' && text[at - 1] == ':'))) {
      ++at;
    }
  } else if (std::isdigit(static_cast<unsigned char>(text[at]))) {
    kind = Number;
    while (at < text.size() && isOfName(text[at])) {
      ++at;
    }
  } else if (text[at] == '"') {
    kind = String;
    size_t end = text.find('"', at + 1);
    if (end == std::string::npos) {
      throw PtxError(line, "a string has no end");
    }
    at = end + 1;
  } else {
    kind = Sign;
    ++at;
  }
  token.assign(text, begin, at - begin);
}

bool Tokens::skip(const char *expected) {
  if (kind == End || token != expected) {
    return false;
  }
  advance();
  return true;
}

void Tokens::expect(const char *expected) {
  if (!skip(expected)) {
    throw PtxError(line, std::string("expected '") + expected + "', found " +
                             found());
  }
}

std::string Tokens::takeName() {
  if (kind != Name) {
    throw PtxError(line, "expected a name, found " + found());
  }
  std::string name = token;
  advance();
  return name;
}

std::string Tokens::found() const {
  return kind == End ? "the end" : "'" + token.substr(0, 60) + "'";
}

uint64_t Tokens::takeNumber(bool *isFloat) {
  bool isNegative = skip("-");
  if (kind != Number) {
    throw PtxError(line, "expected a number, found " + found());
  }
  bool isHexadecimalFloat = token.size() > 2 && token[0] == '0' &&
                            (token[1] == 'f' || token[1] == 'F' ||
                             token[1] == 'd' || token[1] == 'D');
  std::string digits = isHexadecimalFloat ? "0x" + token.substr(2) : token;
  if (digits.back() == 'U') {
    digits.pop_back();
  }
  size_t used = 0;
  uint64_t value = 0;
  try {
    value = std::stoull(digits, &used, 0);
  } catch (const std::exception &) {
    used = 0;
  }
  if (used != digits.size()) {
    throw PtxError(line, "expected a number, found " + found());
  }
  if (isFloat) {
    *isFloat = isHexadecimalFloat;
  }
  advance();
  return isNegative ? -value : value;
}
