// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y = x W^T for one panel of an encoded matrix W. A slice of the panel is
// decoded into the first cache once, and used for a block of tokens. Sums are
// made in the columns' order, the same for any number of tokens and threads.

#include "targets/CPU/ukernels/QuantizedProducts.h"

using namespace umber;

namespace {

/// Tokens that share a decoded slice.
constexpr int64_t kBlockTokens = 32;
/// A slice: 4 KiB of values.
constexpr int64_t kSliceQuads = 32;
constexpr int64_t kSliceColumns = kSliceQuads * kQuadColumns;

/// Tokens whose sums stay in registers.
#if defined(__AVX512F__)
constexpr int kTileTokens = 4;
#else
constexpr int kTileTokens = 2;
#endif

UMBER_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/// Rows of activations, of f32 or quantized.
struct Input {
  const float *rows;
  int64_t stride; ///< in words of 4 bytes

  const float *getFloats(int64_t token) const { return rows + token * stride; }
  const int8_t *getValues(int64_t token) const {
    return reinterpret_cast<const int8_t *>(getFloats(token));
  }
};

struct Output {
  float *rows;
  int64_t stride;
  int64_t count; ///< of the panel's rows; the last panel may have fewer

  UMBER_MEMBER void write(int64_t token, const float *results) const {
    for (int64_t r = 0; r < count; ++r) {
      rows[token * stride + r] = results[r];
    }
  }
};

//===----------------------------------------------------------------------===//
// Quantized activations
//===----------------------------------------------------------------------===//

/// Integer sums of a block of tokens and all rows of the panel.
using Sums = int32_t[kBlockTokens][kPanelRows];

/// Adds the products of `quads` quads of weights to the sums of `Tokens`
/// tokens, whose values begin at `x` and are `stride` bytes apart.
template <int Bias, int Tokens>
UMBER_INLINE void addTile(const uint8_t *weights, int64_t quads,
                          const int8_t *x, int64_t stride,
                          int32_t (*sums)[kPanelRows]) {
  Words acc[Tokens][kRowVectors];
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens; ++t) {
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      acc[t][v] = loadAs<Words>(sums[t] + v * kLanes);
    }
  }
  for (int64_t q = 0; q < quads; ++q) {
    Bytes quad[Tokens];
#pragma clang loop unroll(full)
    for (int t = 0; t < Tokens; ++t) {
      quad[t] = (Bytes)Words(loadAs<int32_t>(x + t * stride + 4 * q));
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      Bytes w = loadBytes(weights + q * kQuadLanes + v * kBytes);
#pragma clang loop unroll(full)
      for (int t = 0; t < Tokens; ++t) {
        acc[t][v] = addProducts<Bias>(acc[t][v], w, quad[t]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens; ++t) {
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      storeAs(sums[t] + v * kLanes, acc[t][v]);
    }
  }
}

/// Columns `begin` to `end - 1` of `tokens` rows of x from `token` on, as quads
/// from `firstQuad` on: where they stand, or, where other columns share their
/// first or last quad, in `buffer` with zeros for those.
UMBER_INLINE Input cut(const Input &x, int64_t token, int64_t tokens,
                       int64_t begin, int64_t end, int64_t columns,
                       int64_t firstQuad, int64_t quads, float *buffer) {
  int64_t first = firstQuad * kQuadColumns, last = first + quads * kQuadColumns;
  // After the last column of all stand zeros.
  if (begin <= first && (end >= last || end == columns)) {
    return {x.getFloats(token) + firstQuad, x.stride};
  }
  Input copy = {buffer, kSliceQuads};
  for (int64_t t = 0; t < tokens; ++t) {
    const int8_t *from = x.getValues(token + t);
    auto *to = reinterpret_cast<int8_t *>(buffer + t * kSliceQuads);
    for (int64_t c = first; c < last; ++c) {
      to[c - first] = c >= begin && c < end ? from[c] : 0;
    }
  }
  return copy;
}

/// Adds the products of columns `begin` to `end - 1`, which one table per row
/// serves, exactly.
template <int Bias>
UMBER_INLINE void addColumns(const PanelReader &reader, const Input &x,
                             int64_t token, int64_t tokens, int64_t begin,
                             int64_t end, int64_t columns, Sums &sums) {
  alignas(64) uint8_t buffer[kSliceQuads * kQuadLanes];
  alignas(64) float copy[kBlockTokens * kSliceQuads];
  int64_t lastQuad = (end + kQuadColumns - 1) / kQuadColumns;
  for (int64_t q = begin / kQuadColumns; q < lastQuad; q += kSliceQuads) {
    int64_t quads = least(kSliceQuads, lastQuad - q);
    const uint8_t *weights = reader.read(q, quads, buffer);
    Input in = cut(x, token, tokens, begin, end, columns, q, quads, copy);
    int64_t t = 0, bytes = in.stride * 4;
    for (; t + kTileTokens <= tokens; t += kTileTokens) {
      addTile<Bias, kTileTokens>(weights, quads, in.getValues(t), bytes,
                                 sums + t);
    }
    for (; t < tokens; ++t) {
      addTile<Bias, 1>(weights, quads, in.getValues(t), bytes, sums + t);
    }
  }
}

template <int Bias>
UMBER_INLINE void multiplyQuantized(const PanelEncoding &encoding,
                                    const uint8_t *panel, int64_t firstRow,
                                    const Input &x, const QuantizedRow &form,
                                    const Output &y, int64_t tokens) {
  const Groups groups(form);
  for (int64_t token = 0; token < tokens; token += kBlockTokens) {
    PanelReader reader(encoding, panel, firstRow, Bias);
    int64_t count = least(kBlockTokens, tokens - token);
    alignas(64) float results[kBlockTokens][kPanelRows];
    alignas(64) Sums sums;
    __builtin_memset(results, 0, count * sizeof results[0]);
    for (Runs run(&reader, 1, groups, form.columns); run.next();) {
      __builtin_memset(sums, 0, count * sizeof sums[0]);
      addColumns<Bias>(reader, x, token, count, run.begin, run.end,
                       form.columns, sums);
      for (int64_t t = 0; t < count; ++t) {
        combine<Bias>(reader, groups, run, x.getValues(token + t), sums[t],
                      results[t]);
      }
    }
    for (int64_t t = 0; t < count; ++t) {
      y.write(token + t, results[t]);
    }
  }
}

//===----------------------------------------------------------------------===//
// Activations of f32
//===----------------------------------------------------------------------===//

/// Decodes `columns` columns of quads of values, the first of them column
/// `skipped` of the first quad, to kPanelRows f32 each.
UMBER_INLINE void decode(const PanelReader &reader, const uint8_t *values,
                         int64_t skipped, int64_t columns, float *out) {
  for (int64_t c = 0; c < columns; ++c) {
    int64_t q = (skipped + c) / kQuadColumns, j = (skipped + c) % kQuadColumns;
#pragma clang loop unroll(full)
    for (int v = 0; v < kRowVectors; ++v) {
      Words quad = loadAs<Words>(values + q * kQuadLanes + v * kBytes);
      Words value = quad << Words(24 - 8 * int(j)) >> Words(24);
      storeAs(out + c * kPanelRows + v * kLanes,
              __builtin_convertvector(value, Floats) *
                  loadAs<Floats>(reader.scales + v * kLanes));
    }
  }
}

UMBER_INLINE void addProducts(const float *x, const float *weights,
                              int64_t columns, float *results) {
  using Panel = Vec<float, int(kPanelRows)>;
  Panel sum = loadAs<Panel>(results);
  for (int64_t c = 0; c < columns; ++c) {
    sum = fma(Panel(x[c]), loadAs<Panel>(weights + c * kPanelRows), sum);
  }
  storeAs(results, sum);
}

UMBER_INLINE void multiplyFloats(const PanelEncoding &encoding,
                                 const uint8_t *panel, int64_t firstRow,
                                 const Input &x, const Output &y,
                                 int64_t tokens) {
  for (int64_t token = 0; token < tokens; token += kBlockTokens) {
    PanelReader reader(encoding, panel, firstRow, /*bias=*/0);
    int64_t count = least(kBlockTokens, tokens - token);
    alignas(64) float results[kBlockTokens][kPanelRows];
    alignas(64) uint8_t buffer[kSliceQuads * kQuadLanes];
    alignas(64) float slice[kSliceColumns * kPanelRows];
    __builtin_memset(results, 0, count * sizeof results[0]);
    for (int64_t c = 0, end; c < encoding.columns; c = end) {
      int64_t quad = c / kQuadColumns;
      end = least(reader.getEnd(c), quad * kQuadColumns + kSliceColumns);
      end = least(end, encoding.columns);
      reader.moveTo(c);
      int64_t quads = (end + kQuadColumns - 1) / kQuadColumns - quad;
      const uint8_t *values = reader.read(quad, quads, buffer);
      decode(reader, values, c % kQuadColumns, end - c, slice);
      for (int64_t t = 0; t < count; ++t) {
        addProducts(x.getFloats(token + t) + c, slice, end - c, results[t]);
      }
    }
    for (int64_t t = 0; t < count; ++t) {
      y.write(token + t, results[t]);
    }
  }
}

} // namespace

