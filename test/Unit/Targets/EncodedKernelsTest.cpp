// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The microkernels for encoded parameters against plain loops, for every
// instruction set; those that this processor does not have are skipped.

#include "targets/Common/QuantizedRows.h"
#include "test/Unit/Targets/KernelLibraries.h"
#include "test/Unit/Targets/RandomEncoded.h"
#include <cmath>

using namespace umber;
using namespace mlir;

namespace {

class EncodedKernelsTest : public EncodedTest,
                           public testing::WithParamInterface<KernelLibrary> {
protected:
  void SetUp() override { openOrSkip(GetParam(), table); }

  std::vector<float> getFloats(int64_t count) {
    std::vector<float> values(count);
    for (float &value : values) {
      value = float(engine() % 20001) / 1e4f - 1.0f;
    }
    return values;
  }

  /// Groups to quantize rows in: all columns, and each of these that divides
  /// them.
  static std::vector<int64_t> getGroups(int64_t columns) {
    std::vector<int64_t> groups = {columns};
    for (int64_t group : {64, 12, 7}) {
      if (columns % group == 0) {
        groups.push_back(group);
      }
    }
    return groups;
  }

  /// Calls `multiply(panel's offset, first row, rows)` for all panels.
  static void
  forPanels(RankedTensorType type,
            llvm::function_ref<void(int64_t, int64_t, int64_t)> multiply) {
    int64_t bytes = getPanelEncoding(type).getPanelBytes(), offset = 0;
    for (int64_t row = 0; row < type.getDimSize(0); row += kPanelRows) {
      multiply(offset, row, std::min(kPanelRows, type.getDimSize(0) - row));
      offset += bytes;
    }
  }

  const KernelTable *table = nullptr;
};

INSTANTIATE_TEST_SUITE_P(, EncodedKernelsTest,
                         testing::ValuesIn(kKernelLibraries), getLibraryName);

/// Rows as QuantizedRows.h tells, by plain loops.
struct Quantized {
  QuantizedRow form;
  std::vector<int8_t> values;
  std::vector<float> scales;

  Quantized(const std::vector<float> &x, QuantizedRow form) : form(form) {
    for (size_t first = 0; first < x.size(); first += form.group) {
      float largest = 0.0f;
      for (int64_t i = 0; i < form.group; ++i) {
        largest = std::max(largest, std::fabs(x[first + i]));
      }
      scales.push_back(largest / 127.0f);
      for (int64_t i = 0; i < form.group; ++i) {
        values.push_back(largest == 0.0f ? 0
                                         : int8_t(std::nearbyint(
                                               x[first + i] / scales.back())));
      }
    }
  }
};

/// Compares rows in a buffer with what they should be.
void expectRows(const Quantized &expected, const std::vector<float> &buffer) {
  const QuantizedRow &form = expected.form;
  auto *bytes = reinterpret_cast<const int8_t *>(buffer.data());
  int64_t tokens = expected.values.size() / form.columns;
  for (int64_t t = 0; t < tokens; ++t) {
    const int8_t *row = bytes + t * form.getBytes();
    for (int64_t c = 0; c < form.getScalesOffset(); ++c) {
      int8_t value =
          c < form.columns ? expected.values[t * form.columns + c] : 0;
      ASSERT_EQ(int(row[c]), int(value)) << "token " << t << ", column " << c;
    }
    for (int64_t g = 0; g < form.getGroups(); ++g) {
      float scale;
      int32_t sum, expectedSum = 0;
      std::memcpy(&scale, row + form.getScalesOffset() + 4 * g, 4);
      std::memcpy(&sum, row + form.getSumsOffset() + 4 * g, 4);
      for (int64_t i = 0; i < form.group; ++i) {
        expectedSum += expected.values[t * form.columns + g * form.group + i];
      }
      EXPECT_EQ(scale, expected.scales[t * form.getGroups() + g]);
      EXPECT_EQ(sum, expectedSum);
    }
  }
}

TEST_P(EncodedKernelsTest, Quantize) {
  for (auto [columns, group] :
       {std::pair(576, 64), std::pair(33, 33), std::pair(21, 7),
        std::pair(1, 1), std::pair(1536, 1536), std::pair(200, 20)}) {
    SCOPED_TRACE(std::to_string(columns) + " columns");
    QuantizedRow form = {columns, group};
    std::vector<float> x = getFloats(3 * columns);
    // Ties: the scale is 1, and 0.5, 1.5 and 2.5 are halfway.
    x[0] = 127.0f;
    for (int c = 1; c < std::min(group, 6); ++c) {
      x[c] = float(c) - 2.5f;
    }
    std::fill_n(x.begin() + columns, group, 0.0f);
    std::vector<float> buffer(3 * form.getBytes() / 4, 1.0f);
    for (int64_t t = 0; t < 3; ++t) {
      // Two workers, of which the second has more to do.
      int64_t half = form.getGroups() / 2;
      for (auto [first, last] :
           {std::pair(int64_t(0), half), std::pair(half, form.getGroups())}) {
        table->quantize(x.data(), t * columns, buffer.data(),
                        t * form.getBytes() / 4, columns, group, 127, first,
                        last);
      }
    }
    expectRows(Quantized(x, form), buffer);
  }
}

TEST_P(EncodedKernelsTest, NotANumberIsNotLost) {
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    for (int64_t at : {3, 17}) {
      QuantizedRow form = {18, 18};
      std::vector<float> x = getFloats(18);
      x[at] = bad;
      std::vector<float> buffer(form.getBytes() / 4);
      table->quantize(x.data(), 0, buffer.data(), 0, 18, 18, 127, 0, 1);
      EXPECT_TRUE(std::isnan(buffer[form.getScalesOffset() / 4])) << bad;
    }
  }
}

