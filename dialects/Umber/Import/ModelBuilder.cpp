// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Import/ModelBuilder.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

namespace {

class ModelBuilder {
public:
  ModelBuilder(MLIRContext *context, const Architecture &architecture,
               const ModelConfig &config, bool hasWeights,
               llvm::function_ref<bool(StringRef)> hasTensor)
      : b(context), architecture(architecture), config(config),
        hasWeights(hasWeights), hasTensor(hasTensor), f32(b.getF32Type()) {}

  OwningOpRef<ModuleOp> build();

private:
  Location named(const Twine &name) {
    return NameLoc::get(b.getStringAttr(name));
  }
  RankedTensorType rows(int64_t columns) {
    return RankedTensorType::get({ShapedType::kDynamic, columns}, f32);
  }
  FlatSymbolRefAttr ref(const Twine &symbol) {
    return FlatSymbolRefAttr::get(b.getContext(), symbol.str());
  }
  /// A reference to an optional parameter, null if the model has none.
  FlatSymbolRefAttr optionalRef(const Twine &symbol) {
    return symbols.contains(symbol.str()) ? ref(symbol) : FlatSymbolRefAttr();
  }
  FloatAttr f32Attr(double value) { return b.getF32FloatAttr(value); }

  void declareParams(const std::vector<ParamSpec> &specs, const Twine &prefix,
                     const Twine &tensorPrefix);
  void buildStep();
  void buildLayer(int64_t layer);
  Value norm(Location loc, Value x, const Twine &weight, int64_t heads = 1);
  Value linear(Location loc, Value x, const Twine &weight, int64_t outputs);
  Value rotary(Location loc, Value x, int64_t heads);
  Value buildHead(Value outputs);

  OpBuilder b;
  const Architecture &architecture;
  const ModelConfig &config;
  bool hasWeights;
  llvm::function_ref<bool(StringRef)> hasTensor;
  Type f32;
  llvm::StringSet<> symbols;
  Value x, position, cache;
};

/// A symbol from a name of any characters.
std::string makeSymbol(StringRef name) {
  std::string symbol;
  for (char c : name.take_front(64)) {
    symbol += llvm::isAlnum(c) ? llvm::toLower(c) : '_';
  }
  return symbol.empty() || llvm::isDigit(symbol.front()) ? "model_" + symbol
                                                         : symbol;
}

OwningOpRef<ModuleOp> ModelBuilder::build() {
  std::string name = makeSymbol(config.name);
  OwningOpRef<ModuleOp> module = ModuleOp::create(named(config.name), name);
  (*module)->setAttr(kModelAttrName,
                     ModelAttr::get(b.getContext(), config.arch, config.layers,
                                    config.contextLength, config.vocab));
  b.setInsertionPointToEnd(module->getBody());
  declareParams(getModelParams(architecture, config), "", "");
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    declareParams(getLayerParams(architecture, config),
                  "l" + Twine(layer) + ".", "blk." + Twine(layer) + ".");
  }
  buildStep();
  return module;
}

void ModelBuilder::declareParams(const std::vector<ParamSpec> &specs,
                                 const Twine &prefix,
                                 const Twine &tensorPrefix) {
  for (const ParamSpec &spec : specs) {
    std::string tensor = (tensorPrefix + spec.tensor).str();
    if (!spec.required && !hasTensor(tensor)) {
      continue;
    }
    std::string symbol = (prefix + spec.symbol).str();
    SmallVector<int64_t> shape = {spec.rows};
    if (spec.columns) {
      shape.push_back(spec.columns);
    }
    ParamOp::create(b, named(tensor), b.getStringAttr(symbol),
                    TypeAttr::get(RankedTensorType::get(shape, f32)),
                    hasWeights ? b.getStringAttr(tensor) : StringAttr(),
                    ElementsAttr(), LowRankAttr());
    symbols.insert(symbol);
  }
}

Value ModelBuilder::norm(Location loc, Value value, const Twine &weight,
                         int64_t heads) {
  return RmsNormOp::create(
      b, loc, value.getType(), value, ref(weight), f32Attr(config.normEps),
      f32Attr(architecture.normOffset ? 1.0 : 0.0), b.getI64IntegerAttr(heads));
}

Value ModelBuilder::linear(Location loc, Value value, const Twine &weight,
                           int64_t outputs) {
  return LinearOp::create(b, loc, rows(outputs), value, ref(weight),
                          optionalRef(weight + "_bias"));
}

