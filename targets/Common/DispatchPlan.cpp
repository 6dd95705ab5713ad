// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/DispatchPlan.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "targets/Common/OutputRows.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::umber;

/// The parameters that an op names, in the order of its attributes.
static SmallVector<FlatSymbolRefAttr> getParameterRefs(Operation *op) {
  SmallVector<FlatSymbolRefAttr> refs;
  for (NamedAttribute attr : op->getAttrs()) {
    auto ref = dyn_cast<FlatSymbolRefAttr>(attr.getValue());
    if (ref && !isa<LoraOp>(op)) {
      refs.push_back(ref);
    }
  }
  return refs;
}

/// The layer and type of the cache that an op works on, if it does.
static std::optional<std::pair<int64_t, KVCacheType>>
getCacheLayer(Operation *op) {
  if (auto update = dyn_cast<KVUpdateOp>(op)) {
    return {{int64_t(update.getLayer()), update.getCache().getType()}};
  }
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    return {{int64_t(attention.getLayer()), attention.getCache().getType()}};
  }
  return std::nullopt;
}

namespace umber {

SmallVector<KernelBuffer> getKernelBuffers(KernelOp kernel) {
  SmallVector<KernelBuffer> buffers;
  auto addRows = [&](Value value) {
    if (isa<RankedTensorType>(value.getType())) {
      buffers.push_back({KernelBuffer::Kind::Rows, value, {}, {}, -1});
    }
  };
  llvm::for_each(kernel.getBody().getArguments(), addRows);
  SmallVector<KernelBuffer> parameters, caches, sites;
  llvm::SmallDenseSet<Attribute> seen;
  llvm::SmallDenseSet<int64_t> layers;
  for (Operation &op : kernel.getBody().front()) {
    if (!isa<tensor::ExtractSliceOp>(op)) {
      for (Value result : op.getResults()) {
        if (getAdapted(result) == result) {
          addRows(result);
        }
      }
    }
    if (auto lora = dyn_cast<LoraOp>(op)) {
      auto param = SymbolTable::lookupNearestSymbolFrom<ParamOp>(
          kernel, lora.getSiteAttr());
      sites.push_back({KernelBuffer::Kind::Site, {}, param, {}, -1});
    }
    for (FlatSymbolRefAttr ref : getParameterRefs(&op)) {
      if (seen.insert(ref).second) {
        auto param = SymbolTable::lookupNearestSymbolFrom<ParamOp>(kernel, ref);
        parameters.push_back(
            {KernelBuffer::Kind::Parameter, {}, param, {}, -1});
      }
    }
    auto cacheLayer = getCacheLayer(&op);
    if (cacheLayer && layers.insert(cacheLayer->first).second) {
      auto [layer, type] = *cacheLayer;
      caches.push_back({KernelBuffer::Kind::Keys, {}, {}, type, layer});
      caches.push_back({KernelBuffer::Kind::Values, {}, {}, type, layer});
    }
  }
  llvm::append_range(buffers, parameters);
  llvm::append_range(buffers, caches);
  llvm::append_range(buffers, sites);
  return buffers;
}

Value getAdapted(Value value) {
  if (!value.hasOneUse()) {
    return value;
  }
  OpOperand &use = *value.use_begin();
  auto lora = dyn_cast<LoraOp>(use.getOwner());
  return lora && &use == &lora.getYMutable() ? lora.getResult() : value;
}

QuantizedRow getQuantizedRow(RankedTensorType type) {
  int64_t columns = type.getDimSize(1);
  int64_t group = cast<QuantizedAttr>(type.getEncoding()).getGroup();
  return {columns, group ? group : std::max<int64_t>(columns, 1)};
}

int64_t getRowWords(RankedTensorType type) {
  if (isa_and_nonnull<QuantizedAttr>(type.getEncoding())) {
    return getQuantizedRow(type).getBytes() / 4;
  }
  return type.getRank() == 2 ? type.getDimSize(1) : 1;
}

namespace {

/// A text that is equal for kernels that may share code: ops, attributes and
/// types, with parameters and layers replaced by their positions among the
/// buffers.
std::string getCodeKey(KernelOp kernel) {
  std::string key;
  llvm::raw_string_ostream os(key);
  llvm::SmallDenseMap<Value, unsigned> numbers;
  llvm::SmallDenseMap<Attribute, unsigned> params;
  llvm::SmallDenseMap<int64_t, unsigned> layers;
  auto number = [](auto &map, auto what) {
    return map.try_emplace(what, map.size()).first->second;
  };
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    os << number(numbers, Value(argument)) << ":" << argument.getType() << ";";
  }
  for (Operation &op : kernel.getBody().front()) {
    os << op.getName() << "(";
    for (Value operand : op.getOperands()) {
      os << number(numbers, operand) << ",";
    }
    os << ")";
    for (NamedAttribute attr : op.getAttrs()) {
      os << attr.getName().getValue() << "=";
      auto ref = dyn_cast<FlatSymbolRefAttr>(attr.getValue());
      ParamOp param;
      if (ref) {
        param = SymbolTable::lookupNearestSymbolFrom<ParamOp>(kernel, ref);
      }
      if (param) {
        os << "@" << number(params, Attribute(ref)) << ":" << param.getType();
      } else if (attr.getName() == "layer") {
        os << "#" << number(layers, getCacheLayer(&op)->first);
      } else {
        os << attr.getValue();
      }
      os << ",";
    }
    for (Value result : op.getResults()) {
      os << number(numbers, result) << ":" << result.getType() << ";";
    }
  }
  return key;
}

class ProgramPlanner {
public:
  ProgramPlanner(DispatchPlan &plan, llvm::StringMap<unsigned> &kernels,
                 llvm::MapVector<Operation *, unsigned> &parameters,
                 llvm::MapVector<Attribute, unsigned> &sites,
                 func::FuncOp function, int64_t maxTokens)
      : plan(plan), kernels(kernels), parameters(parameters), sites(sites),
        function(function), maxTokens(maxTokens) {}

