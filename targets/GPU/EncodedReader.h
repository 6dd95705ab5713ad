// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A thread's row of a matrix as packages hold it for GPUs (LaneEncoding.h).

#ifndef UMBER_TARGETS_GPU_ENCODEDREADER_H
#define UMBER_TARGETS_GPU_ENCODEDREADER_H

#include "mlir/IR/BuiltinTypes.h"
#include "runtime/package/LaneEncoding.h"
#include "targets/GPU/LaunchBuilder.h"

namespace umber::gpu {

/// Four weights of consecutive columns: bytes of a word, or four i32.
struct Quad {
  mlir::Value packed;
  mlir::Value values[4];
};

/// Reads row `lane` of panel `panel` of an encoded matrix.
class EncodedReader {
public:
  EncodedReader(LaunchBuilder &launch, LaneEncoding layout, mlir::Value buffer,
                mlir::Value panel, mlir::Value lane);

  // One element, wherever it is.

  /// The integer of a column, an i32.
  mlir::Value getInteger(mlir::Value column);
  /// What integers at a column count, an f32.
  mlir::Value getScale(mlir::Value column);
  /// Their product.
  mlir::Value getWeight(mlir::Value column);

  // Whole blocks, of a matrix whose rows have one table each.

  /// How the four codes of a quad become integers.
  enum class Lookup {
    None,        ///< they are the integers
    Registers,   ///< every thread holds its row's table
    Permutation, ///< so, and picks four bytes of it in an instruction
    Shared,      ///< in workgroup memory, by as many codes as make a byte
    Impossible   ///< there are too many tables
  };
  static Lookup chooseLookup(const PanelEncoding &encoding, Api api);
  /// Words of workgroup memory that a matrix needs for its tables.
  static int64_t getSharedWords(const PanelEncoding &encoding, Api api);

  /// Reads tables; all threads of the workgroup call it, and meet.
  void prepareTables(mlir::Value shared);
  /// A reader of another row of the panel, with tables where this one has them.
  EncodedReader ofLane(mlir::Value other) const;
  /// The words of block `block`.
  llvm::SmallVector<mlir::Value> loadBlock(mlir::Value block);
  /// What words of codes a block has for its columns 32 / `parts` `part` and
  /// following, where `parts` is 2 or 4: the first code is in the lowest bits.
  llvm::SmallVector<mlir::Value> loadPart(mlir::Value block, mlir::Value part,
                                          int64_t parts);
  /// Weights 4 `quad` to 4 `quad` + 3 of the words of a block or a part of one.
  Quad decode(llvm::ArrayRef<mlir::Value> block, int64_t quad);

private:
  /// Finds the table of the lane.
  void findTable();
  /// Where block `block`'s codes of the lane begin.
  mlir::Value getBlockWords(mlir::Value block);
  /// Which block of rows of that height, counted from the panel's first, has
  /// the lane.
  mlir::Value getBlockOfRows(int64_t height);
  /// Byte `index` from word `base` on, signed.
  mlir::Value loadByte(mlir::Value base, mlir::Value index);
  /// `bits` bits of a block from bit `first` on.
  mlir::Value getField(llvm::ArrayRef<mlir::Value> block, int64_t first,
                       int64_t bits);
  mlir::Value getByteShift(llvm::ArrayRef<mlir::Value> block, int64_t first);
  mlir::Value lookUpInRegisters(llvm::ArrayRef<mlir::Value> block,
                                int64_t first);
  mlir::Value reverseBytes(mlir::Value word);
  mlir::Value lookUpByPermutation(llvm::ArrayRef<mlir::Value> block,
                                  int64_t quad);
  /// Codes that one lookup in workgroup memory takes.
  static int64_t getCodesPerLookup(const PanelEncoding &encoding);
  static int64_t getTables(const PanelEncoding &encoding);

  LaunchBuilder &l;
  LaneEncoding layout;
  PanelEncoding encoding;
  Lookup lookup;
  mlir::Value buffer, panel, lane, base;
  llvm::SmallVector<mlir::Value> registers; ///< Registers: byte 0 on top
  mlir::Value shared, table; ///< the lane's table: where it begins
};

/// The element of a plain matrix of `type`, an f32.
mlir::Value readPlain(LaunchBuilder &launch, mlir::RankedTensorType type,
                      mlir::Value buffer, mlir::Value panel, mlir::Value lane,
                      mlir::Value column);

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_ENCODEDREADER_H
