// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Output.h"

#include "tools/common/CreateFile.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

using namespace umber::tools;

namespace {

double perSecond(size_t count, double milliseconds) {
  return milliseconds > 0 ? count * 1e3 / milliseconds : 0;
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

void umber::tools::printTotals(const std::vector<Generation> &answers,
                               size_t sessions, double loadMs, double totalMs) {
  size_t prompt = 0, generated = 0;
  double promptMs = 0;
  for (const Generation &answer : answers) {
    prompt += answer.promptIds.size();
    generated += answer.ids.size();
    promptMs += answer.promptMs;
  }
  std::fprintf(
      stderr,
      "load %.0f ms · %zu prompts, %zu at a time · prompts %zu tokens, "
      "%.1f tokens/s · generated %zu tokens, %.1f tokens/s · in all "
      "%.2f s\n",
      loadMs, answers.size(), sessions, prompt, perSecond(prompt, promptMs),
      generated, perSecond(generated, totalMs - promptMs), totalMs / 1e3);
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
  auto file = createFile(path);
  check(file->append(logits, count * sizeof *logits));
  check(file->commit());
}
