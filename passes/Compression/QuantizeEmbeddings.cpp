// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/MatrixEncoder.h"
#include "passes/Compression/ModelBody.h"
#include "passes/Compression/ParameterUsers.h"
#include "passes/Compression/Passes.h"
#include "passes/Compression/ProgressAction.h"
#include "passes/Compression/Recipe.h"

namespace umber {
#define GEN_PASS_DEF_QUANTIZEEMBEDDINGSPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

struct QuantizeEmbeddings
    : ::umber::impl::QuantizeEmbeddingsPassBase<QuantizeEmbeddings> {
  using QuantizeEmbeddingsPassBase::QuantizeEmbeddingsPassBase;

  void runOnOperation() override {
    if (failed(run())) {
      signalPassFailure();
    }
  }

private:
  LogicalResult run();
};

LogicalResult QuantizeEmbeddings::run() {
  if (bits != 4 && bits != 8 && bits != 16) {
    return getOperation().emitError("expected 4, 8 or 16 bits, found ")
           << bits.getValue();
  }
  if (failed(MatrixEncoder::checkOptions(getOperation(), refineRounds,
                                         {inputDamping, outputDamping}))) {
    return failure();
  }
  Recipe widths;
  if (!recipe.empty()) {
    auto read = Recipe::read(recipe);
    if (!read) {
      return getOperation().emitError(llvm::toString(read.takeError()));
    }
    widths = std::move(*read);
  }
  auto parameters = DerivedParameters::open(getOperation(), derived);
  if (failed(parameters)) {
    return failure();
  }
  Statistics collected(statistics, {inputDamping, outputDamping}), nothing("");
  // Calibration knows products; a table that is only looked up has no inputs.
  MatrixEncoder encoder(*parameters, collected, refineRounds);
  MatrixEncoder lookupEncoder(*parameters, nothing, refineRounds);
  ParameterUsers users(getOperation());
  ModelBody parts(getOperation());
  for (auto [i, param] : llvm::enumerate(parts.embeddings)) {
    bool isProduct =
        llvm::any_of(users.get(param.getSymName()), llvm::IsaPred<LinearOp>);
    FailureOr<int64_t> width =
        recipe.empty() ? FailureOr<int64_t>(bits) : widths.get(param);
    ProgressAction::report(&getContext(), "embeddings",
                           double(i) / parts.embeddings.size());
    if (failed(width) || failed((isProduct ? encoder : lookupEncoder)
                                    .encode(param, *width, [](ParamOp) {}))) {
      return failure();
    }
  }
  return success();
}

} // namespace
