// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The commands of a product on an array of cores. Weights stream through the
// kernel buffer's slots without regard to layers, so that the stream never
// ends before the program does.

#include "runtime/drivers/npu/CoreLayout.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

enum Semaphore : uint8_t {
  kSlotFull,
  kSlotFree,
  kInputReady,
  kInputFree,
  kOutputReady,
  kOutputFree,
  kLayerStored,
};

/// Tiles of A, and of C, that are under way at once.
constexpr int64_t kBuffers = 2;

class Writer {
public:
  Writer(const Config &config, const ProductRequest &request,
         const CoreTiling &tiling)
      : config(config), array(std::get<CoreArray>(config.array)),
        request(request), shape(request.shape), tiling(tiling),
        layout(config, request) {}

  std::vector<Command> run() {
    for (int64_t layer = 0; layer < request.layers; ++layer) {
      writeLayer(layer);
    }
    return std::move(program);
  }

private:
  Command &add(Queue queue) {
    program.emplace_back();
    program.back().queue = queue;
    return program.back();
  }
  /// A command that only waits, or signals, for the matrix queue, whose own
  /// have no room for more.
  void waitFor(Semaphore semaphore) {
    add(Queue::Matrix).wait[0] = {semaphore, 1};
  }
  void signal(Semaphore semaphore) {
    add(Queue::Matrix).signal = {semaphore, 1};
  }

  void writeLayer(int64_t layer) {
    // Of a chain that stays on the chip, only its ends are in DRAM.
    bool loads = !tiling.chained || layer == 0;
    stores = !tiling.chained || layer + 1 == request.layers;
    for (int64_t row = 0; row < shape.rows; row += tiling.tile.rows) {
      int64_t m = std::min(tiling.tile.rows, shape.rows - row);
      if (tiling.residentA && loads) {
        load(m, shape.inner, layer, row == 0);
        waitFor(kInputReady);
      }
      for (int64_t column = 0; column < shape.columns;
           column += tiling.tile.columns) {
        int64_t n = std::min(tiling.tile.columns, shape.columns - column);
        writeTile(m, n, layer, row == 0 && column == 0);
        if (stores) {
          bool last = row + m == shape.rows && column + n == shape.columns;
          store(m, n, last && layer + 1 < request.layers);
        }
      }
      if (tiling.residentA && loads) {
        signal(kInputFree);
      }
    }
  }

  void writeTile(int64_t m, int64_t n, int64_t layer, bool first) {
    if (stores && outputs++ >= kBuffers) {
      waitFor(kOutputFree);
    }
    for (int64_t inner = 0; inner < shape.inner; inner += tiling.tile.inner) {
      int64_t k = std::min(tiling.tile.inner, shape.inner - inner);
      stream(n, k);
      if (!tiling.residentA) {
        load(m, k, layer, first && inner == 0);
      }
      multiply(m, n, k, inner > 0, inner + k == shape.inner);
      if (!tiling.residentA) {
        signal(kInputFree);
      }
    }
    if (stores) {
      signal(kOutputReady);
    }
  }

  /// `afterLayer`: the first of a layer, which reads what the layer before
  /// stored.
  void load(int64_t m, int64_t k, int64_t layer, bool afterLayer) {
    Command &command = add(Queue::Load0);
    if (inputs++ >= kBuffers) {
      command.wait[0] = {kInputFree, 1};
    }
    if (afterLayer && layer > 0) {
      command.wait[1] = {kLayerStored, 1};
    }
    command.signal = {kInputReady, 1};
    move(command.work, m, k);
    command.work.readBytes = command.work.scratchpadBytes;
    command.work.segmentBytes =
        static_cast<uint64_t>(k * layout.bytesPerElement);
  }

  void store(int64_t m, int64_t n, bool endsLayer) {
    Command &command = add(Queue::Store);
    command.wait[0] = {kOutputReady, 1};
    command.signal = {kOutputFree, 1};
    move(command.work, m, n);
    command.work.writeBytes = command.work.scratchpadBytes;
    command.work.segmentBytes =
        static_cast<uint64_t>(n * layout.bytesPerElement);
    if (endsLayer) {
      add(Queue::Store).signal = {kLayerStored, 1};
    }
  }

  void stream(int64_t n, int64_t k) {
    Command &command = add(Queue::Weights);
    command.words = 2;
    if (slots++ >= config.kernelBuffer.slots) {
      command.wait[0] = {kSlotFree, 1};
    }
    command.signal = {kSlotFull, 1};
    command.work.readBytes =
        static_cast<uint64_t>(request.weights.bytes(n * k, config.decoder));
    command.work.region = Region::Weights;
    command.work.streamsWeights = true;
    if (request.weights.kind == WeightFormat::Kind::Palette) {
      command.work.decodedWeights = static_cast<uint64_t>(n * k);
    }
  }

  void multiply(int64_t m, int64_t n, int64_t k, bool addsSums, bool last) {
    Command &command = add(Queue::Matrix);
    command.words = 2;
    command.wait[0] = {kSlotFull, 1};
    if (!tiling.residentA) {
      command.wait[1] = {kInputReady, 1};
    }
    command.signal = {kSlotFree, 1};
    command.work = layout.getProduct({m, n, k}, tiling.spills, addsSums, last);
  }

  /// Rows through the scratchpad's ports, one after another.
  void move(Work &work, int64_t rows, int64_t elements) const {
    int64_t bytes = elements * layout.bytesPerElement;
    work.scratchpadBytes = static_cast<uint64_t>(rows * bytes);
    work.scratchpadCycles =
        static_cast<double>(rows * divideUp(bytes, layout.granule)) /
        static_cast<double>(config.scratchpad.banks);
  }

  const Config &config;
  const CoreArray &array;
  const ProductRequest &request;
  const ProductShape &shape;
  const CoreTiling &tiling;
  CoreLayout layout;
  std::vector<Command> program;
  bool stores = false;
  int64_t inputs = 0, outputs = 0, slots = 0;
};

} // namespace

std::vector<Command> npu::makeCoreProgram(const Config &config,
                                          const ProductRequest &request,
                                          const CoreTiling &tiling) {
  return Writer(config, request, tiling).run();
}
