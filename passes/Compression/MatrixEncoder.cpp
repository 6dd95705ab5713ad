// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/MatrixEncoder.h"
#include "passes/Compression/Palette/QuantizeRows.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

constexpr int64_t kRowsPerTable = 16;

/// Rounds of refinement to tell an error: one ranks widths as four do.
static int64_t getMeasureRounds(int64_t rounds) { return rounds > 1 ? 1 : 0; }

/// Part of the recipes' names: to be raised when the encoder makes other bytes
/// of the same weights.
constexpr llvm::StringLiteral kVersion = "1";

static LogicalResult fail(ParamOp param, llvm::Error error) {
  return param.emitOpError("cannot be compressed: ")
         << llvm::toString(std::move(error));
}

static llvm::Expected<palette::Compressed>
compress(ArrayRef<float> weights, RankedTensorType type, int64_t bits,
         const ProductStatistics &statistics, int64_t rounds) {
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  if (bits == 8) {
    return palette::quantizeRows(weights, rows, columns, statistics.moment,
                                 statistics.rowWeights);
  }
  palette::PalettizeOptions options;
  options.refineRounds = rounds;
  options.rowWeights = statistics.rowWeights;
  return palette::palettize(weights, rows, columns, statistics.moment, bits,
                            kRowsPerTable, options);
}

RankedTensorType MatrixEncoder::getType(RankedTensorType type, int64_t bits) {
  MLIRContext *context = type.getContext();
  Attribute encoding;
  if (bits == 8) {
    encoding = QuantizedAttr::get(context, bits, 0);
  } else if (bits < 8) {
    encoding = PaletteAttr::get(context, bits, kRowsPerTable, 0,
                                PaletteScale::Table, 0);
  }
  return RankedTensorType::get(type.getShape(), Float16Type::get(context),
                               encoding);
}

FailureOr<ProductStatistics> MatrixEncoder::getStatistics(ParamOp param) const {
  auto identity = parameters.getIdentity(param);
  if (failed(identity)) {
    return failure();
  }
  RankedTensorType type = param.getTensorType();
  auto found = statistics.get(param.getSymName(), *identity, type.getDimSize(0),
                              type.getDimSize(1));
  if (!found) {
    return fail(param, found.takeError());
  }
  return std::move(*found);
}

FailureOr<std::vector<palette::OutputError>>
MatrixEncoder::measure(ParamOp param, ArrayRef<int64_t> bits) {
  auto known = getStatistics(param);
  if (failed(known)) {
    return failure();
  }
  int64_t measureRounds = getMeasureRounds(rounds);
  auto key = parameters.getKey(
      param,
      llvm::formatv("errors version={0} rounds={1} bits={2:$[,]} "
                    "statistics={3:x}",
                    kVersion, measureRounds,
                    llvm::make_range(bits.begin(), bits.end()), known->identity)
          .str());
  if (failed(key)) {
    return failure();
  }
  DerivedStore &derived = parameters.getDerived();
  // An error and a signal for each width.
  std::vector<float> table(2 * bits.size());
  if (derived.contains(*key)) {
    if (llvm::Error error = derived.readRows(*key, 0, table)) {
      return fail(param, std::move(error));
    }
  } else {
    auto weights = parameters.read(param);
    if (failed(weights)) {
      return failure();
    }
    for (auto [i, width] : llvm::enumerate(bits)) {
      if (width == 16) {
        continue; // rounding to f16 is beside every other error nothing
      }
      auto result = compress(*weights, param.getTensorType(), width, *known,
                             measureRounds);
      if (!result) {
        return fail(param, result.takeError());
      }
      table[2 * i] = result->error.error;
      table[2 * i + 1] = result->error.signal;
    }
    if (llvm::Error error = derived.write(
            *key, {static_cast<int64_t>(bits.size()), 2}, table)) {
      return fail(param, std::move(error));
    }
  }
  std::vector<palette::OutputError> errors;
  for (size_t i = 0; i < bits.size(); ++i) {
    errors.push_back({table[2 * i], table[2 * i + 1]});
  }
  return errors;
}

LogicalResult MatrixEncoder::encode(ParamOp param, int64_t bits) {
  RankedTensorType type = getType(param.getTensorType(), bits);
  if (bits == 16) {
    param.setType(type);
    return success();
  }
  auto known = getStatistics(param);
  if (failed(known)) {
    return failure();
  }
  auto key = parameters.getKey(
      param, llvm::formatv("encoded version={0} rounds={1} bits={2} "
                           "statistics={3:x}",
                           kVersion, rounds, bits, known->identity)
                 .str());
  if (failed(key)) {
    return failure();
  }
  DerivedStore &derived = parameters.getDerived();
  double relative = 0;
  if (derived.contains(*key)) {
    auto note = derived.getNote(*key);
    if (!note) {
      return fail(param, note.takeError());
    }
    if (!llvm::to_float(*note, relative)) {
      return param.emitOpError("cannot be compressed: expected '")
             << *key << "' to note its error, found '" << *note << "'";
    }
  } else {
    auto weights = parameters.read(param);
    if (failed(weights)) {
      return failure();
    }
    auto result = compress(*weights, type, bits, *known, rounds);
    if (!result) {
      return fail(param, result.takeError());
    }
    relative = result->error.getRelative();
    if (llvm::Error error =
            derived.write(*key, type, result->matrix,
                          llvm::formatv("{0:e9}", relative).str())) {
      return fail(param, std::move(error));
    }
  }
  param->setAttr(kOriginalAttrName,
                 StringAttr::get(param.getContext(), param.getKey()));
  param.setSource(*key);
  param.setType(type);
  // The same number whether it was just measured or noted by a run before.
  llvm::to_float(llvm::formatv("{0:e9}", relative).str(), relative);
  param->setAttr(
      kErrorAttrName,
      FloatAttr::get(Float64Type::get(param.getContext()), relative));
  return success();
}

} // namespace umber
