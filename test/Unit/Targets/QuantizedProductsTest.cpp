// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of encoded weights with quantized inputs are the same bits on every
// instruction set, for few tokens and for many: those of plain loops over
// panels. Nothing here needs the compiler, so this also runs where it does not.

#include "runtime/package/PanelEncoding.h"
#include "targets/Common/QuantizedRows.h"
#include "test/Unit/Targets/KernelLibraries.h"
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

using namespace umber;

namespace {

/// More rows than a panel's, and none that panels divide.
constexpr int64_t kRows = 77;
constexpr int64_t kPanels = (kRows + kPanelRows - 1) / kPanelRows;

std::string describe(const PanelEncoding &form) {
  std::string text = std::to_string(form.bits) + " bits";
  for (int64_t size : {form.columns, form.tableRows, form.tableColumns,
                       form.scaleRows, form.scaleColumns}) {
    text += ", " + std::to_string(size);
  }
  return text;
}

/// Every width, with tables and scales for blocks of any shape.
std::vector<PanelEncoding> getEncodings() {
  std::vector<PanelEncoding> encodings;
  for (int64_t bits : {1, 2, 3, 4, 6, 8}) {
    for (int64_t rows : {1, 4, 6, 8, 16, 24, 32, 40, 64, 80}) {
      encodings.push_back({200, bits, rows, 200, rows, 200});
    }
    // Columns that quads or tiles do not divide, and several runs.
    for (int64_t columns : {1, 20, 77, 128}) {
      encodings.push_back({columns, bits, 16, columns, 1, columns});
    }
    encodings.push_back({192, bits, 16, 64, 16, 64});
    encodings.push_back({192, bits, 32, 96, 1, 32});
    encodings.push_back({192, bits, 16, 24, 5, 16});
    encodings.push_back({192, bits, 8, 6, 1, 64});
    encodings.push_back({66, bits, 16, 22, 16, 22});
  }
  for (int64_t columns : {1, 77, 128, 200}) {
    encodings.push_back({columns, 8, 0, columns, 1, columns});
  }
  encodings.push_back({192, 8, 0, 192, 1, 64});
  encodings.push_back({192, 8, 0, 192, 1, 6});
  return encodings;
}

class QuantizedProductsTest : public testing::TestWithParam<KernelLibrary> {
protected:
  void SetUp() override { openOrSkip(GetParam(), table); }

  /// Any codes, also in lanes that no row or column has; entries from -64 to
  /// 63; scales from 2^-6 to 2.
  std::vector<uint8_t> getMatrix(const PanelEncoding &form) {
    std::vector<uint8_t> bytes(kPanels * form.getPanelBytes());
    for (size_t at = 0; at < bytes.size(); at += form.getPanelBytes()) {
      for (int64_t i = 0; i < form.getPanelBytes(); ++i) {
        bytes[at + i] = uint8_t(engine());
      }
      for (int64_t i = 0; i < form.getTableBytes(); ++i) {
        bytes[at + i] = uint8_t(engine() % 128 - 64);
      }
      for (int64_t i = 0; i < form.getScaleBytes(); i += 2) {
        uint16_t scale = (9 + engine() % 7) << 10 | engine() % 1024;
        std::memcpy(&bytes[at + form.getTableBytes() + i], &scale, 2);
      }
    }
    return bytes;
  }

  /// Rows of quantized x: of `form`, one after the other.
  std::vector<float> getInputs(const QuantizedRow &form, int64_t tokens) {
    int64_t words = form.getBytes() / 4;
    std::vector<float> x(form.columns), rows(tokens * words);
    for (int64_t t = 0; t < tokens; ++t) {
      for (float &value : x) {
        value = float(engine() % 20001) / 1e4f - 1.0f;
      }
      table->quantize(x.data(), 0, rows.data(), t * words, form.columns,
                      form.group, 127, 0, form.getGroups());
    }
    return rows;
  }

