// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/text/ChatTemplate.h"

namespace umber {

namespace {

struct Family {
  std::string_view mark; ///< a template with this text is of the family
  std::string_view beforeRole, beforeContent, afterContent;
};

constexpr Family kFamilies[] = {
    {"<|im_start|>", "<|im_start|>", "\n", "<|im_end|>\n"},
    {"<|start_header_id|>", "<|start_header_id|>", "<|end_header_id|>\n\n",
     "<|eot_id|>"},
};

/// Jinja string literals may write a line break as a backslash and an n.
std::string unescape(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && text[i + 1] == 'n') {
      result += '\n';
      ++i;
    } else if (escape && (text[i + 1] == '\'' || text[i + 1] == '"' ||
                          text[i + 1] == '\\')) {
      result += text[++i];
    } else {
      result += text[i];
    }
  }
  return result;
}

/// The literal system message in a ChatML template: what stands between the marks
/// of a system message where that is all literal text, and not put together.
std::string findDefaultSystem(std::string_view jinja) {
  constexpr std::string_view begin = "<|im_start|>system", end = "<|im_end|>";
  for (size_t at = jinja.find(begin); at != std::string_view::npos;
       at = jinja.find(begin, at + 1)) {
    std::string_view rest = jinja.substr(at + begin.size());
    rest.remove_prefix(rest.substr(0, 1) == "\n"     ? 1
                       : rest.substr(0, 2) == "\\n" ? 2
                                                    : 0);
    size_t length = rest.find(end);
    if (length == std::string_view::npos) {
      break;
    }
    std::string_view message = rest.substr(0, length);
    bool isLiteral = !message.empty() &&
                     message.find("' +") == std::string_view::npos &&
                     message.find("\" +") == std::string_view::npos &&
                     message.find("'+") == std::string_view::npos &&
                     message.find("{{") == std::string_view::npos &&
                     message.find("}}") == std::string_view::npos &&
                     message.find("{%") == std::string_view::npos;
    if (isLiteral) {
      return unescape(message);
    }
  }
  return std::string();
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
  text.append(message.content).append(afterContent);
}

std::string ChatTemplate::render(const std::vector<ChatMessage> &messages,
                                 bool addGenerationPrompt) const {
  std::string text;
  bool hasSystem = !messages.empty() && messages.front().role == "system";
  if (!hasSystem && !defaultSystem.empty()) {
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
