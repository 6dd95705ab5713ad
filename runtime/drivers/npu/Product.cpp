// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/Product.h"

#include "runtime/drivers/npu/OperandBuffers.h"

using namespace umber;
using namespace umber::npu;

namespace {

Status tooLong(const Config &config) {
  return Status(StatusCode::Unsupported,
                config.name + " needs more than " +
                    std::to_string(kMostCommands) +
                    " commands for so large a product");
}

double getUtilization(const ProductRequest &request, double macsPerCycle,
                      double cycles) {
  return static_cast<double>(request.shape.macs()) *
         static_cast<double>(request.layers) / (macsPerCycle * cycles);
}

Result<ProductTiming> runProgram(const Config &config,
                                 const ProductRequest &request,
                                 const std::vector<Command> &program,
                                 double macsPerCycle) {
  Result<ProgramTiming> run = simulate(config, program);
  if (!run.ok()) {
    return run.status();
  }
  ProductTiming timing;
  timing.cycles = run->cycles;
  timing.seconds = config.seconds(run->cycles);
  timing.energy = run->energy;
  timing.dramBytes = run->dramBytes;
  timing.dramIdleCycles = run->dramIdle;
  timing.bound = run->bound;
  timing.commands = program.size();
  timing.utilization = getUtilization(request, macsPerCycle, run->cycles);
  return timing;
}

Result<ProductTiming> runCores(const Config &config, const CoreArray &array,
                               const ProductRequest &request) {
  Result<CoreTiling> tiling = chooseTiling(config, request);
  if (!tiling.ok()) {
    return tiling.status();
  }
  const ProductShape &shape = request.shape;
  const ProductTile &tile = tiling->tile;
  // A load, a stream, a product and a store, with what carries their waits.
  double commands = 6.0 * static_cast<double>(divideUp(shape.rows, tile.rows)) *
                    static_cast<double>(divideUp(shape.columns, tile.columns)) *
                    static_cast<double>(divideUp(shape.inner, tile.inner)) *
                    static_cast<double>(request.layers);
  if (commands > static_cast<double>(kMostCommands)) {
    return tooLong(config);
  }
  bool f16 = isF16(request.weights, config);
  int64_t peak = array.cores * array.columns * array.inner *
                 (f16 ? array.rowsF16 : array.rowsI8);
  Result<ProductTiming> timing =
      runProgram(config, request, makeCoreProgram(config, request, *tiling),
                 static_cast<double>(peak));
  if (timing.ok()) {
    timing->tile = tile;
  }
  return timing;
}

Result<ProductTiming> runBlocks(const Config &config, const BlockArray &array,
                                const ProductRequest &request) {
  ProductTile blocks = chooseBlocks(config, request.shape);
  auto count = [&](int64_t size, int64_t tile) {
    return static_cast<double>(divideUp(divideUp(size, array.size), tile));
  };
  double tiles = count(request.shape.rows, blocks.rows) *
                 count(request.shape.columns, blocks.columns) *
                 count(request.shape.inner, blocks.inner);
  if (4 * tiles * static_cast<double>(request.layers) >
      static_cast<double>(kMostCommands)) {
    return tooLong(config);
  }
  Result<ProductTiming> timing =
      runProgram(config, request, makeBlockProgram(config, request, blocks),
                 static_cast<double>(array.size * array.size));
  if (timing.ok()) {
    timing->tile = {blocks.rows * array.size, blocks.columns * array.size,
                    blocks.inner * array.size};
  }
  return timing;
}

/// Layers one after another: nothing of one overlaps the next.
Result<ProductTiming> runSystolic(const Config &config,
                                  const SystolicArray &array,
                                  const ProductRequest &request) {
  const ProductShape &shape = request.shape;
  ProductTiming timing;
  int64_t cycles = getSystolicCycles(array, shape);
  // Each operand once, where the memory never makes the array wait.
  int64_t words = shape.rows * shape.inner + shape.inner * shape.columns +
                  shape.rows * shape.columns;
  if (array.interfaceWordsPerCycle > 0) {
    Result<BufferedTiming> buffered = runBuffered(array, shape);
    if (!buffered.ok()) {
      return Status(buffered.status().code(),
                    config.name + ": " + buffered.status().message());
    }
    cycles = buffered->cycles;
    words = buffered->dramReadWords + buffered->dramWriteWords;
    timing.stallCycles = buffered->stallCycles * request.layers;
    timing.cyclesWithPrefetch = buffered->cyclesWithPrefetch * request.layers;
    timing.bound =
        2 * buffered->stallCycles > cycles ? Bound::Dram : Bound::Mac;
  }
  double layers = static_cast<double>(request.layers);
  timing.cycles = static_cast<double>(cycles) * layers;
  timing.seconds = config.seconds(timing.cycles);
  timing.dramBytes = static_cast<uint64_t>(words * array.wordBytes) *
                     static_cast<uint64_t>(request.layers);
  // Every word that streams is read once per fold, as is what stays, and every
  // sum is written.
  SystolicFolds folds = getFolds(array, shape);
  Work work;
  work.macsI8 = shape.macs() * static_cast<uint64_t>(request.layers);
  work.scratchpadBytes = static_cast<uint64_t>(
      folds.count() * folds.streamed * (array.rows + array.columns) *
      array.wordBytes * request.layers);
  timing.energy = getEnergy(work, timing.dramBytes, config.energy);
  timing.energy.idle = config.energy.activeWatts * timing.seconds;
  timing.utilization = getUtilization(
      request, static_cast<double>(array.rows * array.columns), timing.cycles);
  timing.tile = {shape.rows, shape.columns, shape.inner};
  return timing;
}

} // namespace

Result<ProductTiming> npu::runProduct(const Config &config,
                                      const ProductRequest &request) {
  Status status = checkFormat(request.weights, config);
  if (!status.ok()) {
    return status;
  }
  if (const auto *cores = std::get_if<CoreArray>(&config.array)) {
    return runCores(config, *cores, request);
  }
  if (const auto *blocks = std::get_if<BlockArray>(&config.array)) {
    return runBlocks(config, *blocks, request);
  }
  return runSystolic(config, std::get<SystolicArray>(config.array), request);
}