  const KernelTable *table = nullptr;
  std::mt19937 engine{11};
};

INSTANTIATE_TEST_SUITE_P(, QuantizedProductsTest,
                         testing::ValuesIn(kKernelLibraries), getLibraryName);

/// The product of a row of weights and one of x, as QuantizedProducts.h tells.
class RowProduct {
public:
  RowProduct(const PanelEncoding &form, const uint8_t *matrix, int64_t row)
      : form(form) {
    int64_t lane = row % kPanelRows, first = row - lane;
    const uint8_t *panel = matrix + row / kPanelRows * form.getPanelBytes();
    const uint8_t *codes = panel + form.getCodesOffset();
    for (int64_t c = 0; c < form.columns; ++c) {
      uint8_t value =
          form.getCode(codes + c / kQuadColumns * form.getQuadBytes(),
                       lane * kQuadColumns + c % kQuadColumns);
      if (form.hasTables()) {
        value =
            panel[form.getTable(first, lane, c) * form.getEntries() + value];
      }
      weights.push_back(int8_t(value));
      _Float16 scale;
      std::memcpy(&scale,
                  panel + form.getTableBytes() +
                      2 * form.getScale(first, lane, c),
                  sizeof scale);
      scales.push_back(float(scale));
    }
  }

  float multiply(const float *x, const QuantizedRow &inputs) const {
    auto *values = reinterpret_cast<const int8_t *>(x);
    float total = 0.0f, partial = 0.0f;
    for (int64_t c = 0, end; c < form.columns; c = end) {
      end = std::min((c / inputs.group + 1) * inputs.group,
                     (c / form.scaleColumns + 1) * form.scaleColumns);
      if (form.hasTables()) {
        end = std::min(end, (c / form.tableColumns + 1) * form.tableColumns);
      }
      int32_t sum = 0;
      for (int64_t i = c; i < end; ++i) {
        sum += int32_t(weights[i]) * values[i];
      }
      float scale;
      std::memcpy(&scale,
                  values + inputs.getScalesOffset() + 4 * (c / inputs.group),
                  sizeof scale);
      partial = std::fma(float(sum), scale, partial);
      if (end % form.scaleColumns == 0) {
        total = std::fma(partial, scales[c], total);
        partial = 0.0f;
      }
    }
    return total;
  }

private:
  const PanelEncoding &form;
  std::vector<int8_t> weights;
  std::vector<float> scales;
};

TEST_P(QuantizedProductsTest, AreTheSameBitsForAnyNumberOfTokens) {
  for (const PanelEncoding &form : getEncodings()) {
    std::vector<uint8_t> matrix = getMatrix(form);
    std::vector<RowProduct> products;
    for (int64_t row = 0; row < kRows; ++row) {
      products.emplace_back(form, matrix.data(), row);
    }
    for (int64_t group : {form.columns, int64_t(64), int64_t(16), int64_t(6)}) {
      if (form.columns % group != 0) {
        continue;
      }
      // More than share a decoded slice, and tiles' remainders.
      int64_t most = group == form.columns ? 71 : 21;
      QuantizedRow inputs = {form.columns, group};
      int64_t words = inputs.getBytes() / 4;
      std::vector<float> x = getInputs(inputs, most), expected;
      for (int64_t t = 0; t < most; ++t) {
        for (const RowProduct &product : products) {
          expected.push_back(product.multiply(&x[t * words], inputs));
        }
      }
      for (int64_t tokens : {int64_t(1), int64_t(2), int64_t(7), int64_t(8),
                             int64_t(33), most}) {
        SCOPED_TRACE(describe(form) + ", group " + std::to_string(group) +
                     ", tokens " + std::to_string(tokens));
        tokens = std::min(tokens, most);
        std::vector<float> y(tokens * kRows, NAN);
        for (int64_t first = 0; first < kRows; first += kPanelRows) {
          table->linearQuantized(
              &form.columns, x.data(), 0, words, group, matrix.data(),
              first / kPanelRows * form.getPanelBytes(), first, y.data(), first,
              kRows, tokens, std::min(kPanelRows, kRows - first));
        }
        ASSERT_EQ(y, std::vector<float>(expected.begin(),
                                        expected.begin() + tokens * kRows));
      }
      if (form.isReadByQuads(group)) {
        SCOPED_TRACE(describe(form) + ", group " + std::to_string(group));
        for (int64_t tokens = 1; tokens <= kFewTokens; ++tokens) {
          std::vector<float> y(tokens * kRows, NAN);
          table->linearFew(&form.columns, x.data(), 0, words, group,
                           matrix.data(), 0, kPanels, y.data(), 0, kRows,
                           tokens, kRows);
          ASSERT_EQ(y, std::vector<float>(expected.begin(),
                                          expected.begin() + tokens * kRows));
        }
      }
    }
  }
}

} // namespace
