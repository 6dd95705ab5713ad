// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversations as text. The expected texts are what Jinja makes of the models'
// own templates.

#include "runtime/core/text/ChatTemplate.h"

#include <gtest/gtest.h>

using namespace umber;

namespace {

constexpr std::string_view smolLm =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != "
    "'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named "
    "SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\n' }}{% endif %}";

constexpr std::string_view llama3 =
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

std::string render(std::string_view jinja,
                   const std::vector<ChatMessage> &messages,
                   bool addGenerationPrompt = true) {
  auto created = ChatTemplate::recognise(jinja);
  EXPECT_TRUE(created.ok()) << created.status().message();
  return created.ok() ? created->render(messages, addGenerationPrompt)
                      : std::string();
}

TEST(ChatTemplateTest, ChatMlWithTheTemplatesSystemMessage) {
  EXPECT_EQ(render(smolLm, {{"user", "Hi"}}),
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, "
            "trained by Hugging Face<|im_end|>\n<|im_start|>user\nHi<|im_end|>"
            "\n<|im_start|>assistant\n");
}

TEST(ChatTemplateTest, ChatMlWithAGivenSystemMessage) {
  EXPECT_EQ(render(smolLm, {{"system", "Be brief."},
                            {"user", "Hi"},
                            {"assistant", "Hello"},
                            {"user", " two\nlines "}}),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi"
            "<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
            "<|im_start|>user\n two\nlines <|im_end|>\n"
            "<|im_start|>assistant\n");
}

TEST(ChatTemplateTest, WithoutGenerationPrompt) {
  EXPECT_EQ(render(smolLm, {{"system", "S"}, {"user", "U"}}, false),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n");
}

TEST(ChatTemplateTest, ReadsEscapedLiterals) {
  EXPECT_EQ(
      render(R"({{ '<|im_start|>system\nIt\'s a \"test\".<|im_end|>\n' }})",
             {{"user", "Hi"}}),
      "<|im_start|>system\nIt's a \"test\".<|im_end|>\n<|im_start|>user\n"
      "Hi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplateTest, NoSystemMessageWhereTheTemplateHasNone) {
  for (std::string_view jinja :
       {"{{ '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}",
        "{{- '<|im_start|>system\\n' }}{{- content + '<|im_end|>\\n' }}",
        "{{ \"<|im_start|>system\\n\"+text+\"<|im_end|>\\n\" }}",
        "{{ '<|im_start|>' + message.role + '\\n' }}"}) {
    EXPECT_EQ(render(jinja, {{"user", "Hi"}}),
              "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
        << jinja;
  }
}

TEST(ChatTemplateTest, Llama3) {
  EXPECT_EQ(render(llama3, {{"system", "S"}, {"user", " Hi \n"}}),
            "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplateTest, RefusesWhatItDoesNotKnow) {
  for (std::string_view jinja :
       {"", "[INST] {{ messages[0].content }} [/INST]"}) {
    auto created = ChatTemplate::recognise(jinja);
    ASSERT_FALSE(created.ok());
    EXPECT_EQ(created.status().code(), StatusCode::Unsupported);
    EXPECT_NE(created.status().message().find("--raw"), std::string::npos);
  }
}

} // namespace
