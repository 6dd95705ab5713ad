// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Regular expressions as adapters' configurations have them, which are
// Python's.

#ifndef UMBER_RUNTIME_ADAPTER_PATTERN_H
#define UMBER_RUNTIME_ADAPTER_PATTERN_H

#include "runtime/package/Status.h"

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace umber {

/// What Python's `re` says about text in ASCII without line ends. Takes time in
/// proportion to the pattern's length times the text's, whatever both are:
/// std::regex may take forever, and any stack. Known are characters, `.`,
/// classes, `\d`, `\w` and `\s`, groups, `|`, repetitions, `^` and `$`; back
/// references, look-around, `\b` and flags are not.
class Pattern {
public:
  /// CorruptFile: `expected …, found …`, without the pattern itself.
  static Result<Pattern> parse(std::string_view text);

  /// re.match: whether a beginning of the text matches.
  bool matchesStart(std::string_view text) const { return run(text, false); }
  /// re.fullmatch: whether all of the text matches.
  bool matchesAll(std::string_view text) const { return run(text, true); }

private:
  friend class PatternParser;

  enum class Kind : uint8_t { Char, Fork, Begin, End, Match };
  struct Instruction {
    Kind kind;
    uint32_t set;   ///< Char: index into `sets`
    uint32_t other; ///< Fork: where to go on besides the next instruction or,
                    ///< with `onlyOther`, instead of it
    bool onlyOther;
  };
  using Set = std::bitset<256>;

  Pattern() = default;
  bool run(std::string_view text, bool toEnd) const;

  std::vector<Instruction> program;
  std::vector<Set> sets;
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_PATTERN_H
