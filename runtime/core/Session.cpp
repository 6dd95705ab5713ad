// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/Session.h"

#include <algorithm>

using namespace umber;

Result<std::unique_ptr<Session>>
Session::create(std::shared_ptr<const Model> model, int32_t context) {
  int32_t longest = model->contextLength();
  if (context < 0 || context > longest) {
    return Status(StatusCode::InvalidArgument,
                  "context must be 1 to " + std::to_string(longest) +
                      " tokens, which the model was trained for, not " +
                      std::to_string(context));
  }
  std::unique_ptr<Session> session(
      new Session(std::move(model), context == 0 ? longest : context));
  // Reserved, so that appending tokens never allocates.
  session->history.reserve(session->capacity);
  Result<std::unique_ptr<DeviceState>> state =
      session->owner->device().createState(session->capacity);
  if (!state.ok()) {
    return state.status();
  }
  session->state = std::move(*state);
  return session;
}

Status Session::checkAppend(const int32_t *ids, size_t count) const {
  if (count == 0) {
    return Status(StatusCode::InvalidArgument, "no tokens given");
  }
  size_t room = static_cast<size_t>(capacity - position());
  if (count > room) {
    return Status(StatusCode::ContextFull,
                  "context full: " + std::to_string(count) +
                      " tokens do not fit, the session holds " +
                      std::to_string(position()) + " of " +
                      std::to_string(capacity));
  }
  int32_t vocab = owner->vocab();
  for (size_t i = 0; i < count; ++i) {
    if (ids[i] < 0 || ids[i] >= vocab) {
      return Status(StatusCode::InvalidArgument,
                    "token " + std::to_string(i) + " is " +
                        std::to_string(ids[i]) + ", expected 0 to " +
                        std::to_string(vocab - 1));
    }
  }
  return {};
}

Status Session::step(const int32_t *ids, int32_t tokens, int32_t outputs,
                     const float **logits) {
  Status status = state->run({ids, tokens, position(), outputs}, logits);
  if (status.ok()) {
    history.insert(history.end(), ids, ids + tokens);
  }
  return status;
}

Status Session::append(const int32_t *ids, size_t count, const float **logits) {
  if (Status status = checkAppend(ids, count); !status.ok()) {
    return status;
  }
  size_t start = history.size();
  size_t widest = owner->device().maxTokens();
  const float *rows = nullptr;
  for (size_t done = 0; done < count;) {
    size_t tokens = std::min(widest, count - done);
    bool last = done + tokens == count;
    Status status = step(ids + done, static_cast<int32_t>(tokens),
                         last && logits ? 1 : 0, &rows);
    if (!status.ok()) {
      history.resize(start);
      return status;
    }
    done += tokens;
  }
  if (logits) {
    *logits = rows;
  }
  return {};
}

Status Session::appendAll(const int32_t *ids, size_t count,
                          umber_logits_callback callback, void *user) {
  if (Status status = checkAppend(ids, count); !status.ok()) {
    return status;
  }
  size_t start = history.size();
  size_t widest = owner->device().maxTokens();
  for (size_t done = 0; done < count;) {
    int32_t tokens = static_cast<int32_t>(std::min(widest, count - done));
    const float *rows = nullptr;
    Status status = step(ids + done, tokens, tokens, &rows);
    if (!status.ok()) {
      history.resize(start);
      return status;
    }
    if (callback(user, done, tokens, rows) != 0) {
      break;
    }
    done += tokens;
  }
  return {};
}

Status Session::truncate(int32_t position) {
  if (position < 0 || position > this->position()) {
    return Status(StatusCode::InvalidArgument,
                  "cannot truncate to " + std::to_string(position) +
                      " tokens, the session holds " +
                      std::to_string(this->position()));
  }
  history.resize(position);
  return {};
}
