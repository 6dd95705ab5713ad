// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Sample.h"
#include "passes/Compression/Calibration.h"
#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/Passes.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/Statistics.h"
#include "passes/Compression/TokenFile.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

namespace umber {
#define GEN_PASS_DEF_CALIBRATEPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

/// Part of the settings' hash: to be raised when the same settings give others.
constexpr int kVersion = 4;

struct Calibrate : ::umber::impl::CalibratePassBase<Calibrate> {
  using CalibratePassBase::CalibratePassBase;

  void runOnOperation() override {
    if (failed(run())) {
      signalPassFailure();
    }
  }

private:
  using Text = std::vector<int32_t>;

  /// The weights of all products, by name, as they are now.
  struct Weights {
    llvm::StringMap<uint64_t> identities;
    uint64_t all = 0;     ///< of all together
    uint64_t head = 0;    ///< of those that give logits
    bool areKnown = true; ///< statistics of all of them are there
  };

  LogicalResult run();
  LogicalResult fail(llvm::Error error) {
    return getOperation().emitError(llvm::toString(std::move(error)));
  }
  LogicalResult checkOptions();
  FailureOr<Weights> getWeights(const ParameterStore &store,
                                const Statistics &collected,
                                const training::Segment &last);
  bool doesWrite() const { return tokens.empty() || write; }
  /// Sequences of each file, those first that are also run in reverse.
  FailureOr<std::vector<Text>> readTexts(int64_t vocab);
  FailureOr<Text> readText(StringRef path, int64_t vocab);
  /// What the model writes, or has written before with these settings.
  FailureOr<Text> writeText(training::Executor &executor,
                            ArrayRef<training::Segment> segments,
                            Statistics &collected, uint64_t settings);
  /// A hash of what the model writes its text from.
  uint64_t getWriteSettings(const Weights &weights) const;
  /// A hash of all texts.
  uint64_t getSettings(ArrayRef<Text> files, uint64_t writeSettings) const;
  /// All texts as one.
  Text join(ArrayRef<Text> texts) const;
  LogicalResult collect(training::Executor &executor,
                        ArrayRef<training::Segment> segments,
                        ArrayRef<int32_t> ids, const Weights &weights,
                        Statistics &collected);
};

LogicalResult Calibrate::checkOptions() {
  if (sequences < 1 || length < 2) {
    return getOperation().emitError("expected at least 1 sequence of at least "
                                    "2 tokens, found ")
           << sequences.getValue() << " of " << length.getValue();
  }
  // So that no table is for rows of two squares.
  if (coupledRows < 16 || coupledRows % 16 != 0) {
    return getOperation().emitError("expected a multiple of 16 coupled rows, "
                                    "found ")
           << coupledRows.getValue();
  }
  if (statistics.empty()) {
    return getOperation().emitError("expected a folder for statistics");
  }
  auto model = getOperation()->getAttrOfType<ModelAttr>(kModelAttrName);
  if (model && length > model.getContextLength()) {
    length = model.getContextLength();
  }
  return success();
}

FailureOr<Calibrate::Weights>
Calibrate::getWeights(const ParameterStore &store, const Statistics &collected,
                      const training::Segment &last) {
  SymbolTable symbols(getOperation());
  Weights weights;
  auto walked = getOperation().walk([&](LinearOp op) {
    auto param = symbols.lookup<ParamOp>(op.getWeight());
    auto identity = store.getIdentity(param.getKey());
    if (!identity) {
      param.emitOpError(llvm::toString(identity.takeError()));
      return WalkResult::interrupt();
    }
    weights.identities[op.getWeight()] = *identity;
    weights.all = weights.all * 31 + *identity;
    weights.areKnown &= collected.contains(op.getWeight(), *identity);
    return WalkResult::advance();
  });
  if (walked.wasInterrupted()) {
    return failure();
  }
  auto head = last.output.getDefiningOp<LinearOp>();
  if (!head) {
    return last.output.getDefiningOp()->emitOpError(
        "expected logits to come from a product");
  }
  weights.head = weights.identities[head.getWeight()];
  weights.areKnown &= collected.containsTeacher(weights.head);
  return weights;
}

FailureOr<std::vector<Calibrate::Text>> Calibrate::readTexts(int64_t vocab) {
  std::vector<Text> texts;
  for (const std::string &path : tokens) {
    auto text = readText(path, vocab);
    if (failed(text)) {
      return failure();
    }
    texts.push_back(std::move(*text));
  }
  return texts;
}

FailureOr<Calibrate::Text> Calibrate::readText(StringRef path, int64_t vocab) {
  auto ids = readTokenFile(path, vocab);
  if (!ids) {
    return fail(ids.takeError());
  }
  // Whole sequences, from all over the text, as is the part of them that is
  // run in reverse.
  int64_t available = int64_t(ids->size()) / length;
  if (available == 0) {
    return getOperation().emitError("expected a text of at least ")
           << length.getValue() << " tokens to calibrate with, found "
           << ids->size();
  }
  int64_t count = std::min<int64_t>(available, sequences);
  std::vector<int32_t> chosen;
  for (int64_t offset = 0; offset < Calibration::kReverseShare; ++offset) {
    for (int64_t i = offset; i < count; i += Calibration::kReverseShare) {
      auto first = ids->begin() + i * available / count * length;
      chosen.insert(chosen.end(), first, first + length);
    }
  }
  return chosen;
}

FailureOr<Calibrate::Text>
Calibrate::writeText(training::Executor &executor,
                     ArrayRef<training::Segment> segments,
                     Statistics &collected, uint64_t settings) {
  auto kept = collected.getText(settings);
  if (!kept) {
    return fail(kept.takeError());
  }
  if (!kept->empty()) {
    return std::move(*kept);
  }
  auto ids = training::sampleSequences(
      executor, segments,
      {sequences, length, static_cast<uint64_t>(seed.getValue())},
      [&](double done) {
        ProgressAction::report(&getContext(), "sample", done);
      });
  executor.releaseWeights();
  if (succeeded(ids)) {
    if (llvm::Error error = collected.writeText(settings, *ids)) {
      return fail(std::move(error));
    }
  }
  return ids;
}

uint64_t Calibrate::getWriteSettings(const Weights &weights) const {
  return llvm::xxh3_64bits(
      llvm::formatv("version={0} sequences={1} length={2} seed={3} "
                    "weights={4:x}",
                    kVersion, sequences.getValue(), length.getValue(),
                    seed.getValue(), weights.all)
          .str());
}

uint64_t Calibrate::getSettings(ArrayRef<Text> files,
                                uint64_t writeSettings) const {
  std::string all =
      llvm::formatv("length={0} coupled={1} own={2}", length.getValue(),
                    coupledRows.getValue(), writeSettings)
          .str();
  for (const Text &text : files) {
    all.append(reinterpret_cast<const char *>(text.data()),
               text.size() * sizeof(int32_t));
  }
  return llvm::xxh3_64bits(all);
}

Calibrate::Text Calibrate::join(ArrayRef<Text> texts) const {
  Text first, rest;
  for (ArrayRef<int32_t> text : texts) {
    int64_t count = int64_t(text.size()) / length;
    int64_t part = llvm::divideCeil(count, Calibration::kReverseShare) * length;
    llvm::append_range(first, text.take_front(part));
    llvm::append_range(rest, text.drop_front(part));
  }
  llvm::append_range(first, rest);
  return first;
}

LogicalResult Calibrate::collect(training::Executor &executor,
                                 ArrayRef<training::Segment> segments,
                                 ArrayRef<int32_t> ids, const Weights &weights,
                                 Statistics &collected) {
  Calibration calibration(executor, segments, ids, length, statistics,
                          coupledRows);
  auto report = [&](double done) {
    ProgressAction::report(&getContext(), "calibrate", done);
  };
  auto getWritten = [&](llvm::Error error) -> LogicalResult {
    return error ? fail(std::move(error)) : success();
  };
  auto writeInputs = [&](StringRef weight, ArrayRef<float> moments,
                         int64_t width) {
    return getWritten(collected.writeInputMoment(
        weight, weights.identities.lookup(weight), moments, width));
  };
  auto writeOutputs = [&](StringRef weight, ArrayRef<float> moments,
                          int64_t width) {
    return getWritten(collected.writeOutputMoment(
        weight, weights.identities.lookup(weight), moments, width));
  };
  if (failed(calibration.collectInputMoments(writeInputs, report)) ||
      failed(calibration.collectOutputMoments(writeOutputs, report))) {
    return failure();
  }
  llvm::Error error = collected.writeTeacher(weights.head, ids, length,
                                             calibration.getHidden());
  return error ? fail(std::move(error)) : success();
}

LogicalResult Calibrate::run() {
  if (failed(checkOptions())) {
    return failure();
  }
  auto store = openParameterStore(getOperation());
  if (!store) {
    return fail(store.takeError());
  }
  if (!*store) {
    return getOperation().emitError(
        "expected parameters to calibrate, found a model of shapes only");
  }
  auto segments = training::getSegments(getOperation());
  if (failed(segments)) {
    return failure();
  }
  Statistics collected(statistics);
  auto weights = getWeights(**store, collected, segments->back());
  if (failed(weights)) {
    return failure();
  }
  uint64_t found = weights->areKnown ? collected.getSettings() : 0;
  if (reuse && found != 0) {
    return success();
  }
  auto texts = readTexts(
      cast<RankedTensorType>(segments->back().output.getType()).getDimSize(1));
  if (failed(texts)) {
    return failure();
  }
  uint64_t writeSettings = doesWrite() ? getWriteSettings(*weights) : 0;
  uint64_t settings = getSettings(*texts, writeSettings);
  if (found == settings) {
    return success();
  }
  training::Executor executor(getOperation(), **store);
  if (doesWrite()) {
    auto text = writeText(executor, *segments, collected, writeSettings);
    if (failed(text)) {
      return failure();
    }
    texts->push_back(std::move(*text));
  }
  // Until all of them are there, they are of no settings.
  if (collected.getSettings() != 0) {
    if (llvm::Error error = collected.setSettings(0)) {
      return fail(std::move(error));
    }
  }
  if (failed(collect(executor, *segments, join(*texts), *weights, collected))) {
    return failure();
  }
  llvm::Error error = collected.setSettings(settings);
  return error ? fail(std::move(error)) : success();
}

} // namespace
