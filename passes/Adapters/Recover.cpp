// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/StoredSize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/Adapters/Candidate.h"
#include "passes/Adapters/Passes.h"
#include "passes/Compression/BodyChoices.h"
#include "passes/Compression/MatrixEncoder.h"
#include "passes/Compression/ParameterUsers.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/Recipe.h"
#include "llvm/Support/FormatVariadic.h"

namespace umber {
#define GEN_PASS_DEF_RECOVERPASS
#include "passes/Adapters/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

/// Adds B (A x) to every product W x: this is how a correction takes part in
/// what is computed.
void addProducts(ArrayRef<Operation *> users, ParamOp a, ParamOp b) {
  for (Operation *user : users) {
    auto linear = dyn_cast<LinearOp>(user);
    if (!linear) {
      continue;
    }
    OpBuilder builder(linear->getContext());
    builder.setInsertionPointAfter(linear);
    auto multiply = [&](Value x, ParamOp weight) -> Value {
      RankedTensorType type = linear.getType();
      return LinearOp::create(
          builder, linear.getLoc(),
          RankedTensorType::get(
              {type.getDimSize(0), weight.getTensorType().getDimSize(0)},
              type.getElementType()),
          x, FlatSymbolRefAttr::get(weight.getSymNameAttr()),
          FlatSymbolRefAttr());
    };
    Value correction = multiply(multiply(linear.getX(), a), b);
    auto sum = arith::AddFOp::create(builder, linear.getLoc(),
                                     linear.getResult(), correction);
    linear.getResult().replaceAllUsesExcept(sum, sum);
  }
}

struct Recover : ::umber::impl::RecoverPassBase<Recover> {
  using RecoverPassBase::RecoverPassBase;

