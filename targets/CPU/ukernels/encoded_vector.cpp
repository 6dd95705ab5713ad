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

/// Panels that are read side by side: a processor fetches two streams from
/// memory faster than one, and their sums do not wait for each other.
constexpr int kStreams = 2;

/// How far ahead memory is asked for in each, in bytes.
constexpr int64_t kAhead = 512;

/// sums[p] = the products of quads `first` to `last - 1` of panel p.
template <int Bits, int Bias, int Panels>
UMBER_INLINE void multiplyQuads(const PanelReader *readers, int64_t first,
                                int64_t last, const int8_t *x,
                                int32_t (&sums)[Panels][kPanelRows]) {
  Words acc[Panels][kRowVectors];
  const uint8_t *codes[Panels];
#pragma clang loop unroll(full)
  for (int p = 0; p < Panels; ++p) {
    codes[p] = readers[p].getCodes(first);
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      acc[p][v] = Words(0);
    }
  }
  x += first * kQuadColumns;
  for (int64_t q = 0; q < last - first; ++q) {
    auto quad = (Bytes)Words(loadAs<int32_t>(x + q * kQuadColumns));
#pragma clang loop unroll(full)
    for (int p = 0; p < Panels; ++p) {
      // Where codes are the values, the processor runs ahead by itself.
      if constexpr (Bits < 8) {
        __builtin_prefetch(codes[p] + q * 16 * Bits + kAhead);
      }
#pragma clang loop unroll(full)
      for (int v = 0; v < kRowVectors; ++v) {
        Bytes values =
            readers[p].template readVector<Bits>(codes[p] + q * 16 * Bits, v);
        acc[p][v] = addProducts<Bias>(acc[p][v], values, quad);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int p = 0; p < Panels; ++p) {
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      storeAs(sums[p] + v * kLanes, acc[p][v]);
    }
  }
}

/// Panels `first` to `first + Panels - 1`.
template <int Bits, int Panels>
UMBER_INLINE void multiplyTogether(const PanelEncoding &encoding,
                                   const int8_t *x, const Groups &groups,
                                   const uint8_t *w, int64_t first, float *y,
                                   int64_t rows) {
  constexpr int kBias = Bits == 8 ? kValueBias : kTableBias;
  auto getReader = [&](int64_t panel) __attribute__((always_inline)) {
    return PanelReader(encoding, w + panel * encoding.getPanelBytes(),
                       panel * kPanelRows, kBias);
  };
  static_assert(Panels <= 2, "a reader for each");
  PanelReader readers[] = {getReader(first), getReader(first + Panels - 1)};
  alignas(64) float results[Panels][kPanelRows] = {};
  // Where the next panels begin.
  const uint8_t *next = w + (first + Panels) * encoding.getPanelBytes();
  for (int p = 0; p < Panels; ++p, next += encoding.getPanelBytes()) {
    for (int64_t at = 0; at < kAhead; at += 64) {
      __builtin_prefetch(next + at);
    }
  }
  for (Runs run(readers, Panels, groups, encoding.columns); run.next();) {
    alignas(64) int32_t sums[Panels][kPanelRows];
    multiplyQuads<Bits, kBias, Panels>(
        readers, run.begin / kQuadColumns,
        (run.end + kQuadColumns - 1) / kQuadColumns, x, sums);
#pragma clang loop unroll(full)
    for (int p = 0; p < Panels; ++p) {
      combine<kBias>(readers[p], groups, run, x, sums[p], results[p]);
    }
  }
  for (int p = 0; p < Panels; ++p) {
    int64_t row = (first + p) * kPanelRows;
    int64_t height = rows - row < kPanelRows ? rows - row : kPanelRows;
    __builtin_memcpy(y + row, results[p], height * sizeof(float));
  }
}

/// Not inlined: every kernel would get a copy for each width.
template <int Bits>
__attribute__((noinline)) void
multiplyPanels(const PanelEncoding &encoding, const int8_t *x,
               const QuantizedRow &form, const uint8_t *w, int64_t first,
               int64_t last, float *y, int64_t rows) {
  const Groups groups(form);
  for (; first + kStreams <= last; first += kStreams) {
    multiplyTogether<Bits, kStreams>(encoding, x, groups, w, first, y, rows);
  }
  for (; first < last; ++first) {
    multiplyTogether<Bits, 1>(encoding, x, groups, w, first, y, rows);
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
