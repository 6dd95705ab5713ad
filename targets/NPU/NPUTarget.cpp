// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/NPUTarget.h"

#include "runtime/drivers/npu/isa/Verifier.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

static int64_t getMaxTokens(func::FuncOp function) {
  auto tokens = function->getAttrOfType<IntegerAttr>("umber.max_tokens");
  return tokens ? tokens.getInt() : 1;
}

FailureOr<CompiledModel> compileModel(ModuleOp module, const Config &config,
                                      int64_t adapterRank) {
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  int64_t most = 1;
  for (func::FuncOp function : functions) {
    most = std::max(most, getMaxTokens(function));
  }
  // Tiles of weights are the same for all functions, so all are compiled anew
  // for fewer rows.
  for (;; most = (most + 1) / 2) {
    auto layout = Layout::create(module, config, most, adapterRank);
    if (failed(layout)) {
      return failure();
    }
    CompiledModel model;
    Status status;
    for (func::FuncOp function : functions) {
      int64_t rows = std::min(most, getMaxTokens(function));
      auto emitted = FunctionEmitter(function, config, *layout, rows).run();
      if (failed(emitted)) {
        return failure();
      }
      if (!emitted->ok()) {
        status = emitted->status();
        break;
      }
      Status legal = verify((**emitted).built.program, config);
      if (!legal.ok()) {
        return function.emitError(config.name) << ": " << legal.message();
      }
      model.functions.push_back(
          {function.getSymName().str(), std::move(**emitted)});
    }
    if (status.ok()) {
      model.layout = std::move(*layout);
      return model;
    }
    if (status.code() != StatusCode::Unsupported || most == 1) {
      return module.emitError(status.message());
    }
  }
}

} // namespace umber::npu
