// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y = x W^T for one or a few rows of quantized activations: codes go from
// memory through registers into sums, and are not written out first as for many
// rows (encoded.cpp).

#include "targets/CPU/ukernels/QuantizedProducts.h"

using namespace umber;

namespace {

/// How far ahead memory is asked for in each stream of panels, in bytes.
constexpr int64_t kAhead = 2048;

/// Rows that are multiplied at a time, and how many panels by, where there are
/// more rows.
constexpr int kRowsAtATime = 4, kPanelsAtATime = 8;

/// For one row, panels that are read side by side: a processor fetches two
/// streams from memory faster than one, and their sums do not wait for each
/// other. More rows have other sums to work on.
template <int Tokens>
inline constexpr int kStreams = Tokens == 1 ? 2 : 1;

/// `Tokens` rows of x, of which the last ones may be one row, and of y, of
/// which there are `count`.
template <int Tokens>
struct FewRows {
  const int8_t *x[Tokens];
  float *y; ///< the first row
  int64_t yStride, count;
};

/// Vectors of rows of `Panels` panels whose sums stay in registers.
template <int Tokens, int Panels>
inline constexpr int kVectors = Tokens > 1 ? kTileVectors : Panels *kRowVectors;

/// Adds the products of a run to `partial`, for vectors `First` and up of the
/// panels' rows.
template <int Bits, int Bias, int First, bool IsWide, int Tokens, int Panels>
UMBER_INLINE void
multiplyVectors(const PanelReader *readers, const Groups &groups,
                const Runs &run, const FewRows<Tokens> &rows,
                float (&partial)[Tokens][Panels][kPanelRows]) {
  constexpr int kCount = kVectors<Tokens, Panels>;
  int64_t quad = run.begin / kQuadColumns;
  int64_t quads = (run.end + kQuadColumns - 1) / kQuadColumns - quad;
  const uint8_t *codes[Panels];
#pragma clang loop unroll(full)
  for (int p = 0; p < Panels; ++p) {
    codes[p] = readers[p].getCodes(quad);
  }
  const int8_t *x[Tokens];
  Words sums[Tokens][kCount];
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens; ++t) {
    x[t] = rows.x[t] + quad * kQuadColumns;
    Words start = Words(getStart<Bias>(groups, run, rows.x[t]));
#pragma clang loop unroll(full)
    for (int v = 0; v < kCount; ++v) {
      sums[t][v] = start;
    }
  }
  multiplyTile<Bias>(quads, x, sums, [&](int64_t q, auto v) UMBER_LAMBDA {
    constexpr int kPanel = (First + v.value) / kRowVectors;
    constexpr int kVector = (First + v.value) % kRowVectors;
    const uint8_t *at = codes[kPanel] + q * 16 * Bits;
    // A quad's codes begin in one line of the cache and, of more than 4 bits,
    // go on in another.
    if (kVector == 0 || (Bits > 4 && kVector * 2 == kRowVectors)) {
      __builtin_prefetch(at + kAhead + (kVector == 0 ? 0 : 64));
    }
    return readers[kPanel].template readVector<Bits, kVector, IsWide>(at);
  });
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens; ++t) {
    float scale = groups.getScale(rows.x[t], run.group);
#pragma clang loop unroll(full)
    for (int v = 0; v < kCount; ++v) {
      addScaled(sums[t][v], scale, partial[t][0] + (First + v) * kLanes);
    }
  }
}

/// Adds the products of a run to `partial`.
template <int Bits, int Bias, bool IsWide, int Tokens, int Panels>
UMBER_INLINE void multiplyRun(const PanelReader *readers, const Groups &groups,
                              const Runs &run, const FewRows<Tokens> &rows,
                              float (&partial)[Tokens][Panels][kPanelRows]) {
  constexpr int kCount = kVectors<Tokens, Panels>;
  forConstants<Panels * kRowVectors / kCount>([&](auto i) UMBER_LAMBDA {
    multiplyVectors<Bits, Bias, i.value * kCount, IsWide>(readers, groups, run,
                                                          rows, partial);
  });
}

