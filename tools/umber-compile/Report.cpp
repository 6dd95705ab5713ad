// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Report.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "passes/Compression/Recipe.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;
using namespace mlir::umber;

namespace umber::compile {

static std::string nameEncoding(mlir::RankedTensorType type) {
  if (isa_and_present<PaletteAttr>(type.getEncoding())) {
    return "palette";
  }
  std::string text;
  if (isa_and_present<QuantizedAttr>(type.getEncoding())) {
    return ("int" + Twine(getStorageWidth(type))).str();
  }
  raw_string_ostream(text) << type.getElementType();
  return text;
}

static std::optional<Report::Recovery> getRecovery(ParamOp param) {
  auto said = param->getAttrOfType<mlir::DictionaryAttr>(kRecoveryAttrName);
  if (!said) {
    return std::nullopt;
  }
  auto getInteger = [&](StringRef key) {
    auto value = said.getAs<mlir::IntegerAttr>(key);
    return value ? value.getInt() : 0;
  };
  auto getNumber = [&](StringRef key) -> std::optional<double> {
    auto value = said.getAs<mlir::FloatAttr>(key);
    return value ? std::optional(value.getValueAsDouble()) : std::nullopt;
  };
  return Report::Recovery{param.getRecoverAttr() != nullptr,
                          getInteger("rank"),
                          getInteger("bytes"),
                          getNumber("error"),
                          getNumber("gain").value_or(0),
                          getNumber("bits_gain")};
}

static std::optional<Report::Recoveries> getRecoveries(mlir::ModuleOp module) {
  auto said = module->getAttrOfType<mlir::DictionaryAttr>(kRecoveryAttrName);
  auto bytes = said ? said.getAs<mlir::IntegerAttr>("bytes") : nullptr;
  if (!bytes) {
    return std::nullopt;
  }
  auto getNumber = [&](StringRef key) -> std::optional<double> {
    auto value = said.getAs<mlir::FloatAttr>(key);
    return value ? std::optional(value.getValueAsDouble()) : std::nullopt;
  };
  auto largest = said.getAs<mlir::StringAttr>("largest");
  return Report::Recoveries{bytes.getInt(),
                            getNumber("loss").value_or(0),
                            getNumber("recovered").value_or(0),
                            getNumber("bits"),
                            getNumber("bits_loss"),
                            largest ? largest.getValue().str() : "",
                            getNumber("others_loss"),
                            getNumber("others_recovered"),
                            getNumber("others_bits_loss")};
}

Report::Report(mlir::ModuleOp module, StringRef output)
    : output(output), recoveries(getRecoveries(module)) {
  ModelBody parts(module);
  sizes.bodyWeights = parts.weights;
  for (ParamOp param : parts.corrections) {
    sizes.recoveryBytes += getFactorBytes(param.getTensorType());
  }
  sizes.bodyBytes = sizes.recoveryBytes;
  for (ParamOp param : parts.body) {
    sizes.bodyBytes += getStoredBytes(param.getTensorType());
  }
  for (ParamOp param : module.getOps<ParamOp>()) {
    mlir::RankedTensorType type = param.getTensorType();
    int64_t bytes = is_contained(parts.corrections, param)
                        ? getFactorBytes(type)
                        : getStoredBytes(type);
    sizes.parameters += type.getNumElements();
    sizes.modelBytes += bytes;
    if (type.getRank() != 2) {
      continue;
    }
    auto error = param->getAttrOfType<mlir::FloatAttr>(kErrorAttrName);
    matrices.push_back(
        {param.getSymName().str(), nameEncoding(type), type.getDimSize(0),
         type.getDimSize(1), getStorageWidth(type),
         error ? std::optional(error.getValueAsDouble()) : std::nullopt, bytes,
         getRecovery(param)});
  }
}

double Report::getBits(double bytes) const {
  return sizes.bodyWeights ? 8.0 * bytes / double(sizes.bodyWeights) : 0.0;
}

void Report::printTable(raw_ostream &os) const {
  constexpr const char *kLine =
      "{0,-24} {1,7} {2,7}  {3,-8} {4,4}  {5,9} {6,11}\n";
  os << formatv(kLine, "matrix", "rows", "columns", "encoding", "bits", "error",
                "bytes");
  for (const Matrix &matrix : matrices) {
    os << formatv(kLine, matrix.name, matrix.rows, matrix.columns,
                  matrix.encoding, matrix.bits,
                  matrix.error ? formatv("{0:e2}", *matrix.error).str() : "-",
                  matrix.bytes);
  }
}

void Report::printSummary(raw_ostream &os) const {
  os << formatv("{0}: {1} parameters; body {2:f3} bits per weight; model {3} "
                "bytes",
                output, sizes.parameters, getBodyBits(), sizes.modelBytes);
  if (sizes.fileBytes) {
    os << "; file " << sizes.fileBytes << " bytes";
  }
  os << "\n";
  if (!recoveries) {
    return;
  }
  os << formatv("recovery: {0} bytes (+{1:f3} bits per weight), ",
                recoveries->bytes, getBits(recoveries->bytes))
     << format("predicted loss %.3g -> %.3g", recoveries->loss,
               recoveries->recovered);
  if (recoveries->bits && recoveries->bitsLoss) {
    os << format("; the same bytes as weight bits (%.3f bits): %.3g",
                 *recoveries->bits, *recoveries->bitsLoss);
  }
  os << "\n";
  // The sums of a model may be those of one matrix.
  if (recoveries->othersLoss &&
      *recoveries->othersLoss < recoveries->loss / 2) {
    os << format("recovery: without %s, which has the most: %.3g -> %.3g; as "
                 "weight bits: %.3g\n",
                 recoveries->largest.c_str(), *recoveries->othersLoss,
                 *recoveries->othersRecovered, *recoveries->othersBitsLoss);
  }
}

void Report::writeJson(raw_ostream &os) const {
  json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("output", json::fixUTF8(output));
    json.attribute("parameters", sizes.parameters);
    json.attribute("body_weights", sizes.bodyWeights);
    json.attribute("body_bytes", sizes.bodyBytes);
    json.attribute("body_bits_per_weight", getBodyBits());
    json.attribute("model_bytes", sizes.modelBytes);
    if (sizes.fileBytes) {
      json.attribute("file_bytes", sizes.fileBytes);
    }
    if (recoveries) {
      json.attributeObject("recovery", [&] {
        json.attribute("bytes", recoveries->bytes);
        json.attribute("loss", recoveries->loss);
        json.attribute("recovered_loss", recoveries->recovered);
        json.attribute("bits", recoveries->bits);
        json.attribute("bits_loss", recoveries->bitsLoss);
        json.attribute("largest", recoveries->largest);
        json.attribute("others_loss", recoveries->othersLoss);
        json.attribute("others_recovered_loss", recoveries->othersRecovered);
        json.attribute("others_bits_loss", recoveries->othersBitsLoss);
      });
    }
    json.attributeArray("matrices", [&] {
      for (const Matrix &matrix : matrices) {
        json.object([&] {
          json.attribute("name", json::fixUTF8(matrix.name));
          json.attribute("rows", matrix.rows);
          json.attribute("columns", matrix.columns);
          json.attribute("encoding", matrix.encoding);
          json.attribute("bits", matrix.bits);
          json.attribute("error", matrix.error);
          json.attribute("bytes", matrix.bytes);
          if (const std::optional<Recovery> &recovery = matrix.recovery) {
            json.attributeObject("recovery", [&] {
              json.attribute("done", recovery->isDone);
              json.attribute("rank", recovery->rank);
              json.attribute("bytes", recovery->bytes);
              json.attribute("error", recovery->error);
              json.attribute("gain", recovery->gain);
              json.attribute("bits_gain", recovery->bitsGain);
            });
          }
        });
      }
    });
  });
  os << "\n";
}

} // namespace umber::compile
