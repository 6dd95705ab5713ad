// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/BodyChoices.h"
#include "passes/Compression/MatrixEncoder.h"
#include "passes/Compression/Passes.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/Recipe.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

namespace umber {
#define GEN_PASS_DEF_PALETTIZEPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

/// What encoding takes grows with the elements, and for each of them with the
/// columns that its error is fed back to.
double getWork(ArrayRef<ParamOp> params) {
  double work = 0;
  for (ParamOp param : params) {
    RankedTensorType type = param.getTensorType();
    work += double(type.getNumElements()) * double(type.getDimSize(1));
  }
  return work;
}

struct Palettize : ::umber::impl::PalettizePassBase<Palettize> {
  using PalettizePassBase::PalettizePassBase;

  void runOnOperation() override {
    if (failed(run())) {
      signalPassFailure();
    }
  }

private:
  LogicalResult run();
  LogicalResult checkOptions();
  /// A width for each matrix of the body.
  FailureOr<std::vector<int64_t>> readRecipe(const ModelBody &parts);
  FailureOr<std::vector<int64_t>> chooseWidths(const ModelBody &parts,
                                               MatrixEncoder &encoder);
  /// `least`: bytes that the body takes at the least.
  LogicalResult failBudget(const ModelBody &parts, int64_t least);
  /// What adds up how much of `what` is done.
  auto getReport(StringRef what, const ModelBody &parts) {
    return [context = &getContext(), what, all = getWork(parts.body),
            done = 0.0](ParamOp param) mutable {
      done += getWork(param);
      ProgressAction::report(context, what, done / all);
    };
  }
};

/// As a person would write it.
std::string print(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  return text;
}

LogicalResult Palettize::checkOptions() {
  if (!(bits >= 1 && bits <= 16)) {
    return getOperation().emitError("expected 1 to 16 bits per weight, found ")
           << print(bits);
  }
  for (int64_t choice : choices) {
    if (!isStorageWidth(choice)) {
      return getOperation().emitError("expected choices among ")
             << kStorageWidths << ", found " << choice;
    }
  }
  return MatrixEncoder::checkOptions(getOperation(), refineRounds,
                                     {inputDamping, outputDamping});
}

FailureOr<std::vector<int64_t>> Palettize::readRecipe(const ModelBody &parts) {
  auto read = Recipe::read(recipe);
  if (!read) {
    return getOperation().emitError(llvm::toString(read.takeError()));
  }
  if (failed(read->checkNames(getOperation(), parts))) {
    return failure();
  }
  std::vector<int64_t> widths;
  for (ParamOp param : parts.body) {
    auto width = read->get(param);
    if (failed(width)) {
      return failure();
    }
    widths.push_back(*width);
  }
  return widths;
}

LogicalResult Palettize::failBudget(const ModelBody &parts, int64_t least) {
  return getOperation().emitError()
         << llvm::formatv(
                "expected at least {0:f3} bits per weight, which these widths "
                "take with tables, scales and padding ({1} bytes), found {2}",
                std::ceil(8e3 * double(least) / double(parts.weights)) / 1e3,
                least, print(bits))
                .str();
}

FailureOr<std::vector<int64_t>>
Palettize::chooseWidths(const ModelBody &parts, MatrixEncoder &encoder) {
  int64_t budget = int64_t(bits * double(parts.weights) / 8);
  SmallVector<int64_t> widths = getBudgetWidths(parts, bits, choices);
  std::vector<std::vector<StorageChoice>> matrices = getChoices(parts, widths);
  if (getLeastBytes(matrices) > budget) {
    return failBudget(parts, getLeastBytes(matrices));
  }
  if (!getOperation()->hasAttr(kParametersAttrName)) {
    std::vector<size_t> evenly = *spreadEvenly(matrices, budget);
    std::vector<int64_t> spread;
    for (size_t index : evenly) {
      spread.push_back(widths[index]);
    }
    return spread;
  }
  auto errors =
      encoder.measure(parts.body, widths, getReport("measure", parts));
  if (failed(errors)) {
    return failure();
  }
  Builder builder(&getContext());
  for (auto [param, matrix, byWidth] :
       llvm::zip(parts.body, matrices, *errors)) {
    NamedAttrList losses;
    for (auto [choice, width, error] : llvm::zip(matrix, widths, byWidth)) {
      choice.error = error;
      losses.append(std::to_string(width), builder.getF64FloatAttr(error));
    }
    param->setAttr(kWidthLossesAttrName, losses.getDictionary(&getContext()));
  }
  std::vector<size_t> indices = *allocate(matrices, budget);
  std::vector<int64_t> chosen;
  for (size_t index : indices) {
    chosen.push_back(widths[index]);
  }
  return chosen;
}

LogicalResult Palettize::run() {
  if (failed(checkOptions())) {
    return failure();
  }
  ModelBody parts(getOperation());
  for (ParamOp param : parts.body) {
    if (param.getTensorType().getEncoding() || param.getValue()) {
      return param.emitOpError(
          "expected plain weights from a file to compress");
    }
  }
  auto parameters = DerivedParameters::open(getOperation(), derived);
  if (failed(parameters)) {
    return failure();
  }
  Statistics collected(statistics, {inputDamping, outputDamping});
  MatrixEncoder encoder(*parameters, collected, refineRounds);
  auto widths =
      recipe.empty() ? chooseWidths(parts, encoder) : readRecipe(parts);
  if (failed(widths)) {
    return failure();
  }
  return encoder.encode(parts.body, *widths, getReport("palettize", parts));
}

} // namespace
