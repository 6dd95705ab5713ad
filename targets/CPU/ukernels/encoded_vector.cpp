// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y = W x for one row of quantized activations: codes go from memory through
// registers into sums. The result is bit for bit that of the product with many
// rows (encoded.cpp): sums of integers are exact, and those of f32 are made in
// the same order.

#include "targets/CPU/ukernels/QuantizedProducts.h"

using namespace umber;

namespace {

/// Independent sums of each row: where one quad's products are few
/// instructions, the next must not wait for them.
constexpr int kChains = kRowVectors < 4 ? 2 : 1;

/// How far ahead memory is asked for, in bytes.
constexpr int64_t kAhead = 2048;

/// sums = the products of quads `first` to `last - 1`.
template <int Bits, int Bias>
UMBER_INLINE void multiplyQuads(const PanelReader &reader, int64_t first,
                                int64_t last, const int8_t *x, int32_t *sums) {
  Words acc[kChains][kRowVectors];
#pragma clang loop unroll(full)
  for (int chain = 0; chain < kChains; ++chain) {
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      acc[chain][v] = Words(0);
    }
  }
  const uint8_t *codes = reader.getCodes(first);
  x += first * kQuadColumns;
  int64_t q = 0, count = last - first;
  auto addQuad = [&](int chain) __attribute__((always_inline)) {
    // Codes of 8 bits are read so fast that the processor runs ahead by itself.
    if constexpr (Bits < 8) {
      __builtin_prefetch(codes + q * 16 * Bits + kAhead);
    }
    auto quad = (Bytes)Words(loadAs<int32_t>(x + q * kQuadColumns));
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      Bytes values = reader.readVector<Bits>(codes + q * 16 * Bits, v);
      acc[chain][v] = addProducts<Bias>(acc[chain][v], values, quad);
    }
    ++q;
  };
  while (q + kChains <= count) {
#pragma clang loop unroll(full)
    for (int chain = 0; chain < kChains; ++chain) {
      addQuad(chain);
    }
  }
  while (q < count) {
    addQuad(0);
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < kRowVectors; ++v) {
    Words sum = acc[0][v];
    if constexpr (kChains == 2) {
      sum += acc[1][v];
    }
    storeAs(sums + v * kLanes, sum);
  }
}

template <int Bits, int Bias>
UMBER_INLINE void multiplyPanel(PanelReader &reader, const Groups &groups,
                                int64_t columns, const int8_t *x,
                                float *results) {
  for (Runs run(reader, groups, columns); run.next();) {
    alignas(64) int32_t sums[kPanelRows];
    multiplyQuads<Bits, Bias>(reader, run.begin / kQuadColumns,
                              (run.end + kQuadColumns - 1) / kQuadColumns, x,
                              sums);
    combine<Bias>(reader, groups, run, x, sums, results);
  }
}

/// Not inlined: every kernel would get a copy for each width.
template <int Bits>
__attribute__((noinline)) void
multiplyPanels(const PanelEncoding &encoding, const int8_t *x,
               const QuantizedRow &form, const uint8_t *w, int64_t first,
               int64_t last, float *y, int64_t rows) {
  constexpr int kBias = Bits == 8 ? kValueBias : kTableBias;
  const Groups groups(form);
  for (int64_t p = first; p < last; ++p) {
    int64_t row = p * kPanelRows;
    PanelReader reader(encoding, w + p * encoding.getPanelBytes(), row, kBias);
    alignas(64) float results[kPanelRows] = {};
    multiplyPanel<Bits, kBias>(reader, groups, form.columns, x, results);
    int64_t count = rows - row < kPanelRows ? rows - row : kPanelRows;
    __builtin_memcpy(y + row, results, count * sizeof(float));
  }
}

} // namespace

/// Panels `first` to `last - 1` of a matrix of `rows` rows, times one row of
/// quantized x in groups of `group` columns, where
/// encoding.isReadByQuads(group). Offsets are in words; y begins with the
/// matrix's first row.
UMBER_UKERNEL void
umber_uk_linear_encoded_vector(const int64_t *encoding, const float *x,
                               int64_t xOffset, int64_t group, const uint8_t *w,
                               int64_t first, int64_t last, float *y,
                               int64_t yOffset, int64_t rows) {
  auto &form = *reinterpret_cast<const PanelEncoding *>(encoding);
  auto *values = reinterpret_cast<const int8_t *>(x + xOffset);
  QuantizedRow row = {form.columns, group};
  y += yOffset;
  switch (form.bits) {
  case 1:
    return multiplyPanels<1>(form, values, row, w, first, last, y, rows);
  case 2:
    return multiplyPanels<2>(form, values, row, w, first, last, y, rows);
  case 3:
    return multiplyPanels<3>(form, values, row, w, first, last, y, rows);
  case 4:
    return multiplyPanels<4>(form, values, row, w, first, last, y, rows);
  case 6:
    return multiplyPanels<6>(form, values, row, w, first, last, y, rows);
  default:
    return multiplyPanels<8>(form, values, row, w, first, last, y, rows);
  }
}
