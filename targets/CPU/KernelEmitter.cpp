// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a kernel's function, and the order of its ops.

#include "targets/CPU/KernelEmitter.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "runtime/include/umber/umber_abi.h"
#include "llvm/ADT/StringExtras.h"
#include <cstddef>

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

namespace {

/// Positions of umber_kernel_args' fields, each of 8 bytes.
enum ArgsField : int64_t {
  kTokens = offsetof(umber_kernel_args, tokens) / 8,
  kOutputs = offsetof(umber_kernel_args, outputs) / 8,
  kWorker = offsetof(umber_kernel_args, worker) / 8,
  kWorkers = offsetof(umber_kernel_args, workers) / 8,
  kFields = sizeof(umber_kernel_args) / 8,
};

/// Buffers are flat: what their rows and columns are is the emitter's
/// knowledge.
MemRefType getMemRefType(const KernelBuffer &buffer, int64_t maxTokens) {
  switch (buffer.kind) {
  case KernelBuffer::Kind::Rows: {
    auto type = cast<RankedTensorType>(buffer.value.getType());
    Type element = type.getElementType();
    if (type.getEncoding()) {
      element = Float32Type::get(type.getContext());
    }
    return MemRefType::get({maxTokens * getRowWords(type)}, element);
  }
  case KernelBuffer::Kind::Parameter: {
    RankedTensorType type = ParamOp(buffer.param).getTensorType();
    if (type.getRank() == 1) {
      return MemRefType::get(type.getShape(),
                             Float32Type::get(type.getContext()));
    }
    if (type.getEncoding()) {
      return MemRefType::get({getStoredBytes(type)},
                             IntegerType::get(type.getContext(), 8));
    }
    int64_t rows = llvm::alignTo(type.getDimSize(0), kPanelRows);
    return MemRefType::get({rows * type.getDimSize(1)}, type.getElementType());
  }
  case KernelBuffer::Kind::Site:
    // A umber_adapter_site, of which generated code reads the count alone.
    return MemRefType::get(
        {1}, IntegerType::get(ParamOp(buffer.param).getContext(), 64));
  case KernelBuffer::Kind::Keys:
  case KernelBuffer::Kind::Values:
    // An address for each sequence, which only microkernels look at.
    return MemRefType::get({1},
                           IntegerType::get(buffer.cache.getContext(), 64));
  }
  llvm_unreachable("a buffer of no kind");
}

} // namespace

LogicalResult KernelEmitter::checkBuffer(const KernelBuffer &buffer,
                                         Type element) {
  ParamOp param = buffer.param;
  if (buffer.kind == KernelBuffer::Kind::Site ||
      (param && param.getTensorType().getEncoding())) {
    return success();
  }
  if (buffer.cache) {
    element = buffer.cache.getElementType();
  }
  bool isSmall = buffer.cache && (element.isInteger(8) || element.isInteger(4));
  if (!element.isF32() && !element.isF16() && !element.isInteger(32) &&
      !isSmall) {
    return kernel.emitOpError("expected buffers of f32 or f16, or a cache of "
                              "i8 or i4, for the cpu target, found ")
           << element;
  }
  if (buffer.kind == KernelBuffer::Kind::Rows) {
    auto type = cast<RankedTensorType>(buffer.value.getType());
    if (type.getEncoding() && !isa<QuantizedAttr>(type.getEncoding())) {
      return kernel.emitOpError("expected activations that are plain or "
                                "quantized for the cpu target, found ")
             << type;
    }
  }
  return success();
}

