// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One launch on a GPU under construction: a gpu.func whose parameters are
// buffers of 32-bit words, and what its code is written with. Where Vulkan and
// CUDA differ in types or ops, this class alone knows.

#ifndef UMBER_TARGETS_GPU_LAUNCHBUILDER_H
#define UMBER_TARGETS_GPU_LAUNCHBUILDER_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"

namespace umber::gpu {

/// What code is generated for.
enum class Api {
  Vulkan, ///< SPIR-V, by the dialects that convert-gpu-to-spirv takes
  CUDA    ///< PTX, by those that convert-gpu-to-nvvm takes
};

/// The most threads of a workgroup.
inline constexpr int64_t kMaxThreads = 256;

/// The most workgroups along an axis: what every Vulkan device offers.
inline constexpr int64_t kMaxWorkgroups = 65535;

/// Words of workgroup memory that a launch may have: what every Vulkan device
/// offers, and what CUDA gives without being asked.
constexpr int64_t getMaxSharedWords(Api api) {
  return api == Api::Vulkan ? 4096 : 12288;
}

class LaunchBuilder {
public:
  /// Begins a function of so many buffers at the end of `module`.
  LaunchBuilder(mlir::gpu::GPUModuleOp module, mlir::Location loc, Api api,
                unsigned buffers, int64_t threads);

  Api getApi() const { return api; }
  int64_t getThreads() const { return threads; }
  mlir::gpu::GPUFuncOp getFunction() { return function; }
  mlir::OpBuilder &getBuilder() { return b; }
  mlir::Location getLoc() const { return loc; }
  mlir::Value getBuffer(unsigned number);
  mlir::Value getThread() { return thread; }
  mlir::Value getGroup(mlir::gpu::Dimension axis);

  /// Ends the function and removes the buffers that it does not use. Returns
  /// the numbers of those that it does, in order.
  llvm::SmallVector<unsigned> finish();

