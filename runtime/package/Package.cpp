// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/Package.h"
#include "runtime/package/Format.h"
#include "runtime/package/HashText.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace umber {

namespace {

/// What one thread brings in at a time.
constexpr size_t kPageRun = size_t(1) << 22;

/// The schema's tables nest four deep.
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
/// Many times what the largest models need, whose dispatches are the most.
constexpr flatbuffers::uoffset_t kMaxTables = 4000000;

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
  auto mapped = MappedFile::open(path);
  if (!mapped.ok()) {
    return mapped.status();
  }
  std::shared_ptr<Package> package(new Package());
  package->mapping = std::move(*mapped);
  package->file = package->mapping->bytes();
  if (Status status = package->parse(); !status.ok()) {
    return Status(status.code(), path + ": " + status.message());
  }
  return package;
}

Status Package::parse() {
  auto corrupt = [](const std::string &message) {
    return Status(StatusCode::CorruptFile, message);
  };
  PackageHeader header;
  if (file.size < sizeof header) {
    return corrupt("header: expected a package of at least " +
                   std::to_string(sizeof header) + " bytes, found " +
                   std::to_string(file.size));
  }
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
    return corrupt("metadata: expected hash " + hashText(header.metadataHash) +
                   ", found " + hashText(hash) + ": the file is damaged");
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
                path() + ": segment '" + segment->name()->str() +
                    "': expected hash " + hashText(segment->hash()) +
                    ", found " + hashText(hash) + ": the file is damaged");
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
