// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_COMMON_KERNELPROFILE_H
#define UMBER_TOOLS_COMMON_KERNELPROFILE_H

#include "umber/umber.h"

#include <cstdint>
#include <string>
#include <vector>

namespace umber::tools {

/// A profile of one kernel in one program, summed over the layers or of one.
struct KernelProfile {
  std::string program;
  std::string name;   ///< without the layer
  int32_t layer = -1; ///< -1: all, or outside the layers
  uint64_t runs = 0;
  uint64_t nanoseconds = 0;
  uint64_t weightBytes = 0; ///< read, in all runs
  uint64_t cacheBytes = 0;
  uint64_t integerOps = 0;
  uint64_t floatOps = 0;

  uint64_t bytes() const { return weightBytes + cacheBytes; }
  uint64_t ops() const { return integerOps + floatOps; }
};

/// A row's name as it is in any layer: the compiler numbers the kernels of
/// layers, so that "l12.down" is "down".
std::string nameInAnyLayer(const umber_dispatch_profile &row);

/// Of all these sessions, which are of one model, together: kernels that ran,
/// longest first.
std::vector<KernelProfile>
profileKernels(const std::vector<umber_session *> &sessions);

/// The same with each layer's on their own, in the order of the programs.
std::vector<KernelProfile>
profileLayers(const std::vector<umber_session *> &sessions);

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_KERNELPROFILE_H
