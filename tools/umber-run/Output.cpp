// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

using namespace umber::tools;

namespace {

double perSecond(size_t count, double milliseconds) {
  return milliseconds > 0 ? count * 1e3 / milliseconds : 0;
}

/// The compiler numbers the kernels of layers: "l12.down" is "down" there.
std::string nameInAnyLayer(const umber_dispatch_profile &row) {
  std::string prefix = "l" + std::to_string(row.layer) + ".";
  std::string name = row.name;
  return row.layer >= 0 && name.rfind(prefix, 0) == 0
             ? name.substr(prefix.size())
             : name;
}

} // namespace

void umber::tools::printNow(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
      std::fflush(stdout) != 0) {
    throw ToolError(std::string("standard output: ") + std::strerror(errno));
  }
}

void umber::tools::printJson(const Generation &generation, double loadMs) {
  nlohmann::ordered_json timings;
  timings["load_ms"] = loadMs;
  timings["prompt_n"] = generation.promptIds.size();
  timings["prompt_ms"] = generation.promptMs;
  timings["prompt_per_second"] =
      perSecond(generation.promptIds.size(), generation.promptMs);
  timings["predicted_n"] = generation.ids.size();
  timings["predicted_ms"] = generation.predictedMs;
  timings["predicted_per_second"] =
      perSecond(generation.ids.size(), generation.predictedMs);
  nlohmann::ordered_json object;
  object["prompt_ids"] = generation.promptIds;
  object["ids"] = generation.ids;
  object["text"] = generation.text;
  object["stop_reason"] = generation.stopReason;
  object["timings"] = timings;
  printNow(object.dump(-1, ' ', false,
                       nlohmann::ordered_json::error_handler_t::replace) +
           "\n");
}

void umber::tools::printSpeeds(const Generation &generation, double loadMs) {
  std::fprintf(stderr,
               "load %.0f ms · prompt %zu tokens, %.1f tokens/s · generated "
               "%zu tokens, %.1f tokens/s · stopped at %s\n",
               loadMs, generation.promptIds.size(),
               perSecond(generation.promptIds.size(), generation.promptMs),
               generation.ids.size(),
               perSecond(generation.ids.size(), generation.predictedMs),
               generation.stopReason.c_str());
}

void umber::tools::printProfile(const umber_session *session) {
  struct Sum {
    uint64_t runs = 0, nanoseconds = 0, weightBytes = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (size_t i = 0; i < umber_session_profile_count(session); ++i) {
    umber_dispatch_profile row = UMBER_DISPATCH_PROFILE_INIT;
    check([&](umber_error *error) {
      return umber_session_profile_get(session, i, &row, error);
    });
    Sum &sum = sums[{row.program, nameInAnyLayer(row)}];
    sum.runs += row.runs;
    sum.nanoseconds += row.nanoseconds;
    sum.weightBytes += row.runs * row.weight_bytes;
  }
  std::vector<std::pair<std::pair<std::string, std::string>, Sum>> rows(
      sums.begin(), sums.end());
  std::sort(rows.begin(), rows.end(), [](auto &a, auto &b) {
    return a.second.nanoseconds > b.second.nanoseconds;
  });
  std::fprintf(stderr, "%-8s %-32s %8s %10s %10s %8s\n", "program", "kernel",
               "runs", "ms", "us/run", "GB/s");
  for (const auto &[key, sum] : rows) {
    if (sum.runs == 0) {
      continue;
    }
    double us = sum.nanoseconds / 1e3;
    std::fprintf(stderr, "%-8s %-32s %8llu %10.2f %10.2f %8.2f\n",
                 key.first.c_str(), key.second.c_str(),
                 static_cast<unsigned long long>(sum.runs), us / 1e3,
                 us / sum.runs, us > 0 ? sum.weightBytes / us / 1e3 : 0);
  }
}

void umber::tools::printDevices() {
  for (size_t i = 0; i < umber_device_count(); ++i) {
    umber_device_info info = UMBER_DEVICE_INFO_INIT;
    check(
        [&](umber_error *error) { return umber_device_get(i, &info, error); });
    printNow(std::string(info.name) + "\t" + info.description + "\n");
  }
}

void umber::tools::writeLogits(const std::string &path, const float *logits,
                               size_t count) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                "logits are written as they stand in memory");
  // Renaming would put a file in the place of a device such as /dev/null.
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw ToolError(path + ": expected a regular file or none");
  }
  std::string temporary = path + ".tmp" + std::to_string(getpid());
  FILE *file = std::fopen(temporary.c_str(), "wb");
  if (!file) {
    throw ToolError(path + ": " + std::strerror(errno));
  }
  bool written = std::fwrite(logits, sizeof(float), count, file) == count;
  int cause = errno;
  // A full disk may show only when the buffer is written out.
  if (std::fclose(file) != 0 && written) {
    written = false;
    cause = errno;
  }
  if (written && std::rename(temporary.c_str(), path.c_str()) == 0) {
    return;
  }
  cause = written ? errno : cause;
  std::remove(temporary.c_str());
  throw ToolError(path + ": " + std::strerror(cause));
}
