// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TestKernels.comp for CUDA: clang compiles it to PTX.

typedef unsigned u32;
#define KERNEL __attribute__((nvptx_kernel)) void
#define GROUP __nvvm_read_ptx_sreg_ctaid_x()
#define THREAD __nvvm_read_ptx_sreg_tid_x()

enum { VOCAB = 10, INPUTS = 3, HEADS = 2, ROW_WORDS = 2 };
enum { POSITION, TOKENS, OUTPUTS, CAPACITY, FIRST_OUTPUT };

static float half(const u32 *words, u32 index) {
  return (float)((const _Float16 *)words)[index];
}

KERNEL embed(const u32 *step, const u32 *ids, const u32 *parameter, u32 *rows) {
  u32 row = GROUP, column = THREAD;
  if (row < step[TOKENS] && column < INPUTS) {
    rows[row * INPUTS + column] = (ids[row] + 1) * parameter[column] & 0xff;
  }
}

KERNEL remember(const u32 *step, const u32 *rows, u32 *keys, u32 *values) {
  if (THREAD != 0) {
    return;
  }
  u32 *scales = keys + HEADS * step[CAPACITY] * ROW_WORDS;
  for (u32 token = 0; token < step[TOKENS]; ++token) {
    u32 position = step[POSITION] + token;
    for (u32 head = 0; head < HEADS; ++head) {
      u32 row = head * step[CAPACITY] + position, at = row * ROW_WORDS;
      u32 digest = 7 + head;
      if (position > 0) {
        digest = keys[at - 2] * 31 + (keys[at - 1] & 0xff) * 7 +
                 scales[row - 1] * 5 + values[at - 2];
      }
      for (u32 i = 0; i < INPUTS; ++i) {
        digest = digest * 31 + rows[token * INPUTS + i];
      }
      keys[at] = digest;
      keys[at + 1] = digest >> 8 & 0xff;
      scales[row] = digest >> 12 & 0x3fff;
      values[at] = digest * 13;
      values[at + 1] = 1;
    }
  }
}

KERNEL multiply(const u32 *step, const u32 *rows, const u32 *adapters,
                float *products) {
  u32 row = GROUP, rank = adapters[0], words = (INPUTS + 1) / 2;
  if (row >= step[TOKENS]) {
    return;
  }
  const u32 *a = adapters + 4 + (rank + 3) / 4 * 4;
  for (u32 r = THREAD; r < rank; r += 4) {
    float sum = 0;
    for (u32 i = 0; i < INPUTS; ++i) {
      sum += half(a + r * words, i) * (float)rows[row * INPUTS + i];
    }
    products[row * rank + r] = sum * ((const float *)adapters)[4 + r];
  }
}

KERNEL project(const u32 *step, const u32 *keys, const u32 *parameter,
               const u32 *adapters, const float *products, float *logits) {
  u32 row = GROUP, rank = adapters[0], words = (INPUTS + 1) / 2;
  if (row >= step[OUTPUTS]) {
    return;
  }
  u32 token = step[FIRST_OUTPUT] + row;
  u32 key = keys[(step[POSITION] + token) * ROW_WORDS];
  const u32 *b = adapters + 4 + (rank + 3) / 4 * 4 + (rank * words + 3) / 4 * 4;
  for (u32 id = THREAD; id < VOCAB; id += 4) {
    float sum = (float)((key >> 8) + id * parameter[id] & 0xffff);
    for (u32 r = 0; r < rank; ++r) {
      sum += half(b + id * ((rank + 1) / 2), r) * products[token * rank + r];
    }
    logits[row * VOCAB + id] = sum;
  }
}
