// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_NPU_TRANSLATION_IMPORTPROGRAM_H
#define UMBER_DIALECTS_NPU_TRANSLATION_IMPORTPROGRAM_H

#include "dialects/NPU/IR/NPUOps.h"

namespace umber::npu {

/// What a program's instructions do not say.
struct ProgramInfo {
  mlir::StringRef name;
  mlir::StringRef device; ///< a description's name; empty: not known
  /// What the instructions belong to, by their operationId, from 1 on: names,
  /// and the locations of the ops. Others have the module's.
  mlir::ArrayRef<mlir::StringRef> kernels;
  mlir::ArrayRef<mlir::Location> locations;
};

/// Adds `program` to a module, as ops of which ProgramOp::getProgram() makes
/// the same instructions. Fails with a diagnostic where a program is not legal
/// on any engine (isa/Verifier.h): then there need not be ops for it.
mlir::FailureOr<mlir::npu::ProgramOp> importProgram(mlir::ModuleOp module,
                                                    const Program &program,
                                                    const ProgramInfo &info);

} // namespace umber::npu

#endif // UMBER_DIALECTS_NPU_TRANSLATION_IMPORTPROGRAM_H
