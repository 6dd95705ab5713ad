// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-eval/Evaluate.h"

#include "tools/umber-eval/Base.h"
#include "tools/umber-eval/ScoreFile.h"
#include "tools/umber-eval/Text.h"

#include "tools/common/Handles.h"

#include <algorithm>
#include <cmath>

namespace umber::tools {

namespace {

/// What one piece's logits may take, for each model.
constexpr size_t kPieceBytes = size_t(64) << 20;

/// A model that reads the text, chunk by chunk.
class Reader {
public:
  Reader(const std::string &package, const EvalOptions &options) {
    umber_model_options load = options.device.forThreads(options.threads);
    model = loadModel(package, load);
    info = modelInfo(model.get());
    session = createSession(model.get(), options.context);
  }

  size_t vocab() const { return static_cast<size_t>(info.vocab); }

  /// Forgets the chunk before and takes tokens whose logits nobody wants.
  void start(const int32_t *ids, size_t count) {
    umber_session_reset(session.get());
    check([&](umber_error *error) {
      return umber_prefill(session.get(), ids, count, nullptr, error);
    });
  }

  /// Takes more tokens; returns [count][vocab] logits, valid until the next
  /// call.
  const float *read(const int32_t *ids, size_t count) {
    logits.resize(count * vocab());
    auto keep = [](void *user, size_t firstRow, size_t rows,
                   const float *values) {
      Reader &reader = *static_cast<Reader *>(user);
      std::copy(values, values + rows * reader.vocab(),
                reader.logits.data() + firstRow * reader.vocab());
      return 0;
    };
    check([&](umber_error *error) {
      return umber_prefill_all(session.get(), ids, count, keep, this, error);
    });
    return logits.data();
  }

  Model model;
  umber_model_info info;

private:
  Session session;
  std::vector<float> logits;
};

class Evaluator {
public:
  explicit Evaluator(const EvalOptions &options);
  Evaluation run(const ChunkCallback &progress);

private:
  void useReference();
  void useBase();
  void startBase();
  Scores scoreChunk(size_t chunk);
  void scoreRow(const float *logits, const float *reference, int32_t next,
                Scores &scores);

