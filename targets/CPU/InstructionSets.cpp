// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/CPU/CPUTarget.h"
#include "targets/CPU/UkernelBitcode.inc"

namespace umber::cpu {

llvm::ArrayRef<InstructionSet> getInstructionSets() {
  // What the features stand for is also in the runtime's CPU driver, which
  // chooses by the processor.
  constexpr llvm::StringRef kX86 = "x86_64-unknown-linux-gnu";
  constexpr llvm::StringRef kArm = "aarch64-unknown-linux-gnu";
  static const InstructionSet sets[] = {
      {"x86-64-v4-amx", kX86, "x86-64-v4",
       "+avx512vnni,+avx512vbmi,+amx-tile,+amx-int8", 512,
       /*isForEncodedProducts=*/true, kBitcode_x86_64_v4_amx},
      {"x86-64-v4-vbmi", kX86, "x86-64-v4", "+avx512vnni,+avx512vbmi", 512,
       /*isForEncodedProducts=*/true, kBitcode_x86_64_v4_vbmi},
      {"x86-64-v4", kX86, "x86-64-v4", "+avx512vnni", 512,
       /*isForEncodedProducts=*/false, kBitcode_x86_64_v4},
      {"x86-64-v3", kX86, "x86-64-v3", "", 256,
       /*isForEncodedProducts=*/false, kBitcode_x86_64_v3},
      {"aarch64-i8mm", kArm, "generic", "+v8.2a,+dotprod,+fullfp16,+i8mm", 128,
       /*isForEncodedProducts=*/true, kBitcode_aarch64_i8mm},
      {"aarch64", kArm, "generic", "+v8.2a,+dotprod,+fullfp16", 128,
       /*isForEncodedProducts=*/false, kBitcode_aarch64},
  };
  return sets;
}

} // namespace umber::cpu
