// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One product, tiled for a device and run on its model: how a row of a
// published table is reproduced.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_PRODUCT_H
#define UMBER_RUNTIME_DRIVERS_NPU_PRODUCT_H

#include "runtime/drivers/npu/ArrayModel.h"
#include "runtime/drivers/npu/Engine.h"
#include "runtime/drivers/npu/WeightFormat.h"

#include <optional>

namespace umber::npu {

/// A product, or a chain of equal ones: each layer's A is what the layer before
/// gave, in as far as the sizes allow.
struct ProductRequest {
  ProductShape shape;
  WeightFormat weights;
  int64_t layers = 1;
};

/// Sizes of one matrix command: rows of A, columns and inner size.
using ProductTile = ProductShape;

struct ProductTiming {
  double cycles = 0;
  double seconds = 0;
  Energy energy;
  uint64_t dramBytes = 0;
  double dramIdleCycles = 0;
  Bound bound = Bound::Mac;
  /// Of the array's peak at the weights' arithmetic, 0 to 1.
  double utilization = 0;
  size_t commands = 0;
  ProductTile tile;
  /// On a systolic array with limited interfaces.
  std::optional<int64_t> stallCycles;
  std::optional<int64_t> cyclesWithPrefetch;
};

/// The most commands of one program.
constexpr int64_t kMostCommands = 1 << 22;

/// Unsupported: `NAME …` where the device cannot run the product, with the
/// limit that it breaks.
Result<ProductTiming> runProduct(const Config &config,
                                 const ProductRequest &request);

/// How a product is cut up for an array of cores.
struct CoreTiling {
  ProductTile tile;
  /// Whether A and C of all rows stay in the scratchpad from layer to layer.
  bool chained = false;
  /// Whether all inner elements of a tile's rows of A are in the scratchpad,
  /// and are loaded once; if not, A is loaded tile by tile.
  bool residentA = false;
  /// Whether partial sums outgrow the accumulators.
  bool spills = false;
  /// By the closed form, one layer.
  double cycles = 0;
};

/// The legal tiling that the closed form likes best.
Result<CoreTiling> chooseTiling(const Config &config,
                                const ProductRequest &request);

/// The program of a request on an array of cores.
std::vector<Command> makeCoreProgram(const Config &config,
                                     const ProductRequest &request,
                                     const CoreTiling &tiling);

/// The tile, in blocks, that Gemmini's library chooses: as much as fits into
/// half of its memories, nearly square in rows and columns.
ProductTile chooseBlocks(const Config &config, const ProductShape &shape);

/// The program of a request on an array of blocks.
std::vector<Command> makeBlockProgram(const Config &config,
                                      const ProductRequest &request,
                                      const ProductTile &blocks);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_PRODUCT_H
