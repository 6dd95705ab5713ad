// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversations as the text that a model was trained on. Models carry a Jinja
// template; it is recognised by its marks, not executed.

#ifndef UMBER_RUNTIME_CORE_TEXT_CHATTEMPLATE_H
#define UMBER_RUNTIME_CORE_TEXT_CHATTEMPLATE_H

#include "runtime/package/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace umber {

struct ChatMessage {
  std::string_view role; ///< "system", "user" or "assistant"
  std::string_view content;
};

class ChatTemplate {
public:
  /// Unsupported: no template, or one of another family.
  static Result<ChatTemplate> recognise(std::string_view jinja);

  /// The conversation's text; with `addGenerationPrompt`, up to where the
  /// model's answer begins.
  std::string render(const std::vector<ChatMessage> &messages,
                     bool addGenerationPrompt) const;

private:
  void append(std::string &text, const ChatMessage &message) const;

  /// What stands before the role, between role and content, and after the
  /// content.
  std::string_view beforeRole, beforeContent, afterContent;
  /// The system message that the template puts first where there is none.
  std::string defaultSystem;
  /// What it puts before the content of every system message.
  std::string preamble;
  bool trimContent = false;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_CHATTEMPLATE_H
