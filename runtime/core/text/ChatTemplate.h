// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns a conversation into the text that a chat model was trained on.

#ifndef UMBER_RUNTIME_CORE_TEXT_CHATTEMPLATE_H
#define UMBER_RUNTIME_CORE_TEXT_CHATTEMPLATE_H

#include "runtime/package/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace umber {

struct ChatMessage {
  /// "system", "user" or "assistant".
  std::string role;
  std::string content;
};

/// A model's template is a Jinja program. Umber does not run it: it recognises
/// the format that the program writes, and reads from its text what differs
/// between models (a default system message, whether contents are trimmed).
class ChatTemplate {
public:
  /// Unsupported, with the advice to use --raw, when the text is empty or
  /// writes neither ChatML nor Llama 3's format.
  static Result<ChatTemplate> create(std::string_view jinja);

  /// The text of the conversation, to be encoded with `parseSpecial` and
  /// `addSpecial` (a beginning-of-sequence token is left to the tokenizer).
  /// With `addGenerationPrompt` it ends where the assistant's answer begins.
  /// InvalidArgument for an unknown role or a system message that is not the
  /// first one.
  Result<std::string> render(const std::vector<ChatMessage> &messages,
                             bool addGenerationPrompt) const;

  /// What is put before a conversation without a system message; may be empty.
  const std::string &defaultSystemMessage() const { return defaultSystem; }

private:
  enum class Format { ChatMl, Llama3 };

  ChatTemplate() = default;

  void appendMessage(std::string_view role, std::string_view content,
                     std::string &out) const;

  Format format = Format::ChatMl;
  std::string defaultSystem;
  bool trimContent = false;
  /// Llama 3.1 and later: what comes before the system message, which is then
  /// always there.
  std::string systemPreamble;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_CHATTEMPLATE_H
