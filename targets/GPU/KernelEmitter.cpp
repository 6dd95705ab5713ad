// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of a kernel's stages, and the frame of their launches.

#include "targets/GPU/KernelEmitter.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

unsigned EntryPoints::add(mlir::gpu::GPUFuncOp function, StringRef prefix) {
  std::string code;
  llvm::raw_string_ostream os(code);
  function->print(os);
  auto [it, isNew] = numbers.try_emplace(code, names.size());
  if (!isNew) {
    function->erase();
    return it->second;
  }
  names.push_back((prefix + "_" + Twine(names.size())).str());
  function.setName(names.back());
  return it->second;
}

unsigned EntryPoints::addConstant(std::vector<uint32_t> words) {
  auto it = llvm::find(constants, words);
  if (it == constants.end()) {
    it = constants.insert(it, std::move(words));
  }
  return it - constants.begin();
}

KernelEmitter::KernelEmitter(EntryPoints &entries, const PlannedKernel &kernel,
                             Api api)
    : entries(entries), planned(kernel), kernel(kernel.representative),
      api(api), buffers(getKernelBuffers(kernel.representative)) {
  for (auto [number, buffer] : llvm::enumerate(buffers)) {
    candidates.push_back({LaunchBuffer::Kind::Kernel, unsigned(number)});
    ParamOp param = buffer.param;
    switch (buffer.kind) {
    case KernelBuffer::Kind::Rows:
      rowsNumber[buffer.value] = number;
      break;
    case KernelBuffer::Kind::Parameter:
      parameterNumber[param.getSymName()] = number;
      break;
    case KernelBuffer::Kind::Site:
      siteNumber[param.getSymName()] = number;
      break;
    case KernelBuffer::Kind::Keys:
      keysNumber[buffer.layer] = number;
      break;
    case KernelBuffer::Kind::Values:
      valuesNumber[buffer.layer] = number;
      break;
    }
  }
  for (auto [number, buffer] : llvm::enumerate(buffers)) {
    if (buffer.kind == KernelBuffer::Kind::Site) {
      productsNumber[ParamOp(buffer.param).getSymName()] = candidates.size();
      candidates.push_back({LaunchBuffer::Kind::Products, unsigned(number)});
    }
  }
  this->kernel.walk([&](RotaryOp op) {
    rotaryNumber[op] = candidates.size();
    candidates.push_back({LaunchBuffer::Kind::Constant,
                          entries.addConstant(getTurnsPerPosition(op))});
  });
  candidates.push_back({LaunchBuffer::Kind::Scratch});
  candidates.push_back({LaunchBuffer::Kind::Step});
}

FailureOr<std::vector<Launch>> KernelEmitter::emit() {
  Block &body = kernel.getBody().front();
  for (Operation &op : body) {
    if (failed(checkOp(op))) {
      return failure();
    }
  }
  for (auto at = body.begin(); at != body.end();) {
    Operation &op = *at;
    bool isScalar =
        op.getNumResults() == 1 && op.getResult(0).getType().isIndex();
    // Slices and index arithmetic are evaluated where they are used.
    if (done.contains(&op) || isScalar ||
        isa<YieldOp, LoraOp, tensor::ExtractSliceOp>(op)) {
      ++at;
      continue;
    }
    LogicalResult emitted = success();
    if (isa<LinearOp>(op)) {
      emitted = emitProducts(at);
    } else if (auto attention = dyn_cast<AttentionOp>(op)) {
      emitted = emitAttention(attention);
      ++at;
    } else if (auto norm = dyn_cast<RmsNormOp>(op);
               isa<RotaryOp, KVUpdateOp>(op) || (norm && norm.getHeads() > 1)) {
      emitted = emitHeads(at);
    } else {
      emitted = emitRows(at);
    }
    if (failed(emitted)) {
      return failure();
    }
  }
  return std::move(launches);
}

