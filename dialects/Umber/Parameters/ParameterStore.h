// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where parameters' bytes are: outside of the IR, read a few rows at a time, so
// that a model of any size compiles in bounded memory.

#ifndef UMBER_DIALECTS_UMBER_PARAMETERS_PARAMETERSTORE_H
#define UMBER_DIALECTS_UMBER_PARAMETERS_PARAMETERSTORE_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>

namespace umber {

/// Read access to parameters by key. A tensor of rank 1 is one row; a tensor of
/// rank 2 has shape[0] rows of shape[1] elements. Safe to read from many
/// threads.
class ParameterStore {
public:
  virtual ~ParameterStore() = default;

  /// The shape under which `key` is stored, outermost dimension first. Fails if
  /// there is no such key.
  virtual llvm::Expected<llvm::ArrayRef<int64_t>>
  getShape(llvm::StringRef key) const = 0;

  /// Writes `out.size()` / row-length consecutive rows of `key`, from row
  /// `first` on, as f32. Fails if there is no such key or the rows are not all
  /// there.
  virtual llvm::Error readRows(llvm::StringRef key, int64_t first,
                               llvm::MutableArrayRef<float> out) const = 0;

  /// The parts of a matrix that is stored under `type`'s encoding, valid as
  /// long as the store; readRows gives what they stand for. Fails if there is
  /// no such key or it is not stored so.
  virtual llvm::Expected<EncodedMatrixRef>
  getEncoded(llvm::StringRef key, mlir::RankedTensorType type) const = 0;

  /// Equal for equal bytes of equal meaning: what derived parameters are named
  /// by. Fails if there is no such key.
  virtual llvm::Expected<uint64_t> getIdentity(llvm::StringRef key) const = 0;
};

/// Opens a parameter file; the format is found out from its first bytes.
llvm::Expected<std::unique_ptr<ParameterStore>>
openParameterFile(llvm::StringRef path);

/// Opens what a module's attributes name: the file of `umber.parameters`, and
/// before it the folder of `umber.derived`. Null if there is neither.
llvm::Expected<std::unique_ptr<ParameterStore>>
openParameterStore(mlir::ModuleOp module);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_PARAMETERS_PARAMETERSTORE_H
