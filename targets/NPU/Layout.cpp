// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/Layout.h"

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/drivers/npu/ArrayModel.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

/// What begins in DRAM begins at a multiple of it.
constexpr uint64_t kAlignment = 64;

/// Columns that parts of a product of plain activations are multiples of.
constexpr int64_t kPlainUnit = 64;

bool isF16Product(const Config &config, bool isPalette, bool isI8) {
  return !isI8 || (isPalette && config.decoder.f16Values);
}

uint64_t Layout::take(uint64_t &end, uint64_t bytes) {
  uint64_t offset = llvm::alignTo(end, kAlignment);
  end = offset + bytes;
  return offset;
}

/// Every tile that a slot holds, by doubling the array's columns and cutting
/// the inner size in whole groups, is rated by a closed form: for one row and
/// for prefill's, the slower of its stream and its product, and what of the
/// product's end the other slots' streams cannot hide. Streams go on from
/// matrix to matrix, so that none has a beginning or an end to pay for.
void Layout::chooseTile(MatrixLayout &matrix) const {
  const auto &array = std::get<CoreArray>(config->array);
  bool isI8 = matrix.isPalette || matrix.bits == 8;
  bool f16 = isF16Product(*config, matrix.isPalette, isI8) || array.rowsI8 == 0;
  int64_t slot =
      config->kernelBuffer.bytes / config->kernelBuffer.slots / (f16 ? 2 : 1);
  // Whole tables, and results that begin at granules.
  int64_t rowUnit = std::max<int64_t>(matrix.rowsPerTable, 16);
  double latency = config->cycles(config->dram.latencySeconds);
  double rate =
      config->dram.bytesPerSecond * config->dram.efficiency / config->arrayHz;
  double best = 0;
  auto consider = [&](int64_t n, int64_t k) {
    // Sums of a product whose inner size is cut stay in the accumulators.
    bool fitsSums = k == matrix.columns ||
                    prefillRows * n * 4 <= config->scratchpad.accumulatorBytes;
    if (n < 1 || k < 1 || n * k > slot || !fitsSums) {
      return;
    }
    double tiles =
        double(divideUp(matrix.rows, n) * divideUp(matrix.columns, k));
    double stream = std::max(
        double(n * k * matrix.storageBits) / 8 / rate,
        matrix.isPalette
            ? config->cycles(double(n * k) / config->decoder.weightsPerSecond)
            : 0);
    double cycles = 0;
    for (int64_t rows : {int64_t(1), prefillRows}) {
      double mac = getCoreCycles(array, {rows, n, k}, f16);
      // A slot is asked for when its product is done.
      double exposed = std::max(
          0.0, mac + latency - double(config->kernelBuffer.slots - 1) * stream);
      double each = mac < stream ? stream + exposed : mac;
      // A stream is issued when the one before begins to move.
      cycles += tiles * std::max(each, latency);
    }
    if (best == 0 || cycles < best) {
      best = cycles;
      matrix.tileRows = n;
      matrix.tileColumns = k;
    }
  };
  int64_t pass = array.cores * array.columns;
  for (int64_t n = llvm::alignTo(pass, rowUnit);; n *= 2) {
    int64_t rows = std::min(n, matrix.rows);
    for (int64_t parts = 1;
         parts <= divideUp(matrix.columns, matrix.columnUnit); ++parts) {
      int64_t k = std::min<int64_t>(
          llvm::alignTo(divideUp(matrix.columns, parts), matrix.columnUnit),
          matrix.columns);
      consider(rows, k);
    }
    if (n >= matrix.rows) {
      break;
    }
  }
  // Few whole rows, where a slot is small.
  int64_t whole = slot / matrix.columns / rowUnit * rowUnit;
  consider(std::min(whole, matrix.rows), matrix.columns);
  if (best == 0) {
    matrix.tileRows = std::min(rowUnit, matrix.rows);
    matrix.tileColumns = std::min<int64_t>(
        matrix.columns,
        std::max<int64_t>(slot / matrix.tileRows / matrix.columnUnit, 1) *
            matrix.columnUnit);
  }
}

