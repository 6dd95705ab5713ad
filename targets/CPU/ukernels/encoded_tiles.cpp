// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y = x W^T for one panel of an encoded matrix W and many rows of quantized x,
// with tiles (AMX): registers of 16 rows of 64 bytes.
//
// Quads of decoded weights are a tile as they stand: tdpbusd takes its second
// factor four columns by four, with a row's four next to each other. So 16
// quads are two tiles, of which the one has the panel's first 16 rows and the
// other the last. The first factor is 64 columns of 16 tokens, as unsigned
// bytes: x with 128 added, laid out slice by slice. The weights' sums times 128
// are then too much, and are taken off again. Integers wrap around, so all of
// it is exact wherever the sums of products themselves fit.

#include "targets/CPU/ukernels/EncodedTiles.h"
#include "targets/CPU/ukernels/QuantizedProducts.h"

using namespace umber;

namespace {

constexpr int64_t kTileTokens = 16, kTileColumns = 64;
constexpr int64_t kTileQuads = kTileColumns / kQuadColumns;

/// Tokens that share a decoded slice.
constexpr int64_t kBlockTokens = 64;
/// A slice: 4 KiB of weights, and 8 KiB of a block's x.
constexpr int64_t kSliceTiles = 2;
constexpr int64_t kSliceQuads = kSliceTiles * kTileQuads;
constexpr int64_t kSliceColumns = kSliceTiles * kTileColumns;

constexpr int kInputBias = 128;

/// All tiles are whole ones.
struct alignas(64) TileConfig {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64, "as ldtilecfg reads it");
constexpr TileConfig kConfig;

/// Columns `begin` to `end - 1`, as the bits of a vector that begins at column
/// `first`.
UMBER_INLINE __mmask64 getMask(int64_t begin, int64_t end, int64_t first) {
  auto below = [first](int64_t column) __attribute__((always_inline)) {
    int64_t count = column - first;
    return count <= 0    ? uint64_t(0)
           : count >= 64 ? ~uint64_t(0)
                         : (uint64_t(1) << count) - 1;
  };
  return below(end) & ~below(begin);
}

/// A run's part of a slice.
struct Slice {
  __mmask64 masks[kSliceTiles]; ///< the run's columns
  int64_t first;                ///< the slice's first column
  int64_t tiles;

