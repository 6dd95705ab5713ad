// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a package as it comes, holding no segment in memory. The file appears
// under its name when it is complete, and not before.

#ifndef UMBER_RUNTIME_PACKAGE_PACKAGEWRITER_H
#define UMBER_RUNTIME_PACKAGE_PACKAGEWRITER_H

#include "runtime/package/Status.h"
#include "runtime/package/umb_generated.h"

#include <memory>
#include <string>
#include <vector>

namespace umber {

class PackageWriter {
public:
  /// Starts a temporary file beside `path`. This and every other failure is an
  /// IoError: `PATH: what failed: the system's reason`.
  static Result<std::unique_ptr<PackageWriter>> create(const std::string &path);
  /// Removes the temporary file unless finish() succeeded.
  ~PackageWriter();

  /// Starts a segment at the next multiple of 4 KiB; returns its index.
  Result<uint32_t> beginSegment(fbs::SegmentKind kind, const std::string &name);
  /// Fills up with zeros to a multiple of `alignment` in the segment; returns
  /// the offset there.
  Result<uint64_t> align(uint64_t alignment);
  Status append(const void *data, size_t size);
  Status endSegment();

  /// The table of the segments written, for the metadata.
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fbs::Segment>>>
  describeSegments(flatbuffers::FlatBufferBuilder &builder) const;

  /// XXH3-64 of a finished segment's bytes.
  uint64_t getSegmentHash(uint32_t index) const { return segments[index].hash; }
  /// Bytes written so far; after finish(), the file's size.
  uint64_t getFileSize() const { return position; }

  /// Writes the metadata and the header, and gives the file its name.
  Status finish(const void *metadata, size_t size);

private:
  struct Segment {
    fbs::SegmentKind kind;
    std::string name;
    uint64_t offset, size, hash;
  };

  PackageWriter() = default;
  Status write(const void *data, size_t size);
  Status pad(uint64_t alignment);
  Status ioError(const char *what) const;

  std::string path, temporary;
  int descriptor = -1;
  uint64_t position = 0;
  std::vector<Segment> segments;
  bool inSegment = false;
  struct Hash;
  std::unique_ptr<Hash> hash;
};

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_PACKAGEWRITER_H