void Layout::place(MatrixLayout &matrix) {
  uint64_t &end = matrix.region == Region::Weights ? weightBytes : adapterBytes;
  if (matrix.rowsPerTable != 0) {
    matrix.tables =
        take(end, divideUp(matrix.rows, matrix.rowsPerTable) << matrix.bits);
  }
  if (matrix.rowsPerScale != 0) {
    matrix.scales = take(end, 2 * divideUp(matrix.rows, matrix.rowsPerScale));
  }
  chooseTile(matrix);
  matrix.elements = take(end, 0);
  end = matrix.getEnd();
}

MatrixLayout Layout::placePlain(Region region, int64_t rows, int64_t columns) {
  MatrixLayout matrix;
  matrix.region = region;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.columnUnit = kPlainUnit;
  place(matrix);
  return matrix;
}

LogicalResult Layout::placeMatrix(ParamOp param) {
  RankedTensorType type = param.getTensorType();
  MatrixLayout matrix;
  matrix.rows = type.getDimSize(0);
  matrix.columns = type.getDimSize(1);
  matrix.columnUnit = units.lookup(param.getSymName());
  if (auto palette = dyn_cast_if_present<PaletteAttr>(type.getEncoding())) {
    if (palette.getCols() != 0 || palette.getScaleCols() != 0) {
      return param.emitError(config->name)
             << ": expected palettes and scales of whole rows, found "
             << palette;
    }
    if (config->decoder.weightsPerSecond == 0) {
      return param.emitError(config->name)
             << ": expected weights without palettes, since "
                "decoder.weights_per_s is 0, found "
             << palette;
    }
    if ((int64_t(1) << palette.getBits()) > config->decoder.maxTableValues) {
      return param.emitError(config->name)
             << ": expected palettes of at most decoder.max_table_values, "
             << config->decoder.maxTableValues << ", found " << palette;
    }
    matrix.isPalette = true;
    matrix.bits = palette.getBits();
    matrix.storageBits = matrix.bits == 3   ? config->decoder.threeBitStorage
                         : matrix.bits == 6 ? config->decoder.sixBitStorage
                                            : matrix.bits;
    matrix.rowsPerTable = palette.getRows();
    matrix.rowsPerScale =
        palette.getScale() == PaletteScale::Row ? 1 : palette.getRows();
  } else if (auto rows =
                 dyn_cast_if_present<QuantizedAttr>(type.getEncoding())) {
    if (rows.getBits() != 8 || rows.getGroup() != 0) {
      return param.emitError(config->name)
             << ": expected integers of 8 bits with a scale per row, found "
             << rows;
    }
    matrix.bits = matrix.storageBits = 8;
    matrix.rowsPerScale = 1;
  } else if (!type.getElementType().isF16()) {
    return param.emitError(config->name)
           << ": expected weights of f16, or fewer bits, found "
           << type.getElementType();
  } else {
    // Rounded inputs are made plain.
    matrix.columnUnit = kPlainUnit;
  }
  place(matrix);
  matrices[param.getSymName()] = matrix;
  return success();
}

LogicalResult Layout::placeLookup(ParamOp param) {
  RankedTensorType type = param.getTensorType();
  LookupLayout lookup;
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  if (type.getEncoding()) {
    EncodedLayout encoded = EncodedLayout::get(type);
    if (encoded.scaleColumns != columns ||
        (encoded.entries != 0 && encoded.tableColumns != columns)) {
      return param.emitError(config->name)
             << ": expected rows to look up that have a scale each, found "
             << type.getEncoding();
    }
    lookup.type = DataType::I8;
    lookup.scales = take(tableBytes, 2 * rows);
  } else if (!type.getElementType().isF16()) {
    return param.emitError(config->name)
           << ": expected weights of f16, or fewer bits, found "
           << type.getElementType();
  }
  lookup.elements =
      take(tableBytes, rows * columns * (lookup.type == DataType::I8 ? 1 : 2));
  lookups[param.getSymName()] = lookup;
  return success();
}

