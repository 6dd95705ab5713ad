// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of a tiny model whose logits depend on all that a driver has to
// give to kernels: each token so far, the cache with its padding, parameters and
// adapters. Fixture.cpp computes the same on the host. Each kernel is compiled on
// its own, with KERNEL set to its number.

#version 450

const uint VOCAB = 10;
const uint INPUTS = 3;
const uint HEADS = 2;
const uint ROW_WORDS = 2; // 5 bytes, filled up

layout(local_size_x = 4) in;

struct StepWords {
  uint position, tokens, outputs, capacity, firstOutput;
};
#define STEP(I) layout(std430, binding = I) readonly buffer Step { StepWords step; }
#define WORDS(I, NAME) layout(std430, binding = I) buffer NAME##Buffer { uint NAME[]; }

#if KERNEL == 0
// embed: a row of activations, of INPUTS words, for each token. It reads through texel
// buffers, of words and of four words each.
STEP(0);
layout(set = 2, binding = 1) uniform utextureBuffer ids;
layout(set = 1, binding = 2) uniform utextureBuffer parameter;
WORDS(3, rows);
void main() {
  uint row = gl_WorkGroupID.x, column = gl_LocalInvocationID.x;
  if (row >= step.tokens || column >= INPUTS) {
    return;
  }
  uint id = texelFetch(ids, int(row / 4))[row % 4];
  rows[row * INPUTS + column] = (id + 1) * texelFetch(parameter, int(column)).x & 0xff;
}

#elif KERNEL == 1
// remember: what a token caches depends on what the one before it did.
STEP(0);
WORDS(1, rows);
WORDS(2, keys);
WORDS(3, values);
uint scaleAt(uint head, uint position) {
  return HEADS * step.capacity * ROW_WORDS + head * step.capacity + position;
}
void main() {
  if (gl_LocalInvocationID.x != 0) {
    return;
  }
  for (uint token = 0; token < step.tokens; ++token) {
    uint position = step.position + token;
    for (uint head = 0; head < HEADS; ++head) {
      uint at = (head * step.capacity + position) * ROW_WORDS;
      uint digest = 7 + head;
      if (position > 0) {
        digest = keys[at - 2] * 31 + (keys[at - 1] & 0xff) * 7 +
                 keys[scaleAt(head, position - 1)] * 5 + values[at - 2];
      }
      for (uint i = 0; i < INPUTS; ++i) {
        digest = digest * 31 + rows[token * INPUTS + i];
      }
      keys[at] = digest;
      keys[at + 1] = digest >> 8 & 0xff;
      keys[scaleAt(head, position)] = digest >> 12 & 0x3fff;
      values[at] = digest * 13;
      values[at + 1] = 1;
      // Of values, nobody reads the scales.
    }
  }
}

#elif KERNEL == 2
// multiply: what A makes of each row.
STEP(0);
WORDS(1, rows);
WORDS(2, adapters);
layout(std430, binding = 3) buffer ProductsBuffer { float products[]; };
shared float sums[4001]; // More than there are threads: tests look for the size.
void main() {
  uint row = gl_WorkGroupID.x, rank = adapters[0];
  uint thread = gl_LocalInvocationID.x;
  if (row >= step.tokens) {
    return;
  }
  uint a = 4 + (rank + 3) / 4 * 4, words = (INPUTS + 1) / 2;
  for (uint r = thread; r < rank; r += 4) {
    sums[thread] = 0;
    for (uint i = 0; i < INPUTS; ++i) {
      vec2 pair = unpackHalf2x16(adapters[a + r * words + i / 2]);
      sums[thread] += pair[i % 2] * float(rows[row * INPUTS + i]);
    }
    products[row * rank + r] = sums[thread] * uintBitsToFloat(adapters[4 + r]);
  }
}

#else
// project
STEP(0);
WORDS(1, keys);
WORDS(2, parameter);
WORDS(3, adapters);
layout(std430, binding = 4) buffer ProductsBuffer { float products[]; };
layout(std430, binding = 5) buffer LogitsBuffer { float logits[]; };
void main() {
  uint row = gl_WorkGroupID.x, rank = adapters[0];
  if (row >= step.outputs) {
    return;
  }
  uint token = step.firstOutput + row;
  uint key = keys[(step.position + token) * ROW_WORDS];
  uint a = 4 + (rank + 3) / 4 * 4;
  uint b = a + (rank * ((INPUTS + 1) / 2) + 3) / 4 * 4;
  for (uint id = gl_LocalInvocationID.x; id < VOCAB; id += 4) {
    float sum = float((key >> 8) + id * parameter[id] & 0xffff);
    for (uint r = 0; r < rank; ++r) {
      vec2 pair = unpackHalf2x16(adapters[b + id * ((rank + 1) / 2) + r / 2]);
      sum += pair[r % 2] * products[token * rank + r];
    }
    logits[row * VOCAB + id] = sum;
  }
}
#endif
