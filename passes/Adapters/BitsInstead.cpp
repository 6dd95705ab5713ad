// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/BitsInstead.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "passes/Compression/ModelBody.h"
#include "passes/Compression/Recipe.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

/// As umber-palettize saw it, so that what it has measured is found.
static OwningOpRef<ParamOp> getOriginal(ParamOp param) {
  OwningOpRef<ParamOp> original = cast<ParamOp>(param->clone());
  if (auto key = param->getAttrOfType<StringAttr>(kOriginalAttrName)) {
    original->setSource(key.getValue());
  }
  original->setType(RankedTensorType::get(
      param.getTensorType().getShape(), Float32Type::get(param.getContext())));
  return original;
}

FailureOr<BitsInstead> BitsInstead::measure(ModuleOp module,
                                            ArrayRef<int64_t> widths,
                                            ArrayRef<Candidate> candidates,
                                            MatrixEncoder &encoder) {
  ModelBody parts(module);
  BitsInstead made;
  made.weights = parts.weights;
  std::vector<OwningOpRef<ParamOp>> originals;
  SmallVector<ParamOp> measured;
  std::vector<size_t> indices; // of those measured
  for (ParamOp param : parts.body) {
    made.names.push_back(param.getSymName());
    auto width = llvm::find(widths, getStorageWidth(param.getTensorType()));
    if (param->hasAttr(kAddedAttrName) || width == widths.end()) {
      // It stays as it is, and so does what it costs.
      made.matrices.push_back({{getStoredBytes(param.getTensorType()), 0.0}});
      made.chosen.push_back(0);
      continue;
    }
    indices.push_back(made.matrices.size());
    made.matrices.emplace_back();
    made.chosen.push_back(width - widths.begin());
    measured.push_back(*originals.emplace_back(getOriginal(param)));
  }
  auto errors = encoder.measure(measured, widths, [](ParamOp) {});
  if (failed(errors)) {
    return failure();
  }
  llvm::StringMap<double> known;
  for (const Candidate &candidate : candidates) {
    known[ParamOp(candidate.param).getSymName()] = candidate.before;
  }
  double knownSum = 0, predictedSum = 0;
  for (auto [i, param] : llvm::enumerate(measured)) {
    auto found = known.find(param.getSymName());
    if (found != known.end()) {
      knownSum += found->second;
      predictedSum += (*errors)[i][made.chosen[indices[i]]];
    }
  }
  double usual = predictedSum > 0 ? knownSum / predictedSum : 1;
  for (auto [i, param] : llvm::enumerate(measured)) {
    double now = (*errors)[i][made.chosen[indices[i]]];
    auto found = known.find(param.getSymName());
    double scale =
        found != known.end() && now > 0 ? found->second / now : usual;
    for (auto [width, error] : llvm::zip(widths, (*errors)[i])) {
      made.matrices[indices[i]].push_back(
          {getStoredBytes(MatrixEncoder::getType(param.getTensorType(), width)),
           scale * error});
    }
  }
  return made;
}

int64_t BitsInstead::getBytes() const {
  int64_t bytes = 0;
  for (auto [matrix, choice] : llvm::zip(matrices, chosen)) {
    bytes += matrix[choice].bytes;
  }
  return bytes;
}

double BitsInstead::sumLoss(ArrayRef<size_t> chosen, StringRef without) const {
  double loss = 0;
  for (auto [name, matrix, choice] : llvm::zip(names, matrices, chosen)) {
    loss += name == without ? 0.0 : matrix[choice].error;
  }
  return loss;
}

double BitsInstead::getLoss(int64_t moreBytes, StringRef without) const {
  // There is always an allocation: what is chosen now fits.
  return sumLoss(*allocate(matrices, getBytes() + moreBytes), without);
}

double BitsInstead::getBits(int64_t moreBytes) const {
  return weights == 0 ? 0.0
                      : 8.0 * double(getBytes() + moreBytes) / double(weights);
}

} // namespace umber
