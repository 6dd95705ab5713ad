// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packed matrices hold what was packed, in the bytes that a budget counts.

#include "runtime/package/EncodingText.h"
#include "test/Unit/Targets/RandomEncoded.h"

using namespace umber;
using namespace mlir;

namespace {

using PackEncodedTest = EncodedTest;

/// The elements, read one by one as PanelEncoding.h tells.
std::vector<float> unpack(const PanelEncoding &encoding, int64_t rows,
                          const std::vector<uint8_t> &bytes) {
  std::vector<float> weights;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t lane = row % kPanelRows, first = row - lane;
    const uint8_t *panel =
        bytes.data() + row / kPanelRows * encoding.getPanelBytes();
    for (int64_t c = 0; c < encoding.columns; ++c) {
      const uint8_t *quad = panel + encoding.getCodesOffset() +
                            c / kQuadColumns * encoding.getQuadBytes();
      uint8_t value =
          encoding.getCode(quad, kQuadColumns * lane + c % kQuadColumns);
      if (encoding.hasTables()) {
        value =
            panel[encoding.getTable(first, lane, c) * encoding.getEntries() +
                  value];
      }
      _Float16 scale;
      std::memcpy(&scale,
                  panel + encoding.getTableBytes() +
                      2 * encoding.getScale(first, lane, c),
                  sizeof scale);
      weights.push_back(float(int8_t(value)) * float(scale));
    }
  }
  return weights;
}

/// The elements, read one by one as LaneEncoding.h tells.
std::vector<float> unpackLanes(const LaneEncoding &lanes, int64_t rows,
                               const std::vector<uint8_t> &bytes) {
  const PanelEncoding &encoding = lanes.encoding;
  std::vector<uint32_t> words(bytes.size() / 4);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  std::vector<float> weights;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t lane = row % kPanelRows, first = row - lane;
    const uint32_t *panel =
        words.data() + row / kPanelRows * lanes.getPanelWords();
    const auto *tables = reinterpret_cast<const int8_t *>(panel);
    for (int64_t c = 0; c < encoding.columns; ++c) {
      const uint32_t *block =
          panel + lanes.getCodesOffset() +
          (c / kBlockColumns * kPanelRows + lane) * encoding.bits;
      int value = 0;
      for (int64_t bit = 0; bit < encoding.bits; ++bit) {
        int64_t at = c % kBlockColumns * encoding.bits + bit;
        value |= (block[at / 32] >> at % 32 & 1) << bit;
      }
      value = encoding.hasTables() ? tables[encoding.getTable(first, lane, c) *
                                                encoding.getEntries() +
                                            value]
                                   : int8_t(value);
      _Float16 scale;
      std::memcpy(
          &scale,
          reinterpret_cast<const char *>(panel + lanes.getTableWords()) +
              2 * encoding.getScale(first, lane, c),
          sizeof scale);
      weights.push_back(float(value) * float(scale));
    }
  }
  return weights;
}

TEST_F(PackEncodedTest, LanesKeepElements) {
  for (RankedTensorType type : getTypes()) {
    EncodedMatrix matrix = getMatrix(type);
    LaneEncoding lanes = {getPanelEncoding(type)};
    std::vector<uint8_t> bytes;
    auto sink = [&](llvm::ArrayRef<uint8_t> panel) {
      bytes.insert(bytes.end(), panel.begin(), panel.end());
      return llvm::Error::success();
    };
    llvm::cantFail(
        packEncodedLanes(EncodedLayout::get(type), lanes, matrix, sink));
    EXPECT_EQ(int64_t(bytes.size()), lanes.getBytes(type.getDimSize(0)))
        << describe(type);
    EXPECT_EQ(unpackLanes(lanes, type.getDimSize(0), bytes),
              getWeights(type, matrix))
        << describe(type);
  }
}

TEST_F(PackEncodedTest, KeepsElements) {
  for (RankedTensorType type : getTypes()) {
    EncodedMatrix matrix = getMatrix(type);
    std::vector<uint8_t> bytes = pack(type, matrix);
    EXPECT_EQ(unpack(getPanelEncoding(type), type.getDimSize(0), bytes),
              getWeights(type, matrix))
        << describe(type);
  }
}

TEST_F(PackEncodedTest, TakesTheBytesThatBudgetsCount) {
  for (RankedTensorType type : getTypes()) {
    EXPECT_EQ(int64_t(pack(type, getMatrix(type)).size()), getStoredBytes(type))
        << describe(type);
  }
  // By hand: two panels of 16 bytes a quad and bit, two tables and scales each.
  EXPECT_EQ(getStoredBytes(getType(64, 576, "palette<bits = 4, rows = 16>")),
            2 * (144 * 64 + 2 * 16 + 2 * 2));
  EXPECT_EQ(getStoredBytes(getType(33, 77, "quantized<bits = 8>")),
            2 * (20 * 128 + 32 * 2));
  // Blocks of 24 rows: a panel may touch three.
  EXPECT_EQ(getStoredBytes(getType(20, 4, "palette<bits = 3, rows = 24>")),
            48 + 3 * 8 + 3 * 2);
}

TEST_F(PackEncodedTest, RefusesEntriesBeyondSevenBits) {
  RankedTensorType type = getType(20, 4, "palette<bits = 2, rows = 16>");
  EncodedMatrix matrix = getMatrix(type);
  matrix.tables[6] = 64;
  llvm::Error error = checkTables(EncodedLayout::get(type), matrix);
  EXPECT_EQ(llvm::toString(std::move(error)),
            "expected table entries from -64 to 63, found 64 in table 1");
}

/// What the runtime reads from a package's text is what the compiler wrote.
TEST_F(PackEncodedTest, TextTellsTheEncoding) {
  for (RankedTensorType type : getTypes()) {
    std::string text;
    llvm::raw_string_ostream(text) << type.getEncoding();
    auto parsed =
        parseEncoding(text.substr(sizeof "#umber." - 1), type.getDimSize(1));
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    PanelEncoding encoding = getPanelEncoding(type);
    EXPECT_EQ(std::memcmp(&*parsed, &encoding, sizeof encoding), 0) << text;
  }
}

} // namespace
