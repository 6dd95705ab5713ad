/* Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A code segment by hand, for the loader's tests. Its kernel "mark" writes
 * MARK.
 */

#include "umber/umber_abi.h"

#include <stddef.h>

static void mark(const umber_kernel_args *args) {
  *(int32_t *)args->bindings[0] = MARK;
}

static void other(const umber_kernel_args *args) { (void)args; }

static const char *const kNames[] = {"mark", "other"};
static const umber_kernel_fn kKernels[] = {mark, other};
static const umber_library kLibrary = {LIBRARY_ABI, 2, "test-isa", kNames,
                                       kKernels};

__attribute__((visibility("default"))) const umber_library *
QUERY(uint32_t abi_version) {
  return abi_version == LIBRARY_ABI ? &kLibrary : NULL;
}
