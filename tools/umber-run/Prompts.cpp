// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Prompts.h"

#include "tools/umber-run/Output.h"
#include "tools/umber-run/Profile.h"

#include <algorithm>
#include <optional>

using namespace umber::tools;

namespace {

struct Prompt {
  std::string text;
  std::vector<int32_t> ids;
  std::optional<Generation> answer;
};

/// All prompts, so that what is wrong with one is found before any is answered.
std::vector<Prompt> readPrompts(const umber_model *model,
                                const RunOptions &options) {
  const std::string &path = *options.promptsFile;
  std::string file = readFile(path);
  size_t context =
      options.context > 0 ? options.context : modelInfo(model).context_length;
  std::vector<Prompt> prompts;
  size_t number = 0;
  for (size_t at = 0, end; at < file.size(); at = end + 1) {
    end = std::min(file.find('\n', at), file.size());
    ++number;
    Prompt prompt = {file.substr(at, end - at), {}, {}};
    if (!prompt.text.empty() && prompt.text.back() == '\r') {
      prompt.text.pop_back();
    }
    if (prompt.text.empty()) {
      continue;
    }
    std::string line = path + ": line " + std::to_string(number) + ": ";
    prompt.ids = promptTokens(model, options, prompt.text, line);
    if (prompt.ids.size() > context) {
      throw ToolError(line + "the prompt has " +
                      std::to_string(prompt.ids.size()) +
                      " tokens, the context " + std::to_string(context));
    }
    prompts.push_back(std::move(prompt));
  }
  if (prompts.empty()) {
    throw ToolError(path + ": has no prompts");
  }
  return prompts;
}

/// The sessions, and which of the prompts they are at.
class Batch {
public:
  Batch(const umber_model *model, const RunOptions &options,
        std::vector<Prompt> &prompts)
      : prompts(prompts) {
    size_t size = std::min<size_t>(options.sessions, prompts.size());
    for (size_t i = 0; i < size; ++i) {
      slots.push_back({std::make_unique<Generator>(model, options), kNone});
      umber_session_set_profiling(slots.back().generator->session(),
                                  options.profile);
    }
  }

  /// Begins prompts where sessions are free, then decodes a token of each.
  /// False when there is nothing left to do.
  bool step() {
    for (Slot &slot : slots) {
      while (slot.prompt == kNone && next < prompts.size()) {
        begin(slot, next++);
      }
    }
    std::vector<Slot *> active;
    std::vector<umber_session *> sessions;
    std::vector<int32_t> ids;
    for (Slot &slot : slots) {
      if (slot.prompt != kNone) {
        active.push_back(&slot);
        sessions.push_back(slot.generator->session());
        ids.push_back(slot.generator->lastId());
      }
    }
    if (active.empty()) {
      return false;
    }
    std::vector<const float *> logits(active.size());
    check([&](umber_error *error) {
      return umber_decode_batch(sessions.data(), ids.data(), ids.size(),
                                logits.data(), error);
    });
    for (size_t i = 0; i < active.size(); ++i) {
      take(*active[i], {logits[i], nullptr});
    }
    return true;
  }

  std::vector<umber_session *> sessions() const {
    std::vector<umber_session *> all;
    for (const Slot &slot : slots) {
      all.push_back(slot.generator->session());
    }
    return all;
  }

private:
  static constexpr size_t kNone = SIZE_MAX;
  struct Slot {
    std::unique_ptr<Generator> generator;
    size_t prompt;
  };

  void begin(Slot &slot, size_t prompt) {
    slot.prompt = prompt;
    slot.generator->reset();
    take(slot,
         slot.generator->begin(prompts[prompt].ids, [](std::string_view) {}));
  }

  void take(Slot &slot, const Prediction &prediction) {
    if (!slot.generator->take(prediction)) {
      prompts[slot.prompt].answer = slot.generator->result();
      slot.prompt = kNone;
    }
  }

  std::vector<Prompt> &prompts;
  std::vector<Slot> slots;
  size_t next = 0;
};

} // namespace

void umber::tools::answerPrompts(const umber_model *model,
                                 const RunOptions &options, double loadMs) {
  std::vector<Prompt> prompts = readPrompts(model, options);
  Batch batch(model, options, prompts);
  std::vector<Generation> answers;
  auto printComplete = [&] {
    for (; answers.size() < prompts.size() && prompts[answers.size()].answer;
         answers.push_back(*prompts[answers.size()].answer)) {
      const Prompt &prompt = prompts[answers.size()];
      if (options.json) {
        printJson(*prompt.answer, loadMs);
      } else {
        printNow("=== " + std::to_string(answers.size() + 1) + ": " +
                 prompt.text + "\n" + prompt.answer->text + "\n\n");
      }
    }
  };
  auto start = std::chrono::steady_clock::now();
  while (batch.step()) {
    printComplete();
  }
  printComplete();
  double totalMs = std::chrono::duration<double, std::milli>(
                       std::chrono::steady_clock::now() - start)
                       .count();
  if (!options.json) {
    printTotals(answers, batch.sessions().size(), loadMs, totalMs);
  }
  if (options.profile) {
    printProfile(batch.sessions());
  }
}
