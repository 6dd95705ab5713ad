// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/OutputFile.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

using namespace umber;
namespace fs = std::filesystem;

TEST(OutputFile, LeavesOnlyWhatItWasAskedFor) {
  std::string pattern = ::testing::TempDir() + "output-XXXXXX";
  fs::path folder = ::mkdtemp(pattern.data());
  fs::path path = folder / "a.b";
  auto file = OutputFile::create(path);
  ASSERT_TRUE(file.ok());
  // While it is written, it has a name that tells whose it is.
  ASSERT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  fs::path temporary = *fs::directory_iterator(folder);
  EXPECT_NE(temporary, path);
  EXPECT_EQ(OutputFile::getFinalName(temporary.filename()), "a.b");
  ASSERT_TRUE((*file)->append("x", 1).ok());
  ASSERT_TRUE((*file)->commit().ok());
  ASSERT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  EXPECT_TRUE(fs::exists(path));
  fs::remove_all(folder);
}

TEST(OutputFile, KnowsItsTemporaryNames) {
  EXPECT_EQ(OutputFile::getFinalName("a.tmp-0"), "a");
  EXPECT_EQ(OutputFile::getFinalName("a.tmp-1.tmp-2"), "a.tmp-1");
  for (const char *name :
       {"a", "a.tmp", "a.tmp-", "a.tmp-1x", "a.tmp-1 ", ""}) {
    EXPECT_EQ(OutputFile::getFinalName(name), "") << name;
  }
}
