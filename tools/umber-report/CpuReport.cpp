// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/CpuReport.h"

#include "tools/common/Handles.h"

#include <filesystem>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace umber::tools {

namespace {

/// Tokens that a decode step's time is measured over.
constexpr int kDecodedTokens = 32;

[[noreturn]] void fail(const std::string &name, const std::string &what) {
  throw ToolError(
      name + ": expected what umber-bench --profile prints, found " + what);
}

/// Reads numbers and strings of a profile that nobody has checked.
class Fields {
public:
  Fields(const Json &object, const std::string &name)
      : object(object), name(name) {
    if (!object.is_object()) {
      fail(name, std::string("a ") + object.type_name());
    }
  }

  const Json &get(const char *key) const {
    auto it = object.find(key);
    if (it == object.end()) {
      fail(name, std::string("no \"") + key + "\"");
    }
    return *it;
  }
  double number(const char *key) const {
    const Json &value = get(key);
    double number = value.is_number() ? value.get<double>() : -1;
    if (!(number >= 0 && std::isfinite(number))) {
      fail(name, std::string("\"") + key + "\": " + toText(value));
    }
    return number;
  }
  std::string text(const char *key) const {
    const Json &value = get(key);
    if (!value.is_string()) {
      fail(name, std::string("\"") + key + "\": " + toText(value));
    }
    return value.get<std::string>();
  }

private:
  const Json &object;
  const std::string &name;
};

/// The kernel's work in one token's step, or in the whole prompt's.
Json describeKernel(const Json &object, double parts, const std::string &name) {
  Fields kernel(object, name);
  std::string kind = kernel.text("kernel"), bound = kernel.text("bound");
  const Json &layer = kernel.get("layer");
  int64_t number = layer.is_number_integer() ? layer.get<int64_t>() : -1;
  double ops = kernel.number("integer_ops") + kernel.number("float_ops");
  return {
      {"name", number < 0 ? kind : "l" + std::to_string(number) + "." + kind},
      {"kind", kind},
      {"layer", number},
      {"seconds", kernel.number("ns") * 1e-9 / parts},
      {"bound", bound == "memory"       ? "dram"
                : bound == "arithmetic" ? "mac"
                                        : "sync"},
      {"utilisation", kernel.number("bound_share")},
      {"macs", ops / 2 / parts},
      {"dram",
       {{"weights", kernel.number("weight_bytes") / parts},
        {"cache", kernel.number("cache_bytes") / parts}}}};
}

Json describeTest(const Json &object, const std::string &name) {
  Fields test(object, name);
  Fields roofline(test.get("roofline"), name);
  Fields total(roofline.get("total"), name);
  double generated = test.number("n_gen"), prompt = test.number("n_prompt");
  Phase phase;
  phase.isDecode = generated > 0;
  phase.count =
      static_cast<int64_t>(phase.isDecode ? test.number("n_depth") : prompt);
  double parts = phase.isDecode ? generated : 1;
  const Json &measured = roofline.get("kernels");
  if (!measured.is_array()) {
    fail(name, "no array of kernels");
  }
  if (phase.isDecode == (prompt > 0)) {
    fail(name, "a test that is neither a prompt nor generation");
  }
  Json kernels = Json::array();
  double weights = 0, cache = 0, macs = 0;
  for (const Json &kernel : measured) {
    Json each = describeKernel(kernel, parts, name);
    weights += each["dram"]["weights"].get<double>();
    cache += each["dram"]["cache"].get<double>();
    macs += each["macs"].get<double>();
    kernels.push_back(std::move(each));
  }
  double seconds = total.number("ns") * 1e-9 / parts;
  if (!(seconds > 0)) {
    fail(name, "a test that took no time");
  }
  double bytes = roofline.number("memory_bytes_per_second");
  Json roofs = Json::array();
  for (auto [key, label] :
       {std::pair("integer_ops_per_second", "8-bit integers"),
        std::pair("float_ops_per_second", "f32")}) {
    if (double ops = roofline.number(key); ops > 0 && bytes > 0) {
      roofs.push_back({{"name", label},
                       {"ops", ops},
                       {"bytes", bytes},
                       {"isMain", roofs.empty()}});
    }
  }
  return {{"name", phase.text()},
          {"kind", phase.isDecode ? "decode" : "prefill"},
          {"count", phase.count},
          {"tokens", phase.isDecode ? 1 : phase.count},
          {"seconds", seconds},
          {"macs", macs},
          {"dram", {{"weights", weights}, {"cache", cache}}},
          {"roofs", std::move(roofs)},
          {"kernels", std::move(kernels)}};
}

std::string runBench(const std::vector<std::string> &arguments) {
  std::vector<char *> argv;
  for (const std::string &argument : arguments) {
    argv.push_back(const_cast<char *>(argument.c_str()));
  }
  argv.push_back(nullptr);
  int ends[2];
  if (pipe(ends) != 0) {
    throw ToolError("cannot make a pipe");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t child = 0;
  int error =
      posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char buffer[1 << 16];
  for (ssize_t count = 0;
       error == 0 && (count = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  if (error != 0 || waitpid(child, &status, 0) != child || status != 0) {
    throw ToolError(arguments[0] + " could not measure " + arguments[1]);
  }
  return text;
}

} // namespace

std::string measureProfile(const std::string &package,
                           const std::vector<Phase> &phases) {
  std::error_code error;
  std::string bench = std::filesystem::read_symlink("/proc/self/exe", error)
                          .replace_filename("umber-bench");
  std::string text;
  for (const Phase &phase : phases) {
    std::vector<std::string> arguments = {bench, package, "--profile"};
    if (phase.isDecode) {
      arguments.insert(arguments.end(),
                       {"-p", "0", "-n", std::to_string(kDecodedTokens), "-d",
                        std::to_string(phase.count)});
    } else {
      arguments.insert(arguments.end(),
                       {"-p", std::to_string(phase.count), "-n", "0"});
    }
    text += runBench(arguments);
  }
  return text;
}

Json reportCpu(const std::string &profile, const std::string &name) {
  Json phases = Json::array();
  Json first;
  std::istringstream stream(profile);
  while (stream >> std::ws && stream.peek() != EOF) {
    Json tests;
    try {
      stream >> tests;
    } catch (const Json::exception &) {
      fail(name, "no JSON");
    }
    if (!tests.is_array() || tests.empty()) {
      fail(name, "no array of tests");
    }
    for (const Json &test : tests) {
      phases.push_back(describeTest(test, name));
      if (first.is_null()) {
        first = test;
      }
    }
  }
  if (phases.empty()) {
    fail(name, "nothing");
  }
  Fields test(first, name);
  std::string isa = test.text("isa");
  return {{"format", "umber-report"},
          {"version", 1},
          {"model",
           {{"name", test.text("model_type")},
            {"parameters", test.number("model_n_params")},
            {"context_length", test.number("context_length")}}},
          {"package",
           {{"file", test.text("model_filename")},
            {"bytes", test.number("model_size")}}},
          {"device",
           {{"name", "cpu:measured"},
            {"summary", "measured on this machine, " + isa + ", " +
                            std::to_string(int(test.number("n_threads"))) +
                            " threads"},
            {"kind", "cpu"},
            {"parameters", Json::array()}}},
          {"phases", std::move(phases)},
          {"kernels", Json::array()},
          {"matrices", Json::array()}};
}

} // namespace umber::tools
