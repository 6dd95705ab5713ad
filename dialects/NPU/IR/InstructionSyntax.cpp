// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An instruction's text, field by field.

#include "dialects/NPU/IR/AttrSyntax.h"
#include "dialects/NPU/IR/EnumAttrs.h"
#include "dialects/NPU/IR/NPUOps.h"
#include "mlir/IR/Builders.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::npu;
namespace isa = ::umber::npu;

namespace {

/// Reads the value of the field that is named `wanted`.
class TextParser {
public:
  TextParser(OpAsmParser &parser, NamedAttrList &attributes)
      : parser(parser), builder(parser.getBuilder()), attributes(attributes) {}

  StringRef wanted;
  SMLoc loc; ///< its
  ParseResult result = success();
  /// Without one, all names that there are.
  SmallVector<StringRef> names;
  bool hasIncrements = false;

  template <typename T>
  void number(StringRef name, T &, const isa::Width &) {
    value(name, [&] { return parseNumber(); });
  }
  void integer(StringRef name, int64_t &, unsigned) {
    value(name, [&] { return parseNumber(); });
  }
  void flag(StringRef name, bool &) {
    if (isWanted(name)) {
      add(name, builder.getUnitAttr());
    }
  }
  template <typename E>
  void choice(StringRef name, E &, const char *const *choices, unsigned count) {
    value(name, [&]() -> Attribute {
      ArrayRef<const char *> all(choices, count);
      std::optional<unsigned> index = parseChoice(all);
      using Of = EnumAttrOf<E>;
      return index ? Of::Attr::get(builder.getContext(),
                                   static_cast<typename Of::Enum>(*index))
                   : nullptr;
    });
  }
  void real(StringRef name, float &) {
    value(name, [&]() -> Attribute {
      FloatAttr attr;
      if (parser.parseAttribute(attr, builder.getF32Type())) {
        return {};
      }
      return attr;
    });
  }
  void registerNumber(StringRef name, isa::Register &) {
    value(name, [&] { return parseRegisterNumber(); });
  }
  void queues(StringRef name, uint8_t &) {
    value(name, [&]() -> Attribute {
      SmallVector<Attribute> queues;
      if (parser.parseCommaSeparatedList(
              OpAsmParser::Delimiter::Square, [&]() -> ParseResult {
                std::optional<unsigned> queue = parseChoice(isa::kQueueNames);
                if (!queue) {
                  return failure();
                }
                queues.push_back(QueueAttr::get(builder.getContext(),
                                                static_cast<Queue>(*queue)));
                return success();
              })) {
        return {};
      }
      return builder.getArrayAttr(queues);
    });
  }
  void stride(StringRef name, uint32_t &) {
    value(name, [&] { return parseNumber(); });
  }
  void address(StringRef name, isa::ScratchpadAddress &) {
    value(name, [&] { return parseScratchpad(parser); });
  }
  void address(StringRef name, isa::DramAddress &) {
    value(name, [&] { return parseDram(parser); });
  }
  void tile(StringRef name, isa::Tile &) {
    value(name, [&] { return parseTile(parser); });
  }
  /// `16`, `r2`, or both as `16 | r2`, of which the register counts.
  void replaced(StringRef name, uint32_t &, unsigned, isa::Register &) {
    if (!isWanted(name) || (result = parser.parseEqual())) {
      return;
    }
    int64_t number = 0;
    OptionalParseResult found = parser.parseOptionalInteger(number);
    if (found.has_value()) {
      if ((result = *found)) {
        return;
      }
      add(name, builder.getI64IntegerAttr(number));
      if (failed(parser.parseOptionalVerticalBar())) {
        return;
      }
    }
    add((name + "_from").str(), parseRegisterNumber());
  }
  /// `-8`, or `-8 + r5`.
  void shifted(StringRef name, int64_t &, unsigned, isa::Register &) {
    if (!isWanted(name) || (result = parser.parseEqual())) {
      return;
    }
    add(name, parseNumber());
    if (succeeded(result) && succeeded(parser.parseOptionalPlus())) {
      add((name + "_from").str(), parseRegisterNumber());
    }
  }
  void increments(isa::Loop::Increment (&)[4]) {
    hasIncrements = true;
    uint8_t to = 0;
    StringRef name = wanted;
    if (!name.consume_front("r") || name.getAsInteger(10, to)) {
      return;
    }
    if (to >= isa::kRegisters) {
      result = parser.emitError(loc, "expected a register, r0 to r")
               << isa::kRegisters - 1;
      return;
    }
    auto all = llvm::to_vector(
        llvm::cast_or_null<ArrayAttr>(attributes.get("increments"))
            ? cast<ArrayAttr>(attributes.get("increments")).getValue()
            : ArrayRef<Attribute>());
    IncrementAttr one = parseIncrement(parser, to);
    result = one ? success() : failure();
    all.push_back(one);
    attributes.set("increments", builder.getArrayAttr(all));
  }

