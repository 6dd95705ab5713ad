// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sequence of tokens on a device.

#ifndef UMBER_RUNTIME_CORE_SESSION_H
#define UMBER_RUNTIME_CORE_SESSION_H

#include "runtime/core/Model.h"
#include "runtime/drivers/Driver.h"
#include "umber/umber.h"

#include <memory>
#include <vector>

namespace umber {

/// Tokens, and the device's cache of their keys and values. A call that fails
/// leaves the session as it was.
class Session {
public:
  /// `context` positions; 0 means the model's context length, which is also the
  /// most there can be.
  static Result<std::unique_ptr<Session>>
  create(std::shared_ptr<const Model> model, int32_t context);

  /// Appends `count` tokens in steps of at most the device's maxTokens. If
  /// `logits` is not null, it is pointed to the last token's row.
  Status append(const int32_t *ids, size_t count, const float **logits);

  /// The same, but points `candidates` to the last token's first `wanted`, 1
  /// ... vocab, in the order of IsBefore, selected by the device if it can.
  Status appendForCandidates(const int32_t *ids, size_t count, int32_t wanted,
                             const Candidate **candidates);

  /// Appends `count` tokens and delivers the logits of each, step by step,
  /// until the callback returns other than 0.
  Status appendAll(const int32_t *ids, size_t count,
                   umber_logits_callback callback, void *user);

  /// Appends ids[i] to sessions[i], of one model and all different, in steps of
  /// as many as the device takes. If `logits` is not null, logits[i] is pointed
  /// to that session's row. Messages name the session that is to blame, by its
  /// index.
  static Status appendBatch(const std::vector<Session *> &sessions,
                            const int32_t *ids, const float **logits);

  const Model &model() const { return *owner; }
  int32_t position() const { return static_cast<int32_t>(history.size()); }
  int32_t context() const { return capacity; }
  const std::vector<int32_t> &tokens() const { return history; }

  Status truncate(int32_t position);

  /// Makes these adapters, all of this model, active for the tokens that
  /// follow, each with a scale.
  Status setAdapters(std::vector<std::shared_ptr<const LoadedAdapter>> adapters,
                     const float *scales);

  /// Truncates to the longest prefix of `ids` that the session holds and that
  /// was computed with the adapters that are active now; at most count - 1
  /// tokens, so that the rest has logits.
  int32_t keepPrefix(const int32_t *ids, size_t count);

  /// Saving and restoring: SessionState.cpp. The state of `positions` tokens
  /// has stateSize(positions) bytes.
  uint64_t stateSize(int32_t positions) const;
  Status writeState(void *buffer, uint64_t size) const;
  Status readState(const void *buffer, uint64_t size);

  DeviceState &device() { return *state; }
  const DeviceState &device() const { return *state; }

private:
  Session(std::shared_ptr<const Model> model, int32_t context)
      : owner(std::move(model)), capacity(context) {}

  Status checkAppend(const int32_t *ids, size_t count) const;
  /// Makes the model's own corrections and these active.
  Status activate(std::vector<ActiveAdapter> adapters);
  static Status checkBatch(const std::vector<Session *> &sessions,
                           const int32_t *ids);
  Status step(const int32_t *ids, int32_t tokens, int32_t outputs,
              const float **logits);
  /// Appends tokens by steps without outputs, and of the last one what
  /// `runLast` does.
  template <typename RunLast>
  Status appendInSteps(const int32_t *ids, size_t count, RunLast runLast);

  // Declared first, so that the device's state goes before its model.
  std::shared_ptr<const Model> owner;
  std::unique_ptr<DeviceState> state;
  void remember(const int32_t *ids, size_t count);
  void forget(size_t from);

  std::vector<int32_t> history;
  // Of each token, which adapters it was computed with: a hash of their
  // fingerprints and scales, 0 without any.
  std::vector<uint64_t> origins;
  uint64_t origin = 0;             // of the next token
  std::vector<Candidate> selected; // by the host
  int32_t capacity;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_SESSION_H
