// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The generation loop: a prompt's tokens in, the answer's tokens out.

#ifndef UMBER_TOOLS_UMBER_RUN_GENERATION_H
#define UMBER_TOOLS_UMBER_RUN_GENERATION_H

#include "tools/common/Handles.h"
#include "tools/umber-run/Options.h"
#include "tools/umber-run/Timeline.h"

#include <chrono>
#include <functional>

namespace umber::tools {

/// One answer, and how long it took.
struct Generation {
  std::vector<int32_t> promptIds; // that were given to the model now
  std::vector<int32_t> ids;       // with the token that ended the answer
  std::string text;
  std::string stopReason; // "end" of generation, "length" or "context"
  double promptMs = 0;
  double predictedMs = 0;
};

/// What a step says of the next token: all logits, or candidates as many as the
/// sampler needs.
struct Prediction {
  const float *logits = nullptr;
  const umber_candidate *candidates = nullptr;
};

/// A session, its sampler and its text, for as many answers as one likes.
class Generator {
public:
  /// Called with each piece of text as soon as it is complete.
  using Sink = std::function<void(std::string_view)>;
  /// Called with the `vocab` logits after the prompt's last token.
  using LogitsSink = std::function<void(const float *logits, size_t vocab)>;

  Generator(const umber_model *model, const RunOptions &options);

  /// Appends `prompt` to the session and generates until the model ends its
  /// answer, options.maxNew tokens are there, or the context is full. ToolError
  /// if the prompt has no tokens or does not fit.
  Generation run(const std::vector<int32_t> &prompt, const Sink &sink,
                 const LogitsSink &logitsSink = nullptr);

  /// The same in steps, so that many sessions can be decoded at once: begin()
  /// returns what the first take() takes, and each take() that returns true
  /// wants what comes after lastId().
  Prediction begin(const std::vector<int32_t> &prompt, Sink sink,
                   bool wantsLogits = false);
  bool take(const Prediction &prediction);
  /// Forgets the sequence, and starts the sampler again from its seed.
  void reset();
  int32_t lastId() const { return current.ids.back(); }
  /// The answer, when take() has returned false.
  const Generation &result() const { return current; }

  umber_session *session() const { return state.get(); }
  /// Its steps, if the options ask for a trace.
  const Timeline &timeline() const { return steps; }

private:
  /// Appends tokens to the session. Candidates spare copies of all logits from
  /// a device that selects as many as the sampler needs.
  Prediction append(const int32_t *ids, size_t count, bool wantsLogits);
  int32_t sample(const Prediction &prediction);
  std::string pickToken(const Prediction &prediction);
  void emit(const char *text, size_t length);

  const umber_model *model;
  const RunOptions &options;
  Session state;
  Sampler sampler;
  int32_t candidates; // that the sampler needs
  Detokenizer detokenizer;
  Timeline steps;
  Generation current;
  Sink sink;
  std::chrono::steady_clock::time_point started; // taking tokens
};

/// The tokens of what the model is given for one user message: the chat
/// template around it, or with --raw the prompt itself. ToolError, after
/// `source`, if there are none.
std::vector<int32_t> promptTokens(const umber_model *model,
                                  const RunOptions &options,
                                  const std::string &prompt,
                                  const std::string &source);

/// Renders a conversation up to where the answer begins.
std::string renderChat(const umber_model *model,
                       const std::vector<umber_chat_message> &messages);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_GENERATION_H
