// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/Targets/KernelTable.h"

extern "C" __attribute__((visibility("default")))
const KernelTable umber_test_kernels = {
    umber_uk_linear_encoded_i8,  umber_uk_linear_encoded_few,
    umber_uk_linear_encoded_f32, umber_uk_embed_encoded,
    umber_uk_quantize,           umber_uk_attention_f16,
    umber_uk_attention_i8,       umber_uk_attention_i4,
    umber_uk_low_rank_inputs,    umber_uk_low_rank_barrier,
    umber_uk_low_rank_outputs};