  std::optional<unsigned> parseChoice(ArrayRef<const char *> choices) {
    SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (succeeded(parser.parseOptionalKeyword(&name))) {
      for (auto [index, choice] : llvm::enumerate(choices)) {
        if (name == choice) {
          return index;
        }
      }
    }
    auto error = parser.emitError(loc, "expected one of ");
    llvm::interleaveComma(choices, error);
    return std::nullopt;
  }

private:
  bool isWanted(StringRef name) {
    if (wanted.empty()) {
      names.push_back(name);
    }
    return wanted == name;
  }

  template <typename Parse>
  void value(StringRef name, Parse parse) {
    if (isWanted(name) && !(result = parser.parseEqual())) {
      add(name, parse());
    }
  }

  void add(StringRef name, Attribute attr) {
    if (!attr) {
      result = failure();
    } else if (attributes.get(name)) {
      result = parser.emitError(loc, "expected '") << wanted << "' once";
    } else {
      attributes.append(name, attr);
    }
  }

  Attribute parseNumber() {
    int64_t number = 0;
    return parser.parseInteger(number) ? Attribute()
                                       : builder.getI64IntegerAttr(number);
  }
  Attribute parseRegisterNumber() {
    uint8_t number = 0;
    return parseRegister(parser, number) ? Attribute()
                                         : builder.getI64IntegerAttr(number);
  }

  OpAsmParser &parser;
  Builder &builder;
  NamedAttrList &attributes;
};

/// Prints the fields that an op has.
class TextPrinter {
public:
  TextPrinter(OpAsmPrinter &printer, mlir::Operation *op)
      : printer(printer), op(op) {}

  template <typename T>
  void number(StringRef name, T &, const isa::Width &) {
    printNumber(name);
  }
  void integer(StringRef name, int64_t &, unsigned) { printNumber(name); }
  void flag(StringRef name, bool &) {
    if (get(name)) {
      separate();
      printer << name;
    }
  }
  template <typename E>
  void choice(StringRef name, E &, const char *const *names, unsigned) {
    if (auto attr = cast_or_null<typename EnumAttrOf<E>::Attr>(get(name))) {
      begin(name) << names[unsigned(attr.getValue())];
    }
  }
  void real(StringRef name, float &) {
    if (Attribute attr = get(name)) {
      begin(name);
      printer.printAttributeWithoutType(attr);
    }
  }
  void registerNumber(StringRef name, isa::Register &) {
    if (Attribute attr = get(name)) {
      begin(name);
      printRegister(attr);
    }
  }
  void queues(StringRef name, uint8_t &) {
    if (auto attr = cast_or_null<ArrayAttr>(get(name))) {
      begin(name) << "[";
      llvm::interleaveComma(attr.getAsRange<QueueAttr>(), printer,
                            [&](QueueAttr queue) {
                              printer << stringifyQueue(queue.getValue());
                            });
      printer << "]";
    }
  }
  void stride(StringRef name, uint32_t &) { printNumber(name); }
  void address(StringRef name, isa::ScratchpadAddress &) { plain(name); }
  void address(StringRef name, isa::DramAddress &) { plain(name); }
  void tile(StringRef name, isa::Tile &) { plain(name); }
  void replaced(StringRef name, uint32_t &, unsigned, isa::Register &) {
    auto number = cast_or_null<IntegerAttr>(get(name));
    Attribute from = get((name + "_from").str());
    if (number || from) {
      begin(name);
    }
    if (number) {
      printer << number.getInt() << (from ? " | " : "");
    }
    if (from) {
      printRegister(from);
    }
  }
  void shifted(StringRef name, int64_t &, unsigned, isa::Register &) {
    auto number = cast_or_null<IntegerAttr>(get(name));
    Attribute from = get((name + "_from").str());
    if (number || from) {
      begin(name) << (number ? number.getInt() : 0);
    }
    if (from) {
      printer << " + ";
      printRegister(from);
    }
  }
  void increments(isa::Loop::Increment (&)[4]) {
    if (auto attr = cast_or_null<ArrayAttr>(get("increments"))) {
      for (Attribute increment : attr) {
        separate();
        printPlain(printer, increment);
      }
    }
  }

  Attribute get(StringRef name) const {
    return op->getInherentAttr(name).value_or(Attribute());
  }

private:
  void separate() {
    printer << (isFirst ? " " : ", ");
    isFirst = false;
  }
  OpAsmPrinter &begin(StringRef name) {
    separate();
    printer << name << " = ";
    return printer;
  }
  void printNumber(StringRef name) {
    if (auto attr = cast_or_null<IntegerAttr>(get(name))) {
      begin(name) << attr.getInt();
    }
  }
  void plain(StringRef name) {
    if (Attribute attr = get(name)) {
      begin(name);
      printPlain(printer, attr);
    }
  }
  void printRegister(Attribute attr) {
    printer << "r" << cast<IntegerAttr>(attr).getInt();
  }

