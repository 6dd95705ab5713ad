// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A clone for processors that have fused multiply-adds.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_CLONES_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_CLONES_H

/// Functions with this are compiled twice, with the same results: one copy for
/// processors with AVX2 and fused multiply-adds, which is many times as fast.
#if defined(__x86_64__)
#define UMBER_NPU_CLONES                                                       \
  __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define UMBER_NPU_CLONES
#endif

/// For what they call: inlined, it is compiled for their processor.
#define UMBER_NPU_INLINE inline __attribute__((always_inline))

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_CLONES_H
