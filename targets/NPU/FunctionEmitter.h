// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function of kernels to a program. Rows of tokens are values, which are in
// the scratchpad as a whole or, where they are too large, in DRAM. What works
// on whole rows (norms, attention, the rounding of products' inputs) runs when
// it is met, in blocks of rows if its values are in DRAM. What works on columns
// on their own (products' results, and what follows on them) runs when a result
// of the kernel asks for it, a tile of columns at a time, so that nothing
// between has to be there as a whole.

#ifndef UMBER_TARGETS_NPU_FUNCTIONEMITTER_H
#define UMBER_TARGETS_NPU_FUNCTIONEMITTER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/drivers/npu/sim/StepTiming.h"
#include "targets/NPU/Layout.h"
#include "targets/NPU/ProgramBuilder.h"

namespace umber::npu {

struct EmittedFunction {
  BuiltProgram built;
  /// Rows of a step.
  int64_t rows = 0;
  /// By their instructions' operationId, from 1 on.
  std::vector<KernelInfo> kernels;
  uint64_t activationBytes = 0;
  uint64_t ioBytes = 0;
  uint64_t logits = 0; ///< their offset in Region::Io, behind the tokens
};

/// Emits `function` for steps of `rows` tokens. A failure is a diagnostic; one
/// of the scratchpad's size is returned as a Status instead, so that fewer rows
/// can be tried.
class FunctionEmitter {
public:
  FunctionEmitter(mlir::func::FuncOp function, const Config &config,
                  const Layout &layout, int64_t rows)
      : function(function),
        symbols(function->getParentOfType<mlir::ModuleOp>()), config(config),
        layout(layout), rows(rows), builder(config) {}

  mlir::FailureOr<Result<EmittedFunction>> run();

private:
  /// A value: `rows` rows of `columns`.
  struct Rows {
    int64_t columns = 0;
    DataType type = DataType::F32;
    bool isResident = true;
    Buffer buffer = 0;
    uint32_t stride = 0;
    Register base = 0;
    /// Of I8.
    Buffer scales = 0;
    uint32_t scalesStride = 0;
    int64_t group = 0;
    /// If it is in DRAM, row by row.
    Region region = Region::Activations;
    uint64_t offset = 0;
    uint64_t dramStride = 0;
    DramObject object = 0;
  };
  /// Columns [first, first + columns) of a value, F32, in the scratchpad.
  struct Columns {
    Buffer buffer = 0;
    uint64_t offset = 0;
    uint32_t stride = 0;
    Register base = 0;
    /// Whether they may be overwritten.
    bool isOwn = false;
  };
  struct Range {
    int64_t first = 0;
    int64_t columns = 0;
    unsigned number = 0;
  };
  /// Keys and values of a block of positions in the scratchpad, and both's
  /// scales.
  struct CacheBlock {
    Buffer keys = 0, values = 0, scales = 0;
  };
  /// What attention's results become when they need not be there as a whole: a
  /// few heads are rounded, and multiplied by adapters' A, as soon as they are
  /// made.
  struct AttendedUnits {
    /// Of whole heads, and of what rounding and adapters take; 0: not so.
    int64_t columns = 0;
    llvm::SmallVector<Rows> rounded = {};
    llvm::SmallVector<mlir::umber::LoraOp> loras = {};
    /// Of two units in turn.
    Columns made[2] = {};
    /// Of the unit before, what adapters have still to take.
    std::optional<Range> late = {};
  };
  /// A register's numbers, from kParameters on.
  enum Registers : Register {
    kBlocks = kParameters, ///< blocks of the cache behind the first
    kPairs,                ///< of these
    kOddBlocks,            ///< behind the pairs: 0 or 1
    kEnd,                  ///< positions that the step sees
    kKeys,                 ///< addresses of a layer's part
    kValues,
    kScales,
    kFirstKey,
    kBlockRows,
    kHeadStride, ///< of keys and values
    kScaleStride,
    kTo, ///< where rows are appended
    kScaleTo,
    kAngles,
    kRow, ///< of the step's rows that have logits
    kLogits,
  };

  // FunctionEmitter.cpp
  void emitKernel(mlir::umber::KernelOp kernel);
  void emitOp(mlir::Operation &op);
  void emitEmbed(mlir::umber::EmbedOp op);
  void emitSlice(mlir::Operation &op);
  bool fail(mlir::Operation *op, const llvm::Twine &message);

  // Values.cpp
  uint32_t getStride(int64_t bytes) const;
  /// Whether a value is too large to stay in the scratchpad.
  bool isSpilled(int64_t columns) const;
  /// A place for a value: the scratchpad if it is small.
  Rows makeRows(int64_t columns, const std::string &what);
  Rows makeQuantized(int64_t columns, int64_t group);
  Rows makeSpilled(int64_t columns);
  void release(mlir::umber::KernelOp kernel);
  Tile tileOf(const Rows &value, int64_t row = 0, int64_t column = 0);
  Tile scalesOf(const Rows &value, int64_t row = 0, int64_t column = 0);
  Tile tileOf(const Columns &columns);
  void load(Buffer to, uint64_t toOffset, uint32_t stride, const Rows &from,
            int64_t row, int64_t count, int64_t column, int64_t columns,
            Queue queue = Queue::Load0);
  void store(const Columns &from, const Rows &to, Range range);
  /// A vector of the model, F32, in the scratchpad.
  Buffer loadVector(llvm::StringRef name, int64_t first, int64_t count);
  Buffer loadConstant(uint64_t offset, uint32_t bytes, const std::string &what);

