// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptor sets of SPIR-V that reads through texel buffers ("spirv1.3-texels"
// in umb.fbs): what a kernel only reads of its buffer i is binding i of these
// sets.

#ifndef UMBER_RUNTIME_PACKAGE_TEXELSETS_H
#define UMBER_RUNTIME_PACKAGE_TEXELSETS_H

namespace umber {

inline constexpr char kTexelsIsa[] = "spirv1.3-texels";
inline constexpr unsigned kWordTexels = 1;   ///< R32_UINT
inline constexpr unsigned kVectorTexels = 2; ///< R32G32B32A32_UINT
inline constexpr unsigned kTexelSets = 2;    ///< how many there are

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_TEXELSETS_H
