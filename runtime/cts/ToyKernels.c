/* Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A code segment written by hand: the kernels of the one-layer toy model that
 * the conformance suite runs (ToyPackage.cpp), by the rules of umber_abi.h. It
 * attends like a real model, so that what a session remembers shows in its
 * logits, and needs no library function.
 *
 * x = table[id]; every head's query is a part of x; the one key/value head's
 * key and value are x's first and last TOY_HEAD elements; attention weighs a
 * position by 1 / (1 + |q - k|^2); logits = output * attended.
 */

#include "runtime/cts/ToyModel.h"
#include "umber/umber_abi.h"

#include <stddef.h>

/* This worker's part of `count` things: [*begin, *end). */
static void share(const umber_kernel_args *args, int64_t count, int64_t *begin,
                  int64_t *end) {
  *begin = count * args->worker / args->workers;
  *end = count * (args->worker + 1) / args->workers;
}

/* bindings: table [vocab][width] f32, ids, x [tokens][width] f32 */
static void toyEmbed(const umber_kernel_args *args) {
  const float *table = args->bindings[0];
  const int32_t *ids = args->bindings[1];
  float *x = args->bindings[2];
  int64_t begin, end;
  share(args, args->tokens, &begin, &end);
  for (int64_t row = begin; row < end; ++row) {
    for (int i = 0; i < TOY_WIDTH; ++i) {
      x[row * TOY_WIDTH + i] = table[ids[row] * TOY_WIDTH + i];
    }
  }
}

static float distance(const float *a, const float *b) {
  float sum = 0;
  for (int i = 0; i < TOY_HEAD; ++i) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sum;
}

/* bindings: x, keys, values [1][capacity][head] f32, attended [tokens][width]
 * Fills the cache, meets the team in the middle, then reads it. */
static void toyAttend(const umber_kernel_args *args) {
  const float *x = args->bindings[0];
  float *keys = args->bindings[1];
  float *values = args->bindings[2];
  float *attended = args->bindings[3];
  float *sum = args->scratch;
  int64_t begin, end;
  share(args, args->tokens, &begin, &end);
  for (int64_t row = begin; row < end; ++row) {
    int64_t at = (args->position + row) * TOY_HEAD;
    for (int i = 0; i < TOY_HEAD; ++i) {
      keys[at + i] = x[row * TOY_WIDTH + i];
      values[at + i] = x[row * TOY_WIDTH + TOY_WIDTH - TOY_HEAD + i];
    }
  }
  args->barrier(args->barrier_state);
  for (int64_t row = begin; row < end; ++row) {
    for (int head = 0; head < TOY_HEADS; ++head) {
      const float *query = x + row * TOY_WIDTH + head * TOY_HEAD;
      float total = 0;
      for (int i = 0; i < TOY_HEAD; ++i) {
        sum[i] = 0;
      }
      for (int64_t at = 0; at <= args->position + row; ++at) {
        float weight = 1 / (1 + distance(query, keys + at * TOY_HEAD));
        total += weight;
        for (int i = 0; i < TOY_HEAD; ++i) {
          sum[i] += weight * values[at * TOY_HEAD + i];
        }
      }
      for (int i = 0; i < TOY_HEAD; ++i) {
        attended[row * TOY_WIDTH + head * TOY_HEAD + i] =
            query[i] + sum[i] / total;
      }
    }
  }
}

/* bindings: output [vocab][width] f32, attended, logits [outputs][vocab] */
static void toyOutput(const umber_kernel_args *args) {
  const float *output = args->bindings[0];
  const float *attended = args->bindings[1];
  float *logits = args->bindings[2];
  int64_t begin, end;
  share(args, TOY_VOCAB, &begin, &end);
  int64_t first = args->tokens - args->outputs;
  for (int64_t row = 0; row < args->outputs; ++row) {
    const float *x = attended + (first + row) * TOY_WIDTH;
    for (int64_t id = begin; id < end; ++id) {
      float sum = 0;
      for (int i = 0; i < TOY_WIDTH; ++i) {
        sum += output[id * TOY_WIDTH + i] * x[i];
      }
      logits[row * TOY_VOCAB + id] = sum;
    }
  }
}

static const char *const kNames[] = {"toy_embed", "toy_attend", "toy_output"};
static const umber_kernel_fn kKernels[] = {toyEmbed, toyAttend, toyOutput};
static const umber_library kLibrary = {UMBER_ABI_VERSION, 3, TOY_ISA, kNames,
                                       kKernels};

__attribute__((visibility("default"))) const umber_library *
umber_library_query(uint32_t abi_version) {
  return abi_version == UMBER_ABI_VERSION ? &kLibrary : NULL;
}
