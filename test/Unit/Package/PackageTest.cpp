// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading packages: whole ones, cut ones, damaged ones and things that are
// none.

#include "test/Unit/Package/Fixture.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <set>
#include <sys/stat.h>

using namespace umber;
using namespace umber::test;

namespace {

/// Reads every byte that the metadata refers to.
uint64_t touchAll(const Package &package) {
  uint64_t sum = 0;
  auto add = [&](Bytes bytes) {
    sum = std::accumulate(bytes.data, bytes.data + bytes.size, sum);
  };
  for (uint32_t i = 0; i < package.meta().segments()->size(); ++i) {
    add(package.segment(i));
  }
  if (package.meta().targets()) {
    for (const fbs::Target *target : *package.meta().targets()) {
      if (!target->parameters()) {
        continue;
      }
      for (const fbs::Parameter *parameter : *target->parameters()) {
        add(package.parameter(*parameter));
      }
    }
  }
  return sum;
}

class PackageTest : public PackageFixture {
protected:
  void SetUp() override {
    PackageFixture::SetUp();
    path = pathOf("a.umb");
    writePackage(path);
    file = readFile(path);
  }

  /// Writes `bytes` over the package and expects open() to fail with one line
  /// that names the file and holds `message`.
  void expectBad(const std::vector<uint8_t> &bytes, StatusCode code,
                 const std::string &message) {
    writeFile(path, bytes);
    auto package = Package::open(path);
    ASSERT_FALSE(package.ok()) << "expected: " << message;
    const std::string &found = package.status().message();
    EXPECT_EQ(package.status().code(), code) << found;
    EXPECT_EQ(found.rfind(path + ": ", 0), 0u) << found;
    EXPECT_NE(found.find(message), std::string::npos) << found;
    EXPECT_EQ(found.find('\n'), std::string::npos) << found;
  }

