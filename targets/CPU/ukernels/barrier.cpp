// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/include/umber/umber_abi.h"
#include "targets/CPU/ukernels/Vector.h"

/// Waits until every worker of the team is here.
UMBER_UKERNEL void umber_uk_barrier(const umber_kernel_args *args) {
  if (args->workers > 1) {
    args->barrier(args->barrier_state);
  }
}
