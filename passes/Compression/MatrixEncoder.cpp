// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/MatrixEncoder.h"
#include "passes/Compression/Palette/Palettize.h"
#include "passes/Compression/Palette/QuantizeRows.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

constexpr int64_t kRowsPerTable = 16;

/// The mean squared error of the best 2^bits outputs for a normal source of
/// variance 1 (Max 1960, table I; for many outputs Panter and Dite 1951).
static double getNormalError(int64_t bits) {
  constexpr double kFew[] = {1, 0.3634, 0.1175, 0.03454, 0.009497};
  return bits < 5 ? kFew[bits]
                  : std::sqrt(3.0) * llvm::numbers::pi / 2 * std::pow(4, -bits);
}

/// Part of the recipes' names: to be raised when the encoder makes other bytes
/// of the same weights.
constexpr llvm::StringLiteral kVersion = "2";

static LogicalResult fail(ParamOp param, llvm::Error error) {
  return param.emitOpError("cannot be compressed: ")
         << llvm::toString(std::move(error));
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

LogicalResult MatrixEncoder::checkOptions(ModuleOp model, int64_t rounds,
                                          Damping damping) {
  if (rounds < 0) {
    return model.emitError("expected at least 0 rounds, found ") << rounds;
  }
  for (auto [what, value] : {std::pair("input", damping.inputs),
                             std::pair("output", damping.outputs)}) {
    if (!(value > 0)) {
      return model.emitError("expected ") << what << " damping above 0, found "
                                          << llvm::formatv("{0}", value).str();
    }
  }
  return success();
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

llvm::Expected<EncodedMatrix>
MatrixEncoder::compress(ArrayRef<float> weights, ParamOp param, int64_t bits,
                        const palette::ProductMoments &moments,
                        int64_t rounds) const {
  RankedTensorType type = param.getTensorType();
  if (bits == 8) {
    return palette::quantizeRows(weights, type.getDimSize(0),
                                 type.getDimSize(1));
  }
  palette::PalettizeOptions options;
  options.refineRounds = rounds;
  return palette::palettize(weights, moments, bits, kRowsPerTable, options);
}

FailureOr<std::vector<std::vector<float>>>
MatrixEncoder::measure(ArrayRef<ParamOp> params, ArrayRef<int64_t> bits,
                       ParamReport report) {
  std::vector<std::vector<float>> errors(params.size());
  auto done = forEachParam(params, report, [&](size_t i) -> LogicalResult {
    auto measured = measureOne(params[i], bits);
    if (failed(measured)) {
      return failure();
    }
    errors[i] = std::move(*measured);
    return success();
  });
  if (failed(done)) {
    return failure();
  }
  return errors;
}

FailureOr<std::vector<float>>
MatrixEncoder::measureOne(ParamOp param, ArrayRef<int64_t> bits) {
  auto known = getStatistics(param);
  if (failed(known)) {
    return failure();
  }
  auto key = parameters.getKey(
      param,
      llvm::formatv("errors version={0} {1} bits={2:$[,]} statistics={3:x}",
                    kVersion, rounds == 0 ? "predicted" : "measured",
                    llvm::make_range(bits.begin(), bits.end()), known->identity)
          .str());
  if (failed(key)) {
    return failure();
  }
  DerivedStore &kept =
      statistics.isEmpty() ? parameters.getDerived() : statistics.getStore();
  std::vector<float> errors(bits.size());
  if (kept.contains(*key)) {
    if (llvm::Error error = kept.readRows(*key, 0, errors)) {
      return fail(param, std::move(error));
    }
    return errors;
  }
  auto weights = parameters.read(param);
  if (failed(weights)) {
    return failure();
  }
  double signal =
      rounds == 0 ? palette::getExpectedChange(*weights, known->moments) : 0;
  for (auto [i, width] : llvm::enumerate(bits)) {
    if (width == 16) {
      continue; // rounding to f16 is beside every other error nothing
    }
    if (rounds == 0) {
      errors[i] = static_cast<float>(signal * getNormalError(width));
      continue;
    }
    auto matrix =
        compress(*weights, param, width, known->moments, /*rounds=*/0);
    if (!matrix) {
      return fail(param, matrix.takeError());
    }
    errors[i] = static_cast<float>(palette::getOutputError(
        *weights, EncodedLayout::get(getType(param.getTensorType(), width)),
        *matrix, known->moments));
  }
  if (llvm::Error error =
          kept.write(*key, {static_cast<int64_t>(bits.size())}, errors)) {
    return fail(param, std::move(error));
  }
  return errors;
}

LogicalResult MatrixEncoder::encode(ArrayRef<ParamOp> params,
                                    ArrayRef<int64_t> bits,
                                    ParamReport report) {
  return forEachParam(params, report,
                      [&](size_t i) { return encodeOne(params[i], bits[i]); });
}

LogicalResult MatrixEncoder::encodeOne(ParamOp param, int64_t bits) {
  RankedTensorType type = getType(param.getTensorType(), bits);
  if (bits == 16 || !parameters.hasData()) {
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
    auto matrix = compress(*weights, param, bits, known->moments, rounds);
    if (!matrix) {
      return fail(param, matrix.takeError());
    }
    double error = palette::getOutputError(*weights, EncodedLayout::get(type),
                                           *matrix, known->moments);
    double signal = palette::getOutputChange(*weights, known->moments);
    relative = signal > 0 ? error / signal : 0;
    if (llvm::Error error = derived.write(
            *key, type, *matrix, llvm::formatv("{0:e9}", relative).str())) {
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
