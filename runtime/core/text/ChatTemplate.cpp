// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/text/ChatTemplate.h"

namespace umber {

namespace {

struct Family {
  std::string_view mark; ///< a template with this text is of the family
  std::string_view beforeRole, beforeContent, afterContent;
  bool mayTrim; ///< "| trim" in it is about the messages' content
};

constexpr Family kFamilies[] = {
    {"<|im_start|>", "<|im_start|>", "\n", "<|im_end|>\n", false},
    {"<|start_header_id|>", "<|start_header_id|>", "<|end_header_id|>\n\n",
     "<|eot_id|>", true},
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Reads a Jinja string literal, whose escapes it resolves, from `at` up to
/// `end`. False where the literal closes first: what follows is then an
/// expression.
bool readLiteral(std::string_view jinja, size_t at, std::string_view end,
                 std::string &text) {
  text.clear();
  while (at < jinja.size() && jinja.substr(at, end.size()) != end) {
    char c = jinja[at++];
    if (c == '\'' || c == '"') {
      return false;
    }
    if (c == '\\' && at < jinja.size()) {
      c = jinja[at++];
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
    text += c;
  }
  return at < jinja.size();
}

/// The literal system message in a ChatML template: what stands between the
/// marks of a system message where that is all literal text, and not put
/// together.
std::string findDefaultSystem(std::string_view jinja) {
  constexpr std::string_view begin = "<|im_start|>system", end = "<|im_end|>";
  std::string message;
  for (size_t at = jinja.find(begin); at != std::string_view::npos;
       at = jinja.find(begin, at + 1)) {
    if (readLiteral(jinja, at + begin.size(), end, message) &&
        message.size() > 1 && message.front() == '\n') {
      return message.substr(1);
    }
  }
  return std::string();
}

/// What Llama 3.1 and its successors put before every system message, be it
/// empty. Their templates ask the caller for today's date and have one for
/// callers that give none; that one is used, as a prompt must not depend on the
/// day.
std::string findPreamble(std::string_view jinja) {
  constexpr std::string_view cutoff = "Cutting Knowledge Date: December 2023";
  constexpr std::string_view date = "set date_string = \"";
  if (!contains(jinja, cutoff) || !contains(jinja, "Today Date: ")) {
    return std::string();
  }
  std::string today;
  if (size_t at = jinja.find(date); at != std::string_view::npos) {
    readLiteral(jinja, at + date.size(), "\"", today);
  }
  return std::string(cutoff) + "\nToday Date: " + today + "\n\n";
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\r\f\v";
  size_t begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) {
    return std::string_view();
  }
  return text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
}

} // namespace

Result<ChatTemplate> ChatTemplate::recognise(std::string_view jinja) {
  for (const Family &family : kFamilies) {
    if (jinja.find(family.mark) == std::string_view::npos) {
      continue;
    }
    ChatTemplate result;
    result.beforeRole = family.beforeRole;
    result.beforeContent = family.beforeContent;
    result.afterContent = family.afterContent;
    result.defaultSystem = findDefaultSystem(jinja);
    result.preamble = findPreamble(jinja);
    result.trimContent = family.mayTrim && contains(jinja, "| trim");
    return result;
  }
  return Status(StatusCode::Unsupported,
                jinja.empty()
                    ? "the model has no chat template; use --raw for plain text"
                    : "the model's chat template is not of a supported family "
                      "(ChatML, Llama 3); use --raw for plain text");
}

void ChatTemplate::append(std::string &text, const ChatMessage &message) const {
  text.append(beforeRole).append(message.role).append(beforeContent);
  if (message.role == "system") {
    text.append(preamble);
  }
  text.append(trimContent ? trim(message.content) : message.content);
  text.append(afterContent);
}

std::string ChatTemplate::render(const std::vector<ChatMessage> &messages,
                                 bool addGenerationPrompt) const {
  std::string text;
  bool hasSystem = !messages.empty() && messages.front().role == "system";
  if (!hasSystem && !(defaultSystem.empty() && preamble.empty())) {
    append(text, {"system", defaultSystem});
  }
  for (const ChatMessage &message : messages) {
    append(text, message);
  }
  if (addGenerationPrompt) {
    text.append(beforeRole).append("assistant").append(beforeContent);
  }
  return text;
}

} // namespace umber
