// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/BitsInstead.h"
#include "passes/Adapters/Passes.h"
#include "passes/Adapters/Sites.h"
#include "passes/Compression/BodyChoices.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/Recipe.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

namespace umber {
#define GEN_PASS_DEF_RECOVERPASS
#include "passes/Adapters/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

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
  FailureOr<std::vector<Candidate>> findCandidates();
  /// What the recipe says, matrix by matrix.
  FailureOr<std::vector<Candidate>> readRecipe();
  /// What their bytes would buy as wider codes.
  FailureOr<BitsInstead> measureBits(ArrayRef<Candidate> candidates,
                                     MatrixEncoder &encoder);
  void add(const Candidate &candidate, DerivedParameters &parameters);
  void describe(const Candidate &candidate, std::optional<double> gainOfBits,
                bool isChosen);
  void summarize(ArrayRef<Candidate> candidates,
                 const std::optional<BitsInstead> &bits);
};

LogicalResult Recover::checkOptions() {
  if (!isCorrectionRank(rank)) {
    return getOperation().emitError("expected ")
           << kCorrectionRanks << ", found " << rank.getValue();
  }
  if (factorBits != 8 && factorBits != 16) {
    return getOperation().emitError("expected factors of 8 or 16 bits, found ")
           << factorBits.getValue();
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

FailureOr<std::vector<Candidate>> Recover::findCandidates() {
  auto step = getOperation().lookupSymbol<func::FuncOp>("step");
  SmallVector<LinearOp> products;
  if (step && !step.isExternal()) {
    products = findSites(step);
  }
  llvm::StringSet<> sites;
  for (LinearOp linear : products) {
    sites.insert(linear.getWeight());
  }
  std::vector<Candidate> candidates;
  for (auto param : getOperation().getOps<ParamOp>()) {
    if (param.getRecoverAttr()) {
      return param.emitOpError("expected no correction yet, found one");
    }
    if (Candidate::isPossible(param) && sites.contains(param.getSymName())) {
      candidates.emplace_back(param, rank, factorBits);
    }
  }
  return candidates;
}

FailureOr<std::vector<Candidate>> Recover::readRecipe() {
  auto read = Recipe::read(recipe);
  if (!read) {
    return getOperation().emitError(llvm::toString(read.takeError()));
  }
  auto candidates = findCandidates();
  if (failed(candidates) ||
      failed(read->checkNames(getOperation(), ModelBody(getOperation())))) {
    return failure();
  }
  std::vector<Candidate> named;
  for (Candidate &candidate : *candidates) {
    auto found = read->ranks.find(candidate.param.getSymName());
    if (found != read->ranks.end()) {
      named.emplace_back(candidate.param, found->second, factorBits);
      read->ranks.erase(found);
    }
  }
  for (auto param : getOperation().getOps<ParamOp>()) {
    if (read->ranks.contains(param.getSymName())) {
      return param.emitOpError("expected the palette of a layer's product to "
                               "recover, as the recipe says, found ")
             << param.getTensorType();
    }
  }
  return named;
}

FailureOr<BitsInstead> Recover::measureBits(ArrayRef<Candidate> candidates,
                                            MatrixEncoder &encoder) {
  SmallVector<int64_t> widths =
      getBudgetWidths(ModelBody(getOperation()), bits, choices);
  return BitsInstead::measure(getOperation(), widths, candidates, encoder);
}

void Recover::add(const Candidate &candidate, DerivedParameters &parameters) {
  ParamOp param = candidate.param;
  std::string name = param.getSymName().str();
  ParamOp a = parameters.add(getOperation(), name + ".recover_a",
                             candidate.typeA, candidate.keyA);
  ParamOp b = parameters.add(getOperation(), name + ".recover_b",
                             candidate.typeB, candidate.keyB);
  param.setRecoverAttr(LowRankAttr::get(
      &getContext(), FlatSymbolRefAttr::get(a.getSymNameAttr()),
      FlatSymbolRefAttr::get(b.getSymNameAttr())));
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

static bool hasLessLoss(const Candidate &a, const Candidate &b) {
  return a.before < b.before;
}

void Recover::summarize(ArrayRef<Candidate> candidates,
                        const std::optional<BitsInstead> &instead) {
  int64_t bytes = 0;
  double loss = 0, left = 0;
  for (const Candidate &candidate : candidates) {
    bool isDone = ParamOp(candidate.param).getRecoverAttr() != nullptr;
    bytes += isDone ? candidate.getBytes() : 0;
    loss += candidate.before;
    left += isDone ? candidate.after : candidate.before;
  }
  if (bytes == 0) {
    return;
  }
  // What is not a candidate costs as much with corrections as without.
  double others = instead ? instead->getLoss() - loss : 0;
  Builder builder(&getContext());
  SmallVector<NamedAttribute> said = {
      builder.getNamedAttr("bytes", builder.getI64IntegerAttr(bytes)),
      builder.getNamedAttr("loss", builder.getF64FloatAttr(loss + others)),
      builder.getNamedAttr("recovered",
                           builder.getF64FloatAttr(left + others))};
  if (instead) {
    said.push_back(builder.getNamedAttr(
        "bits", builder.getF64FloatAttr(instead->getBits(bytes))));
    said.push_back(builder.getNamedAttr(
        "bits_loss", builder.getF64FloatAttr(instead->getLoss(bytes))));
    // Where one matrix has most of the loss, the sums tell of it alone.
    const Candidate &most = *llvm::max_element(candidates, hasLessLoss);
    bool isDone = ParamOp(most.param).getRecoverAttr() != nullptr;
    StringRef name = ParamOp(most.param).getSymName();
    said.push_back(
        builder.getNamedAttr("largest", builder.getStringAttr(name)));
    auto add = [&](StringRef key, double value) {
      said.push_back(builder.getNamedAttr(key, builder.getF64FloatAttr(value)));
    };
    add("others_loss", loss + others - most.before);
    add("others_recovered",
        left + others - (isDone ? most.after : most.before));
    add("others_bits_loss", instead->getLoss(bytes, name));
  }
  getOperation()->setAttr(kRecoveryAttrName, builder.getDictionaryAttr(said));
}

LogicalResult Recover::run() {
  if (failed(checkOptions())) {
    return failure();
  }
  auto candidates = recipe.empty() ? findCandidates() : readRecipe();
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
  std::optional<BitsInstead> instead;
  std::optional<double> gainOfBits;
  if (recipe.empty()) {
    MatrixEncoder encoder(*parameters, collected, refineRounds);
    auto measured = measureBits(*candidates, encoder);
    if (failed(measured)) {
      return failure();
    }
    instead = std::move(*measured);
    gainOfBits = instead->getGain();
  }
  bool isAny = false;
  for (const Candidate &candidate : *candidates) {
    bool isChosen =
        !recipe.empty() || (candidate.after < candidate.before &&
                            (all || candidate.getGain() >= *gainOfBits));
    describe(candidate, gainOfBits, isChosen);
    if (isChosen) {
      add(candidate, *parameters);
      isAny = true;
    }
  }
  summarize(*candidates, instead);
  // Sites are where corrections act.
  return isAny ? attachAdapters(getOperation()) : success();
}

} // namespace
