// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Low-rank adapters, which are known only when the model runs: around each
// group of products a branch that is not taken without any.

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

/// The umber.lora of each product that has one.
static SmallVector<LoraOp> getLoras(ArrayRef<LinearOp> group) {
  SmallVector<LoraOp> loras;
  for (LinearOp linear : group) {
    Value adapted = getAdapted(linear.getResult());
    if (auto lora = adapted.getDefiningOp<LoraOp>()) {
      loras.push_back(lora);
    }
  }
  return loras;
}

Value KernelEmitter::areActive(ArrayRef<LoraOp> loras) {
  Value sum;
  for (LoraOp lora : loras) {
    Value count =
        memref::LoadOp::create(b, loc, siteOf.lookup(lora.getSite()), index(0));
    sum = sum ? arith::OrIOp::create(b, loc, sum, count) : count;
  }
  Value zero = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, sum, zero);
}

LogicalResult KernelEmitter::emitLowRankInputs(ArrayRef<LinearOp> group) {
  SmallVector<LoraOp> loras = getLoras(group);
  for (LoraOp lora : loras) {
    if (!rowsOf.contains(lora.getX())) {
      return lora.emitOpError("expected an input that is made before the "
                              "product that it corrects");
    }
    needEverything({lora.getX()});
    if (rows(lora.getX()).count != tokens) {
      return lora.emitOpError("expected all rows of the step");
    }
  }
  if (loras.empty()) {
    return success();
  }
  auto active =
      scf::IfOp::create(b, loc, areActive(loras), /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(active.thenBlock());
  for (LoraOp lora : loras) {
    Rows x = rows(lora.getX());
    call("umber_uk_low_rank_inputs", {args, siteOf.lookup(lora.getSite()),
                                      x.memref, x.offset, index(x.columns)});
  }
  return success();
}

void KernelEmitter::emitLowRankOutputs(ArrayRef<LinearOp> group) {
  SmallVector<LoraOp> loras = getLoras(group);
  if (loras.empty()) {
    return;
  }
  auto active =
      scf::IfOp::create(b, loc, areActive(loras), /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(active.thenBlock());
  // All workers take the same branch. Partitions stay: without adapters nobody
  // has waited.
  call("umber_uk_low_rank_barrier", {args});
  for (LoraOp lora : loras) {
    Rows y = rows(lora.getY());
    Range columns = getColumns(y);
    call("umber_uk_low_rank_outputs",
         {args, siteOf.lookup(lora.getSite()), y.memref, y.offset,
          index(y.columns), columns.begin, columns.end});
  }
}

LogicalResult KernelEmitter::emitLora(LoraOp op) {
  if (getAdapted(op.getY()) != op.getResult() ||
      !op.getY().getDefiningOp<LinearOp>()) {
    return op.emitOpError("expected a product's result that nothing else uses");
  }
  // It was emitted with the product, in place.
  rowsOf[op.getResult()] = rows(op.getY());
  return success();
}

} // namespace umber::cpu
