// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's file format.

#ifndef UMBER_TOOLS_UMBER_INTERP_NPY_H
#define UMBER_TOOLS_UMBER_INTERP_NPY_H

#include "dialects/Umber/Interpreter/Tensor.h"
#include "llvm/Support/Error.h"

namespace umber::interp {

/// Writes a tensor as an .npy file, version 1.0 (numpy.lib.format):
/// floating-point elements as '<f4', others as '<i8'. The file appears under
/// its name when it is whole.
llvm::Error writeNpy(llvm::StringRef path, const Tensor &tensor);

/// Writes elements as little-endian f32 and nothing else.
llvm::Error writeRawFloats(llvm::StringRef path,
                           llvm::ArrayRef<float> elements);

} // namespace umber::interp

#endif // UMBER_TOOLS_UMBER_INTERP_NPY_H
