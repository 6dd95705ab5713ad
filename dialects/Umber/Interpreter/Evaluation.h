// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the evaluation of an op works with. Internal to the interpreter: each op
// family has a file with one function per op and a function that registers
// them.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_EVALUATION_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_EVALUATION_H

#include "dialects/Umber/Interpreter/Interpreter.h"
#include "dialects/Umber/Interpreter/Parameters.h"

namespace umber::interp {

/// What all frames of an interpreter share.
struct State {
  State(const ParameterStore *store, uint64_t parameterBytes)
      : parameters(store, parameterBytes) {}

  Parameters parameters;
  mlir::SymbolTableCollection symbols;
  llvm::StringMap<Observation> observations;
  Probe probe;
  int64_t probed = 0;
  int64_t depth = 0;
};

/// The values of one activation of a block, a function's or a kernel's.
class Frame {
public:
  explicit Frame(State &state) : state(state) {}

  State &state;

  const Value &get(mlir::Value value) const {
    return values.find(value)->second;
  }
  const Tensor &tensor(mlir::Value value) const {
    return *get(value).getTensor();
  }
  /// The value of a scalar integer or index.
  int64_t integer(mlir::Value value) const {
    return tensor(value).getIntegers()[0];
  }

  /// Gives `result` its value. Fails with an error at its op if the value does
  /// not fit its type, which a dynamic shape can cause.
  mlir::LogicalResult set(mlir::OpResult result, Value value);
  void bind(mlir::BlockArgument argument, Value value) {
    values.insert_or_assign(argument, std::move(value));
  }
  /// Forgets the tensors that `op` was the last to use.
  void releaseOperands(mlir::Operation *op);

  /// A tensor of zeros, or an error at `op` if it cannot be held.
  mlir::FailureOr<Tensor> allocate(mlir::Operation *op, mlir::Type elementType,
                                   llvm::ArrayRef<int64_t> shape) const;
  /// The value of `operand` as a position; an error at `op` if it is negative
  /// or beyond 2^31 - 1.
  mlir::FailureOr<int64_t> position(mlir::Operation *op,
                                    mlir::Value operand) const;
  /// The parameter that `symbol` names from `op`; the module's verifier has
  /// checked that there is one.
  mlir::umber::ParamOp param(mlir::Operation *op,
                             mlir::FlatSymbolRefAttr symbol) const;
  /// All elements of the parameter that `symbol` names.
  mlir::FailureOr<llvm::ArrayRef<float>>
  elements(mlir::Operation *op, mlir::FlatSymbolRefAttr symbol) const;

private:
  llvm::DenseMap<mlir::Value, Value> values;
};

/// Evaluates a block of straight-line code with its arguments bound, and gives
/// the operands of its terminator.
mlir::FailureOr<llvm::SmallVector<Value>>
evaluateBlock(State &state, mlir::Block &block,
              llvm::ArrayRef<Value> arguments);

/// Evaluates a call of `function`, whose arguments are checked, with errors
/// about the call at `caller`.
mlir::FailureOr<llvm::SmallVector<Value>>
evaluateCall(State &state, mlir::FunctionOpInterface function,
             llvm::ArrayRef<Value> arguments, mlir::Location caller);

/// The ops that the interpreter knows.
class OpRegistry {
public:
  using Handler =
      std::function<mlir::LogicalResult(mlir::Operation *, Frame &)>;

  static const OpRegistry &get();

  const Handler *find(mlir::Operation *op) const {
    auto it = handlers.find(op->getName().getTypeID());
    return it == handlers.end() ? nullptr : &it->second;
  }
  template <typename OpT>
  void add(std::function<mlir::LogicalResult(OpT, Frame &)> evaluate) {
    handlers[mlir::TypeID::get<OpT>()] =
        [evaluate = std::move(evaluate)](mlir::Operation *op, Frame &frame) {
          return evaluate(mlir::cast<OpT>(op), frame);
        };
  }

private:
  llvm::DenseMap<mlir::TypeID, Handler> handlers;
};

void registerModelOps(OpRegistry &registry);
void registerLinearOps(OpRegistry &registry);
void registerLayerOps(OpRegistry &registry);
void registerRotaryOps(OpRegistry &registry);
void registerAttentionOps(OpRegistry &registry);
void registerQuantOps(OpRegistry &registry);
void registerControlOps(OpRegistry &registry);
void registerArithOps(OpRegistry &registry);
void registerMathOps(OpRegistry &registry);
void registerTensorOps(OpRegistry &registry);

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_EVALUATION_H
