// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bytes of the regions that a model's data is in, as Layout places it and
// as instructions read it (Instruction.h).

#ifndef UMBER_TARGETS_NPU_REGIONWRITER_H
#define UMBER_TARGETS_NPU_REGIONWRITER_H

#include "dialects/Umber/Parameters/ParameterStore.h"
#include "targets/NPU/Layout.h"
#include <functional>

namespace umber::npu {

class RegionWriter {
public:
  using Sink = llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)>;
  /// Called with the bytes that have been handed out.
  using Progress = llvm::function_ref<void(uint64_t)>;

  /// All outlive this.
  RegionWriter(mlir::ModuleOp module, const Layout &layout,
               const ParameterStore &store)
      : module(module), layout(layout), store(store) {}

  /// Hands out all bytes of Region::Weights, a tile at a time. Fails, with one
  /// line, where a parameter is not stored as it is declared, or has a value
  /// that f16 cannot hold.
  llvm::Error writeWeights(Sink sink, Progress progress);
  /// The same of Region::Tables.
  llvm::Error writeTables(Sink sink, Progress progress);

private:
  class Image;
  /// What begins at an offset.
  struct Piece {
    uint64_t offset;
    std::function<llvm::Error(Image &)> write;
  };

  llvm::Error write(std::vector<Piece> pieces, uint64_t size, Sink sink,
                    Progress progress);
  llvm::Error checkShape(mlir::umber::ParamOp param);
  llvm::Expected<llvm::StringMap<float>> findOffsets();
  llvm::Error writeVector(mlir::umber::ParamOp param, float offset,
                          Image &image);
  llvm::Error writeMatrix(mlir::umber::ParamOp param,
                          const MatrixLayout &matrix, Image &image);
  llvm::Error writeEncoded(mlir::umber::ParamOp param,
                           const MatrixLayout &matrix, Image &image);
  llvm::Error writeHalves(mlir::umber::ParamOp param,
                          const MatrixLayout &matrix, Image &image);
  llvm::Error writeLookup(mlir::umber::ParamOp param,
                          const LookupLayout &lookup, Image &image);
  llvm::Error writeAngles(mlir::umber::RotaryOp op, Image &image);
  llvm::Error readHalves(mlir::umber::ParamOp param, int64_t first,
                         llvm::MutableArrayRef<_Float16> out);

  mlir::ModuleOp module;
  const Layout &layout;
  const ParameterStore &store;
};

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_REGIONWRITER_H
