// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y = x W^T for one panel of an encoded matrix W. A slice of the panel is
// decoded into the first cache once, and used for a block of tokens. Sums are
// made in the columns' order, the same for any number of tokens and threads.

#include "targets/CPU/ukernels/EncodedTiles.h"
#include "targets/CPU/ukernels/QuantizedProducts.h"
#include "targets/CPU/ukernels/RowPairs.h"

using namespace umber;

namespace {

/// Tokens that share a decoded slice.
constexpr int64_t kBlockTokens = 32;
/// A slice: 4 KiB of values.
constexpr int64_t kSliceQuads = 32;
constexpr int64_t kSliceColumns = kSliceQuads * kQuadColumns;

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

/// A block of tokens and the rows of a panel: sums of a run's products, where
/// these take more than a slice, and what getStart() and x's scales are for the
/// run; sums over the runs of a scale of the weights; and over all.
struct Block {
  int64_t tokens;
  int32_t starts[kBlockTokens];
  float scales[kBlockTokens];
  alignas(64) int32_t sums[kBlockTokens][kPanelRows];
  alignas(64) float partial[kBlockTokens][kPanelRows];
  alignas(64) float results[kBlockTokens][kPanelRows];
};

/// Decoded weights: the quads of a run from quad `first` on.
struct Slice {
  const uint8_t *weights;
  const uint8_t *pairs; ///< the same in the order of pairRows(), if any
  int64_t quads;
  bool isFirst, isLast; ///< of its run
};

/// Multiplies a slice with tokens `t` to `t + Tokens - 1` of a block; `x` has
/// their quads.
template <int Bias, int Tokens>
UMBER_INLINE void multiplySlice(const Slice &slice, const Input &x,
                                Block &block, int64_t t) {
  const int8_t *rows[Tokens];
#pragma clang loop unroll(full)
  for (int i = 0; i < Tokens; ++i) {
    rows[i] = x.getValues(t + i);
  }
  for (int first = 0; first < kRowVectors; first += kTileVectors) {
    Words sums[Tokens][kTileVectors];
#pragma clang loop unroll(full)
    for (int i = 0; i < Tokens; ++i) {
#pragma clang loop unroll(full)
      for (int v = 0; v < kTileVectors; ++v) {
        sums[i][v] =
            slice.isFirst
                ? Words(block.starts[t + i])
                : loadAs<Words>(block.sums[t + i] + (first + v) * kLanes);
      }
    }
    if constexpr (kHasRowPairs && Tokens % 2 == 0) {
      multiplyPairs(slice.quads, rows, sums, slice.pairs, first);
    } else {
      multiplyTile<Bias>(slice.quads, rows, sums, [&](int64_t q, auto v) {
        return loadBytes(slice.weights + q * kQuadLanes +
                         (first + v.value) * kBytes);
      });
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < Tokens; ++i) {
#pragma clang loop unroll(full)
      for (int v = 0; v < kTileVectors; ++v) {
        int at = (first + v) * kLanes;
        if (slice.isLast) {
          addScaled(sums[i][v], block.scales[t + i], block.partial[t + i] + at);
        } else {
          storeAs(block.sums[t + i] + at, sums[i][v]);
        }
      }
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

/// Adds the products of a run.
template <int Bias>
UMBER_INLINE void multiplyRun(const PanelReader &reader, const Input &x,
                              int64_t token, const Runs &run, int64_t columns,
                              Block &block) {
  alignas(64) uint8_t buffer[kSliceQuads * kQuadLanes];
  alignas(64) float copy[kBlockTokens * kSliceQuads];
  alignas(64) uint8_t pairs[kHasRowPairs ? sizeof buffer : 1];
  static_assert(kSliceQuads % kPairQuads == 0, "a slice is whole pairs");
  int64_t first = run.begin / kQuadColumns;
  int64_t last = (run.end + kQuadColumns - 1) / kQuadColumns;
  for (int64_t q = first; q < last; q += kSliceQuads) {
    int64_t quads = least(kSliceQuads, last - q);
    Slice slice = {reader.read(q, quads, buffer), nullptr, quads, q == first,
                   q + quads == last};
    int64_t read = quads;
    if constexpr (kHasRowPairs) {
      if (block.tokens > 1) {
        pairRows(slice.weights, quads, pairs);
        slice.pairs = pairs;
        read += quads % kPairQuads;
      }
    }
    Input in =
        cut(x, token, block.tokens, run.begin, run.end, columns, q, read, copy);
    int64_t t = 0;
    for (; t + kTileTokens <= block.tokens; t += kTileTokens) {
      multiplySlice<Bias, kTileTokens>(slice, in, block, t);
    }
    for (; t + 2 <= block.tokens; t += 2) {
      multiplySlice<Bias, 2>(slice, in, block, t);
    }
    for (; t < block.tokens; ++t) {
      multiplySlice<Bias, 1>(slice, in, block, t);
    }
  }
}

template <int Bias>
UMBER_INLINE void multiplyQuantized(const PanelForm &form, const uint8_t *panel,
                                    int64_t firstRow, const Input &x,
                                    const QuantizedRow &row, const Output &y,
                                    int64_t tokens) {
  const Groups groups(row);
  const int64_t columns = row.columns, width = form.scales.columns;
  for (int64_t token = 0; token < tokens; token += kBlockTokens) {
    PanelReader reader(form, panel, firstRow, Bias);
    Block block;
    block.tokens = least(kBlockTokens, tokens - token);
    __builtin_memset(block.partial, 0, block.tokens * sizeof *block.partial);
    __builtin_memset(block.results, 0, block.tokens * sizeof *block.results);
    for (int64_t c = 0; c < columns; c += width) {
      reader.moveTo(c);
      Runs run(&reader, 1, groups, c, c + width);
      while (run.next()) {
        for (int64_t t = 0; t < block.tokens; ++t) {
          const int8_t *row = x.getValues(token + t);
          block.starts[t] = getStart<Bias>(groups, run, row);
          block.scales[t] = groups.getScale(row, run.group);
        }
        multiplyRun<Bias>(reader, x, token, run, columns, block);
      }
      for (int64_t t = 0; t < block.tokens; ++t) {
        finishScale(reader, block.partial[t], block.results[t]);
      }
    }
    for (int64_t t = 0; t < block.tokens; ++t) {
      y.write(token + t, block.results[t]);
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

UMBER_INLINE void multiplyFloats(const PanelForm &form, const uint8_t *panel,
                                 int64_t firstRow, const Input &x,
                                 const Output &y, int64_t tokens) {
  for (int64_t token = 0; token < tokens; token += kBlockTokens) {
    PanelReader reader(form, panel, firstRow, /*bias=*/0);
    int64_t count = least(kBlockTokens, tokens - token);
    alignas(64) float results[kBlockTokens][kPanelRows];
    alignas(64) uint8_t buffer[kSliceQuads * kQuadLanes];
    alignas(64) float slice[kSliceColumns * kPanelRows];
    __builtin_memset(results, 0, count * sizeof results[0]);
    const int64_t columns = form.encoding.columns;
    for (int64_t c = 0, end; c < columns; c = end) {
      int64_t quad = c / kQuadColumns;
      reader.moveTo(c);
      end = least(reader.getEnd(), quad * kQuadColumns + kSliceColumns);
      end = least(end, columns);
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
  const PanelForm form(*reinterpret_cast<const PanelEncoding *>(encoding));
#if defined(__AMX_INT8__)
  if (isWorthTiles(form.encoding, group, tokens)) {
    return umber_uk_linear_encoded_tiles(encoding, x, xOffset, xStride, group,
                                         w, wOffset, firstRow, y, yOffset,
                                         yStride, tokens, rows);
  }
#endif
  Input in = {x + xOffset, xStride};
  Output out = {y + yOffset, yStride, rows};
  QuantizedRow row = {form.encoding.columns, group};
  if (form.hasTables) {
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
  const PanelForm form(*reinterpret_cast<const PanelEncoding *>(encoding));
  multiplyFloats(form, w + wOffset, firstRow, {x + xOffset, xStride},
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