/// One panel, at byte `wOffset` of w and row `firstRow` of the matrix, with
/// rows of quantized x in groups of `group` columns. Offsets and strides of x
/// and y are in words; y takes `rows` <= kPanelRows columns.
UMBER_UKERNEL void umber_uk_linear_encoded_i8(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    int64_t group, const uint8_t *w, int64_t wOffset, int64_t firstRow,
    float *y, int64_t yOffset, int64_t yStride, int64_t tokens, int64_t rows) {
  auto &form = *reinterpret_cast<const PanelEncoding *>(encoding);
  Input in = {x + xOffset, xStride};
  Output out = {y + yOffset, yStride, rows};
  QuantizedRow row = {form.columns, group};
  if (form.hasTables()) {
    multiplyQuantized<kTableBias>(form, w + wOffset, firstRow, in, row, out,
                                  tokens);
  } else {
    multiplyQuantized<kValueBias>(form, w + wOffset, firstRow, in, row, out,
                                  tokens);
  }
}

/// The same with rows of f32.
UMBER_UKERNEL void umber_uk_linear_encoded_f32(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    const uint8_t *w, int64_t wOffset, int64_t firstRow, float *y,
    int64_t yOffset, int64_t yStride, int64_t tokens, int64_t rows) {
  multiplyFloats(*reinterpret_cast<const PanelEncoding *>(encoding),
                 w + wOffset, firstRow, {x + xOffset, xStride},
                 {y + yOffset, yStride, rows}, tokens);
}

/// y = scale * row `row` of an encoded matrix.
UMBER_UKERNEL void umber_uk_embed_encoded(const int64_t *encoding,
                                          const uint8_t *w, int64_t row,
                                          float *y, int64_t yOffset,
                                          double scale) {
  auto &form = *reinterpret_cast<const PanelEncoding *>(encoding);
  int64_t lane = row % kPanelRows, firstRow = row - lane;
  const uint8_t *panel = w + row / kPanelRows * form.getPanelBytes();
  auto *scales = reinterpret_cast<const half *>(panel + form.getTableBytes());
  const uint8_t *codes = panel + form.getCodesOffset();
  for (int64_t c = 0; c < form.columns; ++c) {
    uint8_t code = form.getCode(codes + c / kQuadColumns * form.getQuadBytes(),
                                lane * kQuadColumns + c % kQuadColumns);
    if (form.hasTables()) {
      int64_t table = form.getTable(firstRow, lane, c);
      code = panel[table * form.getEntries() + code];
    }
    float value =
        float(int8_t(code)) * float(scales[form.getScale(firstRow, lane, c)]);
    y[yOffset + c] = float(scale) * value;
  }
}
