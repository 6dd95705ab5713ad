// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/Session.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using mlir::umber::AdaptersType;
using mlir::umber::KVCacheType;

namespace umber::interp {

static constexpr llvm::StringLiteral kStepName = "step";

static bool isStep(FunctionOpInterface function) {
  ArrayRef<Type> arguments = function.getArgumentTypes();
  ArrayRef<Type> results = function.getResultTypes();
  if (arguments.size() < 4 || arguments.size() > 5 || results.size() != 2) {
    return false;
  }
  auto ids = dyn_cast<RankedTensorType>(arguments[0]);
  auto logits = dyn_cast<RankedTensorType>(results[0]);
  return ids && ids.getRank() == 1 && ids.getElementType().isInteger(32) &&
         arguments[1].isIndex() && arguments[2].isIndex() &&
         isa<KVCacheType>(arguments[3]) &&
         (arguments.size() == 4 || isa<AdaptersType>(arguments[4])) && logits &&
         logits.getRank() == 2 && logits.getElementType().isF32() &&
         results[1] == arguments[3];
}

FailureOr<Session> Session::create(Interpreter &interpreter, ModuleOp module) {
  auto function = module.lookupSymbol<FunctionOpInterface>(kStepName);
  if (!function) {
    return module.emitError("expected a function named '") << kStepName << "'";
  }
  if (!isStep(function)) {
    return function.emitOpError(
               "expected (tensor<?xi32>, index, index, !umber.kv_cache[, "
               "!umber.adapters]) -> (tensor<?xVxf32>, !umber.kv_cache), "
               "found ")
           << function.getFunctionType();
  }
  auto cache = cast<KVCacheType>(function.getArgumentTypes()[3]);
  Session session(interpreter, function, KVCache::create(cache));
  session.adapters = std::make_shared<Adapters>();
  return session;
}

LogicalResult Session::setAdapters(AdaptersRef newAdapters) {
  if (function.getNumArguments() < 5) {
    return function.emitOpError("expected an argument for adapters");
  }
  adapters = std::move(newAdapters);
  return success();
}

FailureOr<Tensor> Session::step(ArrayRef<int32_t> ids, int64_t outputs) {
  auto model =
      function->getParentOfType<ModuleOp>()
          ->getAttrOfType<mlir::umber::ModelAttr>(mlir::umber::kModelAttrName);
  int64_t end = length + int64_t(ids.size());
  if (model && end > model.getContextLength()) {
    return function.emitOpError("expected at most ")
           << model.getContextLength() << " tokens, the model's context, found "
           << end;
  }
  OpBuilder builder(function.getContext());
  SmallVector<Value> arguments = {
      Tensor::ofIntegers(builder.getI32Type(), int64_t(ids.size()),
                         std::vector<int64_t>(ids.begin(), ids.end())),
      Tensor::ofInteger(builder.getIndexType(), length),
      Tensor::ofInteger(builder.getIndexType(), outputs), cache};
  if (function.getNumArguments() > 4) {
    arguments.push_back(adapters);
  }
  auto results = interpreter->call(kStepName, arguments);
  if (failed(results)) {
    return failure();
  }
  Tensor logits = *results->front().getTensor();
  if (logits.getDim(0) != outputs) {
    return function.emitOpError("expected ")
           << outputs << " rows of logits, found " << logits.describe();
  }
  cache = *results->back().getCache();
  length = end;
  return logits;
}

FailureOr<Tensor> Session::prefill(ArrayRef<int32_t> ids, int64_t chunk) {
  if (ids.empty() || chunk < 1) {
    return function.emitOpError("expected a prompt of at least one token");
  }
  while (int64_t(ids.size()) > chunk) {
    if (failed(step(ids.take_front(chunk), /*outputs=*/0))) {
      return failure();
    }
    ids = ids.drop_front(chunk);
  }
  return step(ids, /*outputs=*/1);
}

FailureOr<GreedyToken> chooseGreedily(ArrayRef<float> logits, Location loc) {
  if (logits.size() < 2) {
    return emitError(loc, "expected at least two logits, found ")
           << logits.size();
  }
  for (auto [id, logit] : llvm::enumerate(logits)) {
    if (std::isnan(logit)) {
      return emitError(loc, "expected logits that are numbers, found NaN for "
                            "token ")
             << id;
    }
  }
  const float *best = llvm::max_element(logits);
  float second = -std::numeric_limits<float>::infinity();
  for (const float &logit : logits) {
    if (&logit != best) {
      second = std::max(second, logit);
    }
  }
  return GreedyToken{static_cast<int32_t>(best - logits.data()),
                     *best - second};
}

} // namespace umber::interp
