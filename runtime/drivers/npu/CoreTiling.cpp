// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a product is tiled for an array of cores: every legal size by doubling,
// rated by a closed form.

#include "runtime/drivers/npu/CoreLayout.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

class Search {
public:
  Search(const Config &config, const ProductRequest &request)
      : config(config), array(std::get<CoreArray>(config.array)),
        request(request), shape(request.shape), layout(config, request) {}

  Result<CoreTiling> run() {
    int64_t rows = layout.f16 ? array.rowsF16 : array.rowsI8;
    int64_t pass = array.cores * array.columns;
    for (int64_t m = rows;; m *= 2) {
      for (int64_t n = pass;; n *= 2) {
        consider(std::min(m, shape.rows), std::min(n, shape.columns));
        if (n >= shape.columns) {
          break;
        }
      }
      if (m >= shape.rows) {
        break;
      }
    }
    if (best.cycles == 0) {
      return Status(StatusCode::Unsupported,
                    config.name + " has no room for a tile of " +
                        std::to_string(std::min(rows, shape.rows)) + " rows, " +
                        std::to_string(std::min(pass, shape.columns)) +
                        " columns (scratchpad.bytes " +
                        std::to_string(config.scratchpad.bytes) +
                        ", kernel_buffer.bytes " +
                        std::to_string(config.kernelBuffer.bytes) + ")");
    }
    return best;
  }

private:
  void consider(int64_t m, int64_t n) {
    int64_t slot = config.kernelBuffer.bytes / config.kernelBuffer.slots /
                   layout.bytesPerElement;
    // A slot holds whole columns of the cores.
    int64_t pass = array.cores * array.columns;
    int64_t most = slot / (divideUp(n, pass) * pass);
    // Less than a slot, so that less is left to do when the last weights come.
    for (int64_t part = 1; part <= 4; part *= 2) {
      consider(m, n, most / part);
    }
  }

  void consider(int64_t m, int64_t n, int64_t most) {
    if (most < std::min(array.inner, shape.inner)) {
      return;
    }
    // Parts of about the same size.
    int64_t parts = divideUp(shape.inner, most);
    int64_t k =
        divideUp(divideUp(shape.inner, parts), array.inner) * array.inner;
    CoreTiling tiling;
    tiling.tile = {m, n, std::min(std::min(k, most), shape.inner)};
    int64_t sums = m * n * 4;
    tiling.spills = tiling.tile.inner < shape.inner &&
                    sums * (array.doubleBuffered ? 2 : 1) >
                        config.scratchpad.accumulatorBytes;
    int64_t room = config.scratchpad.bytes - (tiling.spills ? sums : 0);
    // Two tiles of C, one of which is stored while the other is filled.
    int64_t tilesC = 2 * m * layout.getStride(n);
    int64_t chainedBytes =
        m * (layout.getStride(shape.inner) + layout.getStride(shape.columns));
    int64_t buffersA = m < shape.rows ? 2 : 1;
    int64_t residentBytes =
        buffersA * m * layout.getStride(shape.inner) + tilesC;
    int64_t streamedBytes =
        2 * m * layout.getStride(tiling.tile.inner) + tilesC;
    tiling.chained = m == shape.rows && chainedBytes <= room;
    tiling.residentA = tiling.chained || residentBytes <= room;
    if (!tiling.residentA && streamedBytes > room) {
      return;
    }
    tiling.cycles = getCycles(tiling);
    if (best.cycles == 0 || tiling.cycles < best.cycles) {
      best = tiling;
    }
  }

  /// The slowest of the channel, the decoder and the array, and what comes
  /// before the first product.
  double getCycles(const CoreTiling &tiling) const {
    const ProductTile &tile = tiling.tile;
    auto real = [](int64_t value) { return static_cast<double>(value); };
    double chunks = real(divideUp(shape.rows, tile.rows));
    double columns = real(divideUp(shape.columns, tile.columns));
    double inner = real(divideUp(shape.inner, tile.inner));
    double weightRate =
        config.dram.bytesPerSecond * config.dram.efficiency / config.arrayHz;
    double otherRate =
        std::min(weightRate, config.dram.engineBytesPerSecond / config.arrayHz);
    int64_t weights = shape.inner * shape.columns;
    double weightBytes = real(request.weights.bytes(weights, config.decoder));
    double inputs = real(shape.rows * shape.inner * layout.bytesPerElement) *
                    (tiling.residentA ? 1 : columns);
    double outputs = real(shape.rows * shape.columns * layout.bytesPerElement);
    double others = (inputs + outputs) / otherRate;
    if (tiling.chained) {
      others /= real(request.layers);
    }
    double decode =
        request.weights.kind == WeightFormat::Kind::Palette
            ? chunks *
                  config.cycles(real(weights) / config.decoder.weightsPerSecond)
            : 0;
    // One in the middle of its tile, or the only one.
    Work work = layout.getProduct(tile, tiling.spills, inner > 1, inner == 1);
    double mac = chunks * columns * inner *
                 std::max(work.arrayCycles, work.scratchpadCycles);
    double tiles = chunks * columns * inner;
    double transfer = chunks * weightBytes / weightRate / tiles;
    // A slot is asked for when its product is done. What the other slots'
    // transfers do not hide of that, and of the latency, delays the stream.
    double exposed =
        std::max(0.0, mac / tiles + config.cycles(config.dram.latencySeconds) -
                          static_cast<double>(config.kernelBuffer.slots - 1) *
                              std::max(transfer, decode / tiles));
    // A stream is issued when the one before begins to move.
    double latency = config.cycles(config.dram.latencySeconds);
    double stream =
        std::max({tiles * transfer + others, decode, tiles * latency});
    if (mac < stream) {
      stream += tiles * exposed;
    }
    double first = transfer + inputs / chunks /
                                  (tiling.residentA ? 1 : columns * inner) /
                                  otherRate;
    return std::max(stream, mac) + first + mac / tiles;
  }

  const Config &config;
  const CoreArray &array;
  const ProductRequest &request;
  const ProductShape &shape;
  CoreLayout layout;
  CoreTiling best;
};

} // namespace

Result<CoreTiling> npu::chooseTiling(const Config &config,
                                     const ProductRequest &request) {
  return Search(config, request).run();
}
