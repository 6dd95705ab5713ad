// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/InstructionSets.h"

#include <cstddef>
#include <fstream>
#include <iterator>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

using namespace umber;
using namespace umber::cpu;

namespace {

struct Feature {
  const char *name;
  bool (*present)();
};

struct InstructionSet {
  const char *name;
  const Feature *needs;
  size_t needCount;
};

#if defined(__x86_64__)
// The compiler's check asks the processor, and the operating system whether it
// saves the wide registers.
#define UMBER_FEATURE(NAME)                                                    \
  Feature {                                                                    \
    NAME, [] { return __builtin_cpu_supports(NAME) != 0; }                     \
  }
constexpr Feature kV4[] = {
    UMBER_FEATURE("avx512f"),  UMBER_FEATURE("avx512bw"),
    UMBER_FEATURE("avx512cd"), UMBER_FEATURE("avx512dq"),
    UMBER_FEATURE("avx512vl"), UMBER_FEATURE("avx512vnni")};
constexpr Feature kV3[] = {UMBER_FEATURE("avx2"), UMBER_FEATURE("fma"),
                           UMBER_FEATURE("f16c"), UMBER_FEATURE("bmi2")};
#elif defined(__aarch64__)
constexpr Feature kDotProduct[] = {
    {"asimddp", [] { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }}};
#endif

// Best first.
constexpr InstructionSet kInstructionSets[] = {
#if defined(__x86_64__)
    {"x86-64-v4", kV4, std::size(kV4)},
    {"x86-64-v3", kV3, std::size(kV3)},
#elif defined(__aarch64__)
    {"aarch64", kDotProduct, std::size(kDotProduct)},
#else
    {"none", nullptr, 0},
#endif
};

#if defined(__x86_64__)
constexpr const char *kArchitecture = "x86-64";
#elif defined(__aarch64__)
constexpr const char *kArchitecture = "aarch64";
#else
constexpr const char *kArchitecture = "unknown";
#endif

std::string missingFeatures(const InstructionSet &set) {
  std::string missing;
  for (size_t i = 0; i < set.needCount; ++i) {
    if (!set.needs[i].present()) {
      missing += (missing.empty() ? "" : ", ") + std::string(set.needs[i].name);
    }
  }
  return missing;
}

} // namespace

Status umber::cpu::checkInstructionSet(std::string_view isa) {
  for (const InstructionSet &set : kInstructionSets) {
    if (isa != set.name) {
      continue;
    }
    std::string missing = missingFeatures(set);
    if (missing.empty()) {
      return {};
    }
    return Status(StatusCode::Unsupported,
                  "instruction set " + std::string(isa) +
                      " needs what this processor lacks: " + missing);
  }
  return Status(StatusCode::Unsupported, "instruction set " + std::string(isa) +
                                             " is none of this machine's (" +
                                             kArchitecture + ")");
}

std::vector<std::string> umber::cpu::supportedInstructionSets() {
  std::vector<std::string> names;
  for (const InstructionSet &set : kInstructionSets) {
    if (missingFeatures(set).empty()) {
      names.push_back(set.name);
    }
  }
  return names;
}

std::string umber::cpu::processorName() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return kArchitecture;
}
