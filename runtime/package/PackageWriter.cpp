// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/PackageWriter.h"
#include "runtime/package/Format.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace umber {

struct PackageWriter::Hash {
  XXH3_state_t state;
};

Result<std::unique_ptr<PackageWriter>>
PackageWriter::create(const std::string &path) {
  auto file = OutputFile::create(path);
  if (!file.ok()) {
    return file.status();
  }
  std::unique_ptr<PackageWriter> writer(new PackageWriter());
  writer->file = std::move(*file);
  writer->hash = std::make_unique<Hash>();
  PackageHeader header = {};
  if (Status status = writer->file->append(&header, sizeof header);
      !status.ok()) {
    return status;
  }
  return writer;
}

PackageWriter::~PackageWriter() = default;

Status PackageWriter::pad(uint64_t alignment) {
  static const char zeros[kSegmentAlignment] = {};
  uint64_t missing = (alignment - file->size() % alignment) % alignment;
  return file->append(zeros, size_t(missing));
}

Result<uint32_t> PackageWriter::beginSegment(fbs::SegmentKind kind,
                                             const std::string &name) {
  assert(!inSegment && "a segment ends before the next begins");
  if (Status status = pad(kSegmentAlignment); !status.ok()) {
    return status;
  }
  inSegment = true;
  XXH3_64bits_reset(&hash->state);
  segments.push_back({kind, name, file->size(), 0, 0});
  return uint32_t(segments.size() - 1);
}

Status PackageWriter::append(const void *data, size_t size) {
  assert(inSegment && "bytes belong to a segment");
  if (size == 0) {
    return Status();
  }
  XXH3_64bits_update(&hash->state, data, size);
  return file->append(data, size);
}

Result<uint64_t> PackageWriter::align(uint64_t alignment) {
  static const char zeros[kSegmentAlignment] = {};
  uint64_t offset = file->size() - segments.back().offset;
  uint64_t missing = (alignment - offset % alignment) % alignment;
  if (Status status = append(zeros, size_t(missing)); !status.ok()) {
    return status;
  }
  return offset + missing;
}

Status PackageWriter::endSegment() {
  Segment &segment = segments.back();
  segment.size = file->size() - segment.offset;
  segment.hash = XXH3_64bits_digest(&hash->state);
  inSegment = false;
  return Status();
}

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fbs::Segment>>>
PackageWriter::describeSegments(flatbuffers::FlatBufferBuilder &builder) const {
  std::vector<flatbuffers::Offset<fbs::Segment>> tables;
  for (const Segment &segment : segments) {
    tables.push_back(fbs::CreateSegment(
        builder, segment.kind, builder.CreateString(segment.name),
        segment.offset, segment.size, segment.hash));
  }
  return builder.CreateVector(tables);
}

Status PackageWriter::finish(const void *metadata, size_t size) {
  if (Status status = pad(kDataAlignment); !status.ok()) {
    return status;
  }
  PackageHeader header = {};
  std::memcpy(header.magic, kPackageMagic, sizeof kPackageMagic);
  header.version = kPackageVersion;
  header.metadataOffset = file->size();
  header.metadataSize = size;
  header.metadataHash = XXH3_64bits(metadata, size);
  if (Status status = file->append(metadata, size); !status.ok()) {
    return status;
  }
  if (Status status = file->overwrite(0, &header, sizeof header);
      !status.ok()) {
    return status;
  }
  return file->commit();
}

} // namespace umber
