// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/Session.h"

#include "runtime/core/Hash.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

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
  session->origins.reserve(session->capacity);
  Result<std::unique_ptr<DeviceState>> state =
      session->owner->device().createState(session->capacity);
  if (!state.ok()) {
    return state.status();
  }
  session->state = std::move(*state);
  if (session->owner->recovery()) {
    if (Status status = session->activate({}); !status.ok()) {
      return status;
    }
  }
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
    remember(ids, tokens);
  }
  return status;
}

void Session::remember(const int32_t *ids, size_t count) {
  history.insert(history.end(), ids, ids + count);
  origins.resize(history.size(), origin);
}

void Session::forget(size_t from) {
  history.resize(from);
  origins.resize(from);
}

template <typename RunLast>
Status Session::appendInSteps(const int32_t *ids, size_t count,
                              RunLast runLast) {
  if (Status status = checkAppend(ids, count); !status.ok()) {
    return status;
  }
  size_t start = history.size();
  size_t widest = owner->device().maxTokens();
  for (size_t done = 0; done < count;) {
    size_t tokens = std::min(widest, count - done);
    Step next = {ids + done, static_cast<int32_t>(tokens), position(), 0};
    const float *none = nullptr;
    Status status =
        done + tokens == count ? runLast(next) : state->run(next, &none);
    if (!status.ok()) {
      forget(start);
      return status;
    }
    remember(ids + done, tokens);
    done += tokens;
  }
  return {};
}

Status Session::append(const int32_t *ids, size_t count, const float **logits) {
  const float *rows = nullptr;
  Status status = appendInSteps(ids, count, [&](Step last) {
    last.outputs = logits ? 1 : 0;
    return state->run(last, &rows);
  });
  if (status.ok() && logits) {
    *logits = rows;
  }
  return status;
}

Status Session::appendForCandidates(const int32_t *ids, size_t count,
                                    int32_t wanted,
                                    const Candidate **candidates) {
  int32_t vocab = owner->vocab();
  if (wanted < 1 || wanted > vocab) {
    return Status(StatusCode::InvalidArgument,
                  "candidates: expected 1 to " + std::to_string(vocab) +
                      ", found " + std::to_string(wanted));
  }
  if (wanted > owner->device().candidates()) {
    const float *logits = nullptr;
    if (Status status = append(ids, count, &logits); !status.ok()) {
      return status;
    }
    selected = selectCandidates(logits, vocab, wanted);
    *candidates = selected.data();
    return {};
  }
  const Candidate *rows = nullptr;
  Status status = appendInSteps(ids, count, [&](Step last) -> Status {
    last.outputs = 1;
    if (Status ran = state->runForCandidates(last, wanted, &rows); !ran.ok()) {
      return ran;
    }
    // They are what the package's code makes of them.
    for (int32_t i = 0; i < wanted; ++i) {
      if (rows[i].id < 0 || rows[i].id >= vocab) {
        return Status(StatusCode::Internal, "candidates: expected ids below " +
                                                std::to_string(vocab) +
                                                " from the device, found " +
                                                std::to_string(rows[i].id));
      }
    }
    return {};
  });
  if (status.ok()) {
    *candidates = rows;
  }
  return status;
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
      forget(start);
      return status;
    }
    if (callback(user, done, tokens, rows) != 0) {
      break;
    }
    done += tokens;
  }
  return {};
}

Status Session::checkBatch(const std::vector<Session *> &sessions,
                           const int32_t *ids) {
  if (sessions.empty()) {
    return Status(StatusCode::InvalidArgument, "no sessions given");
  }
  auto blame = [](size_t index, StatusCode code, const std::string &message) {
    return Status(code, "session " + std::to_string(index) + ": " + message);
  };
  std::unordered_map<const Session *, size_t> seen;
  for (size_t i = 0; i < sessions.size(); ++i) {
    if (auto [earlier, isNew] = seen.try_emplace(sessions[i], i); !isNew) {
      return blame(i, StatusCode::InvalidArgument,
                   "is session " + std::to_string(earlier->second) + " again");
    }
    if (sessions[i]->owner != sessions[0]->owner) {
      return blame(i, StatusCode::InvalidArgument,
                   "is of another model than session 0");
    }
    if (Status status = sessions[i]->checkAppend(ids + i, 1); !status.ok()) {
      return blame(i, status.code(), status.message());
    }
  }
  return {};
}

Status Session::appendBatch(const std::vector<Session *> &sessions,
                            const int32_t *ids, const float **logits) {
  if (Status status = checkBatch(sessions, ids); !status.ok()) {
    return status;
  }
  const DeviceModel &device = sessions[0]->owner->device();
  std::vector<BatchRow> rows;
  for (size_t i = 0; i < sessions.size(); ++i) {
    rows.push_back({sessions[i]->state.get(), ids[i], sessions[i]->position()});
  }
  std::vector<const float *> found(sessions.size());
  size_t widest = device.maxTokens();
  for (size_t done = 0; done < rows.size(); done += widest) {
    auto count = static_cast<int32_t>(std::min(widest, rows.size() - done));
    Status status = device.runBatch(rows.data() + done, count,
                                    logits ? found.data() + done : nullptr);
    if (!status.ok()) {
      return status;
    }
  }
  // Only now, so that a step that fails leaves all sessions as they were.
  for (size_t i = 0; i < sessions.size(); ++i) {
    sessions[i]->remember(ids + i, 1);
  }
  if (logits) {
    std::copy(found.begin(), found.end(), logits);
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
  forget(position);
  return {};
}

Status Session::activate(std::vector<ActiveAdapter> adapters) {
  if (owner->recovery()) {
    adapters.insert(adapters.begin(), {owner->recovery(), 1.0f});
  }
  return state->setAdapters(std::move(adapters));
}

Status
Session::setAdapters(std::vector<std::shared_ptr<const LoadedAdapter>> adapters,
                     const float *scales) {
  std::vector<ActiveAdapter> active;
  std::vector<uint64_t> parts;
  for (size_t i = 0; i < adapters.size(); ++i) {
    if (!std::isfinite(scales[i])) {
      return Status(StatusCode::InvalidArgument,
                    "adapter " + std::to_string(i) +
                        ": expected a finite scale, found " +
                        std::to_string(scales[i]));
    }
    if (scales[i] == 0.0f) {
      continue; // the same as without
    }
    active.push_back({adapters[i]->onDevice, scales[i]});
    uint32_t bits;
    std::memcpy(&bits, &scales[i], sizeof bits);
    parts.insert(parts.end(), {adapters[i]->fingerprint, bits});
  }
  if (Status status = activate(std::move(active)); !status.ok()) {
    return status;
  }
  // Not of the corrections, which are as much the model's as its weights.
  origin = parts.empty()
               ? 0
               : hashBytes(parts.data(), parts.size() * sizeof parts.front());
  return {};
}

int32_t Session::keepPrefix(const int32_t *ids, size_t count) {
  size_t kept = 0;
  while (kept + 1 < count && kept < history.size() &&
         history[kept] == ids[kept] && origins[kept] == origin) {
    ++kept;
  }
  forget(kept);
  return int32_t(kept);
}
