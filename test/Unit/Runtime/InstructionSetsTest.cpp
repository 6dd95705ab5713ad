// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/InstructionSets.h"

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

TEST(InstructionSets, OtherMachinesSetsAreNot) {
#if defined(__x86_64__)
  const char *foreign = "aarch64", *architecture = "x86-64";
#elif defined(__aarch64__)
  const char *foreign = "x86-64-v3", *architecture = "aarch64";
#endif
  for (const char *isa : {foreign, "x86-64-v9", ""}) {
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
