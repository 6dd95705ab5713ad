// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

//
// Runs segments over batches of sequences in f32, and in reverse.

#ifndef UMBER_DIALECTS_UMBER_TRAINING_EXECUTOR_H
#define UMBER_DIALECTS_UMBER_TRAINING_EXECUTOR_H

#include "dialects/Umber/Parameters/ParameterStore.h"
#include "dialects/Umber/Training/Attention.h"
#include "dialects/Umber/Training/Graph.h"
#include "dialects/Umber/Training/Layers.h"
#include "llvm/ADT/StringMap.h"

namespace umber::training {

/// Sequences of equal length. Activations have a row per token, a sequence's
/// one after the other.
struct Batch {
  int64_t sequences = 0, length = 0;
  int64_t position = 0;             ///< of every sequence's first token
  llvm::ArrayRef<int32_t> ids = {}; ///< sequences x length

  int64_t getRows() const { return sequences * length; }
};

/// Rows of floats by the value that they are.
using Activations = llvm::DenseMap<mlir::Value, std::vector<float>>;

/// Keys and values of earlier tokens, for runs a token at a time; rounded to
/// bfloat16, which is enough to write plausible text in half the memory.
class KVMemory {
public:
  KVMemory(int64_t sequences, int64_t capacity)
      : sequences(sequences), capacity(capacity) {}

  /// Keeps an update's rows at the batch's position; gives all up to there.
  HalfKVView update(int64_t layer, const Batch &batch,
                    llvm::ArrayRef<float> keys, llvm::ArrayRef<float> values);

private:
  struct Layer {
    std::vector<uint16_t> keys, values;
  };
  int64_t sequences, capacity;
  llvm::DenseMap<int64_t, Layer> layers;
};

/// What a reverse run shows on its way.
struct ReverseObserver {
  virtual ~ReverseObserver() = default;
  /// A product's input, and the loss's derivative by its output.
  virtual void product(mlir::umber::LinearOp op, llvm::ArrayRef<float> x,
                       llvm::ArrayRef<float> dy) {}
  /// The loss's derivative by a norm's gain.
  virtual void gain(mlir::umber::RmsNormOp op, llvm::ArrayRef<float> dGain) {}
};

AttentionShape getAttentionShape(mlir::umber::AttentionOp op,
                                 const Batch &batch);
GateFunction getGateFunction(mlir::umber::GatedActivationOp op);

class Executor {
public:
  /// Both must outlive the executor.
  Executor(mlir::ModuleOp module, const ParameterStore &store)
      : module(module), store(store) {}

  /// Computes the segment's values. `values` holds its input; without
  /// `keepAll`, it holds the output alone afterwards. Fails with a diagnostic.
  mlir::LogicalResult forward(const Segment &segment, const Batch &batch,
                              Activations &values, bool keepAll,
                              KVMemory *memory = nullptr);

  /// From the derivative of a loss by the segment's output, in `gradients`,
  /// computes that by its input, which alone is in `gradients` afterwards.
  /// `values` are all of the segment's, of a batch at position 0.
  mlir::LogicalResult backward(const Segment &segment, const Batch &batch,
                               const Activations &values,
                               Activations &gradients,
                               ReverseObserver &observer);

  /// Elements of a parameter, as f32; kept until releaseWeights().
  mlir::FailureOr<llvm::ArrayRef<float>> getWeights(mlir::Operation *user,
                                                    llvm::StringRef name);
  void releaseWeights() { weights.clear(); }

  /// Uses other elements than the store's, which must live on.
  void setWeights(llvm::StringRef name, llvm::ArrayRef<float> elements) {
    replaced[name] = elements;
  }

private:
  mlir::LogicalResult run(mlir::Operation *op, const Batch &batch,
                          Activations &values, KVMemory *memory);
  mlir::LogicalResult reverse(mlir::Operation *op, const Batch &batch,
                              const Activations &values,
                              llvm::ArrayRef<float> dOut,
                              Activations &gradients,
                              ReverseObserver &observer);
  mlir::FailureOr<RotaryTable> getRotary(mlir::umber::RotaryOp op,
                                         const Batch &batch);
  mlir::FailureOr<std::vector<float>> getGain(mlir::umber::RmsNormOp op);
  /// Adds B (A x) of the site's correction.
  mlir::LogicalResult correct(mlir::umber::LoraOp op, int64_t rows,
                              llvm::ArrayRef<float> x,
                              llvm::MutableArrayRef<float> out);
  /// Adds A^T (B^T dOut) of the site's correction.
  mlir::LogicalResult correctBackward(mlir::umber::LoraOp op, int64_t rows,
                                      llvm::ArrayRef<float> dOut,
                                      llvm::MutableArrayRef<float> dX);

  mlir::ModuleOp module;
  const ParameterStore &store;
  llvm::StringMap<std::vector<float>> weights;
  llvm::StringMap<llvm::ArrayRef<float>> replaced;
};

} // namespace umber::training

#endif // UMBER_DIALECTS_UMBER_TRAINING_EXECUTOR_H
