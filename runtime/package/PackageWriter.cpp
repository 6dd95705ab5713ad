// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/PackageWriter.h"
#include "runtime/package/Format.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace umber {

struct PackageWriter::Hash {
  XXH3_state_t state;
};

Status PackageWriter::ioError(const char *what) const {
  return Status(StatusCode::IoError,
                path + ": " + what + ": " + std::strerror(errno));
}

Result<std::unique_ptr<PackageWriter>>
PackageWriter::create(const std::string &path) {
  std::unique_ptr<PackageWriter> writer(new PackageWriter());
  writer->path = path;
  // Renaming would put a file in the place of a device such as /dev/null.
  struct stat status;
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return Status(
        StatusCode::IoError,
        path + ": expected a regular file or none, found " +
            (S_ISDIR(status.st_mode) ? "a directory" : "a special file"));
  }
  // Not mkstemp, whose files nobody else may read.
  std::random_device random;
  do {
    writer->temporary = path + ".tmp-" + std::to_string(random());
    writer->descriptor = ::open(writer->temporary.c_str(),
                                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (writer->descriptor < 0 && errno == EEXIST);
  if (writer->descriptor < 0) {
    writer->temporary.clear();
    return writer->ioError("cannot create a file there");
  }
  writer->hash = std::make_unique<Hash>();
  PackageHeader header = {};
  if (Status status = writer->write(&header, sizeof header); !status.ok()) {
    return status;
  }
  return writer;
}

PackageWriter::~PackageWriter() {
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!temporary.empty()) {
    ::unlink(temporary.c_str());
  }
}

Status PackageWriter::write(const void *data, size_t size) {
  const char *bytes = static_cast<const char *>(data);
  position += size;
  while (size > 0) {
    ssize_t written = ::write(descriptor, bytes, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return ioError("cannot write");
    }
    bytes += written;
    size -= size_t(written);
  }
  return Status();
}

Status PackageWriter::pad(uint64_t alignment) {
  static const char zeros[kSegmentAlignment] = {};
  uint64_t missing = (alignment - position % alignment) % alignment;
  return write(zeros, size_t(missing));
}

Result<uint32_t> PackageWriter::beginSegment(fbs::SegmentKind kind,
                                             const std::string &name) {
  assert(!inSegment && "a segment ends before the next begins");
  if (Status status = pad(kSegmentAlignment); !status.ok()) {
    return status;
  }
  inSegment = true;
  XXH3_64bits_reset(&hash->state);
  segments.push_back({kind, name, position, 0, 0});
  return uint32_t(segments.size() - 1);
}

Status PackageWriter::append(const void *data, size_t size) {
  assert(inSegment && "bytes belong to a segment");
  if (size == 0) {
    return Status();
  }
  XXH3_64bits_update(&hash->state, data, size);
  return write(data, size);
}

Result<uint64_t> PackageWriter::align(uint64_t alignment) {
  static const char zeros[kSegmentAlignment] = {};
  uint64_t offset = position - segments.back().offset;
  uint64_t missing = (alignment - offset % alignment) % alignment;
  if (Status status = append(zeros, size_t(missing)); !status.ok()) {
    return status;
  }
  return offset + missing;
}

Status PackageWriter::endSegment() {
  Segment &segment = segments.back();
  segment.size = position - segment.offset;
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
  header.metadataOffset = position;
  header.metadataSize = size;
  header.metadataHash = XXH3_64bits(metadata, size);
  if (Status status = write(metadata, size); !status.ok()) {
    return status;
  }
  // The header is within the file's first block, which is there already.
  if (::pwrite(descriptor, &header, sizeof header, 0) < 0) {
    return ioError("cannot write");
  }
  // What a full disk has kept back shows here at the latest.
  int closed = ::close(descriptor);
  descriptor = -1;
  if (closed != 0) {
    return ioError("cannot write");
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return ioError("cannot give the finished file its name");
  }
  temporary.clear();
  return Status();
}

} // namespace umber
