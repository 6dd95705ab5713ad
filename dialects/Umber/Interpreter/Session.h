// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A language model's entry point, called token by token.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_SESSION_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_SESSION_H

#include "dialects/Umber/Interpreter/Interpreter.h"

namespace umber::interp {

/// One sequence of tokens run through a module's entry points, functions
///   (ids: tensor<?xi32>, pos: index, outputs: index,
///    cache: !umber.kv_cache[, adapters: !umber.adapters])
///       -> (logits: tensor<?xVxf32>, !umber.kv_cache)
/// which append `ids` at positions `pos`... and give the logits of the last
/// `outputs` of them. A module has `step`, or, once umber-specialize has made
/// them of it, `prefill`, for up to `umber.max_tokens` tokens, or `decode`, for
/// one, or both.
class Session {
public:
  /// An empty sequence. Fails with a diagnostic if the module has no such
  /// function. The interpreter must be the module's and outlive the session.
  static mlir::FailureOr<Session> create(Interpreter &interpreter,
                                         mlir::ModuleOp module);

  /// Which adapters later steps use; fails if the model takes none.
  mlir::LogicalResult setAdapters(AdaptersRef newAdapters);

  /// Appends 1 to getMaxTokens() tokens; gives the logits of the last `outputs`
  /// of them, outputs x vocabulary. Fails if the model's context would overflow
  /// or a step fails.
  mlir::FailureOr<Tensor> step(llvm::ArrayRef<int32_t> ids, int64_t outputs);

  /// Appends a prompt, which must not be empty, in steps of at most `chunk`
  /// tokens; gives the logits of its last token, 1 x vocabulary.
  mlir::FailureOr<Tensor> prefill(llvm::ArrayRef<int32_t> ids, int64_t chunk);

  /// How many tokens the sequence has.
  int64_t getLength() const { return length; }
  /// How many tokens a step may have.
  int64_t getMaxTokens() const { return maxTokens; }

private:
  Session(Interpreter &interpreter, mlir::FunctionOpInterface prefill,
          mlir::FunctionOpInterface decode);

  Interpreter *interpreter;
  /// For any number of tokens up to the limit, and for one; at least one of
  /// them is there.
  mlir::FunctionOpInterface prefillFunction, decodeFunction;
  int64_t maxTokens;
  KVCache cache;
  AdaptersRef adapters = std::make_shared<Adapters>();
  int64_t length = 0;
};

/// A token that greedy decoding chose.
struct GreedyToken {
  int32_t id = 0;
  /// How far its logit is above the second largest, in logits.
  float margin = 0.0f;
};

/// The most likely token of a row of logits, the first of equals. Fails with an
/// error at `loc` if there is none: fewer than two logits, or a NaN.
mlir::FailureOr<GreedyToken> chooseGreedily(llvm::ArrayRef<float> logits,
                                            mlir::Location loc);

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_SESSION_H
