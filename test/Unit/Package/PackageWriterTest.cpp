// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the writer leaves on a disk, above all when it fails.

#include "test/Unit/Package/Fixture.h"

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace umber;
using namespace umber::test;

namespace {

/// Lets no file grow beyond `bytes` during its life, as a full disk would.
class FileSizeLimit {
public:
  explicit FileSizeLimit(rlim_t bytes) {
    previousHandler = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &previous);
    rlimit limited = {bytes, previous.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &previous);
    std::signal(SIGXFSZ, previousHandler);
  }

private:
  rlimit previous;
  void (*previousHandler)(int);
};

/// Writes a segment of 64 KiB and empty metadata.
Status writeSome(const std::string &path) {
  auto writer = PackageWriter::create(path);
  if (!writer.ok()) {
    return writer.status();
  }
  auto segment = (*writer)->beginSegment(fbs::SegmentKind_Weights, "weights");
  if (!segment.ok()) {
    return segment.status();
  }
  std::vector<uint8_t> bytes(1 << 16, 7);
  for (const Status &status : {(*writer)->append(bytes.data(), bytes.size()),
                               (*writer)->endSegment()}) {
    if (!status.ok()) {
      return status;
    }
  }
  return (*writer)->finish(bytes.data(), 100);
}

class PackageWriterTest : public PackageFixture {
protected:
  void expectFailure(const Status &status, const std::string &message) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.code(), StatusCode::IoError);
    EXPECT_EQ(status.message(), message);
  }
};

TEST_F(PackageWriterTest, AppearsWhenFinished) {
  mode_t mask = ::umask(027);
  writePackage(pathOf("a.umb"), [&](fbs::PackageT &) {
    std::vector<std::string> names = filesInDirectory();
    ASSERT_EQ(names.size(), 1u);
    EXPECT_EQ(names[0].rfind("a.umb.tmp-", 0), 0u) << names[0];
  });
  ::umask(mask);
  EXPECT_EQ(filesInDirectory(), std::vector<std::string>{"a.umb"});
  struct stat status;
  ASSERT_EQ(::stat(pathOf("a.umb").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0640u);
}

TEST_F(PackageWriterTest, SameInputSameBytes) {
  writePackage(pathOf("a.umb"));
  writePackage(pathOf("b.umb"));
  EXPECT_EQ(readFile(pathOf("a.umb")), readFile(pathOf("b.umb")));
}

TEST_F(PackageWriterTest, TellsSizeAndHash) {
  auto writer = PackageWriter::create(pathOf("a.umb"));
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->beginSegment(fbs::SegmentKind_Tables, "none").ok());
  ASSERT_TRUE((*writer)->endSegment().ok());
  // XXH3-64 of nothing, as xxHash's own test vectors have it.
  EXPECT_EQ((*writer)->getSegmentHash(0), 0x2D06800538D394C2u);
  uint8_t metadata[10] = {};
  ASSERT_TRUE((*writer)->finish(metadata, sizeof metadata).ok());
  EXPECT_EQ((*writer)->getFileSize(), 4096u + 10);
  EXPECT_EQ(readFile(pathOf("a.umb")).size(), 4096u + 10);
}

TEST_F(PackageWriterTest, ReplacesAFile) {
  writeFile(pathOf("a.umb"), {1, 2, 3});
  writePackage(pathOf("a.umb"));
  EXPECT_TRUE(Package::open(pathOf("a.umb")).ok());
}

TEST_F(PackageWriterTest, LeavesNothingWhenGivenUp) {
  writeFile(pathOf("a.umb"), {1, 2, 3});
  {
    auto writer = PackageWriter::create(pathOf("a.umb"));
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(
        (*writer)->beginSegment(fbs::SegmentKind_Weights, "weights").ok());
    ASSERT_TRUE((*writer)->append("abc", 3).ok());
  }
  EXPECT_EQ(filesInDirectory(), std::vector<std::string>{"a.umb"});
  EXPECT_EQ(readFile(pathOf("a.umb")), (std::vector<uint8_t>{1, 2, 3}));
}

TEST_F(PackageWriterTest, FullDisk) {
  // In the header, in the padding before the segment, in the segment, in its
  // last byte, and in the metadata.
  for (rlim_t limit : {rlim_t(16), rlim_t(4000), rlim_t(10000),
                       rlim_t(4096 + 65535), rlim_t(4096 + 65536 + 99)}) {
    SCOPED_TRACE(limit);
    Status status;
    {
      FileSizeLimit full(limit);
      status = writeSome(pathOf("a.umb"));
    }
    expectFailure(status, pathOf("a.umb") + ": cannot write: File too large");
    EXPECT_EQ(filesInDirectory(), std::vector<std::string>());
  }
  FileSizeLimit enough(4096 + 65536 + 100);
  EXPECT_TRUE(writeSome(pathOf("a.umb")).ok());
}

TEST_F(PackageWriterTest, NoSuchPlace) {
  writeFile(pathOf("file"), {});
  expectFailure(writeSome(pathOf("file/a.umb")),
                pathOf("file/a.umb") +
                    ": cannot create a file there: Not a directory");
  expectFailure(writeSome(pathOf("none/a.umb")),
                pathOf("none/a.umb") +
                    ": cannot create a file there: No such file or directory");
  expectFailure(writeSome(directory),
                directory +
                    ": expected a regular file or none, found a directory");
  // Renaming a file to this name would take the device away.
  expectFailure(writeSome("/dev/full"),
                "/dev/full: expected a regular file or none, found a special "
                "file");
}

TEST_F(PackageWriterTest, ReadOnlyDirectory) {
  ASSERT_EQ(::chmod(directory.c_str(), 0555), 0);
  // The superuser may write anywhere: be somebody else for a while.
  bool isRoot = ::geteuid() == 0;
  if (isRoot) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  Status status = writeSome(pathOf("a.umb"));
  if (isRoot) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  expectFailure(status, pathOf("a.umb") +
                            ": cannot create a file there: Permission denied");
  EXPECT_EQ(filesInDirectory(), std::vector<std::string>());
}

} // namespace