  std::string path;
  std::vector<uint8_t> file;
};

TEST_F(PackageTest, RoundTrip) {
  auto opened = Package::open(path);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const Package &package = **opened;
  EXPECT_EQ(package.path(), path);
  EXPECT_EQ(package.fileSize(), file.size());

  const fbs::Package &meta = package.meta();
  EXPECT_EQ(meta.producer()->str(), "a test");
  EXPECT_EQ(meta.model()->vocab(), 5u);
  EXPECT_EQ(meta.tokenizer()->token_bytes()->str(), "ababc<end>");
  EXPECT_EQ(meta.targets()->Get(0)->programs()->Get(0)->dispatches()->size(),
            3u);

  ASSERT_EQ(meta.segments()->size(), 2u);
  EXPECT_EQ(meta.segments()->Get(0)->name()->str(), "cpu.x86-64-v3");
  EXPECT_EQ(meta.segments()->Get(0)->kind(), fbs::SegmentKind_Code);
  EXPECT_EQ(meta.segments()->Get(0)->offset(), 4096u);
  EXPECT_EQ(meta.segments()->Get(1)->offset(), 3 * 4096u);
  Bytes first = package.segment(0), second = package.segment(1);
  EXPECT_EQ(std::vector<uint8_t>(first.data, first.data + first.size), code);
  EXPECT_EQ(std::vector<uint8_t>(second.data, second.data + second.size),
            weights);
  Bytes parameter =
      package.parameter(*meta.targets()->Get(0)->parameters()->Get(1));
  ASSERT_EQ(parameter.size, 400u);
  EXPECT_EQ(std::memcmp(parameter.data, weights.data() + 448, 400), 0);

  for (unsigned threads : {1u, 2u, 5u}) {
    Status status = package.verifySegments(threads);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST_F(PackageTest, OutlivesItsName) {
  auto package = Package::open(path);
  ASSERT_TRUE(package.ok());
  writePackage(path, [](fbs::PackageT &meta) { meta.producer = "another"; });
  EXPECT_EQ((*package)->meta().producer()->str(), "a test");
  EXPECT_TRUE((*package)->verifySegments(2).ok());
}

TEST_F(PackageTest, NotAPackage) {
  auto expectOpen = [](const std::string &path, StatusCode code,
                       const std::string &message) {
    auto package = Package::open(path);
    ASSERT_FALSE(package.ok());
    EXPECT_EQ(package.status().code(), code);
    EXPECT_EQ(package.status().message(), path + ": " + message);
  };
  expectOpen(pathOf("none"), StatusCode::NotFound, "No such file or directory");
  expectOpen(path + "/below", StatusCode::IoError, "Not a directory");
  expectOpen(directory, StatusCode::IoError, "expected a regular file");
  expectOpen("/dev/null", StatusCode::IoError, "expected a regular file");
  // Opening a pipe for reading waits for a writer, which never comes.
  ASSERT_EQ(::mkfifo(pathOf("pipe").c_str(), 0600), 0);
  expectOpen(pathOf("pipe"), StatusCode::IoError, "expected a regular file");
}

TEST_F(PackageTest, Truncated) {
  PackageHeader header = headerOf(file);
  std::set<size_t> sizes = {0,
                            1,
                            5,
                            8,
                            31,
                            32,
                            4095,
                            4096,
                            header.metadataOffset - 1,
                            header.metadataOffset,
                            header.metadataOffset + 1,
                            file.size() - 1};
  for (size_t i = 1; i < 64; ++i) {
    sizes.insert(file.size() * i / 64);
  }
  ASSERT_GE(sizes.size(), 70u);
  for (size_t size : sizes) {
    SCOPED_TRACE(size);
    expectBad(std::vector<uint8_t>(file.begin(), file.begin() + size),
              StatusCode::CorruptFile, "header: expected ");
  }
}

TEST_F(PackageTest, Extended) {
  file.push_back(0);
  expectBad(file, StatusCode::CorruptFile,
            "header: expected metadata up to the end of the file's " +
                std::to_string(file.size()) + " bytes");
}

TEST_F(PackageTest, Header) {
  auto with = [&](auto edit) {
    std::vector<uint8_t> bytes = file;
    PackageHeader header = headerOf(bytes);
    edit(header);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  };
  expectBad(with([](PackageHeader &h) { h.magic[0] = 'G'; }),
            StatusCode::CorruptFile, "header: expected an Umber package");
  expectBad(with([](PackageHeader &h) { h.version = 2; }),
            StatusCode::Unsupported,
            "header: expected format version 1, found 2");
  expectBad(with([](PackageHeader &h) { h.metadataHash ^= 1; }),
            StatusCode::CorruptFile, "metadata: expected hash 0x");
  for (uint64_t value : {uint64_t(0), uint64_t(1), uint64_t(64),
                         uint64_t(1) << 32, ~uint64_t(0) - 63, ~uint64_t(0)}) {
    SCOPED_TRACE(value);
    expectBad(with([&](PackageHeader &h) { h.metadataOffset = value; }),
              StatusCode::CorruptFile, "header: expected metadata");
    expectBad(with([&](PackageHeader &h) { h.metadataSize = value; }),
              StatusCode::CorruptFile, "header: expected metadata");
  }
  // An offset and a size whose sum wraps around to the file's end.
  expectBad(with([&](PackageHeader &h) {
              h.metadataOffset = ~uint64_t(0) - 63;
              h.metadataSize = file.size() + 64;
            }),
            StatusCode::CorruptFile, "header: expected metadata");
  // Metadata of no bytes at all.
  std::vector<uint8_t> empty = with([&](PackageHeader &h) {
    h.metadataOffset = 4096;
    h.metadataSize = 0;
  });
  empty.resize(4096);
  sealMetadata(empty);
  expectBad(empty, StatusCode::CorruptFile,
            "metadata: expected a valid FlatBuffer");
}

TEST_F(PackageTest, FlippedBytes) {
  std::minstd_rand random(4);
  PackageHeader header = headerOf(file);
  for (int i = 0; i < 200; ++i) {
    std::vector<uint8_t> bytes = file;
    size_t at = random() % (sizeof header + header.metadataSize);
    at += at < sizeof header ? 0 : header.metadataOffset - sizeof header;
    SCOPED_TRACE(at);
    bytes[at] ^= uint8_t(1 + random() % 255);
    writeFile(path, bytes);
    auto package = Package::open(path);
    ASSERT_FALSE(package.ok());
    EXPECT_EQ(package.status().message().rfind(path + ": ", 0), 0u);
  }
}

TEST_F(PackageTest, FlippedBytesInSegments) {
  std::minstd_rand random(5);
  for (int i = 0; i < 100; ++i) {
    std::vector<uint8_t> bytes = file;
    size_t at = random() % (code.size() + weights.size());
    bool inCode = at < code.size();
    at = inCode ? 4096 + at : 3 * 4096 + at - code.size();
    SCOPED_TRACE(at);
    bytes[at] ^= uint8_t(1 + random() % 255);
    writeFile(path, bytes);
    auto package = Package::open(path);
    ASSERT_TRUE(package.ok()) << package.status().message();
    Status status = (*package)->verifySegments(2);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.code(), StatusCode::CorruptFile);
    EXPECT_EQ(
        status.message().rfind(path + ": segment '" +
                                   (inCode ? "cpu.x86-64-v3" : "cpu.weights") +
                                   "': expected hash 0x",
                               0),
        0u)
        << status.message();
    EXPECT_EQ((*package)->verifySegment(0).ok(), !inCode);
    EXPECT_EQ((*package)->verifySegment(1).ok(), inCode);
  }
}

/// With the hash made right again, the verifiers alone stand between the bytes
/// and the reader: whatever they let through must be safe to use.
TEST_F(PackageTest, ForgedMetadata) {
  std::minstd_rand random(6);
  PackageHeader header = headerOf(file);
  int refused = 0, accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    std::vector<uint8_t> bytes = file;
    for (int flips = 1 + int(random() % 4); flips > 0; --flips) {
      size_t at = header.metadataOffset + random() % header.metadataSize;
      // Extremes are likelier than chance to get past a sloppy comparison.
      const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff, uint8_t(random())};
      bytes[at] = values[random() % 5];
    }
    sealMetadata(bytes);
    writeFile(path, bytes);
    auto package = Package::open(path);
    if (!package.ok()) {
      ++refused;
      EXPECT_EQ(package.status().message().find('\n'), std::string::npos);
      continue;
    }
    ++accepted;
    touchAll(**package);
    (void)(*package)->verifySegments(1);
  }
  // Both must happen, or the test would show nothing.
  EXPECT_GT(refused, 500);
  EXPECT_GT(accepted, 100);
}

} // namespace
