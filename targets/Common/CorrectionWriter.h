// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The low-rank corrections of compressed matrices as pairs of an adapter.

#ifndef UMBER_TARGETS_COMMON_CORRECTIONWRITER_H
#define UMBER_TARGETS_COMMON_CORRECTIONWRITER_H

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "runtime/package/PackageWriter.h"

namespace umber {

class CorrectionWriter {
public:
  CorrectionWriter(PackageWriter &writer, mlir::ModuleOp module,
                   const ParameterStore &store)
      : writer(writer), module(module), store(store) {}

  /// The segment that the writer has begun for them.
  void setSegment(uint32_t index) { segment = index; }

  /// Appends the two factors of what `lora`'s site names as its correction, B
  /// in rows of outputs, and describes them. Fails with one line.
  llvm::Expected<flatbuffers::Offset<fbs::AdapterPair>>
  write(mlir::umber::LoraOp lora, flatbuffers::FlatBufferBuilder &builder);

  /// Of all factors that were written, without the gaps between them.
  uint64_t getBytes() const { return bytes; }
  uint64_t getElements() const { return elements; }

private:
  /// Appends at the next multiple of 64; returns where.
  llvm::Expected<uint64_t> append(llvm::ArrayRef<uint8_t> values);
  llvm::Expected<uint64_t> writeMatrix(mlir::umber::ParamOp param,
                                       bool isTransposed);
  llvm::Expected<uint64_t> writeScales(mlir::umber::ParamOp param);

  PackageWriter &writer;
  mlir::ModuleOp module;
  const ParameterStore &store;
  uint32_t segment = 0;
  uint64_t bytes = 0, elements = 0;
};

} // namespace umber

#endif // UMBER_TARGETS_COMMON_CORRECTIONWRITER_H
