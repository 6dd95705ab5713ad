// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/TexelSets.h"
#include "targets/GPU/GPUTarget.h"

namespace umber::gpu {

llvm::ArrayRef<Variant> getVariants() {
  static const Variant variants[] = {
      {"ptx-sm_90", Api::CUDA, "sm_90", "+ptx78"},
      {"ptx-sm_80", Api::CUDA, "sm_80", "+ptx74"},
      {kTexelsIsa, Api::Vulkan, "", "", /*readsTexels=*/true},
      {"spirv1.3", Api::Vulkan, "", ""},
  };
  return variants;
}

} // namespace umber::gpu