TEST_P(EncodedKernelsTest, ProductsOfQuantizedRows) {
  for (RankedTensorType type : getTypes()) {
    EncodedMatrix matrix = getMatrix(type);
    std::vector<uint8_t> bytes = pack(type, matrix);
    std::vector<float> weights = getWeights(type, matrix);
    PanelEncoding encoding = getPanelEncoding(type);
    int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
    for (int64_t group : getGroups(columns)) {
      // More than a block of tokens, and a tile's remainder.
      int64_t tokens = group == columns ? 37 : 3;
      QuantizedRow form = {columns, group};
      int64_t words = form.getBytes() / 4;
      std::vector<float> x = getFloats(tokens * columns);
      Quantized quantized(x, form);
      SCOPED_TRACE(describe(type) + ", group " + std::to_string(group));
      std::vector<float> buffer(tokens * words), y(tokens * rows, NAN);
      for (int64_t t = 0; t < tokens; ++t) {
        table->quantize(x.data(), t * columns, buffer.data(), t * words,
                        columns, group, 127, 0, form.getGroups());
      }
      forPanels(type, [&](int64_t offset, int64_t first, int64_t count) {
        table->linearQuantized(&encoding.columns, buffer.data(), 0, words,
                               group, bytes.data(), offset, first, y.data(),
                               first, rows, tokens, count);
      });
      if (encoding.isReadByQuads(group)) {
        // A few rows at a time, the same bits; the first panel alone, as of
        // another worker.
        int64_t panels = (rows + kPanelRows - 1) / kPanelRows;
        for (int64_t few = 1; few <= kFewTokens; ++few) {
          std::vector<float> inTurn(tokens * rows, NAN);
          for (int64_t t = 0; t < tokens; t += few) {
            for (auto [first, last] :
                 {std::pair(int64_t(0), int64_t(1)), {int64_t(1), panels}}) {
              table->linearFew(&encoding.columns, buffer.data(), t * words,
                               words, group, bytes.data(), first, last,
                               inTurn.data(), t * rows, rows,
                               std::min(few, tokens - t), rows);
            }
          }
          ASSERT_EQ(y, inTurn) << few << " rows at a time";
        }
      }
      for (int64_t i = 0; i < tokens * rows; ++i) {
        int64_t t = i / rows, r = i % rows;
        double sum = 0, size = 0;
        for (int64_t c = 0; c < columns; ++c) {
          double term = double(weights[r * columns + c]) *
                        quantized.values[t * columns + c] *
                        quantized.scales[(t * columns + c) / group];
          sum += term;
          size += std::fabs(term);
        }
        ASSERT_NEAR(y[i], sum, 1e-6 * size) << "token " << t << ", row " << r;
      }
    }
  }
}

