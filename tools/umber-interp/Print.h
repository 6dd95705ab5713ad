// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values as text.

#ifndef UMBER_TOOLS_UMBER_INTERP_PRINT_H
#define UMBER_TOOLS_UMBER_INTERP_PRINT_H

#include "dialects/Umber/Interpreter/Value.h"
#include "llvm/Support/raw_ostream.h"

namespace umber::interp {

/// Prints a tensor as its type and then a line per innermost row:
///
///     tensor<2x3xf32> {
///       [1, 2.5, -3]
///       [4, 5, 6]
///     }
///
/// a scalar as one row under its type, and a cache as how many positions each
/// layer has. Floating-point numbers have the fewest digits that read back as
/// the same f32.
void printValue(llvm::raw_ostream &os, const Value &value);

} // namespace umber::interp

#endif // UMBER_TOOLS_UMBER_INTERP_PRINT_H
