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

static constexpr llvm::StringLiteral kMaxTokensName = "umber.max_tokens";

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

/// How many tokens a step with `function` may have.
static int64_t tokenLimit(FunctionOpInterface function) {
  auto ids = cast<RankedTensorType>(function.getArgumentTypes()[0]);
  auto limit = function->getAttrOfType<IntegerAttr>(kMaxTokensName);
  if (ids.hasStaticShape()) {
    return ids.getDimSize(0);
  }
  return limit ? limit.getInt() : std::numeric_limits<int32_t>::max();
}

Session::Session(Interpreter &interpreter, FunctionOpInterface prefill,
                 FunctionOpInterface decode)
    : interpreter(&interpreter), prefillFunction(prefill),
      decodeFunction(decode), maxTokens(prefill ? tokenLimit(prefill) : 1),
      cache(KVCache::create(cast<KVCacheType>(
          (prefill ? prefill : decode).getArgumentTypes()[3]))) {}

FailureOr<Session> Session::create(Interpreter &interpreter, ModuleOp module) {
  auto prefill = module.lookupSymbol<FunctionOpInterface>("step");
  if (!prefill) {
    prefill = module.lookupSymbol<FunctionOpInterface>("prefill");
  }
  auto decode = module.lookupSymbol<FunctionOpInterface>("decode");
  if (!prefill && !decode) {
    return module.emitError(
        "expected a function named 'step', 'prefill' or 'decode'");
  }
  for (FunctionOpInterface function : {prefill, decode}) {
    if (function && !isStep(function)) {
      return function.emitOpError("expected (tensor<?xi32>, index, index, "
                                  "!umber.kv_cache[, !umber.adapters]) -> "
                                  "(tensor<?xVxf32>, !umber.kv_cache), found ")
             << function.getFunctionType();
    }
  }
  if (prefill && decode &&
      prefill.getArgumentTypes().drop_front() !=
          decode.getArgumentTypes().drop_front()) {
    return decode.emitOpError("expected arguments as '")
           << prefill.getName() << "' has, (" << prefill.getArgumentTypes()
           << "), found (" << decode.getArgumentTypes() << ")";
  }
  return Session(interpreter, prefill, decode);
}

LogicalResult Session::setAdapters(AdaptersRef newAdapters) {
  FunctionOpInterface function =
      prefillFunction ? prefillFunction : decodeFunction;
  if (function.getNumArguments() < 5) {
    return function.emitOpError("expected an argument for adapters");
  }
  adapters = std::move(newAdapters);
  return success();
}

FailureOr<Tensor> Session::step(ArrayRef<int32_t> ids, int64_t outputs) {
  bool isDecode = decodeFunction && (ids.size() == 1 || !prefillFunction);
  FunctionOpInterface function = isDecode ? decodeFunction : prefillFunction;
  if (ids.empty() || int64_t(ids.size()) > maxTokens) {
    return function.emitOpError("expected 1 to ")
           << maxTokens << " tokens, found " << ids.size();
  }
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
  auto results = interpreter->call(function.getName(), arguments);
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
  chunk = std::clamp<int64_t>(chunk, 1, std::max<int64_t>(1, maxTokens));
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