/// The largest products there are stay exact.
TEST_P(EncodedKernelsTest, ExtremesAreExact) {
  for (const char *encoding :
       {"palette<bits = 1, rows = 16>", "palette<bits = 4, rows = 16>",
        "palette<bits = 8, rows = 16>", "quantized<bits = 8>"}) {
    RankedTensorType type = getType(32, 900, encoding);
    EncodedLayout layout = EncodedLayout::get(type);
    for (auto [entry, value] :
         {std::pair(-64, 127), std::pair(-64, -127), std::pair(63, 127),
          std::pair(63, -127), std::pair(-128, 127), std::pair(-128, -127),
          std::pair(127, -127)}) {
      if (layout.entries && (entry < -64 || entry > 63)) {
        continue;
      }
      EncodedMatrix matrix;
      matrix.codes.assign(32 * 900, layout.entries ? 0 : uint8_t(entry));
      matrix.tables.assign(layout.tables * layout.entries, entry);
      matrix.scales.assign(layout.scales, 0x3C00); // 1.0
      std::vector<uint8_t> bytes = pack(type, matrix);
      PanelEncoding panels = getPanelEncoding(type);
      QuantizedRow form = {900, 900};
      // As many tokens as what multiplies several at once takes.
      constexpr int64_t kTokens = 17;
      int64_t words = form.getBytes() / 4;
      std::vector<float> x(900, float(value)), buffer(kTokens * words),
          y(kTokens * 32);
      for (int64_t t = 0; t < kTokens; ++t) {
        table->quantize(x.data(), 0, buffer.data(), t * words, 900, 900, 127, 0,
                        1);
      }
      table->linearQuantized(&panels.columns, buffer.data(), 0, words, 900,
                             bytes.data(), 0, 0, y.data(), 0, 32, kTokens, 32);
      EXPECT_EQ(y, std::vector<float>(kTokens * 32, float(900 * entry * value)))
          << encoding;
      if (panels.isReadByQuads(900)) {
        y.assign(32, NAN);
        table->linearFew(&panels.columns, buffer.data(), 0, words, 900,
                         bytes.data(), 0, 1, y.data(), 0, 32, 1, 32);
        EXPECT_EQ(y, std::vector<float>(32, float(900 * entry * value)))
            << encoding;
      }
    }
  }
}

TEST_P(EncodedKernelsTest, ProductsOfFloats) {
  for (RankedTensorType type : getTypes()) {
    EncodedMatrix matrix = getMatrix(type);
    std::vector<uint8_t> bytes = pack(type, matrix);
    std::vector<float> weights = getWeights(type, matrix);
    PanelEncoding encoding = getPanelEncoding(type);
    int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
    int64_t tokens = columns < 100 ? 35 : 2;
    std::vector<float> x = getFloats(tokens * columns);
    SCOPED_TRACE(describe(type));
    std::vector<float> y(tokens * rows, NAN);
    forPanels(type, [&](int64_t offset, int64_t first, int64_t count) {
      table->linearFloats(&encoding.columns, x.data(), 0, columns, bytes.data(),
                          offset, first, y.data(), first, rows, tokens, count);
    });
    for (int64_t i = 0; i < tokens * rows; ++i) {
      int64_t t = i / rows, r = i % rows;
      double sum = 0, size = 0;
      for (int64_t c = 0; c < columns; ++c) {
        double term = double(weights[r * columns + c]) * x[t * columns + c];
        sum += term;
        size += std::fabs(term);
      }
      ASSERT_NEAR(y[i], sum, 2e-6 * size) << "token " << t << ", row " << r;
    }
  }
}

TEST_P(EncodedKernelsTest, Embed) {
  for (RankedTensorType type : getTypes()) {
    EncodedMatrix matrix = getMatrix(type);
    std::vector<uint8_t> bytes = pack(type, matrix);
    std::vector<float> weights = getWeights(type, matrix);
    PanelEncoding encoding = getPanelEncoding(type);
    int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
    for (int64_t row : {int64_t(0), rows / 2, rows - 1}) {
      std::vector<float> y(columns), expected(columns);
      table->embed(&encoding.columns, bytes.data(), row, y.data(), 0, 3.0);
      for (int64_t c = 0; c < columns; ++c) {
        expected[c] = 3.0f * weights[row * columns + c];
      }
      EXPECT_EQ(y, expected) << describe(type);
    }
  }
}

} // namespace
