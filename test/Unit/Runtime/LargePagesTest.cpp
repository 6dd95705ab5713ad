// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/LargePages.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace umber;
using namespace umber::cpu;

namespace {

constexpr size_t kPages = 5;

/// A mapped file of a few large pages and a bit, and what it holds.
class LargePagesTest : public testing::Test {
protected:
  void SetUp() override {
    if (largePageBytes() == 0) {
      GTEST_SKIP() << "this system has no large pages";
    }
    words.resize((kPages * largePageBytes() + 12345) / sizeof words[0]);
    std::mt19937_64 random(1);
    for (uint64_t &word : words) {
      word = random();
    }
    path = testing::TempDir() + "large-pages-" + std::to_string(getpid());
    FILE *out = std::fopen(path.c_str(), "wb");
    ASSERT_TRUE(out);
    ASSERT_EQ(std::fwrite(words.data(), sizeof words[0], words.size(), out),
              words.size());
    ASSERT_EQ(std::fclose(out), 0);
    auto opened = MappedFile::open(path);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    file = std::move(*opened);
  }
  void TearDown() override {
    if (!path.empty()) {
      std::remove(path.c_str());
    }
  }

  bool isWhole() const {
    return std::memcmp(file->bytes().data, words.data(), file->bytes().size) ==
           0;
  }
  /// Whole large pages from `begin` on.
  size_t pagesFrom(size_t begin) const {
    auto address = reinterpret_cast<uintptr_t>(file->bytes().data) + begin;
    auto end =
        reinterpret_cast<uintptr_t>(file->bytes().data) + file->bytes().size;
    size_t page = largePageBytes();
    uintptr_t first = (address + page - 1) / page;
    return end / page - first;
  }
  /// What the file says after its bytes were inverted on disk: pages that are
  /// its own show it, those that were moved do not.
  size_t changedPages() {
    std::vector<uint64_t> inverted = words;
    for (uint64_t &word : inverted) {
      word = ~word;
    }
    FILE *out = std::fopen(path.c_str(), "r+b");
    EXPECT_TRUE(out);
    EXPECT_EQ(
        std::fwrite(inverted.data(), sizeof inverted[0], inverted.size(), out),
        inverted.size());
    EXPECT_EQ(std::fclose(out), 0);
    size_t changed = 0;
    for (size_t at = 0; at < words.size(); at += 4096 / sizeof words[0]) {
      uint64_t now;
      std::memcpy(&now, file->bytes().data + at * sizeof now, sizeof now);
      changed += now != words[at];
    }
    return changed;
  }

  std::string path;
  std::vector<uint64_t> words;
  std::unique_ptr<MappedFile> file;
};

TEST_F(LargePagesTest, MovesEveryWholePageOnce) {
  LargePages pages(file->bytes());
  size_t moved = 0;
  while (pages.moveNext()) {
    ++moved;
    ASSERT_TRUE(isWhole()) << moved;
  }
  EXPECT_EQ(moved, pagesFrom(0));
  EXPECT_GE(moved, kPages - 1);
  EXPECT_FALSE(pages.moveNext());
  // Only what was moved is no longer the file's.
  size_t all = (file->bytes().size + 4095) / 4096;
  EXPECT_EQ(changedPages(), all - moved * (largePageBytes() / 4096));
}

TEST_F(LargePagesTest, StaysWithinItsRange) {
  // Off the boundaries of small pages, too.
  size_t begin = largePageBytes() + 100, size = 2 * largePageBytes();
  LargePages pages({file->bytes().data + begin, size});
  size_t moved = 0;
  while (pages.moveNext()) {
    ++moved;
  }
  EXPECT_GE(moved, 1u);
  EXPECT_LE(moved, 2u);
  EXPECT_TRUE(isWhole());
  size_t all = (file->bytes().size + 4095) / 4096;
  EXPECT_EQ(changedPages(), all - moved * (largePageBytes() / 4096));
}

TEST_F(LargePagesTest, ReadersSeeTheSameBytesAllTheWhile) {
  LargePages pages(file->bytes());
  std::atomic<bool> isOver{false};
  std::atomic<size_t> moved{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      do {
        wrong += !isWhole();
      } while (!isOver);
    });
  }
  std::thread movers[2];
  for (std::thread &mover : movers) {
    mover = std::thread([&] {
      while (pages.moveNext()) {
        ++moved;
      }
    });
  }
  for (std::thread &mover : movers) {
    mover.join();
  }
  isOver = true;
  for (std::thread &thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(moved, pagesFrom(0));
}

TEST(LargePages, NothingIsMovedOfARangeWithoutAWholePage) {
  alignas(64) static uint8_t few[100];
  EXPECT_FALSE(LargePages({few, sizeof few}).moveNext());
  EXPECT_FALSE(LargePages(Bytes()).moveNext());
}

TEST(LargePages, MemoryIsPlentifulForLittleAndNotForEverything) {
#if defined(__linux__)
  EXPECT_TRUE(isMemoryPlentiful(4096));
#endif
  EXPECT_FALSE(isMemoryPlentiful(UINT64_MAX));
}

} // namespace
