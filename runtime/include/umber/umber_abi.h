/* Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The contract between compiled CPU code and the runtime. Depends on nothing.
 *
 * A code segment of a package is a shared object for one instruction set. It
 * exports one function, umber_library_query, and needs nothing from outside but
 * the C library's memory functions. Its kernels are called through
 * umber_kernel_fn by every worker of a team at once; what a program runs, in
 * which order and on which buffers, is data in the package (runtime/package).
 *
 * Any change of a struct below raises UMBER_ABI_VERSION.
 */

#ifndef UMBER_ABI_H
#define UMBER_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UMBER_ABI_VERSION 4u
#define UMBER_ABI_QUERY_SYMBOL "umber_library_query"

/* Every binding and the scratch start at a multiple of this many bytes. */
#define UMBER_ABI_ALIGNMENT 64u

/* What elements of an adapter's matrices are. */
#define UMBER_ABI_F16 0
#define UMBER_ABI_BF16 1
#define UMBER_ABI_I8 2

/* What an adapter adds to some rows at a site: y += scale * B (A x). Columns of
 * A and rows of B are padded with zeros to whole panels of
 * UMBER_ABI_ADAPTER_PANEL; rows of A stand together in quads, the last of which
 * has what is left. */
#define UMBER_ABI_ADAPTER_PANEL 16
#define UMBER_ABI_ADAPTER_QUAD 4
typedef struct umber_low_rank {
  const void *a; /* [quads of the rank][panels of inputs][quad][panel] */
  const void *b; /* [panels of outputs][rank][panel] */
  /* Of I8: what an element of A x, of the integers, is multiplied by. Else
   * null: by 1. */
  const float *scales;
  int64_t type; /* of their elements */
  int64_t rank;
  double scale;
  int64_t first_row, rows; /* of the step, which may have fewer */
  int64_t column;          /* where a row of `products` has A x */
} umber_low_rank;

/* The adapters that are active at a site in a step. */
typedef struct umber_adapter_site {
  int64_t count;
  const umber_low_rank *adapters;
  /* [rows of the step, but at least 2][stride], shared by the team and of this
   * site of a kernel alone. */
  float *products;
  int64_t stride;
} umber_adapter_site;

/* What a kernel is called with. A step's rows belong to one sequence or to
 * several: those of a sequence follow each other, at consecutive positions, and
 * see its cache and one another. Generated code reads the fields by position:
 * pointers or 64-bit integers, no padding. */
typedef struct umber_kernel_args {
  /* Start of each buffer, in the order of the dispatch's bindings. Keys and
   * values are an array of pointers, one for each sequence of the step; a site
   * of adapters is a umber_adapter_site. */
  void *const *bindings;
  /* Rows of activations in this step: 1 up to the program's max_tokens. */
  int64_t tokens;
  /* Of each row: its position in its sequence, and which of the step's
   * sequences that is, from 0 on. */
  const int64_t *positions;
  const int64_t *sequences;
  /* How many of the last rows get logits: 0 up to tokens. */
  int64_t outputs;
  /* Of each sequence: positions that its key/value cache was allocated for, a
   * multiple of 64. */
  const int64_t *capacities;
  /* This worker's number, and how many call the kernel together. */
  int64_t worker;
  int64_t workers;
  /* This worker's own memory, of the program's scratch_bytes, and how many
   * bytes after it the next worker's is. */
  void *scratch;
  int64_t scratch_stride;
  /* Returns when every worker of the team has called it. */
  void (*barrier)(void *barrier_state);
  void *barrier_state;
} umber_kernel_args;

typedef void (*umber_kernel_fn)(const umber_kernel_args *args);

/* A code segment's table of kernels. The arrays have kernel_count elements. */
typedef struct umber_library {
  uint32_t abi_version;
  uint32_t kernel_count;
  const char *isa;
  const char *const *kernel_names;
  const umber_kernel_fn *kernels;
} umber_library;

/* The library, or null if it does not speak the caller's ABI version. */
typedef const umber_library *(*umber_library_query_fn)(uint32_t abi_version);

#ifdef __cplusplus
}
#endif

#endif /* UMBER_ABI_H */
