// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-bench/RooflineReport.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace umber::tools;

namespace {

/// A kernel's numbers, or the whole test's.
struct Line {
  const KernelProfile &work;
  BoundTime bound;
  double seconds, tokens;

  Line(const KernelProfile &work, const Roofline &roofline)
      : work(work), bound(getBound(work, *roofline.bounds)),
        seconds(static_cast<double>(work.nanoseconds) * 1e-9),
        tokens(double(roofline.test.tokens()) * roofline.test.sessions) {}

  double perToken(double amount) const { return amount / tokens; }
  double perSecond(double amount) const {
    return seconds > 0 ? amount / seconds : 0;
  }
  double share() const { return perSecond(bound.seconds()); }
};

void printMarkdownLine(const Line &line, double whole) {
  const KernelProfile &work = line.work;
  std::printf("| %s | %s | %llu | %.2f | %.1f | %.3f | %.3f | %.2f | %.1f | ",
              work.program.c_str(), work.name.c_str(),
              static_cast<unsigned long long>(work.runs),
              line.perToken(line.seconds * 1e6), 100 * line.seconds / whole,
              line.perToken(work.weightBytes) / 1e6,
              line.perToken(work.cacheBytes) / 1e6,
              line.perSecond(work.bytes()) / 1e9,
              line.perSecond(work.ops()) / 1e9);
  if (work.bytes() > 0) {
    std::printf("%.1f", static_cast<double>(work.ops()) / work.bytes());
  }
  std::printf(" | %s | ", line.bound.name());
  if (line.bound.seconds() > 0) {
    std::printf("%.1f", 100 * line.share());
  }
  std::printf(" |\n");
}

void printBounds(const BenchReport &report, const Roofline &roofline) {
  const Bounds &bounds = *roofline.bounds;
  std::printf("%s, %.2f MiB, %s (%s), %d threads; memory %.1f GB/s; ",
              report.model.c_str(),
              static_cast<double>(report.modelBytes) / (1 << 20),
              report.device.c_str(), report.isa.c_str(), roofline.test.threads,
              bounds.bytesPerSecond / 1e9);
  if (bounds.peak.integerOps > 0) {
    std::printf("arithmetic %.0f Gop/s of 8-bit integers, %.0f of f32\n\n",
                bounds.peak.integerOps / 1e9, bounds.peak.floatOps / 1e9);
  } else {
    std::printf("arithmetic not known for this instruction set\n\n");
  }
}

void printMarkdown(const Roofline &roofline) {
  KernelProfile total = roofline.total();
  Line whole(total, roofline);
  std::printf("%s: %.2f tokens/s, %.3f ms a token, which reads %.2f MB: "
              "%.1f %% of the memory's bandwidth\n\n",
              roofline.test.name().c_str(), whole.perSecond(whole.tokens),
              whole.perToken(whole.seconds * 1e3),
              whole.perToken(total.bytes()) / 1e6,
              100 * roofline.memoryShare());
  std::printf(
      "| program | kernel | calls | us/token | %% | weights, MB/token | "
      "cache, MB/token | GB/s | Gop/s | op/byte | bound | %% of it |\n"
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | "
      "---: | --- | ---: |\n");
  for (const KernelProfile &kernel : roofline.kernels) {
    printMarkdownLine(Line(kernel, roofline), whole.seconds);
  }
  printMarkdownLine(whole, whole.seconds);
}

nlohmann::ordered_json describe(const Line &line) {
  const KernelProfile &work = line.work;
  return {{"program", work.program},
          {"kernel", work.name},
          {"layer", work.layer},
          {"calls", work.runs},
          {"ns", work.nanoseconds},
          {"weight_bytes", work.weightBytes},
          {"cache_bytes", work.cacheBytes},
          {"integer_ops", work.integerOps},
          {"float_ops", work.floatOps},
          {"bound", line.bound.name()},
          {"bound_ns", line.bound.seconds() * 1e9},
          {"bound_share", line.share()}};
}

nlohmann::ordered_json describe(const Roofline &roofline) {
  KernelProfile total = roofline.total();
  auto kernels = nlohmann::ordered_json::array();
  for (const KernelProfile &kernel : roofline.kernels) {
    kernels.push_back(describe(Line(kernel, roofline)));
  }
  return {{"memory_bytes_per_second", roofline.bounds->bytesPerSecond},
          {"integer_ops_per_second", roofline.bounds->peak.integerOps},
          {"float_ops_per_second", roofline.bounds->peak.floatOps},
          {"memory_share", roofline.memoryShare()},
          {"kernels", kernels},
          {"total", describe(Line(total, roofline))}};
}

void printCsvLine(const BenchReport &report, const Roofline &roofline,
                  const Line &line) {
  const Measurement &test = roofline.test;
  const KernelProfile &work = line.work;
  std::printf(
      "%s,%d,%d,%d,%d,%d,%s,%s,%llu,%llu,%llu,%llu,%llu,%llu,%s,%.0f,%.6f"
      "\n",
      quoteCsv(report.package).c_str(), test.threads, test.promptTokens,
      test.newTokens, test.depth, test.sessions, work.program.c_str(),
      work.name.c_str(), static_cast<unsigned long long>(work.runs),
      static_cast<unsigned long long>(work.nanoseconds),
      static_cast<unsigned long long>(work.weightBytes),
      static_cast<unsigned long long>(work.cacheBytes),
      static_cast<unsigned long long>(work.integerOps),
      static_cast<unsigned long long>(work.floatOps), line.bound.name(),
      line.bound.seconds() * 1e9, line.share());
}

} // namespace

void umber::tools::printRooflines(const BenchReport &report,
                                  const std::string &format) {
  if (format == "md") {
    const Bounds *shown = nullptr;
    for (const Roofline &roofline : report.rooflines) {
      if (roofline.bounds.get() != shown) {
        printBounds(report, roofline);
        shown = roofline.bounds.get();
      }
      printMarkdown(roofline);
      std::printf("\n");
    }
    return;
  }
  if (format == "csv") {
    std::printf("model_filename,n_threads,n_prompt,n_gen,n_depth,n_sessions,"
                "program,kernel,"
                "calls,ns,weight_bytes,cache_bytes,integer_ops,float_ops,bound,"
                "bound_ns,bound_share\n");
    for (const Roofline &roofline : report.rooflines) {
      for (const KernelProfile &kernel : roofline.kernels) {
        printCsvLine(report, roofline, Line(kernel, roofline));
      }
      KernelProfile total = roofline.total();
      printCsvLine(report, roofline, Line(total, roofline));
    }
    return;
  }
  auto tests = nlohmann::ordered_json::array();
  for (const Roofline &roofline : report.rooflines) {
    nlohmann::ordered_json test = toJson(report, roofline.test);
    test["roofline"] = describe(roofline);
    tests.push_back(test);
  }
  std::cout << tests.dump(2, ' ', false,
                          nlohmann::json::error_handler_t::replace)
            << "\n";
}
