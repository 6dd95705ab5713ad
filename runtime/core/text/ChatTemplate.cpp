// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns a conversation into the text that a chat model was trained on.

#include "runtime/core/text/ChatTemplate.h"

namespace umber {

static constexpr std::string_view jinjaSpaces = " \t\n\r\f\v";

/// The contents of a Jinja string literal from `pos` up to `end` (a text that
/// closes it) or to the literal's own quote, escapes resolved. Nothing when
/// the quote comes first.
static bool readLiteral(std::string_view jinja, size_t pos,
                        std::string_view end, std::string &out) {
  out.clear();
  while (pos < jinja.size()) {
    if (jinja.substr(pos, end.size()) == end) {
      return true;
    }
    char c = jinja[pos++];
    if (c == '\'' || c == '"') {
      return false;
    }
    if (c == '\\' && pos < jinja.size()) {
      char escaped = jinja[pos++];
      c = escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
    }
    out.push_back(c);
  }
  return false;
}

/// The text that a ChatML template writes as a whole system turn of its own.
/// A turn whose content is an expression closes the literal and is passed by.
static std::string findDefaultSystem(std::string_view jinja) {
  constexpr std::string_view start = "<|im_start|>system";
  std::string content;
  for (size_t pos = jinja.find(start); pos != std::string_view::npos;
       pos = jinja.find(start, pos + 1)) {
    if (readLiteral(jinja, pos + start.size(), "<|im_end|>", content) &&
        content.size() > 1 && content[0] == '\n') {
      return content.substr(1);
    }
  }
  return std::string();
}

/// The value of the first `set NAME = "..."`, or nothing.
static std::string findAssignment(std::string_view jinja,
                                  std::string_view name) {
  std::string target = "set " + std::string(name) + " = ";
  for (size_t pos = jinja.find(target); pos != std::string_view::npos;
       pos = jinja.find(target, pos + 1)) {
    size_t quote = pos + target.size();
    if (quote < jinja.size() && (jinja[quote] == '"' || jinja[quote] == '\'')) {
      std::string value;
      if (readLiteral(jinja, quote + 1, jinja.substr(quote, 1), value)) {
        return value;
      }
    }
  }
  return std::string();
}

static bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

static std::string_view trim(std::string_view text) {
  size_t begin = text.find_first_not_of(jinjaSpaces);
  if (begin == std::string_view::npos) {
    return std::string_view();
  }
  return text.substr(begin, text.find_last_not_of(jinjaSpaces) + 1 - begin);
}

Result<ChatTemplate> ChatTemplate::create(std::string_view jinja) {
  ChatTemplate result;
  if (contains(jinja, "<|im_start|>")) {
    result.format = Format::ChatMl;
    result.defaultSystem = findDefaultSystem(jinja);
    result.trimContent = contains(jinja, "['content'] | trim") ||
                         contains(jinja, "['content']|trim") ||
                         contains(jinja, ".content | trim") ||
                         contains(jinja, ".content|trim");
    return result;
  }
  if (contains(jinja, "<|start_header_id|>") && contains(jinja, "<|eot_id|>")) {
    result.format = Format::Llama3;
    result.trimContent = contains(jinja, "trim");
    constexpr std::string_view cutoff = "Cutting Knowledge Date: December 2023";
    if (contains(jinja, cutoff)) {
      // The template takes today's date from its caller and has one for callers
      // that give none. That one is used: a prompt must not depend on the day.
      result.systemPreamble = std::string(cutoff) + "\nToday Date: " +
                              findAssignment(jinja, "date_string") + "\n\n";
    }
    return result;
  }
  return Status(StatusCode::Unsupported,
                jinja.empty()
                    ? "the model has no chat template; use --raw to give it "
                      "the prompt as it stands"
                    : "the model's chat template writes neither ChatML nor "
                      "Llama 3's format; use --raw to give it the prompt as it "
                      "stands");
}

void ChatTemplate::appendMessage(std::string_view role,
                                 std::string_view content,
                                 std::string &out) const {
  bool chatMl = format == Format::ChatMl;
  out += chatMl ? "<|im_start|>" : "<|start_header_id|>";
  out += role;
  out += chatMl ? "\n" : "<|end_header_id|>\n\n";
  out += content;
  out += chatMl ? "<|im_end|>\n" : "<|eot_id|>";
}

Result<std::string>
ChatTemplate::render(const std::vector<ChatMessage> &messages,
                     bool addGenerationPrompt) const {
  std::string out;
  bool hasSystem = !messages.empty() && messages[0].role == "system";
  if (!messages.empty() && !hasSystem &&
      !(defaultSystem.empty() && systemPreamble.empty())) {
    appendMessage("system", systemPreamble + defaultSystem, out);
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage &message = messages[i];
    bool isSystem = message.role == "system";
    if (!isSystem && message.role != "user" && message.role != "assistant") {
      return Status(StatusCode::InvalidArgument,
                    "chat message " + std::to_string(i + 1) +
                        ": expected the role system, user or assistant, "
                        "found '" +
                        message.role + "'");
    }
    if (isSystem && i > 0) {
      return Status(StatusCode::InvalidArgument,
                    "chat message " + std::to_string(i + 1) +
                        ": a system message must be the first one");
    }
    std::string content(trimContent ? trim(message.content)
                                    : std::string_view(message.content));
    appendMessage(message.role, isSystem ? systemPreamble + content : content,
                  out);
  }
  if (addGenerationPrompt) {
    out += format == Format::ChatMl
               ? "<|im_start|>assistant\n"
               : "<|start_header_id|>assistant<|end_header_id|>\n\n";
  }
  return out;
}

} // namespace umber
