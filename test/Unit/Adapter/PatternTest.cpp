// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Pattern.h"

#include <gtest/gtest.h>

#include <string>

using namespace umber;

namespace {

struct Case {
  const char *pattern, *text;
  bool start, all; ///< what Python's re.match and re.fullmatch say
};

const Case kCases[] = {
    {"", "", true, true},
    {"", "a", true, false},
    {"q_proj", "q_proj", true, true},
    {"q_proj", "q_proj2", true, false},
    {"q_proj", "xq_proj", false, false},
    {"a.c", "abc", true, true},
    {"a\\.c", "abc", false, false},
    {"a\\.c", "a.c", true, true},
    {"a|bc", "bc", true, true},
    {"a|ab", "ab", true, true},
    {"(a|ab)(c|bcd)", "abcd", true, true},
    {"(a|ab)$|b", "ab", true, true},
    {"a|", "", true, true},
    {"(|a)b", "b", true, true},
    {"a*", "aaa", true, true},
    {"a+", "", false, false},
    {"a?b", "b", true, true},
    {"a??b", "ab", true, true},
    {"(ab)*", "abab", true, true},
    {"(ab)*", "aba", true, false},
    {"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false, false},
    {"(a*)+", "", true, true},
    {"((a?){40}){2}b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false, false},
    {"a{2}", "aa", true, true},
    {"a{2}", "a", false, false},
    {"a{2,}", "aaaa", true, true},
    {"a{,2}", "aaa", true, false},
    {"a{,2}", "", true, true},
    {"a{1,3}b", "aaab", true, true},
    {"a{1,3}b", "aaaab", false, false},
    {"(ab|c){2,3}?", "abcab", true, true},
    {"a{0}b", "b", true, true},
    {"a{x}", "a{x}", true, true},
    {"a{", "a{", true, true},
    {"a{1", "a{1", true, true},
    {"{", "{", true, true},
    {"(^|a){2}b", "aab", true, true},
    {"}]", "}]", true, true},
    {"[abc]+", "cab", true, true},
    {"[a-c]+", "cabd", true, false},
    {"[^a-c]", "d", true, true},
    {"[^a-c]", "b", false, false},
    {"[]a]+", "]a", true, true},
    {"[^]a]", "b", true, true},
    {"[a-]+", "a-", true, true},
    {"[\\d.]+", "1.5", true, true},
    {"[^\\d]", "5", false, false},
    {"[\\]]", "]", true, true},
    {"\\d+", "0123456789", true, true},
    {"\\D", "5", false, false},
    {"\\w+", "aZ_9", true, true},
    {"\\W", ".", true, true},
    {"\\s\\S", " x", true, true},
    {"^a$", "a", true, true},
    {"a^", "a", false, false},
    {"a$b", "ab", false, false},
    {"\\Aa\\Z", "a", true, true},
    {"(?:a|b)c", "bc", true, true},
    {"(?P<layer>\\d+)\\.x", "12.x", true, true},
    {"\\-\\/", "-/", true, true},
    {".*\\.layers\\.(1|2[0-9])\\..*", "model.layers.25.mlp.up_proj", true,
     true},
    {".*\\.layers\\.(1|2[0-9])\\..*", "model.layers.15.mlp.up_proj", false,
     false},
    {"(.*\\.)?(q_proj)$", "model.layers.3.self_attn.q_proj", true, true},
    {"(.*\\.)?(proj)$", "model.layers.3.self_attn.q_proj", false, false},
    {"(.*\\.)?(layers.3.*v_proj)$", "model.layers.3.self_attn.v_proj", true,
     true},
    {"(.*\\.)?(layers.3.*v_proj)$", "model.layers.33.self_attn.v_proj", true,
     true},
    // What a key that is no whole expression makes of PEFT's.
    {"(.*\\.)?(a)|(b)$", "x.ac", true, false},
};

TEST(Pattern, MatchesAsPythonDoes) {
  for (const Case &entry : kCases) {
    auto pattern = Pattern::parse(entry.pattern);
    ASSERT_TRUE(pattern.ok())
        << entry.pattern << ": " << pattern.status().message();
    EXPECT_EQ(pattern->matchesStart(entry.text), entry.start)
        << entry.pattern << " on " << entry.text;
    EXPECT_EQ(pattern->matchesAll(entry.text), entry.all)
        << entry.pattern << " on " << entry.text;
  }
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  const std::pair<std::string, const char *> kRefused[] = {
      {"(", "a ')' for every '('"},
      {"a)", "no ')' without a '('"},
      {"[a", "a ']' for every '['"},
      {"[", "a ']' for every '['"},
      {"[]", "a ']' for every '['"},
      {"[^", "a ']' for every '['"},
      {"[a-", "a ']' for every '['"},
      {"[z-a]", "ranges from a lower character"},
      {"[\\d-z]", "ranges from one character"},
      {"*", "something to repeat"},
      {"a|*", "something to repeat"},
      {"(+)", "something to repeat"},
      {"{2}", "something to repeat"},
      {"^*", "something to repeat"},
      {"a$+", "something to repeat"},
      {"a**", "one repetition of a part"},
      {"a{2}*", "one repetition of a part"},
      {"a*??", "one repetition of a part"},
      {"a{3,2}", "repetitions from less to more"},
      {"\\", "something behind a backslash"},
      {"[\\", "something behind a backslash"},
      {"\\b", "the escapes"},
      {"(a)\\1", "the escapes"},
      {"(?=a)", "plain groups"},
      {"(?!a)", "plain groups"},
      {"(?i)a", "plain groups"},
      {"(?P=x)", "plain groups"},
      {"(?P<x", "plain groups"},
      {"a{20000}", "at most 16384 steps"},
      {"((((a{99}){99}){99}){99}){99}", "at most 16384 steps"},
      {"a{99999999999999999999}", "at most 16384 steps"},
      {std::string(100000, 'a'), "at most 16384 steps"},
      {std::string(100000, '('), "groups that nest 64 deep"},
  };
  for (const auto &[text, message] : kRefused) {
    auto pattern = Pattern::parse(text);
    ASSERT_FALSE(pattern.ok()) << text.substr(0, 50);
    EXPECT_NE(pattern.status().message().find(message), std::string::npos)
        << text.substr(0, 50) << ": " << pattern.status().message();
  }
}

} // namespace
