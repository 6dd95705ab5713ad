// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The elements of parameters, as the interpreter reads them.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_PARAMETERS_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_PARAMETERS_H

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include <vector>

namespace umber::interp {

/// Reads parameters from their `value` attributes or from the store, and keeps
/// them while there is room. A plain parameter's elements are rounded to its
/// element type. Those of an encoded one are what the encoding says (table
/// entry times scale), which f32 holds exactly and f16 would not.
class Parameters {
public:
  Parameters(const ParameterStore *store, uint64_t bytes)
      : store(store), bytesLeft(bytes) {}

  /// Calls `use(first, rows)` for all rows from `first` to `first + count`, in
  /// order, in blocks of consecutive rows. A tensor of rank 1 is one row. Keeps
  /// the whole parameter if there is room for it, unless only some rows are
  /// asked for. Fails with an error at `user` if the store fails.
  mlir::LogicalResult
  forEachBlock(mlir::Operation *user, mlir::umber::ParamOp param, int64_t first,
               int64_t count,
               llvm::function_ref<void(int64_t, llvm::ArrayRef<float>)> use);

  /// All elements, of a parameter small enough to hold.
  mlir::FailureOr<llvm::ArrayRef<float>> read(mlir::Operation *user,
                                              mlir::umber::ParamOp param);

private:
  /// Checks that the store has `param` under its shape.
  mlir::LogicalResult checkStored(mlir::Operation *user,
                                  mlir::umber::ParamOp param);
  mlir::LogicalResult readStored(mlir::Operation *user,
                                 mlir::umber::ParamOp param, int64_t first,
                                 llvm::MutableArrayRef<float> out);
  mlir::FailureOr<llvm::ArrayRef<float>> keep(mlir::Operation *user,
                                              mlir::umber::ParamOp param);

  const ParameterStore *store;
  uint64_t bytesLeft;
  llvm::DenseMap<mlir::Operation *, std::vector<float>> kept;
};

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_PARAMETERS_H
