// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Trace Event Format's JSON, which chrome://tracing and ui.perfetto.dev
// open.

#ifndef UMBER_TOOLS_COMMON_TRACEWRITER_H
#define UMBER_TOOLS_COMMON_TRACEWRITER_H

#include "tools/common/CreateFile.h"
#include "tools/common/JsonText.h"

#include <cinttypes>
#include <cstdio>
#include <string>

namespace umber::tools {

/// Appends one event after another. A trace has hundreds of thousands, so none
/// is kept longer than its text needs to be written. Times are nanoseconds,
/// of which `start` is the trace's 0.
class TraceWriter {
public:
  TraceWriter(OutputFile &file, uint64_t start) : file(file), start(start) {}

  void begin(const nlohmann::ordered_json &about) {
    text = "{\"displayTimeUnit\":\"ns\",\"otherData\":" + toText(about) +
           ",\"traceEvents\":[";
  }

  void nameTrack(int32_t track, const std::string &name) {
    for (auto [key, value] : {std::pair<const char *, nlohmann::ordered_json>(
                                  "thread_name", {{"name", name}}),
                              {"thread_sort_index", {{"sort_index", track}}}}) {
      add(toText({{"ph", "M"},
                  {"pid", 1},
                  {"tid", track},
                  {"name", key},
                  {"args", value}}));
    }
  }

  /// `what` are the event's fields that do not tell when and where.
  void addSpan(int32_t track, uint64_t begin, uint64_t end,
               const std::string &what) {
    char fields[128];
    std::snprintf(fields, sizeof fields,
                  "{\"ph\":\"X\",\"pid\":1,\"tid\":%" PRId32 ",\"ts\":%" PRIu64
                  ".%03d,\"dur\":%" PRIu64 ".%03d,",
                  track, (begin - start) / 1000, int((begin - start) % 1000),
                  (end - begin) / 1000, int((end - begin) % 1000));
    add(fields + what + "}");
  }

  void end() {
    text += "\n]}\n";
    flush();
  }

private:
  void add(const std::string &event) {
    text += isFirst ? "\n" : ",\n";
    isFirst = false;
    text += event;
    if (text.size() > (1 << 20)) {
      flush();
    }
  }

  void flush() {
    check(file.append(text.data(), text.size()));
    text.clear();
  }

  OutputFile &file;
  uint64_t start;
  std::string text;
  bool isFirst = true;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_TRACEWRITER_H
