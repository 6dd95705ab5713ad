// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Base files: whole ones, and ones that somebody has cut, damaged or forged.

#include "tools/umber-eval/Base.h"

#include "tools/common/Handles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace umber::tools;

namespace {

const float kHalf = std::log(0.5f), kQuarter = std::log(0.25f);

class BaseTest : public testing::Test {
protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "umber-base-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    path = directory + "/text.base";
    BaseWriter writer(path, about());
    for (uint32_t i = 0; i < 6; ++i) {
      writer.append(recordOf(i));
    }
    writer.finish();
    std::ifstream stream(path, std::ios::binary);
    file.assign(std::istreambuf_iterator<char>(stream), {});
  }

  void TearDown() override { std::filesystem::remove_all(directory); }

  /// Two chunks of seven tokens, three scored in each, two of five tokens kept.
  static BaseHeader about() {
    BaseHeader header = {};
    header.vocab = 5;
    header.context = 7;
    header.chunks = 2;
    header.scored = 3;
    header.top = 2;
    header.textHash = 11;
    header.identity = 22;
    return header;
  }

  static BaseRecord recordOf(uint32_t index) {
    return {-float(index),
            {{index % 5, (index + 1) % 5}, {kHalf, kQuarter}, kQuarter}};
  }

  std::string openError(const std::string &bytes) {
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
    try {
      BaseReader reader(path);
      return "";
    } catch (const ToolError &error) {
      return error.what();
    }
  }

  void expectBad(const std::string &bytes, const std::string &message) {
    std::string error = openError(bytes);
    EXPECT_EQ(error.rfind(path + ": " + message, 0), 0u)
        << "found: " << error << "\nexpected: " << message;
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }

  /// The file with its header changed and its hashes made right again.
  std::string forge(const std::function<void(BaseHeader &, char *)> &edit) {
    std::string bytes = file;
    BaseHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    edit(header, bytes.data() + sizeof header);
    header.recordsHash =
        XXH3_64bits(bytes.data() + sizeof header, bytes.size() - sizeof header);
    header.headerHash = XXH3_64bits(&header, sizeof header - 8);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }

  /// The file with four bytes of its second record (24 bytes) changed.
  template <typename T>
  std::string forgeRecord(size_t offset, T value) {
    return forge([&](BaseHeader &, char *records) {
      std::memcpy(records + 24 + offset, &value, sizeof value);
    });
  }

  std::string directory, path, file;
};

TEST_F(BaseTest, RoundTrip) {
  ASSERT_EQ(file.size(), 64u + 6 * 24);
  BaseReader reader(path);
  EXPECT_EQ(reader.header().vocab, 5u);
  EXPECT_EQ(reader.header().textHash, 11u);
  EXPECT_EQ(reader.header().identity, 22u);
  for (uint32_t i = 0; i < 6; ++i) {
    BaseRecord found = reader.record(i), expected = recordOf(i);
    EXPECT_EQ(found.logProbability, expected.logProbability);
    EXPECT_EQ(found.prediction.ids, expected.prediction.ids);
    EXPECT_EQ(found.prediction.logProbabilities,
              expected.prediction.logProbabilities);
    EXPECT_EQ(found.prediction.logRest, expected.prediction.logRest);
  }
}

TEST_F(BaseTest, NothingIsLeftOfAnUnfinishedOne) {
  std::filesystem::remove(path);
  {
    BaseWriter(path, about()).append(recordOf(0));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory));
}

TEST_F(BaseTest, Truncated) {
  for (size_t size = 0; size < file.size(); ++size) {
    SCOPED_TRACE(size);
    expectBad(file.substr(0, size),
              size < 64 ? "header: expected a base file of at least 64 bytes"
                        : "records: expected 6 of 24 bytes");
  }
  expectBad(file + '\0', "records: expected 6 of 24 bytes, found 145 bytes");
}

TEST_F(BaseTest, FlippedBytes) {
  for (size_t at = 0; at < file.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = file;
      bytes[at] = char(bytes[at] ^ (1 << bit));
      EXPECT_NE(openError(bytes), "") << "byte " << at << ", bit " << bit;
    }
  }
}

TEST_F(BaseTest, ForgedHeader) {
  auto forgeHeader = [&](const std::function<void(BaseHeader &)> &edit) {
    return forge([&](BaseHeader &header, char *) { edit(header); });
  };
  ASSERT_EQ(openError(forgeHeader([](BaseHeader &) {})), "");
  expectBad(forgeHeader([](BaseHeader &h) { h.magic[0] = 'X'; }),
            "header: expected a base file of umber-eval");
  expectBad(forgeHeader([](BaseHeader &h) { h.version = 9; }),
            "header: expected format version 1, found 9");
  const std::function<void(BaseHeader &)> edits[] = {[](BaseHeader &h) { h.vocab = 0; },
                                                     [](BaseHeader &h) { h.vocab = 1; },
                                                     [](BaseHeader &h) { h.vocab = ~0u; },
                                                     [](BaseHeader &h) { h.top = 0; },
                                                     [](BaseHeader &h) { h.top = ~0u; },
                                                     [](BaseHeader &h) { h.chunks = 0; },
                                                     [](BaseHeader &h) { h.chunks = ~0u; },
                                                     [](BaseHeader &h) { h.scored = 0; },
                                                     [](BaseHeader &h) { h.scored = 7; },
                                                     [](BaseHeader &h) { h.context = ~0u; }};
  for (const auto &edit : edits) {
    expectBad(forgeHeader(edit), "header: expected sizes that fit each other");
  }
  expectBad(forgeHeader([](BaseHeader &h) { h.chunks = 1 << 30; }),
            "records: expected 3221225472 of 24 bytes, found 144 bytes");
}

TEST_F(BaseTest, ForgedRecords) {
  ASSERT_EQ(openError(forgeRecord(0, -3.0f)), "");
  for (float value : {1.0f, NAN, float(INFINITY), -float(INFINITY)}) {
    expectBad(forgeRecord(0, value),
              "record 1: expected logarithms of probabilities");
    expectBad(forgeRecord(16, value),
              "record 1: expected descending logarithms of probabilities");
  }
  for (float value : {1.0f, NAN}) {
    expectBad(forgeRecord(4, value),
              "record 1: expected logarithms of probabilities");
  }
  expectBad(forgeRecord(8, 5u), "record 1: expected tokens below 5, found 5");
  expectBad(forgeRecord(8, 2u), // The second one's.
            "record 1: expected different tokens");
  expectBad(forgeRecord(20, -0.5f), // Above the first one's.
            "record 1: expected descending logarithms of probabilities");
  expectBad(forgeRecord(4, -0.5f),
            "record 1: expected probabilities that add up to 1, found 1.3565");
}

TEST_F(BaseTest, Errors) {
  auto errorOf = [](const std::function<void()> &action) -> std::string {
    try {
      action();
      return "";
    } catch (const ToolError &error) {
      return error.what();
    }
  };
  EXPECT_EQ(errorOf([&] { BaseReader(directory + "/none"); }),
            directory + "/none: No such file or directory");
  EXPECT_EQ(errorOf([&] { BaseReader{directory}; }),
            directory + ": expected a regular file");
  EXPECT_EQ(errorOf([&] { BaseWriter("/dev/full", about()); }),
            "/dev/full: expected a regular file or none, found a special file");
}

} // namespace
