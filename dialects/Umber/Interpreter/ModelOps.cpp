// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.embed.

#include "dialects/Umber/Interpreter/Evaluation.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::interp {

static LogicalResult evaluateEmbed(EmbedOp op, Frame &frame) {
  ParamOp table = frame.param(op, op.getTableAttr());
  int64_t rows = table.getTensorType().getDimSize(0);
  int64_t width = table.getTensorType().getDimSize(1);
  const Tensor &ids = frame.tensor(op.getIds());
  auto result =
      frame.allocate(op, op.getType().getElementType(), {ids.getDim(0), width});
  if (failed(result)) {
    return failure();
  }
  float scale = op.getScale() ? op.getScale()->convertToFloat() : 1.0f;
  float *out = result->floatsForWriting().data();
  for (auto [index, id] : llvm::enumerate(ids.getIntegers())) {
    if (id < 0 || id >= rows) {
      return op.emitOpError("expected token ids from 0 to ")
             << rows - 1 << ", found " << id << " at index " << index;
    }
    float *row = out + index * width;
    auto copyRow = [&](int64_t, ArrayRef<float> elements) {
      for (auto [c, element] : llvm::enumerate(elements)) {
        row[c] = scale * element;
      }
    };
    if (failed(
            frame.state.parameters.forEachBlock(op, table, id, 1, copyRow))) {
      return failure();
    }
  }
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateParam(ParamOp, Frame &) { return success(); }

void registerModelOps(OpRegistry &registry) {
  registry.add<EmbedOp>(evaluateEmbed);
  // A parameter within a function's body declares, and does nothing.
  registry.add<ParamOp>(evaluateParam);
}

} // namespace umber::interp
