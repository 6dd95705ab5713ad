// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_REGISTER_REGISTERDIALECTS_H
#define UMBER_DIALECTS_REGISTER_REGISTERDIALECTS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace umber {

/// Registers Umber's dialects, and the upstream ones that models are written
/// in.
void registerDialects(mlir::DialectRegistry &registry);

} // namespace umber

#endif // UMBER_DIALECTS_REGISTER_REGISTERDIALECTS_H