LogicalResult KernelEmitter::checkOp(Operation &op) {
  for (Value operand : op.getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    bool takesQuantized = isa<LinearOp, YieldOp, tensor::ExtractSliceOp>(op);
    if (type && type.getEncoding() &&
        !(takesQuantized && isa<QuantizedAttr>(type.getEncoding()))) {
      return op.emitOpError("expected plain operands for the gpu target, "
                            "found ")
             << type;
    }
    if (type && type.getRank() == 2 && !type.getElementType().isF32()) {
      return op.emitOpError("expected activations of f32 for the gpu target, "
                            "found ")
             << type;
    }
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    bool areWholeRows =
        slice.getType().getRank() == 2 &&
        slice.getSourceType().getRank() == 2 && slice.hasUnitStride() &&
        slice.getStaticOffsets()[1] == 0 &&
        slice.getStaticSizes()[1] == slice.getSourceType().getDimSize(1);
    if (!areWholeRows) {
      return op.emitOpError(
          "expected a slice of whole rows for the gpu target");
    }
  }
  if (auto lora = dyn_cast<LoraOp>(op)) {
    if (getAdapted(lora.getY()) != lora.getResult() ||
        !lora.getY().getDefiningOp<LinearOp>()) {
      return op.emitOpError("expected a product's result that nothing else "
                            "uses");
    }
    if (!hasRowPerToken(lora.getX())) {
      return op.emitOpError("expected all rows of the step");
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The frame of a launch
//===----------------------------------------------------------------------===//

void KernelEmitter::begin(Operation *op, int64_t threads) {
  launchOp = op;
  launch = std::make_unique<LaunchBuilder>(entries.getModule(), op->getLoc(),
                                           api, candidates.size(), threads);
  stepWords.clear();
  for (StepWord word : {StepWord::Position, StepWord::Tokens, StepWord::Outputs,
                        StepWord::Capacity}) {
    Value value = launch->load(launch->getBuffer(candidates.size() - 1),
                               launch->index(int64_t(word)));
    stepWords.push_back(launch->toIndex(value));
  }
}

LogicalResult KernelEmitter::finish(StringRef stage, LaunchGrid grid, Ops ops) {
  if (int64_t most = getMaxSharedWords(api); launch->getSharedWords() > most) {
    return launchOp->emitOpError("expected to need at most ")
           << 4 * most
           << " bytes of a workgroup's memory for the gpu target, found "
           << 4 * launch->getSharedWords();
  }
  Launch made;
  made.stage = stage.str();
  made.sharedBytes = 4 * launch->getSharedWords();
  for (unsigned number : launch->finish()) {
    made.buffers.push_back(candidates[number]);
  }
  grid.threads = launch->getThreads();
  made.grid = grid;
  made.ops = std::move(ops);
  made.entry =
      entries.add(launch->getFunction(), planned.name + "_" + stage.str());
  launches.push_back(std::move(made));
  launch.reset();
  return success();
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value KernelEmitter::getRowsBuffer(Value value) {
  return launch->getBuffer(rowsNumber.lookup(getAdapted(value)));
}

Value KernelEmitter::getParameter(StringRef symbol) {
  return launch->getBuffer(parameterNumber.lookup(symbol));
}

Value KernelEmitter::getCache(int64_t layer, bool keys) {
  return launch->getBuffer((keys ? keysNumber : valuesNumber).lookup(layer));
}

Value KernelEmitter::getSite(LoraOp lora) {
  return launch->getBuffer(siteNumber.lookup(lora.getSite()));
}

Value KernelEmitter::getProducts(LoraOp lora) {
  return launch->getBuffer(productsNumber.lookup(lora.getSite()));
}

Value KernelEmitter::getScratch() {
  return launch->getBuffer(candidates.size() - 2);
}

Value KernelEmitter::getStep(StepWord word) {
  return stepWords[static_cast<unsigned>(word)];
}

Value KernelEmitter::getRotaryTable(RotaryOp op) {
  return launch->getBuffer(rotaryNumber.lookup(op));
}

Rows KernelEmitter::getRows(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (auto slice = value.getDefiningOp<tensor::ExtractSliceOp>()) {
    Rows rows = getRows(slice.getSource());
    OpFoldResult first = slice.getMixedOffsets()[0];
    auto constant = getConstantIntValue(first);
    Value row =
        constant ? launch->index(*constant) : getScalar(cast<Value>(first));
    rows.offset =
        launch->add(rows.offset, launch->mul(row, launch->index(rows.words)));
    rows.count = getCount(value);
    return rows;
  }
  return {getRowsBuffer(value), launch->index(0), getCount(value),
          getRowWords(type), type.getRank() == 2 ? type.getDimSize(1) : 1};
}

Value KernelEmitter::getCount(Value rows) {
  if (auto argument = dyn_cast<BlockArgument>(rows)) {
    bool areOutputs = planned.outputInputs[argument.getArgNumber()];
    return getStep(areOutputs ? StepWord::Outputs : StepWord::Tokens);
  }
  Operation *op = rows.getDefiningOp();
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    OpFoldResult size = slice.getMixedSizes()[0];
    auto constant = getConstantIntValue(size);
    return constant ? launch->index(*constant) : getScalar(cast<Value>(size));
  }
  for (Value operand : op->getOperands()) {
    if (isa<RankedTensorType>(operand.getType())) {
      return getCount(operand);
    }
  }
  llvm_unreachable("rows are made of rows");
}

Value KernelEmitter::getScalar(Value value) {
  if (isa<BlockArgument>(value)) {
    return getStep(StepWord::Outputs);
  }
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    return getCount(dim.getSource());
  }
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    mapping.map(operand, getScalar(operand));
  }
  return launch->getBuilder().clone(*op, mapping)->getResult(0);
}

RankedTensorType KernelEmitter::getParameterType(FlatSymbolRefAttr symbol) {
  return SymbolTable::lookupNearestSymbolFrom<ParamOp>(kernel, symbol)
      .getTensorType();
}

bool KernelEmitter::isStepPosition(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != &kernel.getBody().front()) {
    return false;
  }
  auto outer =
      dyn_cast<BlockArgument>(kernel.getInputs()[argument.getArgNumber()]);
  return outer && outer.getArgNumber() == 1;
}

bool KernelEmitter::hasRowPerToken(Value rows) {
  if (auto argument = dyn_cast<BlockArgument>(rows)) {
    return !planned.outputInputs[argument.getArgNumber()];
  }
  Operation *op = rows.getDefiningOp();
  if (isa<tensor::ExtractSliceOp>(op)) {
    return false;
  }
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return !isa<RankedTensorType>(operand.getType()) || hasRowPerToken(operand);
  });
}

LogicalResult KernelEmitter::checkPositions(Operation *op, Value pos,
                                            Value rows) {
  if (!isStepPosition(pos)) {
    return op->emitOpError("expected the step's own position");
  }
  if (!hasRowPerToken(rows)) {
    return op->emitOpError("expected all rows of the step");
  }
  return success();
}

bool KernelEmitter::isReadOutside(Value value, ArrayRef<Operation *> stage) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    // A slice is read by who reads it.
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(user)) {
      return isReadOutside(slice.getResult(), stage);
    }
    return !llvm::is_contained(stage, user) && !isa<tensor::DimOp>(user);
  });
}

} // namespace umber::gpu
