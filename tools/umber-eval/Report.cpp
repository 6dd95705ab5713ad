// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-eval/Report.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace umber::tools {

namespace {

using Json = nlohmann::ordered_json;

void printLine(const char *name, const Estimate &estimate, double factor,
               const char *unit) {
  std::printf("%-22s %.6g ± %.3g%s\n", name, estimate.value * factor,
              estimate.error * factor, unit);
}

void printLine(const char *name, double value) {
  std::printf("%-22s %.6g\n", name, value);
}

void add(Json &json, const std::string &name, const Estimate &estimate) {
  json[name] = estimate.value;
  json[name + "_error"] = estimate.error;
}

/// What a chunk and the whole have in common.
void describe(Json &json, const Scores &scores) {
  json["scored"] = scores.negativeLogs.size();
  add(json, "perplexity", estimatePerplexity(scores.negativeLogs));
  if (!scores.hasReference()) {
    return;
  }
  add(json, "reference_perplexity",
      estimatePerplexity(scores.referenceNegativeLogs));
  add(json, "mean_kl", estimateMean(scores.divergences));
  json["median_kl"] = quantile(scores.divergences, 0.5);
  json["p99_kl"] = quantile(scores.divergences, 0.99);
  json["max_kl"] = quantile(scores.divergences, 1.0);
  add(json, "top1_agreement", scores.agreement());
}

} // namespace

void showProgress(const Scores &scores, size_t done, size_t chunks) {
  if (!::isatty(STDERR_FILENO)) {
    return;
  }
  if (done < chunks) {
    std::fprintf(stderr, "\r\033[K[%zu/%zu] perplexity %.4f", done, chunks,
                 estimatePerplexity(scores.negativeLogs).value);
  } else {
    std::fprintf(stderr, "\r\033[K");
  }
}

void printText(const EvalOptions &options, const Evaluation &evaluation) {
  const Scores &total = evaluation.total;
  std::printf("%zu chunks of %d tokens, %zu positions scored\n",
              evaluation.chunks.size(), options.context,
              total.negativeLogs.size());
  printLine("perplexity", estimatePerplexity(total.negativeLogs), 1, "");
  if (!total.hasReference()) {
    return;
  }
  printLine("reference perplexity",
            estimatePerplexity(total.referenceNegativeLogs), 1, "");
  printLine("mean KL divergence", estimateMean(total.divergences), 1,
            evaluation.isLowerBound ? " (at least)" : "");
  printLine("median KL divergence", quantile(total.divergences, 0.5));
  printLine("99 % KL divergence", quantile(total.divergences, 0.99));
  printLine("maximum KL divergence", quantile(total.divergences, 1.0));
  printLine("same most probable", total.agreement(), 100, " %");
}

void printJson(const EvalOptions &options, const Evaluation &evaluation) {
  Json json = {{"package", options.package},
               {"text", options.text},
               {"context", options.context},
               {"chunks", evaluation.chunks.size()}};
  if (options.reference) {
    json["reference"] = *options.reference;
  }
  if (options.base) {
    json["base"] = *options.base;
  }
  describe(json, evaluation.total);
  if (evaluation.total.hasReference()) {
    json["kl_is_lower_bound"] = evaluation.isLowerBound;
  }
  json["per_chunk"] = Json::array();
  for (const Scores &scores : evaluation.chunks) {
    Json chunk;
    describe(chunk, scores);
    json["per_chunk"].push_back(std::move(chunk));
  }
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

} // namespace umber::tools
