// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Chat.h"

#include "tools/umber-run/Output.h"
#include "tools/umber-run/Profile.h"

#include <algorithm>
#include <deque>
#include <iostream>
#include <unistd.h>

using namespace umber::tools;

namespace {

/// Drops what of `ids` the session holds already, and from the session what
/// differs. At least one token is left, since a step needs one.
std::vector<int32_t> keepCommonPrefix(umber_session *session,
                                      const std::vector<int32_t> &ids) {
  const int32_t *held = umber_session_tokens(session);
  size_t limit =
      std::min<size_t>(umber_session_position(session), ids.size() - 1);
  size_t common =
      std::mismatch(ids.begin(), ids.begin() + limit, held).first - ids.begin();
  check([&](umber_error *error) {
    return umber_session_truncate(session, static_cast<int32_t>(common), error);
  });
  return {ids.begin() + common, ids.end()};
}

} // namespace

void umber::tools::chat(const umber_model *model, const RunOptions &options) {
  Generator generator(model, options);
  startProfile(generator, options);
  // A deque, since messages point to the strings.
  std::deque<std::string> texts;
  std::vector<umber_chat_message> messages;
  auto say = [&](const char *role, const std::string &text) {
    texts.push_back(text);
    messages.push_back({role, texts.back().data(), texts.back().size()});
  };
  if (options.system) {
    say("system", *options.system);
  }
  bool interactive = isatty(STDIN_FILENO) != 0;
  for (std::string line;;) {
    if (interactive) {
      printNow("> ");
    }
    if (!std::getline(std::cin, line)) {
      break;
    }
    if (line.empty()) {
      continue;
    }
    say("user", line);
    std::vector<int32_t> ids =
        tokenize(model, renderChat(model, messages),
                 UMBER_TOKENIZE_ADD_SPECIAL | UMBER_TOKENIZE_PARSE_SPECIAL);
    if (ids.empty()) {
      throw ToolError("the prompt is empty: it has no tokens");
    }
    Generation answer =
        generator.run(keepCommonPrefix(generator.session(), ids), printNow);
    printNow("\n");
    say("assistant", answer.text);
    if (interactive) {
      printSpeeds(answer, 0);
    }
  }
  if (interactive) {
    printNow("\n");
  }
  finishProfile(model, generator, options);
}