  const EvalOptions &options;
  Reader reader;
  ChunkedText text;
  std::optional<Reader> reference;
  std::optional<BaseReader> base;
  std::optional<BaseWriter> saved;
  std::optional<ScoreFile> savedScores;
  size_t first;     ///< position in a chunk that is scored first
  size_t scored;    ///< positions scored in a chunk
  uint64_t row = 0; ///< scored positions so far
};

Evaluator::Evaluator(const EvalOptions &options)
    : options(options), reader(options.package, options),
      text(reader.model.get(), options.text,
           static_cast<size_t>(options.context)),
      first(static_cast<size_t>(options.context) / 2),
      // What follows the chunk's last token is in another chunk.
      scored(static_cast<size_t>(options.context) - 1 - first) {
  if (options.chunks) {
    text.limit(static_cast<size_t>(*options.chunks));
  }
  if (options.reference) {
    useReference();
  }
  if (options.base) {
    useBase();
  }
  if (options.saveBase) {
    startBase();
  }
  if (options.saveScores) {
    savedScores.emplace(*options.saveScores, reference || base);
  }
}

void Evaluator::useReference() {
  reference.emplace(*options.reference, options);
  if (reference->vocab() != reader.vocab()) {
    throw ToolError(*options.reference + ": expected a vocabulary of " +
                    std::to_string(reader.vocab()) + " as in " +
                    options.package + ", found " +
                    std::to_string(reference->vocab()));
  }
  ChunkedText other(reference->model.get(), options.text, text.context());
  other.limit(text.chunks());
  if (other.chunks() != text.chunks() || other.hash() != text.hash()) {
    throw ToolError(*options.reference + ": expected the same tokens for " +
                    options.text + " as with " + options.package +
                    ", found others");
  }
}

void Evaluator::useBase() {
  base.emplace(*options.base);
  const BaseHeader &header = base->header();
  auto expect = [&](uint64_t expected, uint64_t found, const char *what) {
    if (expected != found) {
      throw ToolError(*options.base + ": expected " + what + " " +
                      std::to_string(expected) + ", found " +
                      std::to_string(found));
    }
  };
  expect(reader.vocab(), header.vocab, "a vocabulary of");
  expect(text.context(), header.context, "chunks of the -c given,");
  expect(scored, header.scored, "scored positions per chunk:");
  // The base may have been made of fewer chunks than the text has, and it may
  // have more than are wanted now.
  if (!text.hasChunks(header.chunks) ||
      text.hashOfFirst(header.chunks) != header.textHash) {
    throw ToolError(*options.base + ": expected the tokens of " + options.text +
                    ", found those of another text");
  }
  text.limit(header.chunks);
}

void Evaluator::startBase() {
  BaseHeader header = {};
  header.vocab = static_cast<uint32_t>(reader.vocab());
  header.context = static_cast<uint32_t>(text.context());
  header.chunks = static_cast<uint32_t>(text.chunks());
  header.scored = static_cast<uint32_t>(scored);
  header.top = static_cast<uint32_t>(
      std::min(static_cast<size_t>(options.baseTop), reader.vocab()));
  header.textHash = text.hash();
  header.identity = reader.info.identity;
  saved.emplace(*options.saveBase, header);
}

Evaluation Evaluator::run(const ChunkCallback &progress) {
  Evaluation evaluation;
  evaluation.isLowerBound = base.has_value();
  for (size_t chunk = 0; chunk < text.chunks(); ++chunk) {
    evaluation.chunks.push_back(scoreChunk(chunk));
    evaluation.total.append(evaluation.chunks.back());
    if (savedScores) {
      // A token is predicted at the position before its own.
      savedScores->append(evaluation.chunks.back(), first + 1);
    }
    progress(evaluation.total, chunk + 1, text.chunks());
  }
  if (saved) {
    saved->finish();
  }
  if (savedScores) {
    savedScores->finish();
  }
  return evaluation;
}

Scores Evaluator::scoreChunk(size_t chunk) {
  Scores scores;
  const int32_t *ids = text.chunk(chunk);
  reader.start(ids, first);
  if (reference) {
    reference->start(ids, first);
  }
  size_t largest = std::max<size_t>(
      1, std::min<size_t>(static_cast<size_t>(reader.info.max_batch),
                          kPieceBytes / (reader.vocab() * sizeof(float))));
  for (size_t at = first; at < first + scored;) {
    size_t count = std::min(largest, first + scored - at);
    const float *expected =
        reference ? reference->read(ids + at, count) : nullptr;
    const float *logits = reader.read(ids + at, count);
    for (size_t i = 0; i < count; ++i) {
      size_t offset = i * reader.vocab();
      scoreRow(logits + offset, expected ? expected + offset : nullptr,
               ids[at + i + 1], scores);
    }
    at += count;
  }
  return scores;
}

void Evaluator::scoreRow(const float *logits, const float *expected,
                         int32_t next, Scores &scores) {
  size_t vocab = reader.vocab();
  auto logOf = [&](const float *values, const std::string &package) {
    double log = values[next] - logSumExp(values, vocab);
    if (!std::isfinite(log)) {
      throw ToolError(package +
                      ": expected finite logits, found others at "
                      "scored position " +
                      std::to_string(row));
    }
    return log;
  };
  double log = logOf(logits, options.package);
  scores.negativeLogs.push_back(-log);
  if (saved) {
    saved->append(
        {static_cast<float>(log),
         sparsify(logits, vocab, static_cast<size_t>(options.baseTop))});
  }
  std::optional<double> divergence;
  uint32_t best = 0;
  if (expected) {
    scores.referenceNegativeLogs.push_back(
        -logOf(expected, *options.reference));
    divergence = klDivergence(expected, logits, vocab);
    best = mostProbable(expected, vocab);
  } else if (base) {
    BaseRecord record = base->record(row);
    scores.referenceNegativeLogs.push_back(-record.logProbability);
    divergence = klDivergence(record.prediction, logits, vocab);
    best = record.prediction.ids.front();
  }
  if (divergence) {
    scores.divergences.push_back(*divergence);
    scores.agreements.push_back(best == mostProbable(logits, vocab));
  }
  ++row;
}

} // namespace

Estimate Scores::agreement() const {
  auto hits = std::count(agreements.begin(), agreements.end(), true);
  return estimateProportion(static_cast<size_t>(hits), agreements.size());
}

void Scores::append(const Scores &other) {
  auto add = [](auto &to, const auto &from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  add(negativeLogs, other.negativeLogs);
  add(referenceNegativeLogs, other.referenceNegativeLogs);
  add(divergences, other.divergences);
  add(agreements, other.agreements);
}

Evaluation evaluate(const EvalOptions &options, const ChunkCallback &progress) {
  return Evaluator(options).run(progress);
}

} // namespace umber::tools
