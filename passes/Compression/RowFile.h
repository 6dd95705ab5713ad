// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_ROWFILE_H
#define UMBER_PASSES_COMPRESSION_ROWFILE_H

#include "mlir/IR/Operation.h"
#include "llvm/Support/FileSystem.h"

namespace umber {

/// Rows of floats on disk, in a file without a name: it is gone when it is
/// closed, however that happens. Failures are diagnostics at `op`.
class RowFile {
public:
  static mlir::FailureOr<RowFile>
  create(mlir::Operation *op, llvm::StringRef folder, int64_t columns);
  RowFile(RowFile &&other) noexcept
      : descriptor(std::exchange(other.descriptor, -1)),
        columns(other.columns) {}
  RowFile &operator=(RowFile &&) = delete;
  ~RowFile();

  mlir::LogicalResult write(mlir::Operation *op, int64_t firstRow,
                            llvm::ArrayRef<float> rows);
  mlir::LogicalResult read(mlir::Operation *op, int64_t firstRow,
                           llvm::MutableArrayRef<float> rows) const;

private:
  RowFile(int descriptor, int64_t columns)
      : descriptor(descriptor), columns(columns) {}

  int descriptor;
  int64_t columns;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_ROWFILE_H
