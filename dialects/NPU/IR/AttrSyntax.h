// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of attributes' text that ops have without the attribute's name.

#ifndef UMBER_DIALECTS_NPU_IR_ATTRSYNTAX_H
#define UMBER_DIALECTS_NPU_IR_ATTRSYNTAX_H

#include "dialects/NPU/IR/NPUDialect.h"

namespace mlir::npu {

/// `r5`, of 64.
ParseResult parseRegister(AsmParser &parser, uint8_t &number);

/// The attribute as it stands in ops; null after an error.
ScratchpadAttr parseScratchpad(AsmParser &parser);
DramAttr parseDram(AsmParser &parser);
TileAttr parseTile(AsmParser &parser);
/// `(3, 1)`.
SemaphoreAttr parseSemaphore(AsmParser &parser);
/// `+= 4096`, what is behind the register.
IncrementAttr parseIncrement(AsmParser &parser, uint8_t to);

void printPlain(AsmPrinter &printer, Attribute attr);

} // namespace mlir::npu

#endif // UMBER_DIALECTS_NPU_IR_ATTRSYNTAX_H