  // EmitRows.cpp
  void emitRowPass(mlir::Value value, const Rows &x,
                   mlir::umber::RmsNormOp norm);
  bool holdLoras(llvm::ArrayRef<mlir::umber::LoraOp> loras);
  void emitLoraInput(mlir::umber::LoraOp lora, const Tile &x, int64_t row,
                     int64_t count);
  void emitLoraColumns(mlir::umber::LoraOp lora, const Columns &x, Range range,
                       bool isLast);
  Rows getLowRank(mlir::umber::LoraOp lora);
  void scaleLowRank(const Rows &u, int64_t row, int64_t count);

  // EmitColumns.cpp
  void emitResults(mlir::umber::KernelOp kernel);
  bool isNeeded(mlir::Value result) const;
  llvm::SmallVector<mlir::umber::LoraOp> getOnlyLoras(mlir::Value result) const;
  int64_t getColumnUnit(mlir::Value value) const;
  Columns pull(mlir::Value value, Range range,
               std::optional<Columns> into = std::nullopt);
  Columns pullOwn(mlir::Value value, mlir::Operation *user, Range range,
                  std::optional<Columns> into);
  Columns makeColumns(mlir::Value value, Range range);
  bool isKept(const Columns &columns) const;
  Buffer loadAngles(mlir::umber::RotaryOp op);
  void emitRotary(mlir::umber::RotaryOp op, Range range,
                  const Columns &columns);

  // EmitLinear.cpp
  void emitProduct(mlir::umber::LinearOp linear, Range range, Columns to);
  void emitLora(mlir::umber::LoraOp lora, Range range, Columns to);
  void stream(const MatrixLayout &matrix, int64_t firstRow, int64_t rows,
              int64_t part);
  void loadTables(const MatrixLayout &matrix, int64_t firstRow, int64_t rows);
  void forgetTables() { tablesOf = nullptr; }

  // EmitAttention.cpp
  struct Attention;
  void emitAttention(mlir::umber::AttentionOp op);
  CacheBlock makeBlock(const Attention &a, int64_t number);
  void emitAttentionBlocks(Attention &a);
  void emitAttentionBlock(Attention &a, const CacheBlock &block, bool isFirst);
  void advanceBlock(const Attention &a);
  // EmitAttended.cpp
  AttendedUnits makeUnits(mlir::umber::AttentionOp op);
  Columns getUnitPart(const AttendedUnits &units, int64_t column) const;
  void finishUnit(AttendedUnits &units, int64_t end, bool isLast);
  void emitAppend(mlir::umber::KVUpdateOp update, bool isKeys, Range range,
                  const Columns &from);
  DramObject getCacheObject(int64_t layer);
  void setRegister(Register to, Register from, int64_t multiplier,
                   int64_t addend = 0, uint32_t divisor = 1,
                   uint32_t limit = 0);
  void addRegister(Register to, Register from, int64_t multiplier);

  mlir::func::FuncOp function;
  mlir::SymbolTable symbols;
  const Config &config;
  const Layout &layout;
  int64_t rows;
  ProgramBuilder builder;
  EmittedFunction emitted;
  bool failed = false;
  /// Why it failed, if fewer rows may have room.
  Status tooLarge;
  bool isInLoop = false;

  llvm::DenseMap<mlir::Value, Rows> values;
  /// A products' inputs of low rank, by their op.
  llvm::DenseMap<mlir::Operation *, Rows> lowRank;
  /// What has still to be made of them: the whole input, which is in the
  /// scratchpad. It is done once the product's first weights are used, so that
  /// slots are free sooner.
  llvm::DenseMap<mlir::Operation *, Tile> pendingLora;
  /// Tiles of the columns that are being made.
  llvm::DenseMap<mlir::Value, Columns> tiles;
  llvm::DenseMap<mlir::Value, std::pair<Buffer, Buffer>> rings;
  /// Whether tiles are made that are used up at once, before what takes long.
  bool isBrief = false;
  llvm::StringMap<Buffer> constants;
  llvm::DenseMap<int64_t, DramObject> cacheObjects;
  std::vector<Rows> freeSpills;
  unsigned nextSlot = 0;
  uint8_t currentSlot = 0;
  /// Where adapters' A are that are used more than once.
  llvm::DenseMap<mlir::Operation *, uint8_t> heldSlots;
  const MatrixLayout *tablesOf = nullptr;
  int64_t firstTable = 0, tableCount = 0;
};

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_FUNCTIONEMITTER_H
