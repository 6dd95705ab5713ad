// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How addresses, tiles and uses of semaphores are written.

#include "dialects/NPU/IR/AttrSyntax.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::npu;
namespace isa = ::umber::npu;

ParseResult npu::parseRegister(AsmParser &parser, uint8_t &number) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (failed(parser.parseOptionalKeyword(&name)) || !name.consume_front("r") ||
      name.getAsInteger(10, number) || number >= isa::kRegisters) {
    return parser.emitError(loc, "expected a register, r0 to r")
           << isa::kRegisters - 1;
  }
  return success();
}

namespace {

/// `[0x400 + r3`, without an end.
template <typename T>
ParseResult parseAddress(AsmParser &parser, T &offset, uint8_t &base) {
  if (parser.parseLSquare() || parser.parseInteger(offset)) {
    return failure();
  }
  return succeeded(parser.parseOptionalPlus()) ? parseRegister(parser, base)
                                               : success();
}

void printAddress(AsmPrinter &printer, uint64_t offset, uint8_t base) {
  printer << "[0x" << llvm::utohexstr(offset, /*LowerCase=*/true);
  if (base != 0) {
    printer << " + r" << unsigned(base);
  }
}

/// One of an enum's names.
template <typename E>
ParseResult parseName(AsmParser &parser, E &value,
                      std::optional<E> (*symbolize)(StringRef),
                      StringRef what) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  std::optional<E> found;
  if (succeeded(parser.parseOptionalKeyword(&name))) {
    found = symbolize(name);
  }
  if (!found) {
    return parser.emitError(loc, "expected ") << what;
  }
  value = *found;
  return success();
}

} // namespace

ScratchpadAttr npu::parseScratchpad(AsmParser &parser) {
  uint32_t offset = 0;
  uint8_t base = 0;
  if (parseAddress(parser, offset, base) || parser.parseRSquare()) {
    return {};
  }
  return ScratchpadAttr::get(parser.getContext(), offset, base);
}

DramAttr npu::parseDram(AsmParser &parser) {
  MemoryRegion region;
  uint64_t offset = 0;
  uint8_t base = 0;
  if (parseName(parser, region, symbolizeMemoryRegion,
                "a region: code, weights, adapters, tables, cache, activations "
                "or io") ||
      parseAddress(parser, offset, base) || parser.parseRSquare()) {
    return {};
  }
  return DramAttr::get(parser.getContext(), region, offset, base);
}

TileAttr npu::parseTile(AsmParser &parser) {
  DataType type;
  uint32_t offset = 0, stride = 0;
  uint8_t base = 0;
  if (parseName(parser, type, symbolizeDataType,
                "a type: i8, i32, f16 or f32") ||
      parseAddress(parser, offset, base) || parser.parseComma() ||
      parser.parseInteger(stride) || parser.parseRSquare()) {
    return {};
  }
  return TileAttr::get(parser.getContext(), type, offset, base, stride);
}

SemaphoreAttr npu::parseSemaphore(AsmParser &parser) {
  uint8_t semaphore = 0, count = 0;
  if (parser.parseLParen() || parser.parseInteger(semaphore) ||
      parser.parseComma() || parser.parseInteger(count) ||
      parser.parseRParen()) {
    return {};
  }
  return SemaphoreAttr::get(parser.getContext(), semaphore, count);
}

IncrementAttr npu::parseIncrement(AsmParser &parser, uint8_t to) {
  int64_t by = 0;
  if (parser.parsePlus() || parser.parseEqual() || parser.parseInteger(by)) {
    return {};
  }
  return IncrementAttr::get(parser.getContext(), to, by);
}

void npu::printPlain(AsmPrinter &printer, Attribute attr) {
  llvm::TypeSwitch<Attribute>(attr)
      .Case([&](ScratchpadAttr a) {
        printAddress(printer, a.getOffset(), a.getBase());
        printer << "]";
      })
      .Case([&](DramAttr a) {
        printer << stringifyMemoryRegion(a.getRegion());
        printAddress(printer, a.getOffset(), a.getBase());
        printer << "]";
      })
      .Case([&](TileAttr a) {
        printer << stringifyDataType(a.getType());
        printAddress(printer, a.getOffset(), a.getBase());
        printer << ", " << a.getStride() << "]";
      })
      .Case([&](SemaphoreAttr a) {
        printer << "(" << unsigned(a.getSemaphore()) << ", "
                << unsigned(a.getCount()) << ")";
      })
      .Case([&](IncrementAttr a) {
        printer << "r" << unsigned(a.getTo()) << " += " << a.getBy();
      });
}

//===----------------------------------------------------------------------===//
// In angle brackets
//===----------------------------------------------------------------------===//

template <typename A>
static Attribute parseInBrackets(AsmParser &parser, A (*parse)(AsmParser &)) {
  if (parser.parseLess()) {
    return {};
  }
  A attr = parse(parser);
  return attr && succeeded(parser.parseGreater()) ? attr : A();
}

static void printInBrackets(AsmPrinter &printer, Attribute attr) {
  printer << "<";
  printPlain(printer, attr);
  printer << ">";
}

Attribute ScratchpadAttr::parse(AsmParser &parser, Type) {
  return parseInBrackets(parser, parseScratchpad);
}
Attribute DramAttr::parse(AsmParser &parser, Type) {
  return parseInBrackets(parser, parseDram);
}
Attribute TileAttr::parse(AsmParser &parser, Type) {
  return parseInBrackets(parser, parseTile);
}
Attribute SemaphoreAttr::parse(AsmParser &parser, Type) {
  return parseInBrackets(parser, parseSemaphore);
}
Attribute IncrementAttr::parse(AsmParser &parser, Type) {
  uint8_t to = 0;
  if (parser.parseLess() || parseRegister(parser, to)) {
    return {};
  }
  IncrementAttr attr = parseIncrement(parser, to);
  return attr && succeeded(parser.parseGreater()) ? attr : IncrementAttr();
}

void ScratchpadAttr::print(AsmPrinter &printer) const {
  printInBrackets(printer, *this);
}
void DramAttr::print(AsmPrinter &printer) const {
  printInBrackets(printer, *this);
}
void TileAttr::print(AsmPrinter &printer) const {
  printInBrackets(printer, *this);
}
void SemaphoreAttr::print(AsmPrinter &printer) const {
  printInBrackets(printer, *this);
}
void IncrementAttr::print(AsmPrinter &printer) const {
  printInBrackets(printer, *this);
}