Value ModelBuilder::rotary(Location loc, Value value, int64_t heads) {
  RopeScalingAttr scaling;
  if (config.ropeScaling) {
    const ModelConfig::RopeScaling &from = *config.ropeScaling;
    bool isLinear = from.kind == RopeScalingKind::Linear;
    auto optional = [&](double factor) {
      return isLinear ? FloatAttr() : f32Attr(factor);
    };
    scaling = RopeScalingAttr::get(
        b.getContext(), from.kind, f32Attr(from.factor), from.originalContext,
        optional(from.lowFreqFactor), optional(from.highFreqFactor),
        optional(from.attentionFactor));
  }
  int64_t dims = config.ropeDims == config.headDim ? 0 : config.ropeDims;
  return RotaryOp::create(
      b, loc, value.getType(), value, position, b.getI64IntegerAttr(heads),
      RotaryStyleAttr::get(b.getContext(), architecture.rotaryStyle),
      f32Attr(config.ropeBase), b.getI64IntegerAttr(dims), scaling,
      optionalRef("rope_factors"));
}

void ModelBuilder::buildLayer(int64_t layer) {
  std::string in = ("l" + Twine(layer) + ".").str();
  auto at = [&](StringRef part) {
    return named("blk." + Twine(layer) + "." + part);
  };
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;

  Value h = norm(at("attn_norm"), x, in + "attn_norm");
  Value q = linear(at("attn_q"), h, in + "attn.q", queries);
  Value k = linear(at("attn_k"), h, in + "attn.k", keys);
  Value v = linear(at("attn_v"), h, in + "attn.v", keys);
  if (architecture.queryKeyNorm) {
    q = norm(at("attn_q_norm"), q, in + "attn.q_norm", config.heads);
    k = norm(at("attn_k_norm"), k, in + "attn.k_norm", config.kvHeads);
  }
  q = rotary(at("attn_q"), q, config.heads);
  k = rotary(at("attn_k"), k, config.kvHeads);
  cache = KVUpdateOp::create(b, at("kv"), cache.getType(), cache,
                             b.getI64IntegerAttr(layer), k, v, position);
  Value attended = AttentionOp::create(
      b, at("attn"), q.getType(), q, cache, b.getI64IntegerAttr(layer),
      position, b.getI64IntegerAttr(config.heads),
      b.getI64IntegerAttr(config.kvHeads),
      f32Attr(1.0 / std::sqrt(double(config.headDim))), b.getI64IntegerAttr(0),
      f32Attr(0.0));
  Value o = linear(at("attn_output"), attended, in + "attn.o", config.hidden);
  x = arith::AddFOp::create(b, at("attn_residual"), x, o);

  h = norm(at("ffn_norm"), x, in + "ffn_norm");
  Value gate = linear(at("ffn_gate"), h, in + "ffn.gate", config.feedForward);
  Value up = linear(at("ffn_up"), h, in + "ffn.up", config.feedForward);
  Value active = GatedActivationOp::create(
      b, at("ffn_act"), gate.getType(), gate, up,
      ActivationAttr::get(b.getContext(), architecture.activation));
  Value down = linear(at("ffn_down"), active, in + "ffn.down", config.hidden);
  x = arith::AddFOp::create(b, at("ffn_residual"), x, down);
}

/// Logits of the last `outputs` rows.
Value ModelBuilder::buildHead(Value outputs) {
  Location loc = named("output");
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value count = tensor::DimOp::create(b, loc, x, zero);
  Value first = arith::SubIOp::create(b, loc, count, outputs);
  OpFoldResult none = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Value last = tensor::ExtractSliceOp::create(
      b, loc, rows(config.hidden), x, {first, none},
      {outputs, b.getIndexAttr(config.hidden)}, {one, one});
  last = norm(named("output_norm"), last, "final_norm");
  bool tied = !symbols.contains("output");
  return linear(loc, last, tied ? "embed" : "output", config.vocab);
}

void ModelBuilder::buildStep() {
  auto ids = RankedTensorType::get({ShapedType::kDynamic}, b.getI32Type());
  auto cacheType = KVCacheType::get(b.getContext(), config.layers,
                                    config.kvHeads, config.headDim, f32);
  Type index = b.getIndexType();
  auto step =
      func::FuncOp::create(b, named("step"), "step",
                           b.getFunctionType({ids, index, index, cacheType},
                                             {rows(config.vocab), cacheType}));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(step.addEntryBlock());
  position = step.getArgument(1);
  cache = step.getArgument(3);
  FloatAttr scale = architecture.scaleEmbedding
                        ? f32Attr(std::sqrt(double(config.hidden)))
                        : FloatAttr();
  x = EmbedOp::create(b, named("token_embd"), rows(config.hidden), ref("embed"),
                      step.getArgument(0), scale);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    buildLayer(layer);
  }
  Value logits = buildHead(step.getArgument(2));
  func::ReturnOp::create(b, named("step"), ValueRange{logits, cache});
}

} // namespace

OwningOpRef<ModuleOp>
buildModel(MLIRContext *context, const Architecture &architecture,
           const ModelConfig &config, bool hasWeights,
           llvm::function_ref<bool(StringRef)> hasTensor) {
  context->loadDialect<UmberDialect>();
  return ModelBuilder(context, architecture, config, hasWeights, hasTensor)
      .build();
}

} // namespace umber