LogicalResult KernelEmitter::createFunction() {
  SmallVector<KernelBuffer> buffers = getKernelBuffers(kernel);
  SmallVector<Type> types = {MemRefType::get({kFields}, b.getI64Type()),
                             MemRefType::get({1}, b.getF32Type())};
  for (const KernelBuffer &buffer : buffers) {
    types.push_back(getMemRefType(buffer, planned.maxTokens));
    if (failed(checkBuffer(buffer,
                           cast<MemRefType>(types.back()).getElementType()))) {
      return failure();
    }
  }
  function =
      func::FuncOp::create(b, loc, planned.name, b.getFunctionType(types, {}));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  args = entry->getArgument(0);
  scratch = entry->getArgument(1);
  auto field = [&](ArgsField at) -> Value {
    Value value = memref::LoadOp::create(b, loc, args, index(at));
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
  };
  tokens = planned.maxTokens == 1 ? index(1) : field(kTokens);
  outputs = field(kOutputs);
  worker = field(kWorker);
  workers = field(kWorkers);

  for (auto [buffer, memref] :
       llvm::zip(buffers, entry->getArguments().drop_front(2))) {
    switch (buffer.kind) {
    case KernelBuffer::Kind::Rows:
      memrefOf[buffer.value] = memref;
      break;
    case KernelBuffer::Kind::Parameter:
      parameterOf[ParamOp(buffer.param).getSymName()] = memref;
      break;
    case KernelBuffer::Kind::Site:
      siteOf[ParamOp(buffer.param).getSymName()] = memref;
      break;
    case KernelBuffer::Kind::Keys:
      keysOf[buffer.layer] = memref;
      break;
    case KernelBuffer::Kind::Values:
      valuesOf[buffer.layer] = memref;
      break;
    }
  }
  return success();
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

LogicalResult KernelEmitter::checkPositions(Operation *op, Value pos,
                                            Value all) {
  if (!isStepPosition(pos)) {
    return op->emitOpError("expected the step's own position");
  }
  if (rows(all).count != tokens) {
    return op->emitOpError("expected all rows of the step");
  }
  return success();
}

LogicalResult KernelEmitter::emit() {
  OpBuilder::InsertionGuard guard(b);
  if (failed(createFunction())) {
    return failure();
  }
  auto entry = kernel->getParentOfType<func::FuncOp>();
  for (auto [argument, input] :
       llvm::zip(kernel.getBody().getArguments(), kernel.getInputs())) {
    if (auto type = dyn_cast<RankedTensorType>(argument.getType())) {
      Rows &made = rowsOf[argument];
      made.memref = memrefOf.lookup(argument);
      made.offset = index(0);
      bool areOutputs = planned.outputInputs[argument.getArgNumber()];
      made.count = areOutputs ? outputs : tokens;
      made.maxCount = planned.maxTokens;
      made.columns = getRowWords(type);
    } else if (argument.getType().isIndex()) {
      // By the entry points' signature, which umber-verify-model checks.
      auto outer = dyn_cast<BlockArgument>(input);
      if (!outer || outer.getOwner() != &entry.getBody().front()) {
        return kernel.emitOpError("expected index inputs to be the entry "
                                  "point's own arguments");
      }
      // Where the step begins is no scalar to compute with: it is so for each
      // of its sequences.
      if (!isStepPosition(argument)) {
        scalarOf[argument] = outputs;
      }
    }
  }
  Block &body = kernel.getBody().front();
  for (auto it = body.begin(); it != body.end();) {
    if (auto linear = dyn_cast<LinearOp>(*it)) {
      SmallVector<LinearOp> group = getSiblings(linear);
      if (failed(emitLinears(group))) {
        return failure();
      }
      std::advance(it, group.size());
      continue;
    }
    if (failed(emitOp(*it++))) {
      return failure();
    }
  }
  func::ReturnOp::create(b, loc);
  return success();
}

LogicalResult KernelEmitter::emitOp(Operation &op) {
  if (isa<YieldOp>(op)) {
    return success();
  }
  if (auto embed = dyn_cast<EmbedOp>(op)) {
    return emitEmbed(embed);
  }
  if (auto norm = dyn_cast<RmsNormOp>(op)) {
    return emitNorm(norm);
  }
  if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    return emitQuantize(quantize);
  }
  for (Value operand : op.getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (type && type.getEncoding()) {
      return op.emitOpError("expected plain operands for the cpu target, "
                            "found ")
             << type;
    }
  }
  if (auto rotary = dyn_cast<RotaryOp>(op)) {
    return emitRotary(rotary);
  }
  if (auto update = dyn_cast<KVUpdateOp>(op)) {
    return emitKVUpdate(update);
  }
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    return emitAttention(attention);
  }
  if (auto gated = dyn_cast<GatedActivationOp>(op)) {
    return emitGatedActivation(gated);
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    return emitSlice(slice);
  }
  if (auto lora = dyn_cast<LoraOp>(op)) {
    return emitLora(lora);
  }
  if (op.getNumResults() == 1 && op.getResult(0).getType().isIndex()) {
    return emitScalar(op);
  }
  return emitElementwise(op);
}

} // namespace umber::cpu
