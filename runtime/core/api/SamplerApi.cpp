// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API's sampler.

#include "runtime/core/api/Boundary.h"
#include "runtime/core/text/Sampler.h"

using namespace umber;
using namespace umber::api;

struct umber_sampler {
  Sampler sampler;
  size_t vocab;
};

umber_status umber_sampler_create(const umber_model *model,
                                  const umber_sampler_options *options,
                                  umber_sampler **sampler, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status =
            requireArguments({{model, "model"}, {sampler, "sampler"}});
        !status.ok()) {
      return status;
    }
    umber_sampler_options values = UMBER_SAMPLER_OPTIONS_INIT;
    if (Status status = readOptions(options, values); !status.ok()) {
      return status;
    }
    SamplerOptions chosen;
    chosen.temperature = values.temperature;
    chosen.topK = values.top_k;
    chosen.topP = values.top_p;
    chosen.minP = values.min_p;
    chosen.repeatPenalty = values.repeat_penalty;
    chosen.repeatLastN = values.repeat_last_n;
    chosen.seed = values.seed;
    Result<Sampler> created = Sampler::create(chosen);
    if (!created.ok()) {
      return created.status();
    }
    *sampler = new umber_sampler{std::move(*created),
                                 static_cast<size_t>(model->model->vocab())};
    return {};
  });
}

void umber_sampler_destroy(umber_sampler *sampler) { delete sampler; }

umber_status umber_sampler_accept(umber_sampler *sampler, int32_t id,
                                  umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments({{sampler, "sampler"}});
        !status.ok()) {
      return status;
    }
    if (id < 0 || static_cast<size_t>(id) >= sampler->vocab) {
      return Status(StatusCode::InvalidArgument,
                    "token " + std::to_string(id) + ": expected an id below " +
                        std::to_string(sampler->vocab));
    }
    sampler->sampler.accept(id);
    return {};
  });
}

umber_status umber_sampler_sample(umber_sampler *sampler, const float *logits,
                                  int32_t *id, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{sampler, "sampler"}, {logits, "logits"}, {id, "id"}});
        !status.ok()) {
      return status;
    }
    Result<int32_t> sampled = sampler->sampler.sample(logits, sampler->vocab);
    if (!sampled.ok()) {
      return sampled.status();
    }
    *id = *sampled;
    return {};
  });
}

int32_t umber_sampler_candidates(const umber_sampler *sampler) {
  return sampler ? static_cast<int32_t>(
                       sampler->sampler.candidatesNeeded(sampler->vocab))
                 : 0;
}

umber_status umber_sampler_sample_candidates(umber_sampler *sampler,
                                             const umber_candidate *candidates,
                                             size_t count, int32_t *id,
                                             umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{sampler, "sampler"}, {candidates, "candidates"}, {id, "id"}});
        !status.ok()) {
      return status;
    }
    size_t needed = sampler->sampler.candidatesNeeded(sampler->vocab);
    if (count < needed) {
      return Status(StatusCode::InvalidArgument,
                    "sampler: expected at least " + std::to_string(needed) +
                        " candidates, found " + std::to_string(count));
    }
    Result<int32_t> sampled =
        sampler->sampler.sampleCandidates(candidates, count);
    if (!sampled.ok()) {
      return sampled.status();
    }
    *id = *sampled;
    return {};
  });
}

void umber_sampler_reset(umber_sampler *sampler) {
  if (sampler) {
    sampler->sampler.reset();
  }
}