  UMBER_MEMBER Slice(const Runs &run, int64_t firstQuad, int64_t quads)
      : first(firstQuad * kQuadColumns),
        tiles((quads + kTileQuads - 1) / kTileQuads) {
#pragma clang loop unroll(full)
    for (int64_t i = 0; i < kSliceTiles; ++i) {
      masks[i] = getMask(run.begin, run.end, first + i * kTileColumns);
    }
  }
};

/// Writes the slice of a row of x, biased. Columns of other runs become zeros.
UMBER_INLINE void layOut(const Slice &slice, const int8_t *row, uint8_t *out) {
#pragma clang loop unroll(full)
  for (int64_t i = 0; i < kSliceTiles; ++i) {
    // What the mask leaves out is not read either.
    __m512i x = _mm512_maskz_loadu_epi8(slice.masks[i],
                                        row + slice.first + i * kTileColumns);
    x = _mm512_maskz_add_epi8(slice.masks[i], x,
                              _mm512_set1_epi8(char(kInputBias)));
    _mm512_store_si512(out + i * kTileColumns, x);
  }
}

/// excess += kInputBias times each row's sum of weights in a slice's columns.
UMBER_INLINE void addExcess(const Slice &slice, const uint8_t *weights,
                            Words (&excess)[kRowVectors]) {
  alignas(64) uint8_t biases[kSliceColumns];
#pragma clang loop unroll(full)
  for (int64_t i = 0; i < kSliceTiles; ++i) {
    _mm512_store_si512(
        biases + i * kTileColumns,
        _mm512_maskz_set1_epi8(slice.masks[i], char(kInputBias)));
  }
  // Two sums of each row, so that they wait less for each other.
  Words sums[2][kRowVectors] = {};
  for (int64_t q = 0; q < slice.tiles * kTileQuads; q += 2) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 2; ++i) {
      Words bias = Words(loadAs<int32_t>(biases + (q + i) * kQuadColumns));
#pragma clang loop unroll(full)
      for (int v = 0; v < kRowVectors; ++v) {
        Bytes w = loadBytes(weights + (q + i) * kQuadLanes + v * kBytes);
        sums[i][v] = (Words)_mm512_dpbusd_epi32((__m512i)sums[i][v],
                                                (__m512i)bias, (__m512i)w);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < kRowVectors; ++v) {
    excess[v] += sums[0][v] + sums[1][v];
  }
}

/// The products of a slice with `Tiles` times kTileTokens tokens: to `sums`, if
/// it is the run's first slice, or added to them.
template <int Tiles>
UMBER_INLINE void multiplyTiles(const Slice &slice, const uint8_t *x,
                                const uint8_t *weights, bool isFirst,
                                int32_t (*sums)[kPanelRows]) {
  static_assert(Tiles == 1 || Tiles == 2, "tiles are named by constants");
  constexpr int64_t kSumBytes = sizeof sums[0];
  int32_t *low = sums[0], *high = sums[(Tiles - 1) * kTileTokens];
  constexpr int64_t kHalf = kPanelRows / 2;
  if (isFirst) {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (Tiles == 2) {
      _tile_zero(2);
      _tile_zero(3);
    }
  } else {
    _tile_loadd(0, low, kSumBytes);
    _tile_loadd(1, low + kHalf, kSumBytes);
    if constexpr (Tiles == 2) {
      _tile_loadd(2, high, kSumBytes);
      _tile_loadd(3, high + kHalf, kSumBytes);
    }
  }
  for (int64_t i = 0; i < slice.tiles; ++i) {
    const uint8_t *w = weights + i * kTileQuads * kQuadLanes;
    _tile_loadd(4, x + i * kTileColumns, kSliceColumns);
    _tile_loadd(6, w, kQuadLanes);
    _tile_loadd(7, w + kBytes, kQuadLanes);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    if constexpr (Tiles == 2) {
      _tile_loadd(5, x + i * kTileColumns + kTileTokens * kSliceColumns,
                  kSliceColumns);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
  }
  _tile_stored(0, low, kSumBytes);
  _tile_stored(1, low + kHalf, kSumBytes);
  if constexpr (Tiles == 2) {
    _tile_stored(2, high, kSumBytes);
    _tile_stored(3, high + kHalf, kSumBytes);
  }
}

/// Decodes quads `first` to `first + quads - 1`, and zeros up to whole tiles.
UMBER_INLINE const uint8_t *readTiles(const PanelReader &reader, int64_t first,
                                      int64_t quads, uint8_t *buffer) {
  const uint8_t *weights = reader.read(first, quads, buffer);
  if (quads % kTileQuads == 0) {
    return weights;
  }
  int64_t bytes = quads * kQuadLanes;
  for (int64_t i = 0; weights != buffer && i < bytes; i += kBytes) {
    _mm512_store_si512(buffer + i, _mm512_loadu_si512(weights + i));
  }
  for (int64_t i = bytes; i % (kTileQuads * kQuadLanes) != 0; i += kBytes) {
    _mm512_store_si512(buffer + i, _mm512_setzero_si512());
  }
  return buffer;
}

/// Rows of x that share decoded slices, `stride` bytes apart.
struct Block {
  const int8_t *x;
  int64_t stride, tokens;

  UMBER_MEMBER const int8_t *getRow(int64_t token) const {
    return x + token * stride;
  }
};

/// A block's memory: sums of a run's products, then over the runs of a scale of
/// the weights, then over all.
struct alignas(64) Buffers {
  int32_t sums[kBlockTokens][kPanelRows];
  float partial[kBlockTokens][kPanelRows];
  float results[kBlockTokens][kPanelRows];
  uint8_t x[kBlockTokens][kSliceColumns];
  uint8_t weights[kSliceQuads * kQuadLanes];
};

/// Makes the sums of a run's products, with `excess` in each row's.
UMBER_INLINE void multiplyRun(const PanelReader &reader, const Runs &run,
                              const Block &block, Buffers &buffers,
                              Words (&excess)[kRowVectors]) {
  int64_t firstQuad = run.begin / kQuadColumns;
  int64_t lastQuad = (run.end + kQuadColumns - 1) / kQuadColumns;
  for (int64_t q = firstQuad; q < lastQuad; q += kSliceQuads) {
    int64_t quads = lastQuad - q < kSliceQuads ? lastQuad - q : kSliceQuads;
    const Slice slice(run, q, quads);
    const uint8_t *weights = readTiles(reader, q, quads, buffers.weights);
    addExcess(slice, weights, excess);
    for (int64_t t = 0; t < block.tokens; ++t) {
      layOut(slice, block.getRow(t), buffers.x[t]);
    }
    int64_t t = 0;
    for (; block.tokens - t > kTileTokens; t += 2 * kTileTokens) {
      multiplyTiles<2>(slice, buffers.x[t], weights, q == firstQuad,
                       buffers.sums + t);
    }
    if (t < block.tokens) {
      multiplyTiles<1>(slice, buffers.x[t], weights, q == firstQuad,
                       buffers.sums + t);
    }
  }
}

/// Results of a panel's rows for a block.
UMBER_INLINE void multiplyBlock(const PanelForm &form, const uint8_t *panel,
                                int64_t firstRow, const Groups &groups,
                                const Block &block, Buffers &buffers) {
  PanelReader reader(form, panel, firstRow, /*bias=*/0);
  __builtin_memset(buffers.partial, 0, block.tokens * sizeof *buffers.partial);
  __builtin_memset(buffers.results, 0, block.tokens * sizeof *buffers.results);
  // Rows of tiles beyond the last token.
  __builtin_memset(buffers.x[block.tokens], 0,
                   (kBlockTokens - block.tokens) * sizeof *buffers.x);
  const int64_t columns = form.encoding.columns, width = form.scales.columns;
  for (int64_t c = 0; c < columns; c += width) {
    reader.moveTo(c);
    Runs run(&reader, 1, groups, c, c + width);
    while (run.next()) {
      Words excess[kRowVectors] = {};
      multiplyRun(reader, run, block, buffers, excess);
      for (int64_t t = 0; t < block.tokens; ++t) {
        float scale = groups.getScale(block.getRow(t), run.group);
#pragma clang loop unroll(full)
        for (int v = 0; v < kRowVectors; ++v) {
          Words sums = loadAs<Words>(buffers.sums[t] + v * kLanes);
          addScaled(sums - excess[v], scale, buffers.partial[t] + v * kLanes);
        }
      }
    }
    for (int64_t t = 0; t < block.tokens; ++t) {
      finishScale(reader, buffers.partial[t], buffers.results[t]);
    }
  }
}

} // namespace

UMBER_UKERNEL void umber_uk_linear_encoded_tiles(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    int64_t group, const uint8_t *w, int64_t wOffset, int64_t firstRow,
    float *y, int64_t yOffset, int64_t yStride, int64_t tokens, int64_t rows) {
  const PanelForm form(*reinterpret_cast<const PanelEncoding *>(encoding));
  auto *values = reinterpret_cast<const int8_t *>(x + xOffset);
  const Groups groups(QuantizedRow{form.encoding.columns, group});
  Buffers buffers;
  _tile_loadconfig(&kConfig);
  for (int64_t token = 0; token < tokens; token += kBlockTokens) {
    int64_t left = tokens - token;
    Block block = {values + token * xStride * 4, xStride * 4,
                   left < kBlockTokens ? left : kBlockTokens};
    multiplyBlock(form, w + wOffset, firstRow, groups, block, buffers);
    for (int64_t t = 0; t < block.tokens; ++t) {
      float *out = y + yOffset + (token + t) * yStride;
      for (int64_t r = 0; r < rows; ++r) {
        out[r] = buffers.results[t][r];
      }
    }
  }
  _tile_release();
}
