// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/Interpreter.h"
#include "dialects/Umber/Interpreter/Evaluation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace umber::interp {

/// Straight-line programs only recurse without end.
static constexpr int64_t kMaxDepth = 256;

const OpRegistry &OpRegistry::get() {
  static const OpRegistry registry = [] {
    OpRegistry ops;
    registerModelOps(ops);
    registerLinearOps(ops);
    registerLayerOps(ops);
    registerRotaryOps(ops);
    registerAttentionOps(ops);
    registerQuantOps(ops);
    registerControlOps(ops);
    registerArithOps(ops);
    registerMathOps(ops);
    registerTensorOps(ops);
    return ops;
  }();
  return registry;
}

static LogicalResult evaluateOp(Operation &op, Frame &frame) {
  const OpRegistry::Handler *handler = OpRegistry::get().find(&op);
  if (!handler) {
    return op.emitError("the interpreter does not know '")
           << op.getName() << "'";
  }
  if (failed((*handler)(&op, frame))) {
    return failure();
  }
  for (OpResult result : op.getResults()) {
    const Tensor *tensor = frame.get(result).getTensor();
    if (frame.state.probe && tensor &&
        failed(frame.state.probe(frame.state.probed++, result, *tensor))) {
      return failure();
    }
  }
  frame.releaseOperands(&op);
  return success();
}

FailureOr<SmallVector<Value>> evaluateBlock(State &state, Block &block,
                                            ArrayRef<Value> arguments) {
  Frame frame(state);
  for (auto [argument, value] : llvm::zip(block.getArguments(), arguments)) {
    frame.bind(argument, value);
  }
  for (Operation &op : block.without_terminator()) {
    if (failed(evaluateOp(op, frame))) {
      return failure();
    }
  }
  Operation *terminator = block.getTerminator();
  if (!isa<func::ReturnOp, mlir::umber::YieldOp>(terminator)) {
    return terminator->emitError("the interpreter does not know '")
           << terminator->getName() << "' as the end of a body";
  }
  SmallVector<Value> results;
  for (mlir::Value operand : terminator->getOperands()) {
    results.push_back(frame.get(operand));
  }
  return results;
}

FailureOr<SmallVector<Value>> evaluateCall(State &state,
                                           FunctionOpInterface function,
                                           ArrayRef<Value> arguments,
                                           Location caller) {
  if (!function.getFunctionBody().hasOneBlock()) {
    return emitError(caller, "expected '")
           << function.getName() << "' to have a body of one block, found "
           << function.getFunctionBody().getBlocks().size();
  }
  if (state.depth == kMaxDepth) {
    return emitError(caller, "expected calls nested at most ")
           << kMaxDepth << " deep";
  }
  ++state.depth;
  llvm::scope_exit leave([&] { --state.depth; });
  return evaluateBlock(state, function.getFunctionBody().front(), arguments);
}

struct Interpreter::Impl {
  Impl(ModuleOp module, const ParameterStore *store, uint64_t parameterBytes)
      : module(module), state(store, parameterBytes) {}

  ModuleOp module;
  State state;
};

Interpreter::Interpreter(ModuleOp module, const ParameterStore *store,
                         InterpreterOptions options)
    : impl(std::make_unique<Impl>(module, store, options.parameterBytes)) {}

Interpreter::~Interpreter() = default;

FailureOr<SmallVector<Value>> Interpreter::call(StringRef function,
                                                ArrayRef<Value> arguments) {
  auto callee = impl->module.lookupSymbol<FunctionOpInterface>(function);
  if (!callee) {
    return impl->module.emitError("expected a function named '")
           << function << "'";
  }
  ArrayRef<Type> types = callee.getArgumentTypes();
  if (types.size() != arguments.size()) {
    return callee.emitOpError("expected ")
           << types.size() << " arguments, found " << arguments.size();
  }
  for (auto [index, type] : llvm::enumerate(types)) {
    if (!arguments[index].fits(type)) {
      return callee.emitOpError("expected argument ")
             << index << " of type " << type << ", found "
             << arguments[index].describe();
    }
  }
  impl->state.probed = 0;
  return evaluateCall(impl->state, callee, arguments, callee.getLoc());
}

void Interpreter::setProbe(Probe probe) {
  impl->state.probe = std::move(probe);
}

const llvm::StringMap<Observation> &Interpreter::getObservations() const {
  return impl->state.observations;
}

} // namespace umber::interp
