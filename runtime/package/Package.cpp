// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/Package.h"
#include "runtime/package/Format.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace umber {

namespace {

Status ioError(const std::string &path, int code) {
  return Status(code == ENOENT ? StatusCode::NotFound : StatusCode::IoError,
                path + ": " + std::strerror(code));
}

/// What one thread brings in at a time.
constexpr size_t kPageRun = size_t(1) << 22;

/// The schema's tables nest four deep.
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
/// Many times what the largest models need, whose dispatches are the most.
constexpr flatbuffers::uoffset_t kMaxTables = 4000000;

std::string hex(uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%016" PRIx64, value);
  return text;
}

/// Brings a segment's pages into this process's page table, a run at a time,
/// which is most of the time that reading a cached file takes.
void touch(Bytes bytes) {
  volatile uint8_t sink = 0;
  for (size_t at = 0; at < bytes.size; at += kSegmentAlignment) {
    sink = bytes.data[at];
  }
  (void)sink;
}

} // namespace

Result<std::shared_ptr<Package>> Package::open(const std::string &path) {
  // Opening a named pipe must not wait for somebody to write to it.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    return ioError(path, errno);
  }
  struct stat status;
  int failed = ::fstat(descriptor, &status);
  if (failed == 0 && !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Status(StatusCode::IoError, path + ": expected a regular file");
  }
  if (failed != 0 || status.st_size < off_t(sizeof(PackageHeader))) {
    int code = errno;
    ::close(descriptor);
    if (failed != 0) {
      return ioError(path, code);
    }
    return Status(StatusCode::CorruptFile,
                  path + ": header: expected a package of at least " +
                      std::to_string(sizeof(PackageHeader)) + " bytes, found " +
                      std::to_string(status.st_size));
  }
  void *mapped = ::mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE,
                        descriptor, 0);
  int code = errno;
  ::close(descriptor);
  if (mapped == MAP_FAILED) {
    return ioError(path, code);
  }
  std::shared_ptr<Package> package(new Package());
  package->filePath = path;
  package->file = {static_cast<const uint8_t *>(mapped),
                   size_t(status.st_size)};
  if (Status status = package->parse(); !status.ok()) {
    return Status(status.code(), path + ": " + status.message());
  }
  return package;
}

Package::~Package() {
  if (file.data) {
    ::munmap(const_cast<uint8_t *>(file.data), file.size);
  }
}

Status Package::parse() {
  auto corrupt = [](const std::string &message) {
    return Status(StatusCode::CorruptFile, message);
  };
  PackageHeader header;
  std::memcpy(&header, file.data, sizeof header);
  if (std::memcmp(header.magic, kPackageMagic, sizeof kPackageMagic) != 0) {
    return corrupt(
        "header: expected an Umber package, found other bytes at the "
        "file's start");
  }
  if (header.version != kPackageVersion) {
    return Status(StatusCode::Unsupported, "header: expected format version " +
                                               std::to_string(kPackageVersion) +
                                               ", found " +
                                               std::to_string(header.version));
  }
  if (header.metadataOffset % kDataAlignment != 0 ||
      header.metadataOffset < sizeof header ||
      header.metadataOffset > file.size ||
      header.metadataSize != file.size - header.metadataOffset) {
    return corrupt("header: expected metadata up to the end of the file's " +
                   std::to_string(file.size) + " bytes, found " +
                   std::to_string(header.metadataSize) + " bytes at offset " +
                   std::to_string(header.metadataOffset));
  }
  const uint8_t *bytes = file.data + header.metadataOffset;
  uint64_t hash = XXH3_64bits(bytes, header.metadataSize);
  if (hash != header.metadataHash) {
    return corrupt("metadata: expected hash " + hex(header.metadataHash) +
                   ", found " + hex(hash) + ": the file is damaged");
  }
  // Even with a good hash the bytes may be anybody's.
  flatbuffers::Verifier verifier(bytes, header.metadataSize, kMaxDepth,
                                 kMaxTables);
  if (!fbs::VerifyPackageBuffer(verifier)) {
    return corrupt("metadata: expected a valid FlatBuffer, found a broken one");
  }
  metadata = fbs::GetPackage(bytes);
  return verifyMetadata(*metadata, header.metadataOffset);
}

Bytes Package::segment(uint32_t index) const {
  const fbs::Segment *segment = metadata->segments()->Get(index);
  return {file.data + segment->offset(), size_t(segment->size())};
}

Bytes Package::parameter(const fbs::Parameter &parameter) const {
  Bytes bytes = segment(parameter.segment());
  return {bytes.data + parameter.offset(), size_t(parameter.size())};
}

Status Package::verifySegment(uint32_t index) const {
  const fbs::Segment *segment = metadata->segments()->Get(index);
  Bytes bytes = this->segment(index);
  uint64_t hash = XXH3_64bits(bytes.data, bytes.size);
  if (hash == segment->hash()) {
    return Status();
  }
  return Status(StatusCode::CorruptFile,
                filePath + ": segment '" + segment->name()->str() +
                    "': expected hash " + hex(segment->hash()) + ", found " +
                    hex(hash) + ": the file is damaged");
}

Status Package::verifySegments(unsigned threads) const {
  uint32_t count = metadata->segments()->size();
  // One thread hashes while the others run ahead and fault pages in: a hash of
  // one segment cannot be shared out, and page faults take longer than hashing.
  std::atomic<size_t> nextRun{0};
  std::vector<Bytes> runs;
  for (uint32_t i = 0; i < count; ++i) {
    Bytes bytes = segment(i);
    for (size_t at = 0; at < bytes.size; at += kPageRun) {
      runs.push_back({bytes.data + at, std::min(kPageRun, bytes.size - at)});
    }
  }
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < threads && runs.size() > 1; ++i) {
    helpers.emplace_back([&] {
      // From the far end: what the hashing thread has not come to yet.
      for (size_t run; (run = nextRun++) < runs.size();) {
        touch(runs[runs.size() - 1 - run]);
      }
    });
  }
  Status status;
  for (uint32_t i = 0; i < count && status.ok(); ++i) {
    status = verifySegment(i);
  }
  for (std::thread &helper : helpers) {
    helper.join();
  }
  return status;
}

} // namespace umber
