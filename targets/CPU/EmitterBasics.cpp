// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What emitting any op needs: arithmetic, loops, memory and the split of work.

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;

namespace umber::cpu {

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value KernelEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value KernelEmitter::f32(double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

Value KernelEmitter::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}
Value KernelEmitter::sub(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(loc, x, y);
}
Value KernelEmitter::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(loc, x, y);
}
Value KernelEmitter::div(Value x, Value y) {
  return b.createOrFold<arith::DivUIOp>(loc, x, y);
}
Value KernelEmitter::ceilDiv(Value x, Value y) {
  return div(add(x, sub(y, index(1))), y);
}
Value KernelEmitter::min(Value x, Value y) {
  return b.createOrFold<arith::MinSIOp>(loc, x, y);
}
Value KernelEmitter::max(Value x, Value y) {
  return b.createOrFold<arith::MaxSIOp>(loc, x, y);
}

Value KernelEmitter::toI64(Value value) {
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
}

Value KernelEmitter::at(const Rows &rows, Value row, Value column) {
  return add(rows.offset, add(mul(row, index(rows.columns)), column));
}

//===----------------------------------------------------------------------===//
// Loops and memory
//===----------------------------------------------------------------------===//

void KernelEmitter::forEach(Value begin, Value end, Body body) {
  auto loop = scf::ForOp::create(b, loc, begin, end, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void KernelEmitter::forVectors(Value begin, Value end, int64_t width,
                               VectorBody body) {
  Value whole =
      add(begin, mul(div(sub(end, begin), index(width)), index(width)));
  auto vectors = scf::ForOp::create(b, loc, begin, whole, index(width));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(vectors.getBody());
    body(vectors.getInductionVar(), width);
  }
  if (width > 1) {
    forEach(whole, end, [&](Value column) { body(column, 1); });
  }
}

Value KernelEmitter::load(Value memref, Value offset, int64_t width) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value value;
  Type wide = b.getF32Type();
  if (width == 1) {
    value = memref::LoadOp::create(b, loc, memref, offset);
  } else {
    value = vector::LoadOp::create(b, loc, VectorType::get({width}, element),
                                   memref, ValueRange(offset));
    wide = VectorType::get({width}, wide);
  }
  return element.isF32() ? value : arith::ExtFOp::create(b, loc, wide, value);
}

void KernelEmitter::store(Value value, Value memref, Value offset) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  auto vectorType = dyn_cast<VectorType>(value.getType());
  if (!element.isF32()) {
    Type narrow = vectorType ? vectorType.clone(element) : element;
    value = arith::TruncFOp::create(b, loc, narrow, value);
  }
  if (vectorType) {
    vector::StoreOp::create(b, loc, value, memref, ValueRange(offset));
  } else {
    memref::StoreOp::create(b, loc, value, memref, offset);
  }
}

Value KernelEmitter::broadcast(Value scalar, int64_t width) {
  if (width == 1) {
    return scalar;
  }
  return vector::BroadcastOp::create(
      b, loc, VectorType::get({width}, scalar.getType()), scalar);
}

Value KernelEmitter::pointer(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  auto pointerType = MemRefType::get({1}, type.getElementType());
  if (type == pointerType) {
    return memref;
  }
  int64_t one = 1;
  return memref::ReinterpretCastOp::create(b, loc, pointerType, memref,
                                           /*offset=*/0, ArrayRef(one),
                                           ArrayRef(one));
}

void KernelEmitter::call(StringRef name, ArrayRef<Value> arguments) {
  SmallVector<Value> operands;
  for (Value argument : arguments) {
    if (isa<MemRefType>(argument.getType())) {
      argument = argument == args ? args : pointer(argument);
    } else if (argument.getType().isIndex()) {
      argument = toI64(argument);
    }
    operands.push_back(argument);
  }
  auto module = function->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    auto declaration = func::FuncOp::create(
        top, loc, name,
        b.getFunctionType(ValueRange(operands).getTypes(), TypeRange()));
    declaration.setPrivate();
  }
  func::CallOp::create(b, loc, name, TypeRange(), operands);
}

//===----------------------------------------------------------------------===//
// Buffers and the split of work
//===----------------------------------------------------------------------===//