  FailureOr<PlannedProgram> run() {
    collectOps();
    FailureOr<OutputRows> found = OutputRows::find(function);
    if (failed(found) || failed(findLifetimes())) {
      return failure();
    }
    outputRows = std::move(*found);
    PlannedProgram program;
    program.name = function.getName().str();
    program.maxTokens = maxTokens;
    program.arenaBytes = arena.place();
    for (KernelOp kernel : ops) {
      program.dispatches.push_back(planDispatch(kernel));
    }
    return program;
  }

private:
  void collectOps() {
    llvm::append_range(ops, function.getBody().getOps<KernelOp>());
    logits = cast<func::ReturnOp>(function.getBody().front().getTerminator())
                 .getOperand(0);
  }

  /// Rows inside of a kernel stand for rows outside of it where they are inputs
  /// or yielded.
  static Value getOuter(KernelOp kernel, Value inner) {
    if (auto argument = dyn_cast<BlockArgument>(inner)) {
      return kernel.getInputs()[argument.getArgNumber()];
    }
    for (OpOperand &use : inner.getUses()) {
      if (isa<YieldOp>(use.getOwner())) {
        return kernel.getResult(use.getOperandNumber());
      }
    }
    return inner;
  }

  LogicalResult findLifetimes() {
    for (auto [index, kernel] : llvm::enumerate(ops)) {
      auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
      for (Value value : yield.getValues()) {
        bool isRows = isa<RankedTensorType>(value.getType());
        if (isRows &&
            isa_and_nonnull<tensor::ExtractSliceOp>(value.getDefiningOp())) {
          return kernel.emitOpError(
              "expected to use a slice of rows where it is "
              "made, found it as a result");
        }
        if (isRows && isa<BlockArgument>(value)) {
          return kernel.emitOpError(
              "expected to yield what it computes, found an "
              "input");
        }
      }
      for (const KernelBuffer &buffer : getKernelBuffers(kernel)) {
        if (buffer.kind != KernelBuffer::Kind::Rows) {
          continue;
        }
        Value outer = getOuter(kernel, buffer.value);
        if (isa<BlockArgument>(outer) || outer == logits) {
          continue;
        }
        auto it = buffers.find(outer);
        if (it != buffers.end()) {
          arena.extend(it->second, index);
          continue;
        }
        auto type = cast<RankedTensorType>(outer.getType());
        buffers[outer] =
            arena.add(maxTokens * getRowWords(type) * 4, index, index);
      }
    }
    return success();
  }

  /// Whether a kernel computes only the rows that get logits.
  bool isOfOutputs(KernelOp kernel) {
    return llvm::any_of(kernel.getResults(), [&](Value result) {
      return outputRows.contains(result);
    });
  }

  PlannedDispatch planDispatch(KernelOp kernel) {
    PlannedDispatch dispatch;
    dispatch.ofOutputs = isOfOutputs(kernel);
    dispatch.name = kernel.getSymName().str();
    dispatch.kernel = getKernelIndex(kernel);
    uint64_t siteOfKernel = 0;
    for (const KernelBuffer &buffer : getKernelBuffers(kernel)) {
      dispatch.bindings.push_back(bind(kernel, buffer, dispatch));
      if (buffer.kind == KernelBuffer::Kind::Site) {
        dispatch.bindings.back().offset = siteOfKernel++;
      }
    }
    kernel.walk([&](LinearOp linear) {
      RankedTensorType weight = SymbolTable::lookupNearestSymbolFrom<ParamOp>(
                                    linear, linear.getWeightAttr())
                                    .getTensorType();
      uint64_t ops = 2 * linear.getX().getType().getDimSize(1) *
                     linear.getType().getDimSize(1);
      dispatch.weightBytes += getStoredBytes(weight);
      dispatch.flopsPerToken += ops;
      dispatch.integerOpsPerToken +=
          linear.getX().getType().getEncoding() ? ops : 0;
    });
    kernel.walk([&](AttentionOp attention) {
      // Of each head, a product with a key and one with a value.
      dispatch.flopsPerPosition += 4 * attention.getHeads() *
                                   attention.getCache().getType().getHeadDim();
      dispatch.window = attention.getWindow();
    });
    return dispatch;
  }

