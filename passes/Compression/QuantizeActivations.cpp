// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Compression/Passes.h"

namespace umber {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONSPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

/// Kernels take four columns at a time.
constexpr int64_t kColumnsPerStep = 4;

struct QuantizeActivations
    : ::umber::impl::QuantizeActivationsPassBase<QuantizeActivations> {
  using QuantizeActivationsPassBase::QuantizeActivationsPassBase;

  void runOnOperation() override;

private:
  /// The largest group of at most `group` columns that divides a row and that
  /// kernels can step through, or 0 for the whole row.
  int64_t chooseGroup(int64_t columns) const;
};

int64_t QuantizeActivations::chooseGroup(int64_t columns) const {
  for (int64_t size = group / kColumnsPerStep * kColumnsPerStep; size > 0;
       size -= kColumnsPerStep) {
    // Groups much smaller than was asked for would cost more than they bring.
    if (columns % size == 0 && (size == columns || 2 * size >= group)) {
      return size == columns ? 0 : size;
    }
  }
  return 0;
}

void QuantizeActivations::runOnOperation() {
  if (bits != 8) {
    getOperation().emitError("expected 8 bits, found ") << bits.getValue();
    return signalPassFailure();
  }
  if (group < 0) {
    getOperation().emitError("expected a group of at least 0 columns, found ")
        << group.getValue();
    return signalPassFailure();
  }
  SymbolTable symbols(getOperation());
  DenseMap<Value, Value> quantized;
  getOperation().walk([&](LinearOp linear) {
    auto weight = symbols.lookup<ParamOp>(linear.getWeight());
    Value x = linear.getX();
    auto type = cast<RankedTensorType>(x.getType());
    bool isChosen = plain || weight.getTensorType().getEncoding();
    if (!isChosen || type.getEncoding()) {
      return;
    }
    Value &result = quantized[x];
    if (!result) {
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfterValue(x);
      auto encoding = QuantizedAttr::get(&getContext(), bits,
                                         chooseGroup(type.getDimSize(1)));
      result = QuantizeOp::create(builder, x.getLoc(),
                                  RankedTensorType::get(type.getShape(),
                                                        type.getElementType(),
                                                        encoding),
                                  x);
    }
    linear.getXMutable().assign(result);
  });
}

} // namespace
