// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter: what a module in the umber dialect computes, in
// plain loops, at any stage of its compilation and with no target involved.
//
// Numerics. Floating-point arithmetic is f32 and rounded to the element type of
// each result. A sum of products runs over 16 interleaved partial sums (term i
// goes to sum i mod 16), which are then added in pairs (8 + 8, 4 + 4, 2 + 2,
// 1 + 1), and never uses a fused multiply-add, so that results do not depend on
// the machine's vector width. A product of a quantized operand with a weight
// accumulates without rounding within a group of the operand, and groups are
// added in f32 in order. Rotary angles, and an observation's second moments,
// are computed in double.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_INTERPRETER_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_INTERPRETER_H

#include "dialects/Umber/Interpreter/Value.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include <functional>
#include <memory>

namespace umber::interp {

/// What umber.observe has collected under one name.
struct Observation {
  /// How many rows were seen.
  int64_t rows = 0;
  /// Each column's largest magnitude.
  std::vector<float> maxAbs;
  /// columns x columns: sum over rows of x^T x.
  std::vector<double> secondMoment;
};

struct InterpreterOptions {
  /// Parameters are kept as f32 up to this many bytes in all; what does not fit
  /// is read from the store at each use, a few rows at a time.
  uint64_t parameterBytes = uint64_t(4) << 30;
};

/// Called with each tensor result of each op, as soon as it is computed. The
/// number counts such calls within one Interpreter::call, from 0. A failure,
/// which it has reported, fails the evaluation.
using Probe = std::function<mlir::LogicalResult(
    int64_t number, mlir::OpResult result, const Tensor &value)>;

/// Evaluates functions of one module. Errors, the program's and the caller's,
/// are MLIR diagnostics at the location of the op concerned. Not for more than
/// one thread at a time.
class Interpreter {
public:
  /// `store` gives the elements of parameters that have no value of their own;
  /// it may be null if there are none, and must outlive the interpreter, as
  /// must the module, which must verify and must not change.
  Interpreter(mlir::ModuleOp module, const ParameterStore *store,
              InterpreterOptions options = {});
  ~Interpreter();

  /// Calls a function of the module. A cache among the arguments is consumed:
  /// what follows it is among the results. Fails if there is no such function,
  /// an argument does not fit its type, or an op fails.
  mlir::FailureOr<llvm::SmallVector<Value>>
  call(llvm::StringRef function, llvm::ArrayRef<Value> arguments);

  void setProbe(Probe probe);

  /// By the names of the umber.observe ops that have run.
  const llvm::StringMap<Observation> &getObservations() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_INTERPRETER_H
