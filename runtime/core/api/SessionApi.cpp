// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API's sessions.

#include "runtime/core/SessionFile.h"
#include "runtime/core/api/Handles.h"

using namespace umber;
using namespace umber::api;

namespace {

/// The body of a call on a session: checks the handle, then calls `body`.
template <typename Handle, typename Body>
umber_status onSession(Handle *handle, umber_error *error, Body body) noexcept {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments({{handle, "session"}}); !status.ok()) {
      return status;
    }
    return body(*handle->session);
  });
}

} // namespace

umber_status umber_session_create(const umber_model *model,
                                  const umber_session_options *options,
                                  umber_session **session, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status =
            requireArguments({{model, "model"}, {session, "session"}});
        !status.ok()) {
      return status;
    }
    umber_session_options values = UMBER_SESSION_OPTIONS_INIT;
    if (Status status = readOptions(options, values); !status.ok()) {
      return status;
    }
    Result<std::unique_ptr<Session>> created =
        Session::create(model->model, values.context);
    if (!created.ok()) {
      return created.status();
    }
    *session = new umber_session{std::move(*created)};
    return {};
  });
}

void umber_session_destroy(umber_session *session) { delete session; }

umber_status umber_prefill(umber_session *session, const int32_t *ids,
                           size_t count, const float **logits,
                           umber_error *error) {
  return onSession(session, error, [&](Session &self) -> Status {
    if (Status status = requireArguments({{ids, "ids"}}); !status.ok()) {
      return status;
    }
    return self.append(ids, count, logits);
  });
}

umber_status umber_prefill_candidates(umber_session *session,
                                      const int32_t *ids, size_t count,
                                      int32_t wanted,
                                      const umber_candidate **candidates,
                                      umber_error *error) {
  return onSession(session, error, [&](Session &self) -> Status {
    if (Status status =
            requireArguments({{ids, "ids"}, {candidates, "candidates"}});
        !status.ok()) {
      return status;
    }
    return self.appendForCandidates(ids, count, wanted, candidates);
  });
}

umber_status umber_prefill_all(umber_session *session, const int32_t *ids,
                               size_t count, umber_logits_callback callback,
                               void *user, umber_error *error) {
  return onSession(session, error, [&](Session &self) -> Status {
    if (Status status = requireArguments(
            {{ids, "ids"},
             {reinterpret_cast<const void *>(callback), "callback"}});
        !status.ok()) {
      return status;
    }
    return self.appendAll(ids, count, callback, user);
  });
}

umber_status umber_decode(umber_session *session, int32_t id,
                          const float **logits, umber_error *error) {
  return onSession(session, error,
                   [&](Session &self) { return self.append(&id, 1, logits); });
}

umber_status umber_decode_batch(umber_session *const *sessions,
                                const int32_t *ids, size_t count,
                                const float **logits, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status =
            requireArguments({{sessions, "sessions"}, {ids, "ids"}});
        !status.ok()) {
      return status;
    }
    std::vector<Session *> batch;
    for (size_t i = 0; i < count; ++i) {
      std::string name = "sessions[" + std::to_string(i) + "]";
      if (Status status = requireArguments({{sessions[i], name.c_str()}});
          !status.ok()) {
        return status;
      }
      batch.push_back(sessions[i]->session.get());
    }
    return Session::appendBatch(batch, ids, logits);
  });
}

int32_t umber_session_position(const umber_session *session) {
  return session ? session->session->position() : 0;
}

int32_t umber_session_context(const umber_session *session) {
  return session ? session->session->context() : 0;
}

const int32_t *umber_session_tokens(const umber_session *session) {
  return session ? session->session->tokens().data() : nullptr;
}

void umber_session_reset(umber_session *session) {
  umber_session_truncate(session, 0, nullptr);
}

umber_status umber_session_truncate(umber_session *session, int32_t position,
                                    umber_error *error) {
  return onSession(session, error,
                   [&](Session &self) { return self.truncate(position); });
}

umber_status umber_session_save(const umber_session *session, const char *path,
                                umber_error *error) {
  return onSession(session, error, [&](const Session &self) -> Status {
    if (Status status = requireArguments({{path, "path"}}); !status.ok()) {
      return status;
    }
    return saveSession(self, path);
  });
}

