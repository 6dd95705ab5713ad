// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Sample.h"
#include "dialects/Umber/Training/Loss.h"
#include "llvm/Support/Parallel.h"

using namespace mlir;

namespace umber::training {

FailureOr<std::vector<int32_t>>
sampleSequences(Executor &executor, ArrayRef<Segment> segments,
                const SampleOptions &options,
                llvm::function_ref<void(double)> report) {
  int64_t vocab =
      cast<RankedTensorType>(segments.back().output.getType()).getDimSize(1);
  UniformNumbers numbers(options.seed);
  std::vector<int32_t> ids(options.sequences * options.length);
  std::vector<int32_t> last(options.sequences);
  for (auto [s, id] : llvm::enumerate(last)) {
    id = static_cast<int32_t>(numbers.get(s * options.length) * double(vocab));
    ids[s * options.length] = id;
  }
  KVMemory memory(options.sequences, options.length);
  Batch batch{options.sequences, 1, 0, last};
  for (int64_t t = 0; t + 1 < options.length; ++t) {
    report(double(t) / double(options.length));
    batch.position = t;
    Activations values;
    for (const Segment &segment : segments) {
      if (failed(executor.forward(segment, batch, values, /*keepAll=*/false,
                                  &memory))) {
        return failure();
      }
    }
    std::vector<float> &logits = values[segments.back().output];
    for (float &logit : logits) {
      logit /= options.temperature;
    }
    softmaxRows(logits, vocab);
    llvm::parallelFor(0, options.sequences, [&](size_t s) {
      size_t at = s * options.length + t + 1;
      last[s] = draw(ArrayRef(logits).slice(s * vocab, vocab), numbers.get(at));
      ids[at] = last[s];
    });
  }
  return ids;
}

} // namespace umber::training
