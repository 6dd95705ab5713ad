// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/CompressionFlags.h"
#include "passes/Compression/Recipe.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace umber::compile {

/// Sequences of 512 tokens.
constexpr int64_t kSequences = 64;

/// With --fast: shorter sequences, as writing one takes a step per token, less
/// to couple, and rounds of refinement.
constexpr int64_t kFastSequences = 16, kFastLength = 64, kFastCoupledRows = 64,
                  kFastRounds = 0;

/// With --fast, there are fewer tokens than features. On SmolLM2, 0.01, 0.1,
/// 0.5 and 1.5 gave divergences of 0.66, 0.44, 0.37 and 0.39.
constexpr double kFastInputDamping = 0.5;

static Error makeError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

CompressionFlags::CompressionFlags(cl::OptionCategory &category)
    : bits("bits",
           cl::desc("bits per weight of the body, all its bytes counted: 1 to "
                    "8, also fractions, 16 (default) or 32"),
           cl::init("16"), cl::cat(category)),
      embeddingBits("embedding-bits",
                    cl::desc("bits per weight of embeddings and head: 4, 8 or "
                             "16 (default: 8 with --bits up to 8, else as "
                             "many as the body's)"),
                    cl::cat(category)),
      activationBits("activation-bits",
                     cl::desc("bits per input of a product: 8 or 32 (default: "
                              "8 with --bits up to 8, else 32)"),
                     cl::cat(category)),
      kvBits(
          "kv-bits",
          cl::desc("bits per element of the key/value cache: 4, 8, 16 or 32 "
                   "(default: what IR has already, or 8 with --bits up to 8, "
                   "else as many as the body's)"),
          cl::cat(category)),
      bitChoices("bit-choices",
                 cl::desc("widths that a matrix may have: of 1, 2, 3, 4, 6, 8 "
                          "and 16 (default: those that suit --bits)"),
                 cl::CommaSeparated, cl::cat(category)),
      recipe("recipe",
             cl::desc("file with a width for every matrix, to use as it is"),
             cl::value_desc("file"), cl::cat(category)),
      statistics("stats",
                 cl::desc("folder for calibration's statistics; those of the "
                          "same model that it has are used again"),
                 cl::value_desc("folder"), cl::cat(category)),
      calibrate("calibrate",
                cl::desc("text to find out with which weights matter: files, "
                         "self (default; the model writes it), each given on "
                         "its own, or none"),
                cl::value_desc("file"), cl::cat(category)),
      tuneSteps("tune-steps",
                cl::desc("steps of fitting all tables together to the "
                         "uncompressed model's output (default: 0)"),
                cl::init(0), cl::cat(category)),
      recoverRank("recover-rank",
                  cl::desc("rank of products that correct palettes, on top of "
                           "--bits, where they gain more than wider codes "
                           "(default: 0, none)"),
                  cl::init(0), cl::cat(category)),
      recoverAll("recover-all",
                 cl::desc("correct every palette, also where wider codes would "
                          "gain more"),
                 cl::cat(category)),
      recoverBits(
          "recover-bits",
          cl::desc("bits per element of corrections: 8 or 16 (default)"),
          cl::cat(category)),
      fast("fast", cl::desc("compress in less time, for more error"),
           cl::cat(category)),
      pipelineOptions(
          "pipeline-options",
          cl::desc("options of the pipelines as umber-opt has them, "
                   "for experiments: 'rotate=false "
                   "refine-rounds=0'; other flags come after them"),
          cl::value_desc("options"), cl::cat(category)) {}

/// Sets `width` to the flag's number, if it is given.
static Error parseWidth(const cl::opt<std::string> &flag,
                        ArrayRef<int64_t> allowed, StringRef expected,
                        PipelineOptions::Option<int64_t> &width) {
  if (flag.getNumOccurrences() == 0) {
    return Error::success();
  }
  int64_t value = 0;
  if (!to_integer(flag.getValue(), value, 10) ||
      !is_contained(allowed, value)) {
    return makeError("--" + flag.ArgStr + ": expected " + expected +
                     ", found '" + flag.getValue() + "'");
  }
  width = value;
  return Error::success();
}

Error CompressionFlags::checkWidths(PipelineOptions &pipeline) const {
  double value = 0;
  bool isNumber = to_float(bits.getValue(), value);
  if (!isNumber ||
      !((value >= 1 && value <= 8) || value == 16 || value == 32)) {
    return makeError("--bits: expected 1 to 8, 16 or 32, found '" +
                     bits.getValue() + "'");
  }
  pipeline.bits = value;
  for (const std::string &text : bitChoices) {
    int64_t choice = 0;
    if (!to_integer(text, choice, 10) || !isStorageWidth(choice)) {
      return makeError("--bit-choices: expected " + kStorageWidths +
                       ", found '" + text + "'");
    }
    pipeline.choices.push_back(choice);
  }
  if (!bitChoices.empty() && value > 8) {
    return makeError(
        "--bit-choices: expected --bits of 1 to 8 with it, found " +
        bits.getValue());
  }
  return parseWidth(embeddingBits, {4, 8, 16}, "4, 8 or 16",
                    pipeline.embeddingBits);
}