umber_status umber_session_restore(umber_session *session, const char *path,
                                   umber_error *error) {
  return onSession(session, error, [&](Session &self) -> Status {
    if (Status status = requireArguments({{path, "path"}}); !status.ok()) {
      return status;
    }
    return restoreSession(self, path);
  });
}

size_t umber_session_state_size(const umber_session *session) {
  return session ? session->session->stateSize(session->session->position())
                 : 0;
}

umber_status umber_session_write_state(const umber_session *session,
                                       void *buffer, size_t size,
                                       umber_error *error) {
  return onSession(session, error, [&](const Session &self) -> Status {
    if (Status status = requireArguments({{buffer, "buffer"}}); !status.ok()) {
      return status;
    }
    return self.writeState(buffer, size);
  });
}

umber_status umber_session_read_state(umber_session *session,
                                      const void *buffer, size_t size,
                                      umber_error *error) {
  return onSession(session, error, [&](Session &self) -> Status {
    if (Status status = requireArguments({{buffer, "buffer"}}); !status.ok()) {
      return status;
    }
    return self.readState(buffer, size);
  });
}

void umber_session_set_profiling(umber_session *session, int on) {
  onSession(session, nullptr, [&](Session &self) -> Status {
    self.device().setProfiling(on != 0);
    return {};
  });
}

size_t umber_session_profile_count(const umber_session *session) {
  return session ? session->session->device().profileCount() : 0;
}

umber_status umber_session_profile_get(const umber_session *session,
                                       size_t index,
                                       umber_dispatch_profile *row,
                                       umber_error *error) {
  return onSession(session, error, [&](const Session &self) -> Status {
    if (Status status = requireArguments({{row, "row"}}); !status.ok()) {
      return status;
    }
    if (index >= self.device().profileCount()) {
      return Status(StatusCode::NotFound,
                    "profile row " + std::to_string(index) + " of " +
                        std::to_string(self.device().profileCount()) +
                        " does not exist");
    }
    DispatchProfile profile = self.device().profile(index);
    umber_dispatch_profile value = UMBER_DISPATCH_PROFILE_INIT;
    value.program = profile.program;
    value.name = profile.name;
    value.layer = profile.layer;
    value.runs = profile.runs;
    value.nanoseconds = profile.nanoseconds;
    value.weight_bytes = profile.weightBytes;
    value.flops_per_token = profile.flopsPerToken;
    value.weight_bytes_read = profile.weightBytesRead;
    value.cache_bytes_read = profile.cacheBytesRead;
    value.integer_ops = profile.integerOps;
    value.float_ops = profile.floatOps;
    return writeInfo(value, row);
  });
}

umber_status umber_session_set_tracing(umber_session *session, size_t capacity,
                                       umber_error *error) {
  return onSession(session, error, [&](Session &self) {
    return self.device().setTracing(capacity);
  });
}

size_t umber_session_trace_count(const umber_session *session) {
  return session ? session->session->device().traceCount() : 0;
}

uint64_t umber_session_trace_dropped(const umber_session *session) {
  return session ? session->session->device().traceDropped() : 0;
}

umber_status umber_session_trace_get(const umber_session *session, size_t index,
                                     umber_trace_event *event,
                                     umber_error *error) {
  return onSession(session, error, [&](const Session &self) -> Status {
    if (Status status = requireArguments({{event, "event"}}); !status.ok()) {
      return status;
    }
    if (index >= self.device().traceCount()) {
      return Status(StatusCode::NotFound,
                    "trace event " + std::to_string(index) + " of " +
                        std::to_string(self.device().traceCount()) +
                        " does not exist");
    }
    TraceEvent found = self.device().traceEvent(index);
    umber_trace_event value = UMBER_TRACE_EVENT_INIT;
    value.dispatch = found.dispatch;
    value.worker = found.worker;
    value.tokens = found.tokens;
    value.position = found.position;
    value.begin = found.beginNanoseconds;
    value.end = found.endNanoseconds;
    return writeInfo(value, event);
  });
}
