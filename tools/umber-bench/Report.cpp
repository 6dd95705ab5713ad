// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-bench/Report.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace umber::tools {

namespace {

void printMarkdown(const BenchReport &report) {
  std::printf("| model | size | params | backend | threads | test | t/s |\n"
              "| --- | ---: | ---: | --- | ---: | ---: | ---: |\n");
  for (const Measurement &row : report.rows) {
    std::vector<double> speeds = row.tokensPerSecond();
    std::printf(
        "| %s | %.2f MiB | %.2f M | %s (%s%s) | %d | %s | %.2f ± %.2f |\n",
        report.model.c_str(),
        static_cast<double>(report.modelBytes) / (1 << 20),
        static_cast<double>(report.parameters) / 1e6, report.device.c_str(),
        report.isa.c_str(), report.isSimulated ? ", simulated" : "",
        row.threads, row.name().c_str(), mean(speeds),
        standardDeviation(speeds));
  }
}

void printCsv(const BenchReport &report) {
  std::printf(
      "model_filename,n_threads,n_prompt,n_gen,n_depth,n_sessions,avg_ns,"
      "stddev_ns,avg_ts,stddev_ts\n");
  for (const Measurement &row : report.rows) {
    nlohmann::ordered_json json = toJson(report, row);
    std::printf("%s,%d,%d,%d,%d,%d,%.0f,%.0f,%.6f,%.6f\n",
                quoteCsv(report.package).c_str(), row.threads, row.promptTokens,
                row.newTokens, row.depth, row.sessions,
                json["avg_ns"].get<double>(), json["stddev_ns"].get<double>(),
                json["avg_ts"].get<double>(), json["stddev_ts"].get<double>());
  }
}

} // namespace

nlohmann::ordered_json toJson(const BenchReport &report,
                              const Measurement &row) {
  std::vector<double> nanoseconds;
  for (double seconds : row.seconds) {
    nanoseconds.push_back(seconds * 1e9);
  }
  std::vector<double> speeds = row.tokensPerSecond();
  return {{"model_filename", report.package},
          {"model_type", report.model},
          {"model_size", report.modelBytes},
          {"model_n_params", report.parameters},
          {"context_length", report.contextLength},
          {"cache_bytes_per_token", report.cacheBytesPerToken},
          {"backends", report.device},
          {"isa", report.isa},
          {"simulated", report.isSimulated},
          {"n_threads", row.threads},
          {"n_prompt", row.promptTokens},
          {"n_gen", row.newTokens},
          {"n_depth", row.depth},
          {"n_sessions", row.sessions},
          {"avg_ns", mean(nanoseconds)},
          {"stddev_ns", standardDeviation(nanoseconds)},
          {"avg_ts", mean(speeds)},
          {"stddev_ts", standardDeviation(speeds)},
          {"samples_ns", nanoseconds},
          {"samples_ts", speeds}};
}

std::string quoteCsv(const std::string &text) {
  std::string quoted = "\"";
  for (char letter : text) {
    quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  }
  return quoted + '"';
}

void printReport(const BenchReport &report, const std::string &format) {
  if (format == "md") {
    printMarkdown(report);
    return;
  }
  if (format == "csv") {
    printCsv(report);
    return;
  }
  auto rows = nlohmann::ordered_json::array();
  for (const Measurement &row : report.rows) {
    rows.push_back(toJson(report, row));
  }
  std::cout << rows.dump(2, ' ', false,
                         nlohmann::json::error_handler_t::replace)
            << "\n";
}

} // namespace umber::tools
