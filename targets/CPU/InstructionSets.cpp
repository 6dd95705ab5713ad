// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/CPU/CPUTarget.h"
#include "targets/CPU/UkernelBitcode.inc"

namespace umber::cpu {

llvm::ArrayRef<InstructionSet> getInstructionSets() {
  // What the features stand for is also in the runtime's CPU driver, which
  // chooses by the processor.
  static const InstructionSet sets[] = {
      {"x86-64-v4", "x86_64-unknown-linux-gnu", "x86-64-v4", "+avx512vnni", 512,
       kBitcode_x86_64_v4},
      {"x86-64-v3", "x86_64-unknown-linux-gnu", "x86-64-v3", "", 256,
       kBitcode_x86_64_v3},
      {"aarch64", "aarch64-unknown-linux-gnu", "generic",
       "+v8.2a,+dotprod,+fullfp16", 128, kBitcode_aarch64},
  };
  return sets;
}

} // namespace umber::cpu
