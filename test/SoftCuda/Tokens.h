// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The words of PTX.

#ifndef UMBER_TEST_SOFTCUDA_TOKENS_H
#define UMBER_TEST_SOFTCUDA_TOKENS_H

#include "test/SoftCuda/Syntax.h"

namespace umber::softcuda {

/// One token at a time of a text that outlives this. Everything throws PtxError
/// where it finds other than expected.
class Tokens {
public:
  enum Kind { Name, Number, String, Sign, End };

  explicit Tokens(const std::string &text);

  bool is(const char *expected) const {
    return kind != End && token == expected;
  }
  bool isNumber() const { return kind == Number || is("-"); }
  bool isName() const { return kind == Name; }
  bool isEnd() const { return kind == End; }
  /// Takes the token if it is this.
  bool skip(const char *expected);
  void expect(const char *expected);
  std::string takeName();
  /// A number's bits, those of a negative one in two's complement.
  uint64_t takeNumber(bool *isFloat = nullptr);
  void advance();

  /// What the token is, for errors.
  std::string found() const;
  const std::string &word() const { return token; }
  unsigned lineNumber() const { return line; }

private:
  void skipSpace();

  const std::string &text;
  size_t at = 0;
  unsigned line = 1;
  Kind kind = End;
  std::string token;
};

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_TOKENS_H
