// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which activations have a row for each of a step's outputs, and not for each
// of its tokens: what follows from a slice of the last rows. Of a prompt's
// chunk no token or only the last one needs logits, so there are far fewer.

#ifndef UMBER_TARGETS_COMMON_OUTPUTROWS_H
#define UMBER_TARGETS_COMMON_OUTPUTROWS_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace umber {

class OutputRows {
public:
  /// Of the kernels of a fused entry point, whose third argument is the number
  /// of outputs. Fails, with a diagnostic, where a kernel yields some other
  /// number of rows.
  static mlir::FailureOr<OutputRows> find(mlir::func::FuncOp function);

  /// A result of a kernel, or an argument of its body.
  bool contains(mlir::Value value) const { return values.contains(value); }

private:
  mlir::LogicalResult visit(mlir::umber::KernelOp kernel);

  llvm::DenseSet<mlir::Value> values;
};

} // namespace umber

#endif // UMBER_TARGETS_COMMON_OUTPUTROWS_H
