// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/WorkModel.h"

#include "runtime/drivers/npu/ArrayModel.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/sim/Operations.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

class WorkModel {
public:
  explicit WorkModel(const Machine &machine)
      : machine(machine), config(machine.config),
        array(std::get<CoreArray>(config.array)) {}

  // The system queue's: fetching them is all.
  template <typename T>
  void count(const T &) {}

  void count(const Load &load) {
    moveRows(load);
    work.readBytes = work.scratchpadBytes;
  }
  void count(const Store &store) {
    moveRows(store);
    work.writeBytes = work.scratchpadBytes;
  }
  void count(const Gather &gather) {
    if (gather.count > 0) {
      moveThrough(gather.count, gather.bytes);
      work.readBytes = work.scratchpadBytes;
      work.segmentBytes = gather.bytes;
      work.region = gather.table.region;
      moveThrough(1, 4 * gather.count);
    }
  }
  void count(const LoadTable &load) {
    work.readBytes = uint64_t(load.count) * load.entries * getBytes(load.type);
    work.region = load.from.region;
    work.streamsWeights = true;
  }
  void count(const StreamWeights &weights) {
    work.readBytes = weights.rows * getRowBytes(weights);
    work.region = weights.from.region;
    if (weights.rowsPerScale != 0) {
      uint64_t first = weights.firstRow / weights.rowsPerScale;
      uint64_t last = (uint64_t(weights.firstRow) + weights.rows - 1) /
                      weights.rowsPerScale;
      work.readBytes += 2 * (last - first + 1);
    }
    work.streamsWeights = true;
    if (weights.isPalette) {
      work.decodedWeights = uint64_t(weights.rows) * weights.columns;
    }
  }

  void count(const Multiply &product) {
    const KernelSlot &slot = machine.kernelSlots[product.slot];
    bool isF16 = product.a.type != DataType::I8 ||
                 (slot.isPalette && config.decoder.f16Values);
    multiply(product.a, product.rows, product.columns, product.inner, isF16);
    if (product.a.type == DataType::I8) {
      accessRows(product.scales, product.rows,
                 countGroups(product.inner, product.group), getTogether(isF16),
                 getPasses(product.columns));
    }
    if (product.isLast) {
      writeProduct(product.c, product.rows, product.columns, product.adds);
    }
  }
  void count(const MultiplyDynamic &product) {
    multiply(product.a, product.rows, product.columns, product.inner, true);
    // Into the kernel buffer, once.
    uint64_t rows = product.isTransposed ? product.columns : product.inner;
    uint64_t columns = product.isTransposed ? product.inner : product.columns;
    accessRows(product.b, rows, columns, array.cores);
    if (product.hasScales) {
      moveThrough(1, 2 * rows);
    }
    writeProduct(product.c, product.rows, product.columns, product.adds);
  }

  void count(const Elementwise &e) {
    compute(e.rows, e.columns, 1);
    access(e.a, e.rows, e.columns);
    if (e.spread == Spread::Full || e.spread == Spread::Row) {
      work.vectorInputs = 2;
      access(e.b, e.spread == Spread::Row ? 1 : e.rows, e.columns);
    } else if (e.spread == Spread::Column) {
      access(e.b, e.rows, 1);
    }
    access(e.d, e.rows, e.columns);
  }
  void count(const Reduce &r) {
    compute(r.rows, r.columns, 1);
    work.reduces = true;
    access(r.a, r.rows, r.columns);
    access(r.d, r.rows, 1);
  }
  void count(const Normalize &n) {
    uint64_t columns = uint64_t(n.heads) * n.columns;
    compute(n.rows, columns, 2);
    work.reduces = true;
    work.vectorInputs = n.hasGain ? 2 : 1;
    access(n.a, n.rows, columns);
    access(n.a, n.rows, columns);
    if (n.hasGain) {
      portCycles(1, 4 * uint64_t(n.columns));
    }
    access(n.d, n.rows, columns);
  }
  void count(const Quantize &q) {
    compute(q.rows, q.columns, 2);
    work.reduces = true;
    access(q.a, q.rows, q.columns);
    access(q.a, q.rows, q.columns);
    access(q.scales, q.rows, countGroups(q.columns, q.group));
    access(q.d, q.rows, q.columns);
  }
  void count(const Dequantize &d) {
    compute(d.rows, d.columns, 1);
    access(d.a, d.rows, d.columns);
    access(d.scales, d.rows, countGroups(d.columns, d.group));
    access(d.d, d.rows, d.columns);
  }
  void count(const Rotate &r) {
    uint64_t columns = uint64_t(r.heads) * r.columns;
    compute(r.rows, columns, 1);
    work.vectorInputs = 2;
    access(r.a, r.rows, columns);
    access(r.table, r.rows, r.columns);
    access(r.d, r.rows, columns);
  }
  void count(const SoftmaxStep &s) {
    compute(s.rows, s.columns, 2);
    work.reduces = true;
    access(s.a, s.rows, s.columns);
    access(s.a, s.rows, s.columns);
    access(s.state, s.rows, 2);
    access(s.state, s.rows, 2);
    access(s.factors, s.rows, 1);
    access(s.d, s.rows, s.columns);
  }
  void count(const AppendCache &append) {
    if (append.rows == 0) {
      return;
    }
    uint64_t columns = uint64_t(append.heads) * append.columns;
    bool hasScales = append.bits < 16;
    compute(append.rows, columns, hasScales ? 2 : 1);
    work.reduces = hasScales;
    for (int i = 0; i < (hasScales ? 2 : 1); ++i) {
      access(append.a, append.rows, columns);
    }
    uint64_t rowBytes = (uint64_t(append.columns) * append.bits + 7) / 8;
    uint64_t rows = uint64_t(append.rows) * append.heads;
    work.writeBytes = rows * (rowBytes + (hasScales ? 2 : 0));
    work.region = append.to.region;
    // A head's rows lie together, and so do its scales.
    uint64_t segments = append.heads * (hasScales ? 2u : 1u);
    work.segmentBytes = std::max<uint64_t>(1, work.writeBytes / segments);
  }

