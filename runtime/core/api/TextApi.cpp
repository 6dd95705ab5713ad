// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API's tokenizer, detokenizer and chat template.

#include "runtime/core/api/Boundary.h"

using namespace umber;
using namespace umber::api;

struct umber_detokenizer {
  std::shared_ptr<const Model> model; // keeps the tokenizer
  Detokenizer detokenizer;
};

umber_status umber_tokenize(const umber_model *model, const char *text,
                            size_t text_length, uint32_t flags, int32_t *ids,
                            size_t capacity, size_t *count,
                            umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{model, "model"},
             {text_length == 0 ? model : static_cast<const void *>(text),
              "text"},
             {count, "count"},
             {capacity == 0 ? model : static_cast<const void *>(ids), "ids"}});
        !status.ok()) {
      return status;
    }
    Result<const Tokenizer *> tokenizer = model->model->tokenizer();
    if (!tokenizer.ok()) {
      return tokenizer.status();
    }
    EncodeOptions options;
    options.addSpecial = flags & UMBER_TOKENIZE_ADD_SPECIAL;
    options.parseSpecial = flags & UMBER_TOKENIZE_PARSE_SPECIAL;
    Result<std::vector<int32_t>> encoded =
        (*tokenizer)->encode({text, text_length}, options);
    if (!encoded.ok()) {
      return encoded.status();
    }
    copyOut(encoded->data(), encoded->size(), ids, capacity, count);
    return {};
  });
}

umber_status umber_detokenize(const umber_model *model, const int32_t *ids,
                              size_t count, uint32_t flags, char *text,
                              size_t capacity, size_t *length,
                              umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{model, "model"},
             {count == 0 ? model : static_cast<const void *>(ids), "ids"},
             {length, "length"},
             {capacity == 0 ? model : static_cast<const void *>(text),
              "text"}});
        !status.ok()) {
      return status;
    }
    Result<const Tokenizer *> tokenizer = model->model->tokenizer();
    if (!tokenizer.ok()) {
      return tokenizer.status();
    }
    std::string decoded = (*tokenizer)
                              ->decode(std::vector<int32_t>(ids, ids + count),
                                       flags & UMBER_DETOKENIZE_SPECIAL);
    copyOut(decoded.data(), decoded.size(), text, capacity, length);
    return {};
  });
}

umber_status umber_detokenizer_create(const umber_model *model, uint32_t flags,
                                      umber_detokenizer **detokenizer,
                                      umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status =
            requireArguments({{model, "model"}, {detokenizer, "detokenizer"}});
        !status.ok()) {
      return status;
    }
    Result<const Tokenizer *> tokenizer = model->model->tokenizer();
    if (!tokenizer.ok()) {
      return tokenizer.status();
    }
    bool showSpecial = flags & UMBER_DETOKENIZE_SPECIAL;
    *detokenizer = new umber_detokenizer{model->model,
                                         Detokenizer(**tokenizer, showSpecial)};
    return {};
  });
}

void umber_detokenizer_destroy(umber_detokenizer *detokenizer) {
  delete detokenizer;
}

umber_status umber_detokenizer_push(umber_detokenizer *detokenizer, int32_t id,
                                    const char **text, size_t *length,
                                    umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{detokenizer, "detokenizer"}, {text, "text"}, {length, "length"}});
        !status.ok()) {
      return status;
    }
    std::string_view ready = detokenizer->detokenizer.push(id);
    *text = ready.data();
    *length = ready.size();
    return {};
  });
}

umber_status umber_detokenizer_finish(umber_detokenizer *detokenizer,
                                      const char **text, size_t *length,
                                      umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{detokenizer, "detokenizer"}, {text, "text"}, {length, "length"}});
        !status.ok()) {
      return status;
    }
    std::string_view ready = detokenizer->detokenizer.finish();
    *text = ready.data();
    *length = ready.size();
    return {};
  });
}

umber_status umber_render_chat(const umber_model *model,
                               const umber_chat_message *messages,
                               size_t message_count, int add_generation_prompt,
                               char *text, size_t capacity, size_t *length,
                               umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{model, "model"},
             {message_count == 0 ? model : static_cast<const void *>(messages),
              "messages"},
             {length, "length"},
             {capacity == 0 ? model : static_cast<const void *>(text),
              "text"}});
        !status.ok()) {
      return status;
    }
    Result<const ChatTemplate *> chat = model->model->chatTemplate();
    if (!chat.ok()) {
      return chat.status();
    }
    std::vector<ChatMessage> conversation;
    for (size_t i = 0; i < message_count; ++i) {
      const umber_chat_message &message = messages[i];
      if (!message.role || (!message.content && message.content_length > 0)) {
        return Status(StatusCode::InvalidArgument,
                      "message " + std::to_string(i) +
                          " has no role or no content");
      }
      conversation.push_back(
          {message.role, {message.content, message.content_length}});
    }
    std::string rendered =
        (*chat)->render(conversation, add_generation_prompt != 0);
    copyOut(rendered.data(), rendered.size(), text, capacity, length);
    return {};
  });
}
