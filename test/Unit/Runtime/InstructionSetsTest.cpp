// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/InstructionSets.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace umber;
using namespace umber::cpu;

namespace {

TEST(InstructionSets, WhatIsSupportedIsChecked) {
  for (const std::string &isa : supportedInstructionSets()) {
    Status status = checkInstructionSet(isa);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST(InstructionSets, WhatIsNotSupportedLacksSomething) {
#if defined(__x86_64__)
  const char *ours[] = {"x86-64-v3", "x86-64-v4", "x86-64-v4-vbmi",
                        "x86-64-v4-amx"};
#elif defined(__aarch64__)
  const char *ours[] = {"aarch64", "aarch64-i8mm"};
#endif
  std::vector<std::string> supported = supportedInstructionSets();
  for (const std::string isa : ours) {
    EXPECT_TRUE(isOfThisArchitecture(isa));
    Status status = checkInstructionSet(isa);
    bool isSupported =
        std::find(supported.begin(), supported.end(), isa) != supported.end();
    EXPECT_EQ(status.ok(), isSupported) << isa;
    std::string begin =
        "instruction set " + isa + " needs what this processor lacks: ";
    if (!status.ok()) {
      EXPECT_EQ(status.message().substr(0, begin.size()), begin);
      EXPECT_GT(status.message().size(), begin.size());
    }
  }
}

TEST(InstructionSets, OtherMachinesSetsAreNot) {
#if defined(__x86_64__)
  const char *foreign = "aarch64", *architecture = "x86-64";
#elif defined(__aarch64__)
  const char *foreign = "x86-64-v3", *architecture = "aarch64";
#endif
  for (const char *isa : {foreign, "x86-64-v9", ""}) {
    EXPECT_FALSE(isOfThisArchitecture(isa));
    Status status = checkInstructionSet(isa);
    EXPECT_EQ(status.code(), StatusCode::Unsupported);
    EXPECT_EQ(status.message(), std::string("instruction set ") + isa +
                                    " is none of this machine's (" +
                                    architecture + ")");
  }
}

TEST(InstructionSets, TheProcessorHasAName) {
  EXPECT_FALSE(processorName().empty());
}

} // namespace