Value KernelEmitter::allocateScratch(int64_t elements) {
  Value offset = index(scratchElements);
  scratchElements += llvm::alignTo(elements, kVectorWidth);
  return offset;
}

RankedTensorType KernelEmitter::getParameterType(Operation *op,
                                                 FlatSymbolRefAttr symbol) {
  return SymbolTable::lookupNearestSymbolFrom<mlir::umber::ParamOp>(op, symbol)
      .getTensorType();
}

Value KernelEmitter::getConstant(StringRef name, DenseElementsAttr data) {
  auto module = function->getParentOfType<ModuleOp>();
  auto type = MemRefType::get(data.getType().getShape(), data.getElementType());
  for (auto global : module.getOps<memref::GlobalOp>()) {
    if (global.getInitialValueAttr() == data) {
      return memref::GetGlobalOp::create(b, loc, type, global.getSymName());
    }
  }
  unsigned number = llvm::range_size(module.getOps<memref::GlobalOp>());
  std::string symbol = (name + "_" + Twine(number)).str();
  OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
  memref::GlobalOp::create(top, loc, symbol, b.getStringAttr("private"), type,
                           data,
                           /*constant=*/true, b.getI64IntegerAttr(64));
  return memref::GetGlobalOp::create(b, loc, type, symbol);
}

bool KernelEmitter::isYieldedRow(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    return isa<mlir::umber::YieldOp>(user);
  });
}

Rows &KernelEmitter::defineRows(Value value, const Rows &like,
                                Partition partition) {
  Rows made = like;
  made.memref = memrefOf.lookup(getAdapted(value));
  made.offset = index(0);
  made.columns = getRowWords(cast<RankedTensorType>(value.getType()));
  made.partition = partition;
  return rowsOf[value] = made;
}

void KernelEmitter::barrier() {
  call("umber_uk_barrier", {args});
  for (auto &entry : rowsOf) {
    entry.second.partition = Partition();
  }
}

void KernelEmitter::needEverything(ArrayRef<Value> values) {
  if (llvm::any_of(values, [&](Value value) {
        return rows(value).partition.kind != Partition::Kind::Everything;
      })) {
    barrier();
  }
}

Partition KernelEmitter::joinColumns(ArrayRef<Value> values, int64_t columns,
                                     int64_t granule) {
  Partition joined;
  bool conflict = false;
  for (Value value : values) {
    const Partition &partition = rows(value).partition;
    if (partition.kind == Partition::Kind::Everything) {
      continue;
    }
    bool usable = partition.kind == Partition::Kind::Columns &&
                  partition.granule % granule == 0;
    bool first = joined.kind == Partition::Kind::Everything;
    conflict |= !usable || !(first || partition == joined);
    joined = partition;
  }
  if (conflict) {
    barrier();
  }
  if (conflict || joined.kind == Partition::Kind::Everything) {
    joined = {Partition::Kind::Columns, granule, 0,
              int64_t(llvm::divideCeil(columns, granule))};
  }
  return joined;
}

Range KernelEmitter::splitEvenly(Value count) {
  return {div(mul(count, worker), workers),
          div(mul(count, add(worker, index(1))), workers)};
}

Value KernelEmitter::getFirstUnit(const Partition &partition, Value worker) {
  if (partition.runs.empty()) {
    return div(mul(index(partition.total), worker), workers);
  }
  int64_t total = 0;
  for (const Partition::Run &run : partition.runs) {
    total += run.units * run.cost;
  }
  // The nearest to its share of the cost: in each run as many units as fit.
  Value share = div(mul(index(total), worker), workers), unit = index(0);
  int64_t before = 0;
  for (const Partition::Run &run : partition.runs) {
    Value left = max(sub(share, index(before)), index(0));
    Value fit = div(add(left, index(run.cost / 2)), index(run.cost));
    unit = add(unit, min(fit, index(run.units)));
    before += run.units * run.cost;
  }
  return unit;
}

Range KernelEmitter::getColumns(const Rows &rows) {
  const Partition &p = rows.partition;
  Range units = {getFirstUnit(p, worker),
                 getFirstUnit(p, add(worker, index(1)))};
  auto column = [&](Value unit) {
    Value own = max(sub(unit, index(p.first)), index(0));
    return min(mul(own, index(p.granule)), index(rows.columns));
  };
  return {column(units.begin), column(units.end)};
}

} // namespace umber::cpu