  // Constants and arithmetic. Integers are of type index where they are
  // addresses or counts, and i32 where they are data.
  mlir::Value index(int64_t value);
  mlir::Value i32(int64_t value);
  mlir::Value f32(double value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value rem(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value bitAnd(mlir::Value a, mlir::Value b);
  mlir::Value bitOr(mlir::Value a, mlir::Value b);
  mlir::Value shiftLeft(mlir::Value a, mlir::Value b);
  mlir::Value shiftRight(mlir::Value a, mlir::Value b);       ///< zeros enter
  mlir::Value shiftRightSigned(mlir::Value a, mlir::Value b); ///< signs enter
  mlir::Value toI32(mlir::Value index);
  mlir::Value toIndex(mlir::Value i32);
  mlir::Value toFloat(mlir::Value i32);
  mlir::Value toInteger(mlir::Value f32);
  mlir::Value asFloat(mlir::Value bits);
  mlir::Value asBits(mlir::Value f32);
  mlir::Value less(mlir::Value a, mlir::Value b); ///< signed; index or i32
  mlir::Value equal(mlir::Value a, mlir::Value b);
  mlir::Value both(mlir::Value a, mlir::Value b) { return bitAnd(a, b); }
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value addF(mlir::Value a, mlir::Value b);
  mlir::Value subF(mlir::Value a, mlir::Value b);
  mlir::Value mulF(mlir::Value a, mlir::Value b);
  mlir::Value divF(mlir::Value a, mlir::Value b);
  mlir::Value maxF(mlir::Value a, mlir::Value b); ///< NaN if one is
  mlir::Value lessF(mlir::Value a, mlir::Value b);
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value absF(mlir::Value a);
  mlir::Value sqrt(mlir::Value a);
  mlir::Value roundEven(mlir::Value a);
  /// The high word of the product of two i32 without signs.
  mlir::Value mulHigh(mlir::Value a, mlir::Value b);
  /// e^a, within 2 units in the last place.
  mlir::Value exp(mlir::Value a);
  mlir::Value tanh(mlir::Value a);

  /// The f16 in the low half of a word.
  mlir::Value halfToFloat(mlir::Value word);
  /// Both f16 of a word, the low one first.
  std::pair<mlir::Value, mlir::Value> halvesToFloats(mlir::Value word);
  /// The bits of a value as f16, rounded to nearest even.
  mlir::Value floatToHalf(mlir::Value value);
  /// Bits `first` to `first + bits - 1` of a word, as a signed i32.
  mlir::Value signedField(mlir::Value word, int64_t first, int64_t bits);
  /// accumulator + the dot product of two words' four signed bytes.
  mlir::Value dotBytes(mlir::Value a, mlir::Value b, mlir::Value accumulator);

  /// On CUDA: byte i is byte n of the eight of `low` and `high`, where n are
  /// the lower three of bits 4 i to 4 i + 3 of `selector`, the fourth of which
  /// must be zero; bits from 16 on do not matter.
  mlir::Value permuteBytes(mlir::Value low, mlir::Value high,
                           mlir::Value selector);
  /// On CUDA, where a warp's threads all call it: sums + a * b, of matrices of
  /// bytes and of i32 that the warp has between its threads. Thread 4 g + t has
  /// of `a`, which is 16 x 32, rows g and g + 8 at columns 4 t to 4 t + 3, a
  /// word each, and the same rows at columns 16 + 4 t and following; of `b`,
  /// which is 32 x 8, column g at rows 4 t to 4 t + 3 and 16 + 4 t and
  /// following; of the sums row g and then row g + 8 at columns 2 t and
  /// 2 t + 1 (PTX's mma.m16n8k32).
  llvm::SmallVector<mlir::Value>
  multiplyTiles(mlir::ValueRange a, mlir::ValueRange b, mlir::ValueRange sums);

  // Memory. Offsets are in words.
  mlir::Value load(mlir::Value buffer, mlir::Value offset);
  mlir::Value loadF(mlir::Value buffer, mlir::Value offset);
  /// `count` consecutive words of a buffer, where `offset` is a multiple of the
  /// largest power of two up to 4 that divides `count`.
  llvm::SmallVector<mlir::Value> loadWords(mlir::Value buffer,
                                           mlir::Value offset, int64_t count);
  /// `kNeighbours` consecutive words of a buffer, which are the same ones for
  /// all neighbours.
  llvm::SmallVector<mlir::Value> loadSharedWords(mlir::Value buffer,
                                                 mlir::Value offset);
  void store(mlir::Value word, mlir::Value buffer, mlir::Value offset);
  void storeF(mlir::Value value, mlir::Value buffer, mlir::Value offset);
  /// Words that all threads of a workgroup share.
  mlir::Value allocateShared(int64_t words);
  int64_t getSharedWords() const { return sharedWords; }
  /// All threads meet, and see what the others have written to shared memory.
  void barrier();

  // Control flow.
  using Body = llvm::function_ref<void(mlir::Value)>;
  void forEach(mlir::Value begin, mlir::Value end, mlir::Value step, Body body);
  using Reduction = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value, mlir::ValueRange)>;
  llvm::SmallVector<mlir::Value> reduce(mlir::Value begin, mlir::Value end,
                                        mlir::Value step,
                                        mlir::ValueRange start, Reduction body);
  void ifTrue(mlir::Value condition, llvm::function_ref<void()> body);
  /// What `body` makes where the condition is true, `otherwise` elsewhere.
  llvm::SmallVector<mlir::Value>
  ifTrue(mlir::Value condition, mlir::ValueRange otherwise,
         llvm::function_ref<llvm::SmallVector<mlir::Value>()> body);

  /// Threads 8 i to 8 i + 7 of a workgroup are neighbours, of one subgroup on
  /// every device.
  static constexpr int64_t kNeighbours = 8;
  /// The thread's number among its neighbours.
  mlir::Value getPlace();
  /// The i32 or f32 of a neighbour, for which all of the subgroup ask.
  mlir::Value fromNeighbour(mlir::Value value, int64_t number);
  /// Combines an f32 of every neighbour, by an operation that takes its
  /// operands in any order; all get the same bits.
  using Combine = llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)>;
  mlir::Value reduceNeighbours(mlir::Value value, Combine combine);

  /// The same of every thread. All threads call it, a multiple of 8 of them,
  /// and meet.
  mlir::Value reduceThreads(mlir::Value value, Combine combine);

private:
  mlir::MemRefType getBufferType(bool inVectors = false) const;
  /// A buffer as vectors of 4 words, which SPIR-V has as another variable of
  /// the same binding.
  mlir::Value getVectors(mlir::Value buffer);
  /// A value of a lane of the subgroup, an i32.
  mlir::Value shuffle(mlir::Value value, mlir::Value from);

  mlir::OpBuilder b;
  mlir::Location loc;
  Api api;
  int64_t threads;
  int64_t sharedWords = 0;
  mlir::gpu::GPUFuncOp function;
  mlir::Value thread;
  /// The thread's number among its neighbours, and the first one's lane of the
  /// subgroup.
  mlir::Value place, firstLane;
  mlir::Value scratch; ///< of reduceThreads()
  unsigned buffers;    ///< arguments that are buffers; their vectors follow
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_LAUNCHBUILDER_H
