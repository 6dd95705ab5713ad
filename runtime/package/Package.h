// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Read access to a .umb package through a memory map. Nothing in the file is
// trusted: metadata is verified when it is opened, a segment's bytes when
// verifySegments is called.

#ifndef UMBER_RUNTIME_PACKAGE_PACKAGE_H
#define UMBER_RUNTIME_PACKAGE_PACKAGE_H

#include "runtime/package/Status.h"
#include "runtime/package/umb_generated.h"

#include <cstddef>
#include <memory>
#include <string>

namespace umber {

/// Bytes that somebody else owns.
struct Bytes {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

class Package {
public:
  /// Maps the file and checks its header and metadata, but not the segments'
  /// hashes. Errors, with one line `PATH: part: expected …, found …`: NotFound,
  /// IoError, CorruptFile, and Unsupported for another version of the format.
  /// The file must not be changed while it is mapped; replacing it by renaming,
  /// as PackageWriter does, is safe.
  static Result<std::shared_ptr<Package>> open(const std::string &path);

  ~Package();
  Package(const Package &) = delete;
  Package &operator=(const Package &) = delete;

  const std::string &path() const { return filePath; }
  uint64_t fileSize() const { return file.size; }
  const fbs::Package &meta() const { return *metadata; }

  /// The bytes of a segment by its index in the metadata.
  Bytes segment(uint32_t index) const;
  /// The bytes of a target's parameter.
  Bytes parameter(const fbs::Parameter &parameter) const;

  /// Compares a segment's bytes with its hash. CorruptFile if they differ.
  Status verifySegment(uint32_t index) const;
  /// The same for every segment, with up to `threads` threads: one hashes, the
  /// others bring the file's pages in.
  Status verifySegments(unsigned threads) const;

private:
  Package() = default;
  Status parse();

  std::string filePath;
  Bytes file;
  const fbs::Package *metadata = nullptr;
};

/// Checks that everything in the metadata refers to something that exists, with
/// all segments in the file's first `segmentsEnd` bytes. Messages have no path.
Status verifyMetadata(const fbs::Package &package, uint64_t segmentsEnd);

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_PACKAGE_H
