// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a function's program, and the order of its ops.

#include "targets/NPU/FunctionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "targets/Common/KernelKind.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

bool FunctionEmitter::fail(mlir::Operation *op, const Twine &message) {
  if (!failed) {
    op->emitError(config.name) << ": " << message;
  }
  failed = true;
  return false;
}

FailureOr<Result<EmittedFunction>> FunctionEmitter::run() {
  emitted.rows = rows;
  uint64_t vocab = 0;
  for (Type type : function.getResultTypes()) {
    if (auto tensor = dyn_cast<RankedTensorType>(type)) {
      vocab = tensor.getDimSize(1);
    }
  }
  emitted.logits = llvm::alignTo(4 * rows, 64);
  emitted.ioBytes = emitted.logits + 4 * vocab * rows;
  for (mlir::Operation &op : function.getBody().front()) {
    if (auto kernel = dyn_cast<KernelOp>(op)) {
      emitKernel(kernel);
    } else if (!isa<func::ReturnOp>(op)) {
      fail(&op, "expected kernels alone, found " + op.getName().getStringRef());
    }
    if (!tooLarge.ok()) {
      return Result<EmittedFunction>(tooLarge);
    }
    if (failed) {
      return failure();
    }
  }
  if (isInLoop) {
    builder.endLoop();
  }
  auto built = builder.finish();
  if (!built.ok()) {
    return Result<EmittedFunction>(built.status());
  }
  emitted.built = std::move(*built);
  return Result<EmittedFunction>(std::move(emitted));
}

/// For reports.
static KernelInfo describe(KernelOp kernel) {
  KernelInfo info;
  info.name = kernel.getSymName().str();
  info.kind = getKernelKind(kernel).str();
  kernel.walk([&](mlir::Operation *op) {
    if (auto attention = dyn_cast<AttentionOp>(op)) {
      info.layer = static_cast<int64_t>(attention.getLayer());
    } else if (auto update = dyn_cast<KVUpdateOp>(op)) {
      info.layer = static_cast<int64_t>(update.getLayer());
    } else if (auto linear = dyn_cast<LinearOp>(op); linear && info.layer < 0) {
      // A parameter's symbol begins with its layer: `l3.ffn.down`.
      StringRef symbol = linear.getWeight();
      if (int64_t layer; symbol.consume_front("l") &&
                         !symbol.consumeInteger(10, layer) &&
                         symbol.starts_with(".")) {
        info.layer = layer;
      }
    }
  });
  return info;
}

void FunctionEmitter::emitKernel(KernelOp kernel) {
  emitted.kernels.push_back(describe(kernel));
  builder.setOperationId(static_cast<uint32_t>(emitted.kernels.size()));
  Block &body = kernel.getBody().front();
  for (auto [argument, input] :
       llvm::zip(body.getArguments(), kernel.getInputs())) {
    if (auto it = values.find(input); it != values.end()) {
      Rows value = it->second;
      values[argument] = value;
    }
  }
  for (BlockArgument argument : body.getArguments()) {
    auto it = values.find(argument);
    if (it != values.end() && it->second.type == DataType::F32) {
      Rows value = it->second;
      emitRowPass(argument, value, RmsNormOp());
    }
  }
  for (mlir::Operation &op : body) {
    if (!failed) {
      emitOp(op);
    }
  }
  if (!failed) {
    emitResults(kernel);
  }
  rings.clear();
  kernel.walk([&](LoraOp lora) { lowRank.erase(lora); });
  release(kernel);
}

void FunctionEmitter::emitOp(mlir::Operation &op) {
  if (auto embed = dyn_cast<EmbedOp>(op)) {
    emitEmbed(embed);
  } else if (auto norm = dyn_cast<RmsNormOp>(op)) {
    if (norm.getHeads() == 1) {
      auto it = values.find(norm.getX());
      if (it == values.end()) {
        fail(&op, "expected a norm of a kernel's argument, found one of a "
                  "product within the kernel");
        return;
      }
      Rows x = it->second;
      emitRowPass(norm.getResult(), x, norm);
    }
  } else if (auto attention = dyn_cast<AttentionOp>(op)) {
    emitAttention(attention);
  } else if (isa<tensor::ExtractSliceOp>(op)) {
    emitSlice(op);
  } else if (isa<LinearOp, LoraOp, RotaryOp, GatedActivationOp, QuantizeOp,
                 KVUpdateOp, YieldOp, tensor::DimOp>(op) ||
             op.getName().getStringRef() == "arith.addf" ||
             op.getName().getStringRef() == "arith.subi" ||
             op.getName().getStringRef() == "arith.constant") {
    // Columns on their own, or no data.
  } else {
    fail(&op, "expected ops that the engine has, found " +
                  op.getName().getStringRef());
  }
}

