// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Trace.h"

#include "tools/common/KernelProfile.h"
#include "tools/common/TraceWriter.h"

#include <algorithm>

using namespace umber::tools;

namespace {

constexpr int32_t kTimelineTrack = 0;

int32_t getTrack(int32_t worker) { return worker + 1; }

umber_trace_event getEvent(const umber_session *session, size_t index) {
  umber_trace_event event = UMBER_TRACE_EVENT_INIT;
  check([&](umber_error *error) {
    return umber_session_trace_get(session, index, &event, error);
  });
  return event;
}

/// The fields of a dispatch's events that are the same for all, without the
/// brace that ends their arguments.
std::string describe(const umber_session *session, size_t dispatch) {
  umber_dispatch_profile row = UMBER_DISPATCH_PROFILE_INIT;
  check([&](umber_error *error) {
    return umber_session_profile_get(session, dispatch, &row, error);
  });
  nlohmann::ordered_json fields = {{"name", nameInAnyLayer(row)},
                                   {"cat", row.program},
                                   {"args",
                                    {{"dispatch", row.name},
                                     {"program", row.program},
                                     {"layer", row.layer},
                                     {"weight_bytes", row.weight_bytes}}}};
  std::string text = toText(fields);
  return text.substr(1, text.size() - 3);
}

void writeKernels(TraceWriter &writer, const umber_session *session) {
  std::vector<std::string> dispatches;
  for (size_t i = 0; i < umber_session_profile_count(session); ++i) {
    dispatches.push_back(describe(session, i));
  }
  for (size_t i = 0; i < umber_session_trace_count(session); ++i) {
    umber_trace_event event = getEvent(session, i);
    writer.addSpan(getTrack(event.worker), event.begin, event.end,
                   dispatches[event.dispatch] +
                       ",\"tokens\":" + std::to_string(event.tokens) +
                       ",\"position\":" + std::to_string(event.position) + "}");
  }
}

} // namespace

void umber::tools::writeTrace(const std::string &path, const umber_model *model,
                              const umber_session *session,
                              const Timeline &timeline) {
  umber_model_info info = modelInfo(model);
  uint64_t start = UINT64_MAX;
  for (const Timeline::Span &span : timeline.spans()) {
    start = std::min(start, span.begin);
  }
  if (umber_session_trace_count(session) > 0) {
    start = std::min(start, getEvent(session, 0).begin);
  }
  auto file = createFile(path);
  TraceWriter writer(*file, start);
  writer.begin({{"model", info.name},
                {"device", info.device},
                {"isa", info.isa},
                {"threads", info.threads},
                {"version", umber_version()},
                {"dropped_events", umber_session_trace_dropped(session)}});
  writer.nameTrack(kTimelineTrack, "steps");
  for (int32_t worker = 0; worker < info.threads; ++worker) {
    writer.nameTrack(getTrack(worker), "worker " + std::to_string(worker));
  }
  for (const Timeline::Span &span : timeline.spans()) {
    writer.addSpan(kTimelineTrack, span.begin, span.end,
                   "\"name\":\"" + std::string(span.name) +
                       "\",\"cat\":\"step\",\"args\":{\"tokens\":" +
                       std::to_string(span.tokens) + "}");
  }
  writeKernels(writer, session);
  writer.end();
  check(file->commit());
}