  OpAsmPrinter &printer;
  mlir::Operation *op;
  bool isFirst = true;
};

template <typename V>
void visitAll(V &visitor, isa::Instruction &instruction) {
  visitor.number("id", instruction.operationId, {isa::kOperationIdBits});
  std::visit([&](auto &o) { isa::visitFields(visitor, o); },
             instruction.operation);
}

/// `on QUEUE`, `wait(S, N)` or `signal(S, N)`, behind the first word.
ParseResult parseOrder(OpAsmParser &parser, TextParser &fields, StringRef word,
                       NamedAttrList &attributes) {
  Builder &builder = parser.getBuilder();
  SMLoc loc = parser.getCurrentLocation();
  if (word == "on") {
    std::optional<unsigned> queue = fields.parseChoice(isa::kQueueNames);
    if (!queue) {
      return failure();
    }
    attributes.set("queue", QueueAttr::get(builder.getContext(),
                                           static_cast<Queue>(*queue)));
    return success();
  }
  SemaphoreAttr use = parseSemaphore(parser);
  if (!use) {
    return failure();
  }
  if (word == "signal") {
    if (attributes.get("signal")) {
      return parser.emitError(loc, "expected at most one signal");
    }
    attributes.append("signal", use);
    return success();
  }
  SmallVector<Attribute> waits;
  if (auto before = llvm::cast_or_null<ArrayAttr>(attributes.get("waits"))) {
    waits = llvm::to_vector(before);
  }
  if (waits.size() == 2) {
    return parser.emitError(loc, "expected at most two waits");
  }
  waits.push_back(use);
  attributes.set("waits", builder.getArrayAttr(waits));
  return success();
}

/// Whether a word is next that can neither follow an instruction nor be one:
/// the names of ops have a dot.
std::optional<StringRef> findStrayWord(OpAsmParser &parser) {
  // The buffer ends in a null character; to look for it would take too long.
  const char *begin = parser.getCurrentLocation().getPointer();
  const char *end = begin;
  while (llvm::isAlnum(*end) || *end == '_' || *end == '.') {
    ++end;
  }
  StringRef word(begin, end - begin);
  bool canFollow = word.empty() || !llvm::isAlpha(word.front()) ||
                   word.contains('.') || word == "attributes" || word == "loc";
  return canFollow ? std::nullopt : std::optional<StringRef>(word);
}

} // namespace

ParseResult npu::parseInstruction(OpAsmParser &parser, OperationState &state,
                                  isa::Instruction instruction) {
  TextParser fields(parser, state.attributes);
  visitAll(fields, instruction);
  SmallVector<StringRef> names = fields.names;
  // The words of the text that are numbers of registers live here.
  SmallVector<std::string> registers;
  if (fields.hasIncrements) {
    for (unsigned i = 0; i < isa::kRegisters; ++i) {
      registers.push_back("r" + std::to_string(i));
    }
    names.append(registers.begin(), registers.end());
  }
  StringRef word;
  while (
      succeeded(parser.parseOptionalKeyword(&word, {"on", "wait", "signal"}))) {
    if (parseOrder(parser, fields, word, state.attributes)) {
      return failure();
    }
  }
  fields.loc = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalKeyword(&word, names))) {
    while (true) {
      fields.wanted = word;
      visitAll(fields, instruction);
      if (fields.result) {
        return failure();
      }
      if (failed(parser.parseOptionalComma())) {
        break;
      }
      fields.loc = parser.getCurrentLocation();
      if (parser.parseKeyword(&word)) {
        return failure();
      }
      if (!llvm::is_contained(names, word)) {
        return parser.emitError(fields.loc, "expected a field of ")
               << isa::getName(instruction.operation) << ", found '" << word
               << "'";
      }
    }
  }
  if (std::optional<StringRef> word = findStrayWord(parser)) {
    return parser.emitError(parser.getCurrentLocation(), "expected a field of ")
           << isa::getName(instruction.operation) << ", found '" << *word
           << "'";
  }
  return parser.parseOptionalAttrDictWithKeyword(state.attributes);
}

void npu::printInstruction(OpAsmPrinter &printer, mlir::Operation *op) {
  TextPrinter fields(printer, op);
  if (auto queue = cast_or_null<QueueAttr>(fields.get("queue"))) {
    printer << " on " << stringifyQueue(queue.getValue());
  }
  if (auto waits = cast_or_null<ArrayAttr>(fields.get("waits"))) {
    for (Attribute wait : waits) {
      printer << " wait";
      printPlain(printer, wait);
    }
  }
  if (Attribute signal = fields.get("signal")) {
    printer << " signal";
    printPlain(printer, signal);
  }
  isa::Instruction instruction =
      cast<InstructionOpInterface>(op).getDefaultInstruction();
  visitAll(fields, instruction);
  printer.printOptionalAttrDictWithKeyword(
      llvm::to_vector(op->getDiscardableAttrs()));
}
