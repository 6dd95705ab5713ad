// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products on an array that multiplies blocks, tiled as Gemmini's library does
// (tiled_matmul_auto in gemmini-rocc-tests) and with its loops: rows, columns,
// inner size, the last innermost, each tile's operands in one half of the
// memories while the other half is used.

#include "runtime/drivers/npu/Product.h"

#include <algorithm>
#include <cmath>

using namespace umber;
using namespace umber::npu;

namespace {

enum Semaphore : uint8_t {
  kInputsReady,
  kWeightsReady,
  kHalfFree,
  kOutputReady,
  kOutputFree,
};
constexpr int64_t kHalves = 2;

} // namespace

ProductTile npu::chooseBlocks(const Config &config, const ProductShape &shape) {
  int64_t size = std::get<BlockArray>(config.array).size;
  // Elements of the scratchpad are of 1 byte, sums of 4.
  int64_t blocks = config.scratchpad.bytes / (size * size) / kHalves;
  int64_t sums =
      config.scratchpad.accumulatorBytes / (4 * size * size) / kHalves;
  int64_t square = std::max<int64_t>(
      1, static_cast<int64_t>(std::sqrt(static_cast<double>(sums))));
  ProductTile whole = {divideUp(shape.rows, size),
                       divideUp(shape.columns, size),
                       divideUp(shape.inner, size)};
  ProductTile tile = {
      std::min(square, whole.rows), std::min(square, whole.columns),
      std::min(std::max<int64_t>(1, blocks / 2 / square), whole.inner)};
  auto fits = [&](const ProductTile &t) {
    return (t.rows + t.columns) * t.inner <= blocks &&
           t.rows * t.columns <= sums && t.rows <= whole.rows &&
           t.columns <= whole.columns && t.inner <= whole.inner;
  };
  // One more of each in turn, for as long as there is room.
  for (bool grown = true; grown;) {
    grown = false;
    for (int64_t ProductTile::*side :
         {&ProductTile::columns, &ProductTile::rows, &ProductTile::inner}) {
      ProductTile larger = tile;
      ++(larger.*side);
      if (fits(larger)) {
        tile = larger;
        grown = true;
      }
    }
  }
  return tile;
}

std::vector<Command> npu::makeBlockProgram(const Config &config,
                                           const ProductRequest &request,
                                           const ProductTile &blocks) {
  const BlockArray &array = std::get<BlockArray>(config.array);
  const ProductShape &shape = request.shape;
  std::vector<Command> program;
  auto add = [&](Queue queue) -> Command & {
    program.emplace_back();
    program.back().queue = queue;
    return program.back();
  };
  ProductTile tile = {blocks.rows * array.size, blocks.columns * array.size,
                      blocks.inner * array.size};
  int64_t loads = 0, outputs = 0;
  auto load = [&](Queue queue, Semaphore ready, int64_t rows, int64_t columns) {
    Command &command = add(queue);
    if (loads >= kHalves) {
      command.wait[0] = {kHalfFree, 1};
    }
    command.signal = {ready, 1};
    command.work.readBytes = command.work.scratchpadBytes =
        static_cast<uint64_t>(rows * columns);
    command.work.segmentBytes = static_cast<uint64_t>(columns);
  };
  for (int64_t layer = 0; layer < request.layers; ++layer) {
    for (int64_t row = 0; row < shape.rows; row += tile.rows) {
      int64_t m = std::min(tile.rows, shape.rows - row);
      for (int64_t column = 0; column < shape.columns; column += tile.columns) {
        int64_t n = std::min(tile.columns, shape.columns - column);
        if (outputs++ >= kHalves) {
          add(Queue::Matrix).wait[0] = {kOutputFree, 1};
        }
        for (int64_t inner = 0; inner < shape.inner; inner += tile.inner) {
          int64_t k = std::min(tile.inner, shape.inner - inner);
          load(Queue::Load0, kInputsReady, m, k);
          load(Queue::Load1, kWeightsReady, k, n);
          ++loads;
          Command &command = add(Queue::Matrix);
          command.wait[0] = {kInputsReady, 1};
          command.wait[1] = {kWeightsReady, 1};
          // For both loads.
          command.signal = {kHalfFree, 2};
          // A block takes the rows of one, however few it has, because the
          // next one's weights are loaded beside it.
          int64_t count = divideUp(m, array.size) * divideUp(n, array.size) *
                          divideUp(k, array.size);
          command.work.arrayCycles =
              static_cast<double>(count * array.size + array.tileCycles);
          command.work.macsI8 = ProductShape{m, n, k}.macs();
          // Rows of both operands, and sums that are read and written.
          command.work.scratchpadBytes =
              static_cast<uint64_t>(count * array.size * array.size * 10);
        }
        add(Queue::Matrix).signal = {kOutputReady, 1};
        Command &store = add(Queue::Store);
        store.wait[0] = {kOutputReady, 1};
        store.signal = {kOutputFree, 1};
        store.work.writeBytes = store.work.scratchpadBytes =
            static_cast<uint64_t>(m * n);
        store.work.segmentBytes = static_cast<uint64_t>(n);
      }
    }
  }
  return program;
}
