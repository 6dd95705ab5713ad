// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Generation.h"

#include "tools/common/Loras.h"

#include <chrono>

using namespace umber::tools;

namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

Sampler createSampler(const umber_model *model, const RunOptions &options) {
  umber_sampler *sampler = nullptr;
  check([&](umber_error *error) {
    return umber_sampler_create(model, &options.sampler, &sampler, error);
  });
  return Sampler(sampler);
}

Detokenizer createDetokenizer(const umber_model *model) {
  umber_detokenizer *detokenizer = nullptr;
  check([&](umber_error *error) {
    return umber_detokenizer_create(model, 0, &detokenizer, error);
  });
  return Detokenizer(detokenizer);
}

} // namespace

Generator::Generator(const umber_model *model, const RunOptions &options)
    : model(model), options(options),
      state(createSession(model, options.context)),
      sampler(createSampler(model, options)),
      candidates(umber_sampler_candidates(sampler.get())),
      detokenizer(createDetokenizer(model)),
      steps(options.profileTrace.has_value()) {
  Loras(model, options.loras).activate(state.get());
}

Generation Generator::run(const std::vector<int32_t> &prompt, const Sink &sink,
                          const LogitsSink &logitsSink) {
  Prediction prediction = begin(prompt, sink, bool(logitsSink));
  if (logitsSink) {
    logitsSink(prediction.logits, modelInfo(model).vocab);
    started = Clock::now();
  }
  while (take(prediction)) {
    steps.record("decode", 1, [&] {
      int32_t id = lastId();
      prediction = append(&id, 1, /*wantsLogits=*/false);
    });
  }
  return current;
}

Prediction Generator::append(const int32_t *ids, size_t count,
                             bool wantsLogits) {
  Prediction prediction;
  bool areEnough = candidates <= modelInfo(model).candidates;
  check([&](umber_error *error) {
    if (areEnough && !wantsLogits) {
      return umber_prefill_candidates(state.get(), ids, count, candidates,
                                      &prediction.candidates, error);
    }
    return umber_prefill(state.get(), ids, count, &prediction.logits, error);
  });
  return prediction;
}

void Generator::reset() {
  umber_session_reset(state.get());
  umber_sampler_reset(sampler.get());
}

Prediction Generator::begin(const std::vector<int32_t> &prompt, Sink sink,
                            bool wantsLogits) {
  current = Generation();
  current.promptIds = prompt;
  this->sink = std::move(sink);
  Clock::time_point start = Clock::now();
  Prediction prediction;
  steps.record("prefill", prompt.size(), [&] {
    prediction = append(prompt.data(), prompt.size(), wantsLogits);
  });
  for (int32_t id : prompt) {
    check([&](umber_error *error) {
      return umber_sampler_accept(sampler.get(), id, error);
    });
  }
  current.promptMs = millisecondsSince(start);
  started = Clock::now();
  return prediction;
}

void Generator::emit(const char *text, size_t length) {
  if (length > 0) {
    current.text.append(text, length);
    sink(std::string_view(text, length));
  }
}

int32_t Generator::sample(const Prediction &prediction) {
  int32_t id = -1;
  check([&](umber_error *error) {
    return prediction.candidates
               ? umber_sampler_sample_candidates(sampler.get(),
                                                 prediction.candidates,
                                                 size_t(candidates), &id, error)
               : umber_sampler_sample(sampler.get(), prediction.logits, &id,
                                      error);
  });
  return id;
}

/// Appends a token to the answer, and returns why it is the last, if it is.
std::string Generator::pickToken(const Prediction &prediction) {
  int32_t id = -1;
  steps.record("sample", 1, [&] { id = sample(prediction); });
  current.ids.push_back(id);
  if (!options.ignoreEnd && umber_model_is_end_of_generation(model, id)) {
    return "end";
  }
  steps.record("print", 1, [&] {
    const char *text = nullptr;
    size_t length = 0;
    check([&](umber_error *error) {
      return umber_detokenizer_push(detokenizer.get(), id, &text, &length,
                                    error);
    });
    emit(text, length);
  });
  bool isFull =
      umber_session_position(state.get()) == umber_session_context(state.get());
  return isFull ? "context" : "";
}

bool Generator::take(const Prediction &prediction) {
  auto isLongEnough = [&] {
    return options.maxNew >= 0 &&
           current.ids.size() >= static_cast<size_t>(options.maxNew);
  };
  if (!isLongEnough()) {
    current.stopReason = pickToken(prediction);
  }
  if (current.stopReason != "end" && isLongEnough()) {
    current.stopReason = "length";
  }
  if (current.stopReason.empty()) {
    return true;
  }
  const char *text = nullptr;
  size_t length = 0;
  check([&](umber_error *error) {
    return umber_detokenizer_finish(detokenizer.get(), &text, &length, error);
  });
  emit(text, length);
  current.predictedMs = millisecondsSince(started);
  return false;
}

std::string
umber::tools::renderChat(const umber_model *model,
                         const std::vector<umber_chat_message> &messages) {
  std::string text(1024, '\0');
  size_t length = 0;
  for (;;) {
    check([&](umber_error *error) {
      return umber_render_chat(model, messages.data(), messages.size(), 1,
                               text.data(), text.size(), &length, error);
    });
    bool complete = length <= text.size();
    text.resize(length);
    if (complete) {
      return text;
    }
  }
}

std::vector<int32_t> umber::tools::promptTokens(const umber_model *model,
                                                const RunOptions &options,
                                                const std::string &prompt,
                                                const std::string &source) {
  std::string text = prompt;
  if (!options.raw && !prompt.empty()) {
    std::vector<umber_chat_message> messages;
    if (options.system) {
      messages.push_back(
          {"system", options.system->data(), options.system->size()});
    }
    messages.push_back({"user", prompt.data(), prompt.size()});
    text = renderChat(model, messages);
  }
  std::vector<int32_t> ids = tokenize(
      model, text, UMBER_TOKENIZE_ADD_SPECIAL | UMBER_TOKENIZE_PARSE_SPECIAL);
  // With --raw, a model that begins every text with a token can go on from that
  // alone.
  if (ids.empty() || (!options.raw && prompt.empty())) {
    throw ToolError(source + "the prompt is empty");
  }
  return ids;
}