  BufferBinding bind(KernelOp kernel, const KernelBuffer &buffer,
                     PlannedDispatch &dispatch) {
    switch (buffer.kind) {
    case KernelBuffer::Kind::Parameter: {
      ParamOp param = buffer.param;
      auto [it, isNew] = parameters.insert({param, plan.parameters.size()});
      if (isNew) {
        plan.parameters.push_back(param);
      }
      int64_t layer;
      StringRef symbol = param.getSymName();
      if (symbol.consume_front("l") && !symbol.consumeInteger(10, layer) &&
          symbol.starts_with(".")) {
        dispatch.layer = layer;
      }
      return {BufferBinding::Kind::Parameter, it->second, 0};
    }
    case KernelBuffer::Kind::Keys:
    case KernelBuffer::Kind::Values:
      dispatch.layer = buffer.layer;
      return {buffer.kind == KernelBuffer::Kind::Keys
                  ? BufferBinding::Kind::Keys
                  : BufferBinding::Kind::Values,
              uint32_t(buffer.layer), 0};
    case KernelBuffer::Kind::Site:
      return {BufferBinding::Kind::Adapters,
              sites.lookup(ParamOp(buffer.param).getSymNameAttr()), 0};
    case KernelBuffer::Kind::Rows:
      break;
    }
    Value outer = getOuter(kernel, buffer.value);
    if (isa<BlockArgument>(outer)) {
      return {BufferBinding::Kind::TokenIds, 0, 0};
    }
    if (outer == logits) {
      return {BufferBinding::Kind::Logits, 0, 0};
    }
    return {BufferBinding::Kind::Arena, 0,
            arena.getOffset(buffers.lookup(outer))};
  }

  unsigned getKernelIndex(KernelOp kernel) {
    llvm::SmallBitVector outputInputs(kernel.getInputs().size());
    std::string key = std::to_string(maxTokens) + "|";
    for (BlockArgument argument : kernel.getBody().getArguments()) {
      outputInputs[argument.getArgNumber()] = outputRows.contains(argument);
      key += outputRows.contains(argument) ? 'o' : 't';
    }
    key += "|" + getCodeKey(kernel);
    auto [it, isNew] = kernels.try_emplace(key, plan.kernels.size());
    if (isNew) {
      // Named after the first kernel that uses the code, without its layer.
      StringRef base = kernel.getSymName();
      std::string name =
          (function.getName() + "_" +
           Twine(base.contains('.') ? base.split('.').second : base) + "_" +
           Twine(plan.kernels.size()))
              .str();
      std::replace_if(
          name.begin(), name.end(),
          [](char c) { return !llvm::isAlnum(c) && c != '_'; }, '_');
      plan.kernels.push_back({name, kernel, maxTokens, outputInputs});
    }
    return it->second;
  }

  DispatchPlan &plan;
  llvm::StringMap<unsigned> &kernels;
  llvm::MapVector<Operation *, unsigned> &parameters;
  llvm::MapVector<Attribute, unsigned> &sites;
  func::FuncOp function;
  int64_t maxTokens;
  SmallVector<KernelOp> ops;
  OutputRows outputRows;
  Value logits;
  ArenaPlanner arena;
  llvm::DenseMap<Value, unsigned> buffers;
};

} // namespace

FailureOr<DispatchPlan> planDispatches(ModuleOp module) {
  DispatchPlan plan;
  llvm::StringMap<unsigned> kernels;
  llvm::MapVector<Operation *, unsigned> parameters;
  llvm::MapVector<Attribute, unsigned> sites;
  for (auto function : module.getOps<func::FuncOp>()) {
    auto maxTokens = function->getAttrOfType<IntegerAttr>("umber.max_tokens");
    if (!maxTokens) {
      continue;
    }
    WalkResult areKnown = function.walk([&](LoraOp lora) {
      if (!module.lookupSymbol<ParamOp>(lora.getSite())) {
        lora.emitOpError("expected a site that is a parameter, found ")
            << lora.getSiteAttr();
        return WalkResult::interrupt();
      }
      if (sites.insert({lora.getSiteAttr().getAttr(), sites.size()}).second) {
        plan.sites.push_back(lora);
      }
      return WalkResult::advance();
    });
    if (areKnown.wasInterrupted()) {
      return failure();
    }
    auto program = ProgramPlanner(plan, kernels, parameters, sites, function,
                                  maxTokens.getInt())
                       .run();
    if (failed(program)) {
      return failure();
    }
    plan.programs.push_back(std::move(*program));
  }
  return plan;
}

} // namespace umber