  Work work;
  /// Why the engine cannot do it.
  std::string failure;

private:
  /// Rows one after another through the ports.
  void portCycles(uint64_t rows, uint64_t bytes) {
    auto granule = uint64_t(config.scratchpad.granuleBytes);
    uint64_t granules = bytes / granule + (bytes % granule != 0);
    work.scratchpadCycles += static_cast<double>(rows) *
                             static_cast<double>(granules) /
                             static_cast<double>(config.scratchpad.banks);
  }
  void moveThrough(uint64_t rows, uint64_t bytes) {
    portCycles(rows, bytes);
    work.scratchpadBytes += rows * bytes;
  }
  void moveRows(const Transfer &transfer) {
    uint64_t rows = uint64_t(transfer.rows) * transfer.planes;
    if (rows == 0) {
      return;
    }
    moveThrough(rows, transfer.bytes);
    work.region = transfer.dram.region;
    work.segmentBytes = transfer.bytes;
    auto lieTogether = [&](int64_t stride, uint64_t count) {
      return count == 1 || stride == int64_t(work.segmentBytes);
    };
    if (lieTogether(transfer.rowStride, transfer.rows)) {
      work.segmentBytes *= transfer.rows;
      if (lieTogether(transfer.planeStride, transfer.planes)) {
        work.segmentBytes *= transfer.planes;
      }
    }
  }

  /// Of the vector unit.
  void compute(uint64_t rows, uint64_t columns, uint64_t passes) {
    work.vectorElements = rows * columns * passes;
  }
  void access(const Tile &tile, uint64_t rows, uint64_t columns) {
    portCycles(rows, columns * getBytes(tile.type));
  }

  /// Rows of which `together` are accessed at once, `times`.
  void accessRows(const Tile &tile, uint64_t rows, uint64_t columns,
                  int64_t together, uint64_t times = 1) {
    // No array: the failure is noted.
    if (together == 0) {
      return;
    }
    uint64_t bytes = columns * getBytes(tile.type);
    work.scratchpadBytes += times * rows * bytes;
    work.scratchpadCycles +=
        static_cast<double>(times) *
        getScratchpadCycles(config.scratchpad, int64_t(rows), int64_t(bytes),
                            tile.stride, together);
  }
  void writeProduct(const Tile &c, uint64_t rows, uint64_t columns, bool adds) {
    accessRows(c, rows, columns, array.cores, adds ? 2 : 1);
  }
  int64_t getTogether(bool isF16) const {
    return isF16 ? array.rowsF16 : array.rowsI8;
  }

  /// Over the columns that the cores have at once.
  uint64_t getPasses(uint64_t columns) const {
    return uint64_t(divideUp(int64_t(columns), array.cores * array.columns));
  }

  /// The array's part, and A once per pass.
  void multiply(const Tile &a, uint64_t rows, uint64_t columns, uint64_t inner,
                bool isF16) {
    if (getTogether(isF16) == 0) {
      failure = config.name + " multiplies no " + (isF16 ? "f16" : "i8") +
                " (array.rows_" + (isF16 ? "f16" : "i8") + " is 0)";
      return;
    }
    ProductShape shape = {int64_t(rows), int64_t(columns), int64_t(inner)};
    work.arrayCycles = getCoreCycles(array, shape, isF16);
    (isF16 ? work.macsF16 : work.macsI8) = shape.macs();
    accessRows(a, rows, inner, getTogether(isF16), getPasses(columns));
  }

  const Machine &machine;
  const Config &config;
  const CoreArray &array;
};

} // namespace

Result<Command> npu::getCommand(const Machine &machine,
                                const Instruction &instruction) {
  WorkModel model(machine);
  std::visit([&](const auto &operation) { model.count(operation); },
             instruction.operation);
  if (!model.failure.empty()) {
    return Status(StatusCode::Unsupported, model.failure);
  }
  Command command;
  command.queue = instruction.queue;
  command.wait[0] = instruction.wait[0];
  command.wait[1] = instruction.wait[1];
  command.signal = instruction.signal;
  if (const auto *fence = std::get_if<Fence>(&instruction.operation)) {
    command.fence = fence->queues;
  }
  command.work = model.work;
  return command;
}