  void runOnOperation() override {
    if (failed(run())) {
      signalPassFailure();
    }
  }

private:
  LogicalResult run();
  LogicalResult checkOptions();
  FailureOr<std::vector<Candidate>> findCandidates(const ParameterUsers &users);
  /// What the recipe says, matrix by matrix.
  FailureOr<std::vector<Candidate>> readRecipe(const ParameterUsers &users);
  /// The decrease of the predicted loss per byte that wider codes would buy.
  FailureOr<double> getGainOfBits(ArrayRef<Candidate> candidates,
                                  MatrixEncoder &encoder);
  void add(const Candidate &candidate, DerivedParameters &parameters,
           const ParameterUsers &users);
  void describe(const Candidate &candidate, std::optional<double> gainOfBits,
                bool isChosen);
};

LogicalResult Recover::checkOptions() {
  if (!isCorrectionRank(rank)) {
    return getOperation().emitError("expected ")
           << kCorrectionRanks << ", found " << rank.getValue();
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

FailureOr<std::vector<Candidate>>
Recover::findCandidates(const ParameterUsers &users) {
  std::vector<Candidate> candidates;
  for (auto param : getOperation().getOps<ParamOp>()) {
    if (param.getRecoverAttr()) {
      return param.emitOpError("expected no correction yet, found one");
    }
    if (Candidate::isPossible(param) &&
        llvm::any_of(users.get(param.getSymName()), llvm::IsaPred<LinearOp>)) {
      candidates.emplace_back(param, rank);
    }
  }
  return candidates;
}

FailureOr<std::vector<Candidate>>
Recover::readRecipe(const ParameterUsers &users) {
  auto read = Recipe::read(recipe);
  if (!read) {
    return getOperation().emitError(llvm::toString(read.takeError()));
  }
  auto candidates = findCandidates(users);
  if (failed(candidates) ||
      failed(read->checkNames(getOperation(), ModelBody(getOperation())))) {
    return failure();
  }
  std::vector<Candidate> named;
  for (Candidate &candidate : *candidates) {
    auto found = read->ranks.find(candidate.param.getSymName());
    if (found != read->ranks.end()) {
      named.emplace_back(candidate.param, found->second);
      read->ranks.erase(found);
    }
  }
  for (auto param : getOperation().getOps<ParamOp>()) {
    if (read->ranks.contains(param.getSymName())) {
      return param.emitOpError("expected the palette of a product to recover, "
                               "as the recipe says, found ")
             << param.getTensorType();
    }
  }
  return named;
}

FailureOr<double> Recover::getGainOfBits(ArrayRef<Candidate> candidates,
                                         MatrixEncoder &encoder) {
  ModelBody parts(getOperation());
  SmallVector<int64_t> widths = getBudgetWidths(parts, bits, choices);
  // Others have next to no error left, or no width to be compared with.
  std::vector<OwningOpRef<ParamOp>> originals;
  SmallVector<ParamOp> params;
  std::vector<size_t> chosen;
  std::vector<double> losses;
  for (Candidate candidate : candidates) {
    ParamOp param = candidate.param;
    int64_t width = getStorageWidth(param.getTensorType());
    if (!llvm::is_contained(parts.body, param) ||
        !llvm::is_contained(widths, width)) {
      continue;
    }
    // As umber-palettize saw it, so that what it has measured is found.
    ParamOp original = cast<ParamOp>(param->clone());
    originals.emplace_back(original);
    original.setSource(candidate.getOriginal());
    original.setType(RankedTensorType::get(param.getTensorType().getShape(),
                                           Float32Type::get(&getContext())));
    params.push_back(original);
    chosen.push_back(llvm::find(widths, width) - widths.begin());
    losses.push_back(candidate.before);
  }
  auto errors = encoder.measure(params, widths, [](ParamOp) {});
  if (failed(errors)) {
    return failure();
  }
  std::vector<std::vector<StorageChoice>> matrices;
  for (auto [i, param] : llvm::enumerate(params)) {
    std::vector<StorageChoice> &matrix = matrices.emplace_back();
    double now = (*errors)[i][chosen[i]];
    for (auto [width, error] : llvm::zip(widths, (*errors)[i])) {
      // Predictions are right in proportion, and what the matrix costs as it
      // is now is known.
      matrix.push_back(
          {getStoredBytes(MatrixEncoder::getType(param.getTensorType(), width)),
           now > 0 ? losses[i] * error / now : 0.0});
    }
  }
  return getMarginalGain(matrices, chosen);
}

void Recover::add(const Candidate &candidate, DerivedParameters &parameters,
                  const ParameterUsers &users) {
  ParamOp param = candidate.param;
  std::string name = param.getSymName().str();
  ParamOp a = parameters.add(getOperation(), name + ".recover_a",
                             candidate.typeA, candidate.keyA);
  ParamOp b = parameters.add(getOperation(), name + ".recover_b",
                             candidate.typeB, candidate.keyB);
  param.setRecoverAttr(LowRankAttr::get(
      &getContext(), FlatSymbolRefAttr::get(a.getSymNameAttr()),
      FlatSymbolRefAttr::get(b.getSymNameAttr())));
  if (apply) {
    addProducts(users.get(name), a, b);
  }
}

void Recover::describe(const Candidate &candidate,
                       std::optional<double> gainOfBits, bool isChosen) {
  ParamOp param = candidate.param;
  auto error = param->getAttrOfType<FloatAttr>(kErrorAttrName);
  double left = candidate.before > 0 ? candidate.after / candidate.before : 0;
  Builder builder(&getContext());
  SmallVector<NamedAttribute> said = {
      builder.getNamedAttr("rank", builder.getI64IntegerAttr(candidate.rank)),
      builder.getNamedAttr("bytes",
                           builder.getI64IntegerAttr(candidate.getBytes())),
      builder.getNamedAttr("gain",
                           builder.getF64FloatAttr(candidate.getGain()))};
  if (error) {
    said.push_back(builder.getNamedAttr(
        "error", builder.getF64FloatAttr(error.getValueAsDouble() * left)));
  }
  std::string compared;
  if (gainOfBits) {
    said.push_back(builder.getNamedAttr("bits_gain",
                                        builder.getF64FloatAttr(*gainOfBits)));
    compared = llvm::formatv(", wider codes {0:e2}", *gainOfBits).str();
  }
  param->setAttr(kRecoveryAttrName, builder.getDictionaryAttr(said));
  param.emitRemark(
      llvm::formatv("{0}: a correction of rank {1} takes {2} bytes and {3:f1} "
                    "% off the predicted loss of {4:e2}; per byte it gains "
                    "{5:e2}{6}",
                    isChosen ? "recovered" : "left as it is", candidate.rank,
                    candidate.getBytes(), 100 * (1 - left), candidate.before,
                    candidate.getGain(), compared)
          .str());
}

LogicalResult Recover::run() {
  if (failed(checkOptions())) {
    return failure();
  }
  ParameterUsers users(getOperation());
  auto candidates = recipe.empty() ? findCandidates(users) : readRecipe(users);
  if (failed(candidates)) {
    return failure();
  }
  if (candidates->empty()) {
    return success();
  }
  auto parameters = DerivedParameters::open(getOperation(), derived);
  if (failed(parameters)) {
    return failure();
  }
  Statistics collected(statistics, {inputDamping, outputDamping});
  SmallVector<ParamOp> params = llvm::map_to_vector(
      *candidates, [](const Candidate &each) { return each.param; });
  double done = 0;
  auto report = [&](ParamOp) {
    ProgressAction::report(&getContext(), "recover", ++done / params.size());
  };
  if (failed(forEachParam(params, report, [&](size_t i) {
        return (*candidates)[i].find(*parameters, collected);
      }))) {
    return failure();
  }
  std::optional<double> gainOfBits;
  if (recipe.empty()) {
    MatrixEncoder encoder(*parameters, collected, refineRounds);
    auto gain = getGainOfBits(*candidates, encoder);
    if (failed(gain)) {
      return failure();
    }
    gainOfBits = *gain;
  }
  for (const Candidate &candidate : *candidates) {
    bool isChosen =
        !recipe.empty() || (candidate.after < candidate.before &&
                            (all || candidate.getGain() >= *gainOfBits));
    describe(candidate, gainOfBits, isChosen);
    if (isChosen) {
      add(candidate, *parameters, users);
    }
  }
  return success();
}

} // namespace