Error CompressionFlags::check(PipelineOptions &pipeline) const {
  std::string said;
  raw_string_ostream os(said);
  if (failed(pipeline.parseFromString(pipelineOptions, os))) {
    return makeError("--pipeline-options: " +
                     (said.empty()
                          ? "expected options of the pipelines, found '" +
                                pipelineOptions.getValue() + "'"
                          : StringRef(said).rtrim().str()));
  }
  if (recipe.empty()) {
    if (Error error = checkWidths(pipeline)) {
      return error;
    }
  } else {
    std::initializer_list<const cl::Option *> widths = {
        &bits, std::addressof(bitChoices), &embeddingBits, &recoverRank,
        &recoverAll};
    for (const cl::Option *flag : widths) {
      bool isWidth = flag != &recoverRank && flag != &recoverAll;
      if (flag->getNumOccurrences() != 0) {
        return makeError(
            "--" + flag->ArgStr +
            ": expected it without --recipe, which has the " +
            (isWidth ? "width of every matrix" : "rank of every correction"));
      }
    }
    // What is wrong inside is to be said before the model is read.
    auto read = Recipe::read(recipe);
    if (!read) {
      return read.takeError();
    }
    pipeline.recipe = recipe.getValue();
  }
  if (Error error = parseWidth(activationBits, {8, 32}, "8 or 32",
                               pipeline.activationBits)) {
    return error;
  }
  if (Error error = parseWidth(kvBits, {4, 8, 16, 32}, "4, 8, 16 or 32",
                               pipeline.kvBits)) {
    return error;
  }
  if (Error error = checkRecovery(pipeline)) {
    return error;
  }
  if (fast) {
    pipeline.refineRounds = kFastRounds;
    pipeline.coupledRows = kFastCoupledRows;
    pipeline.inputDamping = kFastInputDamping;
  }
  return checkCalibration(pipeline);
}

Error CompressionFlags::checkRecovery(PipelineOptions &pipeline) const {
  for (const cl::Option *flag : std::initializer_list<const cl::Option *>{
           &recoverRank, &recoverAll, &recoverBits}) {
    if (flag->getNumOccurrences() != 0 && !pipeline.isCompressed()) {
      return makeError("--" + flag->ArgStr +
                       ": expected --bits of 1 to 8 with it, found " +
                       bits.getValue());
    }
  }
  if (recoverRank != 0 && !isCorrectionRank(recoverRank)) {
    return makeError("--recover-rank: expected 0 or " + kCorrectionRanks +
                     ", found " + Twine(recoverRank));
  }
  if (recoverAll && recoverRank == 0) {
    return makeError("--recover-all: expected --recover-rank with it");
  }
  if (recoverBits.getNumOccurrences() != 0 && recoverRank == 0 &&
      recipe.empty()) {
    return makeError("--recover-bits: expected --recover-rank or --recipe with "
                     "it");
  }
  if (Error error =
          parseWidth(recoverBits, {8, 16}, "8 or 16", pipeline.recoverBits)) {
    return error;
  }
  if (recoverRank.getNumOccurrences() != 0) {
    pipeline.recoverRank = recoverRank.getValue();
    pipeline.recoverAll = recoverAll.getValue();
  }
  return Error::success();
}

std::vector<std::string> CompressionFlags::getTexts() const {
  std::vector<std::string> texts;
  llvm::copy_if(calibrate, std::back_inserter(texts), [](StringRef text) {
    return text != "self" && text != "none";
  });
  return texts;
}

Error CompressionFlags::checkCalibration(PipelineOptions &pipeline) const {
  std::initializer_list<const cl::Option *> flags = {
      &statistics, std::addressof(calibrate), &tuneSteps};
  for (const cl::Option *flag : flags) {
    if (flag->getNumOccurrences() != 0 && !pipeline.isCompressed()) {
      return makeError("--" + flag->ArgStr +
                       ": expected --bits of 1 to 8 with it, found " +
                       bits.getValue());
    }
  }
  if (!pipeline.isCompressed()) {
    return Error::success();
  }
  if (tuneSteps < 0) {
    return makeError("--tune-steps: expected 0 or more, found " +
                     Twine(tuneSteps));
  }
  for (const std::string &text : getTexts()) {
    if (!sys::fs::is_regular_file(text)) {
      return makeError("--calibrate: expected self, none or a file, found '" +
                       text + "'");
    }
  }
  bool isNone = llvm::is_contained(calibrate, "none");
  if (isNone && calibrate.size() > 1) {
    return makeError("--calibrate: expected nothing else with none");
  }
  if (!statistics.empty() && sys::fs::exists(statistics) &&
      !sys::fs::is_directory(statistics)) {
    return makeError("--stats: expected a folder, found the file '" +
                     statistics + "'");
  }
  pipeline.statistics = statistics.getValue();
  if (isNone) {
    if (!statistics.empty() || tuneSteps != 0) {
      return makeError(Twine(statistics.empty() ? "--tune-steps" : "--stats") +
                       ": expected it without --calibrate=none, which uses no "
                       "statistics");
    }
    return Error::success();
  }
  pipeline.calibrationSequences = kSequences;
  if (fast) {
    pipeline.calibrationSequences = kFastSequences;
    pipeline.calibrationLength = kFastLength;
  }
  pipeline.writeText = llvm::is_contained(calibrate, "self");
  pipeline.tuneSteps = tuneSteps.getValue();
  pipeline.reuseStatistics =
      !statistics.empty() && calibrate.getNumOccurrences() == 0;
  return Error::success();
}

} // namespace umber::compile
