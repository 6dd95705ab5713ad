// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package's parameters on a GPU, where they are copied once.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_WEIGHTS_H
#define UMBER_RUNTIME_DRIVERS_GPU_WEIGHTS_H

#include "runtime/drivers/gpu/Device.h"

namespace umber {
class Package;
namespace fbs {
struct Target;
}
} // namespace umber

namespace umber::gpu {

class Weights {
public:
  /// OutOfMemory; Unsupported if a parameter is more than what the device lets
  /// a kernel see.
  static Result<Weights> upload(Device &device, const Package &package,
                                const fbs::Target &target);

  /// Whole words, of which what is behind the parameter's bytes says nothing.
  Range parameter(uint32_t index) const { return ranges[index]; }
  /// Of all parameters.
  uint64_t bytes() const { return total; }

private:
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::vector<Range> ranges;
  uint64_t total = 0;
};

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_WEIGHTS_H
