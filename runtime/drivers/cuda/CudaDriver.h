// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVIDIA's GPUs through the CUDA driver API: the package's "gpu" target, of
// which they take PTX.

#ifndef UMBER_RUNTIME_DRIVERS_CUDA_CUDADRIVER_H
#define UMBER_RUNTIME_DRIVERS_CUDA_CUDADRIVER_H

#include "runtime/drivers/Driver.h"

namespace umber {

/// A driver for each device, "cuda:0" and so on in CUDA's order, or why there
/// is none. They live forever.
Result<std::vector<const Driver *>> cudaDrivers();

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_CUDA_CUDADRIVER_H