static std::string getKey(RotaryOp op) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << op.getHeadDim() << ' ' << op.getBase().convertToFloat() << ' '
     << op.getDims() << ' ' << op.getScalingAttr() << ' '
     << op.getFactorsAttr();
  return key;
}

uint64_t Layout::getRotary(RotaryOp op) const {
  return rotaries.lookup(getKey(op));
}

FailureOr<Layout> Layout::create(ModuleOp module, const Config &config,
                                 int64_t prefillRows, int64_t adapterRank) {
  Layout layout;
  layout.config = &config;
  layout.prefillRows = prefillRows;
  layout.adapterRank = adapterRank;
  if (!std::holds_alternative<CoreArray>(config.array)) {
    return module.emitError(config.name)
           << ": expected an array of cores (kind), found another";
  }
  llvm::StringSet<> products, lookedUp;
  auto model = module->getAttrOfType<ModelAttr>(kModelAttrName);
  layout.positions = model ? model.getContextLength() : 4096;
  int64_t longest = 4;
  module.walk([&](mlir::Operation *op) {
    if (auto linear = dyn_cast<LinearOp>(op)) {
      products.insert(linear.getWeight());
      auto type = cast<RankedTensorType>(linear.getX().getType());
      auto quantized = dyn_cast_if_present<QuantizedAttr>(type.getEncoding());
      int64_t group = quantized ? quantized.getGroup() : kPlainUnit / 4;
      // Four scales are a granule. Where a row has one, it is not cut.
      int64_t unit = group == 0 ? type.getDimSize(1) : 4 * group;
      int64_t &known = layout.units[linear.getWeight()];
      known = std::lcm(std::max<int64_t>(known, 1), unit);
    } else if (auto embed = dyn_cast<EmbedOp>(op)) {
      lookedUp.insert(embed.getTable());
    } else if (auto rotary = dyn_cast<RotaryOp>(op)) {
      auto [it, isNew] = layout.rotaries.try_emplace(getKey(rotary), 0);
      if (isNew) {
        it->second = layout.take(
            layout.tableBytes, layout.positions * rotary.getRotatedDims() * 4);
      }
    } else if (auto update = dyn_cast<KVUpdateOp>(op)) {
      longest = std::max<int64_t>(longest,
                                  4 * update.getCache().getType().getHeadDim());
    }
  });
  // Zeros that fill a block of the cache's scales, too.
  layout.zeros =
      layout.take(layout.tableBytes, std::max<int64_t>(longest, 512));
  layout.zeroAndOne = layout.take(layout.tableBytes, 8);
  for (auto param : module.getOps<ParamOp>()) {
    StringRef name = param.getSymName();
    if (lookedUp.contains(name) && failed(layout.placeLookup(param))) {
      return failure();
    }
    if (products.contains(name)) {
      if (failed(layout.placeMatrix(param))) {
        return failure();
      }
    } else if (param.getTensorType().getRank() == 1) {
      layout.vectors[name] = layout.take(
          layout.weightBytes, 4 * param.getTensorType().getNumElements());
    }
  }
  if (adapterRank != 0) {
    layout.adapterScales = layout.take(layout.adapterBytes, 4 * adapterRank);
    module.walk([&](LoraOp lora) {
      if (!layout.siteNumbers.try_emplace(lora.getSite(), layout.sites.size())
               .second) {
        return;
      }
      SiteLayout site;
      site.name = lora.getSite().str();
      site.a = layout.placePlain(Region::Adapters, adapterRank,
                                 lora.getX().getType().getDimSize(1));
      site.aByColumns = site.a;
      // Twice as many, where that cuts it evenly, take half of the streams.
      bool isEven = site.a.columns % (2 * kLowRankColumns) == 0;
      site.aByColumns.tileColumns = (isEven ? 2 : 1) * kLowRankColumns;
      site.aByColumns.elements = layout.take(layout.adapterBytes, 0);
      layout.adapterBytes = site.aByColumns.getEnd();
      site.b = layout.placePlain(
          Region::Adapters, lora.getY().getType().getDimSize(1), adapterRank);
      layout.sites.push_back(std::move(site));
    });
  }
  return layout;
}

} // namespace umber::npu