/// Tokens' rows of a table that is kept in its plain form beside the weights.
void FunctionEmitter::emitEmbed(EmbedOp op) {
  const LookupLayout &lookup = layout.getLookup(op.getTable());
  auto table = symbols.lookup<ParamOp>(op.getTable());
  int64_t columns = table.getTensorType().getDimSize(1);
  Buffer ids = builder.addBuffer(4 * rows, "tokens");
  Load loadIds;
  loadIds.scratchpad = builder.at(ids);
  loadIds.dram = {Region::Io, 0, 0};
  loadIds.bytes = static_cast<uint32_t>(4 * rows);
  builder.add(Queue::Load0, loadIds);

  auto gather = [&](Buffer to, uint64_t offset, uint32_t bytes,
                    uint32_t stride) {
    Gather gather;
    gather.indices = builder.at(ids);
    gather.to = builder.at(to);
    gather.table = {Region::Tables, offset, 0};
    gather.bytes = bytes;
    gather.stride = stride;
    gather.count = static_cast<uint32_t>(rows);
    gather.countFrom = rows > 1 ? Register(kTokens) : Register(0);
    gather.limit = static_cast<uint32_t>(table.getTensorType().getDimSize(0));
    builder.add(Queue::Load0, gather);
  };
  uint32_t bytes =
      static_cast<uint32_t>(columns * (lookup.type == DataType::I8 ? 1 : 2));
  uint32_t stride = getStride(bytes);
  Buffer elements = builder.addBuffer(uint64_t(rows) * stride, "embeddings");
  gather(elements, lookup.elements, bytes, stride);
  Buffer scales = 0;
  if (lookup.type == DataType::I8) {
    scales = builder.addBuffer(rows * kGranule, "embeddings' scales");
    gather(scales, lookup.scales, 2, kGranule);
  }
  float factor = op.getScale() ? op.getScale()->convertToFloat() : 1.0f;
  Rows result = makeRows(columns, "embeddings");
  int64_t block =
      result.isResident
          ? rows
          : std::max<int64_t>(1, config.scratchpad.bytes / 8 / (4 * columns));
  Buffer plain = result.isResident
                     ? result.buffer
                     : builder.addBuffer(block * getStride(4 * columns),
                                         "a block of embeddings");
  uint32_t plainStride = getStride(4 * columns);
  for (int64_t row = 0; row < rows; row += block) {
    auto count = static_cast<uint32_t>(std::min(block, rows - row));
    Tile d = {builder.at(plain), plainStride, DataType::F32};
    if (lookup.type == DataType::I8) {
      Dequantize dequantize;
      dequantize.a = {builder.at(elements, row * stride), stride, DataType::I8};
      dequantize.scales = {builder.at(scales, row * kGranule), kGranule,
                           DataType::F16};
      dequantize.d = d;
      dequantize.rows = count;
      dequantize.columns = static_cast<uint32_t>(columns);
      dequantize.group = static_cast<uint32_t>(columns);
      dequantize.factor = factor;
      builder.add(Queue::Vector, dequantize);
    } else {
      Elementwise copy;
      copy.a = {builder.at(elements, row * stride), stride, DataType::F16};
      copy.d = d;
      if (op.getScale()) {
        copy.op = ElementwiseOp::Multiply;
        copy.spread = Spread::Immediate;
        copy.immediate = factor;
      }
      copy.rows = count;
      copy.columns = static_cast<uint32_t>(columns);
      builder.add(Queue::Vector, copy);
    }
    if (!result.isResident) {
      Store store;
      store.scratchpad = builder.at(plain);
      store.dram = {result.region, result.offset + row * result.dramStride, 0};
      store.bytes = static_cast<uint32_t>(4 * columns);
      store.rows = count;
      store.rowStride = static_cast<int64_t>(result.dramStride);
      store.scratchpadRowStride = plainStride;
      builder.add(Queue::Store, store, result.object);
    }
  }
  values[op.getResult()] = result;
  emitRowPass(op.getResult(), result, RmsNormOp());
}

/// The step's last rows, of which there are as many as the host wants logits
/// of. What follows runs once for each.
void FunctionEmitter::emitSlice(mlir::Operation &op) {
  auto slice = cast<tensor::ExtractSliceOp>(op);
  auto it = values.find(slice.getSource());
  if (it == values.end() || isInLoop) {
    fail(&op, "expected the last rows of a kernel's argument");
    return;
  }
  Rows x = it->second;
  if (rows > 1) {
    int64_t stride = x.isResident ? x.stride : int64_t(x.dramStride);
    setRegister(kRow, kTokens, stride);
    addRegister(kRow, kOutputs, -stride);
    setRegister(kLogits, 0, 0);
    Loop loop;
    loop.countFrom = kOutputs;
    loop.increments[0] = {kRow, stride};
    loop.increments[1] = {kLogits,
                          int64_t(emitted.ioBytes - emitted.logits) / rows};
    builder.beginLoop(loop);
    isInLoop = true;
    forgetTables();
    rows = 1;
    if (x.isResident) {
      x.base = kRow;
    } else {
      Rows row = makeRows(x.columns, "a row");
      Load load;
      load.scratchpad = builder.at(row.buffer);
      load.dram = {x.region, x.offset, kRow};
      load.bytes = static_cast<uint32_t>(4 * x.columns);
      builder.add(Queue::Load0, load, x.object);
      x = row;
    }
  }
  values[slice.getResult()] = x;
  emitRowPass(slice.getResult(), x, RmsNormOp());
}

} // namespace umber::npu
