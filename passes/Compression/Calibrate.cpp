// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Sample.h"
#include "passes/Compression/Calibration.h"
#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/Passes.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/TokenFile.h"

namespace umber {
#define GEN_PASS_DEF_CALIBRATEPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

struct Calibrate : ::umber::impl::CalibratePassBase<Calibrate> {
  using CalibratePassBase::CalibratePassBase;

  void runOnOperation() override {
    if (failed(run())) {
      signalPassFailure();
    }
  }

private:
  LogicalResult run();
  FailureOr<func::FuncOp> getStep();
  FailureOr<std::vector<int32_t>>
  getTokens(training::Executor &executor, ArrayRef<training::Segment> segments);
};

/// The function that is given token ids.
FailureOr<func::FuncOp> Calibrate::getStep() {
  func::FuncOp step;
  for (auto function : getOperation().getOps<func::FuncOp>()) {
    if (function.walk([](EmbedOp) { return WalkResult::interrupt(); })
            .wasInterrupted()) {
      if (step) {
        return function.emitOpError("expected one function that embeds tokens, "
                                    "found another one, ")
               << step.getSymNameAttr();
      }
      step = function;
    }
  }
  if (!step) {
    return getOperation().emitError("expected a function that embeds tokens");
  }
  return step;
}

FailureOr<std::vector<int32_t>>
Calibrate::getTokens(training::Executor &executor,
                     ArrayRef<training::Segment> segments) {
  int64_t vocab =
      cast<RankedTensorType>(segments.back().output.getType()).getDimSize(1);
  if (tokens.empty()) {
    return training::sampleSequences(
        executor, segments,
        {sequences, length, static_cast<uint64_t>(seed.getValue())},
        [&](double done) {
          ProgressAction::report(&getContext(), "sample", done);
        });
  }
  auto ids = readTokenFile(tokens, vocab);
  if (!ids) {
    return getOperation().emitError(llvm::toString(ids.takeError()));
  }
  // Whole sequences, from all over the text.
  int64_t available = ids->size() / length;
  if (available == 0) {
    return getOperation().emitError("expected a text of at least ")
           << length.getValue() << " tokens to calibrate with, found "
           << ids->size();
  }
  int64_t count = std::min<int64_t>(available, sequences);
  std::vector<int32_t> chosen;
  for (int64_t i = 0; i < count; ++i) {
    auto first = ids->begin() + i * available / count * length;
    chosen.insert(chosen.end(), first, first + length);
  }
  return chosen;
}

LogicalResult Calibrate::run() {
  if (sequences < 1 || length < 2) {
    return getOperation().emitError("expected at least 1 sequence of at least "
                                    "2 tokens, found ")
           << sequences.getValue() << " of " << length.getValue();
  }
  if (statistics.empty()) {
    return getOperation().emitError("expected a folder for statistics");
  }
  auto model = getOperation()->getAttrOfType<ModelAttr>(kModelAttrName);
  if (model && length > model.getContextLength()) {
    length = model.getContextLength();
  }
  auto store = openParameterStore(getOperation());
  if (!store) {
    return getOperation().emitError(llvm::toString(store.takeError()));
  }
  if (!*store) {
    return getOperation().emitError(
        "expected parameters to calibrate, found a model of shapes only");
  }
  auto step = getStep();
  if (failed(step)) {
    return failure();
  }
  auto segments = training::getSegments(*step);
  if (failed(segments)) {
    return failure();
  }
  Statistics collected(statistics);
  SymbolTable symbols(getOperation());
  llvm::StringMap<uint64_t> identities;
  bool isComplete = true;
  auto walked = getOperation().walk([&](LinearOp op) {
    auto param = symbols.lookup<ParamOp>(op.getWeight());
    auto identity = (*store)->getIdentity(param.getKey());
    if (!identity) {
      param.emitOpError(llvm::toString(identity.takeError()));
      return WalkResult::interrupt();
    }
    identities[op.getWeight()] = *identity;
    isComplete &= collected.contains(op.getWeight(), *identity);
    return WalkResult::advance();
  });
  if (walked.wasInterrupted()) {
    return failure();
  }
  auto headOp = segments->back().output.getDefiningOp<LinearOp>();
  uint64_t head = headOp ? identities[headOp.getWeight()] : 0;
  if (isComplete && collected.containsTeacher(head)) {
    return success();
  }
  training::Executor executor(getOperation(), **store);
  auto ids = getTokens(executor, *segments);
  if (failed(ids)) {
    return failure();
  }
  Calibration calibration(executor, *segments, *ids, length, statistics);
  if (failed(calibration.run(
          [&](StringRef weight, ArrayRef<float> moment,
              ArrayRef<float> rowWeights) -> LogicalResult {
            if (llvm::Error error = collected.write(weight, identities[weight],
                                                    moment, rowWeights)) {
              return getOperation().emitError(llvm::toString(std::move(error)));
            }
            return success();
          },
          [&](double done) {
            ProgressAction::report(&getContext(), "calibrate", done);
          }))) {
    return failure();
  }
  if (llvm::Error error =
          collected.writeTeacher(head, *ids, length, calibration.getHidden())) {
    return getOperation().emitError(llvm::toString(std::move(error)));
  }
  return success();
}

} // namespace
