// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/InstructionSets.h"

#include <cstddef>
#include <fstream>
#include <iterator>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
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
  /// Whether it needs all that the next set needs, too.
  bool extendsNext;
};

#if defined(__x86_64__)
// The compiler's check asks the processor, and the operating system whether it
// saves the wide registers.
#define UMBER_FEATURE(NAME)                                                    \
  Feature {                                                                    \
    NAME, [] { return __builtin_cpu_supports(NAME) != 0; }                     \
  }

/// Linux saves tiles only for a process that has asked for them, which must be
/// done before the first is used. It may refuse: where it is too old or was
/// told to, or where a stack for signals is too small.
bool askForTiles() {
  if (!__builtin_cpu_supports("amx-tile")) {
    return false;
  }
  constexpr int kRequest = 0x1023; // ARCH_REQ_XCOMP_PERM of asm/prctl.h
  constexpr int kTileData = 18;    // of the processor's state components
  static const bool granted = syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  return granted;
}

constexpr Feature kAmx[] = {{"amx-tile", askForTiles},
                            UMBER_FEATURE("amx-int8")};
constexpr Feature kVbmi[] = {UMBER_FEATURE("avx512vbmi")};
constexpr Feature kV4[] = {
    UMBER_FEATURE("avx512f"),  UMBER_FEATURE("avx512bw"),
    UMBER_FEATURE("avx512cd"), UMBER_FEATURE("avx512dq"),
    UMBER_FEATURE("avx512vl"), UMBER_FEATURE("avx512vnni")};
constexpr Feature kV3[] = {UMBER_FEATURE("avx2"), UMBER_FEATURE("fma"),
                           UMBER_FEATURE("f16c"), UMBER_FEATURE("bmi2")};
#elif defined(__aarch64__)
constexpr Feature kI8mm[] = {
    {"i8mm", [] { return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0; }}};
constexpr Feature kArmV8_2[] = {
    {"asimdhp", [] { return (getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0; }},
    {"asimddp", [] { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }}};
#endif

// Best first.
constexpr InstructionSet kInstructionSets[] = {
#if defined(__x86_64__)
    {"x86-64-v4-amx", kAmx, std::size(kAmx), /*extendsNext=*/true},
    {"x86-64-v4-vbmi", kVbmi, std::size(kVbmi), /*extendsNext=*/true},
    {"x86-64-v4", kV4, std::size(kV4), /*extendsNext=*/false},
    {"x86-64-v3", kV3, std::size(kV3), /*extendsNext=*/false},
#elif defined(__aarch64__)
    {"aarch64-i8mm", kI8mm, std::size(kI8mm), /*extendsNext=*/true},
    {"aarch64", kArmV8_2, std::size(kArmV8_2), /*extendsNext=*/false},
#else
    {"none", nullptr, 0, /*extendsNext=*/false},
#endif
};

#if defined(__x86_64__)
constexpr const char *kArchitecture = "x86-64";
#elif defined(__aarch64__)
constexpr const char *kArchitecture = "aarch64";
#else
constexpr const char *kArchitecture = "unknown";
#endif

const InstructionSet *findInstructionSet(std::string_view name) {
  for (const InstructionSet &set : kInstructionSets) {
    if (name == set.name) {
      return &set;
    }
  }
  return nullptr;
}

/// Of `set`, one of kInstructionSets; those of the smallest set first.
std::string missingFeatures(const InstructionSet *set) {
  std::string missing = set->extendsNext ? missingFeatures(set + 1) : "";
  for (size_t i = 0; i < set->needCount; ++i) {
    if (!set->needs[i].present()) {
      missing +=
          (missing.empty() ? "" : ", ") + std::string(set->needs[i].name);
    }
  }
  return missing;
}

} // namespace

Status umber::cpu::checkInstructionSet(std::string_view isa) {
  const InstructionSet *set = findInstructionSet(isa);
  if (!set) {
    return Status(StatusCode::Unsupported,
                  "instruction set " + std::string(isa) +
                      " is none of this machine's (" + kArchitecture + ")");
  }
  std::string missing = missingFeatures(set);
  if (missing.empty()) {
    return {};
  }
  return Status(StatusCode::Unsupported,
                "instruction set " + std::string(isa) +
                    " needs what this processor lacks: " + missing);
}

bool umber::cpu::isOfThisArchitecture(std::string_view isa) {
  return findInstructionSet(isa) != nullptr;
}

std::vector<std::string> umber::cpu::supportedInstructionSets() {
  std::vector<std::string> names;
  for (const InstructionSet &set : kInstructionSets) {
    if (missingFeatures(&set).empty()) {
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