/// Panel `first`, and for two panels `second`.
template <int Bits, int Tokens, int Panels>
UMBER_INLINE void
multiplyTogether(const PanelForm &form, const FewRows<Tokens> &rows,
                 const Groups &groups, const uint8_t *w, int64_t first,
                 int64_t second, int64_t height) {
  constexpr int kBias = Bits == 8 ? kValueBias : kTableBias;
  auto getReader = [&](int64_t panel) UMBER_LAMBDA {
    return PanelReader(form, w + panel * form.panelBytes, panel * kPanelRows,
                       kBias);
  };
  static_assert(Panels <= 2, "a reader for each");
  PanelReader readers[] = {getReader(first), getReader(second)};
  alignas(64) float partial[Tokens][Panels][kPanelRows] = {};
  alignas(64) float results[Tokens][Panels][kPanelRows] = {};
  const int64_t columns = form.encoding.columns, width = form.scales.columns;
  for (int64_t c = 0; c < columns; c += width) {
    for (int p = 0; p < Panels; ++p) {
      readers[p].moveTo(c);
    }
    Runs run(readers, Panels, groups, c, c + width);
    while (run.next()) {
      if (readers[0].hasWideTables() && readers[Panels - 1].hasWideTables()) {
        multiplyRun<Bits, kBias, true>(readers, groups, run, rows, partial);
      } else {
        multiplyRun<Bits, kBias, false>(readers, groups, run, rows, partial);
      }
    }
    for (int t = 0; t < Tokens; ++t) {
      for (int p = 0; p < Panels; ++p) {
        finishScale(readers[p], partial[t][p], results[t][p]);
      }
    }
  }
  for (int p = 0; p < Panels; ++p) {
    int64_t row = (p == 0 ? first : second) * kPanelRows;
    int64_t left = height - row;
    int64_t count = left < kPanelRows ? left : kPanelRows;
    for (int64_t t = 0; t < rows.count; ++t) {
      __builtin_memcpy(rows.y + t * rows.yStride + row, results[t][p],
                       count * sizeof(float));
    }
  }
}

/// Panels `first` to `last - 1` of a matrix of `height` rows.
struct Panels {
  const PanelForm &form;
  const uint8_t *w;
  int64_t first, last, height;
};

/// Not inlined: every kernel would get a copy for each width.
template <int Bits, int Tokens>
__attribute__((noinline)) void multiplyPanels(const Panels &panels,
                                              const FewRows<Tokens> &rows,
                                              const QuantizedRow &row) {
  const Groups groups(row);
  int64_t first = panels.first, last = panels.last;
  if (kStreams<Tokens> == 2) {
    // The second stream is the second half, so that both go straight on from
    // panel to panel. An odd panel, the last, remains.
    int64_t half = (last - first) / 2;
    for (int64_t end = first + half; first < end; ++first) {
      multiplyTogether<Bits, Tokens, kStreams<Tokens>>(
          panels.form, rows, groups, panels.w, first, first + half,
          panels.height);
    }
    first += half;
  }
  for (; first < last; ++first) {
    multiplyTogether<Bits, Tokens, 1>(panels.form, rows, groups, panels.w,
                                      first, first, panels.height);
  }
}

template <int Tokens>
UMBER_INLINE void multiply(const Panels &panels, const float *x,
                           int64_t xStride, const QuantizedRow &row, float *y,
                           int64_t yStride, int64_t count) {
  FewRows<Tokens> rows = {{}, y, yStride, count};
  for (int64_t t = 0; t < Tokens; ++t) {
    int64_t at = t < count ? t : count - 1;
    rows.x[t] = reinterpret_cast<const int8_t *>(x + at * xStride);
  }
  switch (panels.form.bits) {
  case 1:
    return multiplyPanels<1, Tokens>(panels, rows, row);
  case 2:
    return multiplyPanels<2, Tokens>(panels, rows, row);
  case 3:
    return multiplyPanels<3, Tokens>(panels, rows, row);
  case 4:
    return multiplyPanels<4, Tokens>(panels, rows, row);
  case 6:
    return multiplyPanels<6, Tokens>(panels, rows, row);
  default:
    return multiplyPanels<8, Tokens>(panels, rows, row);
  }
}

} // namespace

/// Panels `first` to `last - 1` of a matrix of `height` rows, times `tokens` <=
/// kFewTokens rows of quantized x in groups of `group` columns, where
/// encoding.isReadByQuads(group). Offsets and strides are in words; y begins
/// with the matrix's first row.
UMBER_UKERNEL void umber_uk_linear_encoded_few(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    int64_t group, const uint8_t *w, int64_t first, int64_t last, float *y,
    int64_t yOffset, int64_t yStride, int64_t tokens, int64_t height) {
  const PanelForm form(*reinterpret_cast<const PanelEncoding *>(encoding));
  Panels panels = {form, w, first, last, height};
  QuantizedRow row = {form.encoding.columns, group};
  x += xOffset;
  y += yOffset;
  // Panels that are read from memory for the first rows come from a cache for
  // the next.
  int64_t panelsAtATime =
      tokens > kRowsAtATime ? kPanelsAtATime : panels.last - panels.first;
  for (; panels.first < last; panels.first = panels.last) {
    int64_t end = panels.first + panelsAtATime;
    panels.last = end < last ? end : last;
    for (int64_t t = 0; t < tokens; t += kRowsAtATime) {
      int64_t left = tokens - t;
      int64_t count = left < kRowsAtATime ? left : kRowsAtATime;
      const float *from = x + t * xStride;
      float *to = y + t * yStride;
      if (count == 1) {
        multiply<1>(panels, from, xStride, row, to, yStride, count);
      } else if (count == 2) {
        multiply<2>(panels, from, xStride, row, to, yStride, count);
      } else {
        multiply<kRowsAtATime>(panels, from, xStride, row, to, yStride, count);
      }
    }
  }
}
