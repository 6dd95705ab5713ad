// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fixed parts of a package's layout; see umb.fbs.

#ifndef UMBER_RUNTIME_PACKAGE_FORMAT_H
#define UMBER_RUNTIME_PACKAGE_FORMAT_H

#include <cstdint>
#include <type_traits>

namespace umber {

inline constexpr uint8_t kPackageMagic[6] = {'U', 'M', 'B', 'E', 'R', 0};
inline constexpr uint16_t kPackageVersion = 1;

struct PackageHeader {
  uint8_t magic[6];
  uint16_t version;
  uint64_t metadataOffset;
  uint64_t metadataSize;
  uint64_t metadataHash; ///< XXH3-64
};
static_assert(sizeof(PackageHeader) == 32 &&
                  std::is_trivially_copyable_v<PackageHeader>,
              "the header is read and written as bytes");

/// What neural engines' layouts are called in metadata: matrices cut into
/// tiles, and rows one behind the other, with or without their scales before
/// them.
inline constexpr char kTilesLayout[] = "tiles";
inline constexpr char kLookupLayout[] = "rows";

/// Segments start at a multiple of this, so that each can be mapped alone.
inline constexpr uint64_t kSegmentAlignment = 4096;
/// Metadata, and parameters within their segment.
inline constexpr uint64_t kDataAlignment = 64;

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_FORMAT_H
