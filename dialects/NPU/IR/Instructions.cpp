// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions to attributes and back, field by field.

#include "dialects/NPU/IR/EnumAttrs.h"
#include "dialects/NPU/IR/NPUOps.h"
#include "mlir/IR/Builders.h"
#include "runtime/drivers/npu/isa/AnyEngine.h"
#include "runtime/drivers/npu/isa/FieldRange.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/isa/OperationRules.h"

using namespace mlir;
using namespace mlir::npu;
namespace isa = ::umber::npu;

namespace {

/// Reads fields from attributes. What does not fit into a field is `message`;
/// what cannot be encoded, FieldRange.h says.
class FieldReader {
public:
  explicit FieldReader(mlir::Operation *op) : op(op) {}

  std::string message;

  template <typename T>
  void number(llvm::StringRef name, T &field, const isa::Width &width) {
    readInteger(name, field, 0, static_cast<int64_t>(width.getMost()));
  }
  void integer(StringRef name, int64_t &field, unsigned) {
    readInteger(name, field, INT64_MIN, INT64_MAX);
  }
  void flag(StringRef name, bool &field) { field = bool(get<UnitAttr>(name)); }
  template <typename E>
  void choice(StringRef name, E &field, const char *const *, unsigned) {
    if (auto attr = get<typename EnumAttrOf<E>::Attr>(name)) {
      field = static_cast<E>(attr.getValue());
    }
  }
  void real(StringRef name, float &field) {
    if (auto attr = get<FloatAttr>(name)) {
      field = attr.getValue().convertToFloat();
    }
  }
  void registerNumber(StringRef name, isa::Register &field) {
    readInteger(name, field, 0, isa::kRegisters - 1);
  }
  void queues(StringRef name, uint8_t &field) {
    if (auto attr = get<ArrayAttr>(name)) {
      for (auto queue : attr.getAsRange<QueueAttr>()) {
        field |= 1 << unsigned(queue.getValue());
      }
    }
  }
  void stride(StringRef name, uint32_t &field) {
    readInteger(name, field, 0, UINT32_MAX);
  }
  void address(StringRef name, isa::ScratchpadAddress &field) {
    if (auto attr = get<ScratchpadAttr>(name)) {
      field = {attr.getOffset(), attr.getBase()};
    }
  }
  void address(StringRef name, isa::DramAddress &field) {
    if (auto attr = get<DramAttr>(name)) {
      field = {static_cast<isa::Region>(attr.getRegion()), attr.getOffset(),
               attr.getBase()};
    }
  }
  void tile(StringRef name, isa::Tile &field) {
    if (auto attr = get<TileAttr>(name)) {
      field = {{attr.getOffset(), attr.getBase()},
               attr.getStride(),
               static_cast<isa::DataType>(attr.getType())};
    }
  }
  void replaced(StringRef name, uint32_t &field, unsigned bits,
                isa::Register &from) {
    number(name, field, {bits});
    registerNumber((name + "_from").str(), from);
  }
  void shifted(StringRef name, int64_t &field, unsigned bits,
               isa::Register &from) {
    integer(name, field, bits);
    registerNumber((name + "_from").str(), from);
  }
  void increments(isa::Loop::Increment (&field)[4]) {
    if (auto attr = get<ArrayAttr>("increments")) {
      for (auto [increment, one] :
           llvm::zip(field, attr.getAsRange<IncrementAttr>())) {
        increment = {one.getTo(), one.getBy()};
      }
    }
  }

  void uses(StringRef name, isa::SemaphoreUse (&field)[2]) {
    if (auto attr = get<ArrayAttr>(name)) {
      for (auto [use, one] :
           llvm::zip(field, attr.getAsRange<SemaphoreAttr>())) {
        use = {one.getSemaphore(), one.getCount()};
      }
    }
  }
  void use(StringRef name, isa::SemaphoreUse &field) {
    if (auto attr = get<SemaphoreAttr>(name)) {
      field = {attr.getSemaphore(), attr.getCount()};
    }
  }

private:
  template <typename A>
  A get(StringRef name) const {
    return dyn_cast_or_null<A>(op->getInherentAttr(name).value_or(Attribute()));
  }

  template <typename T>
  void readInteger(StringRef name, T &field, int64_t least, int64_t most) {
    auto attr = get<IntegerAttr>(name);
    if (!attr) {
      return;
    }
    int64_t value = attr.getInt();
    if ((value < least || value > most) && message.empty()) {
      message = (name + ": expected " + Twine(least) + " to " + Twine(most) +
                 ", found " + Twine(value))
                    .str();
    }
    field = static_cast<T>(value);
  }

  mlir::Operation *op;
};

/// Makes attributes of fields.
class FieldWriter {
public:
  explicit FieldWriter(MLIRContext *context) : builder(context) {}

  struct Entry {
    StringRef name;
    Attribute value; ///< null: what is not said
    /// Whether it is said even where it is the default.
    bool isMain;
  };
  SmallVector<Entry> entries;

  template <typename T>
  void number(StringRef name, T &field, const isa::Width &) {
    add(name, builder.getI64IntegerAttr(static_cast<int64_t>(field)));
  }
  void integer(StringRef name, int64_t &field, unsigned) {
    add(name, builder.getI64IntegerAttr(field));
  }
  void flag(StringRef name, bool &field) {
    add(name, field ? builder.getUnitAttr() : Attribute(), /*isMain=*/true);
  }
  template <typename E>
  void choice(StringRef name, E &field, const char *const *, unsigned) {
    using Of = EnumAttrOf<E>;
    add(name,
        Of::Attr::get(builder.getContext(),
                      static_cast<typename Of::Enum>(field)),
        name == "op");
  }
  void real(StringRef name, float &field) {
    add(name, FloatAttr::get(builder.getF32Type(), APFloat(field)));
  }
  void registerNumber(StringRef name, isa::Register &field) {
    add(name, builder.getI64IntegerAttr(field));
  }
  void queues(StringRef name, uint8_t &field) {
    SmallVector<Attribute> queues;
    for (unsigned queue = 0; queue < isa::kQueues; ++queue) {
      if ((field >> queue & 1) != 0) {
        queues.push_back(
            QueueAttr::get(builder.getContext(), static_cast<Queue>(queue)));
      }
    }
    addArray(name, queues);
  }
  void stride(StringRef name, uint32_t &field) {
    add(name, builder.getI64IntegerAttr(field));
  }
  void address(const char *name, isa::ScratchpadAddress &field) {
    add(name,
        ScratchpadAttr::get(builder.getContext(), field.offset, field.base),
        isa::isMainOperand(name));
  }
  void address(const char *name, isa::DramAddress &field) {
    add(name,
        DramAttr::get(builder.getContext(),
                      static_cast<MemoryRegion>(field.region), field.offset,
                      field.base),
        isa::isMainOperand(name));
  }
  void tile(const char *name, isa::Tile &field) {
    add(name,
        TileAttr::get(builder.getContext(), static_cast<DataType>(field.type),
                      field.at.offset, field.at.base, field.stride),
        isa::isMainOperand(name));
  }
  void replaced(StringRef name, uint32_t &field, unsigned,
                isa::Register &from) {
    add(name, builder.getI64IntegerAttr(field));
    add(getFrom(name), builder.getI64IntegerAttr(from));
  }
  void shifted(StringRef name, int64_t &field, unsigned, isa::Register &from) {
    add(name, builder.getI64IntegerAttr(field));
    add(getFrom(name), builder.getI64IntegerAttr(from));
  }
  void increments(isa::Loop::Increment (&field)[4]) {
    SmallVector<Attribute> all;
    size_t used = 0;
    for (const isa::Loop::Increment &increment : field) {
      all.push_back(
          IncrementAttr::get(builder.getContext(), increment.to, increment.by));
      used = increment.to != 0 || increment.by != 0 ? all.size() : used;
    }
    all.resize(used);
    addArray("increments", all);
  }

  void uses(StringRef name, const isa::SemaphoreUse (&field)[2]) {
    SmallVector<Attribute> all;
    size_t used = 0;
    for (isa::SemaphoreUse use : field) {
      all.push_back(getUse(use));
      used = isNone(use) ? used : all.size();
    }
    all.resize(used);
    addArray(name, all);
  }
  void use(StringRef name, isa::SemaphoreUse field) {
    add(name, isNone(field) ? Attribute() : getUse(field), /*isMain=*/true);
  }

private:
  void add(StringRef name, Attribute value, bool isMain = false) {
    entries.push_back({name, value, isMain});
  }
  void addArray(StringRef name, ArrayRef<Attribute> values) {
    add(name, values.empty() ? Attribute() : builder.getArrayAttr(values),
        /*isMain=*/true);
  }
  /// Names live as long as the context.
  StringRef getFrom(StringRef name) {
    return builder.getStringAttr(name + "_from").getValue();
  }
  static bool isNone(isa::SemaphoreUse use) {
    return use.semaphore == 0 && use.count == 0;
  }
  Attribute getUse(isa::SemaphoreUse use) {
    return SemaphoreAttr::get(builder.getContext(), use.semaphore, use.count);
  }

  Builder builder;
};

void writeAll(FieldWriter &writer, isa::Instruction instruction) {
  writer.choice("queue", instruction.queue, nullptr, 0);
  writer.uses("waits", instruction.wait);
  writer.use("signal", instruction.signal);
  writer.number("id", instruction.operationId, {isa::kOperationIdBits});
  std::visit([&](auto &o) { isa::visitFields(writer, o); },
             instruction.operation);
}

template <size_t... I>
isa::Operation makeEmpty(size_t index, std::index_sequence<I...>) {
  isa::Operation operation;
  ((I == index ? void(operation.emplace<I>()) : void()), ...);
  return operation;
}

/// What does not fit into the instruction's fields; empty if all does.
std::string readInstruction(mlir::Operation *op,
                            isa::Instruction &instruction) {
  instruction = cast<InstructionOpInterface>(op).getDefaultInstruction();
  FieldReader reader(op);
  reader.choice("queue", instruction.queue, nullptr, 0);
  reader.uses("waits", instruction.wait);
  reader.use("signal", instruction.signal);
  reader.number("id", instruction.operationId, {isa::kOperationIdBits});
  std::visit([&](auto &o) { isa::visitFields(reader, o); },
             instruction.operation);
  return reader.message;
}

} // namespace

isa::Instruction npu::makeInstruction(isa::Operation operation) {
  isa::Instruction instruction;
  instruction.queue = isa::getOwnQueue(operation);
  instruction.operation = std::move(operation);
  return instruction;
}

isa::Instruction npu::getInstruction(mlir::Operation *op) {
  isa::Instruction instruction;
  readInstruction(op, instruction);
  return instruction;
}

OperationState npu::makeState(Location loc,
                              const isa::Instruction &instruction) {
  const isa::Operation &operation = instruction.operation;
  OperationState state(
      loc, (NPUDialect::getDialectNamespace() + "." + isa::getName(operation))
               .str());
  FieldWriter plain(loc.getContext()), writer(loc.getContext());
  constexpr auto kAll =
      std::make_index_sequence<std::variant_size_v<isa::Operation>>();
  writeAll(plain, makeInstruction(makeEmpty(operation.index(), kAll)));
  writeAll(writer, instruction);
  for (auto [entry, usual] : llvm::zip_equal(writer.entries, plain.entries)) {
    if (entry.value && (entry.isMain || entry.value != usual.value)) {
      state.addAttribute(entry.name, entry.value);
    }
  }
  return state;
}

LogicalResult npu::verifyInstruction(mlir::Operation *op) {
  isa::Instruction instruction;
  std::string message = readInstruction(op, instruction);
  if (message.empty()) {
    message = isa::findRangeError(instruction);
  }
  if (message.empty()) {
    message = isa::checkOperation(instruction, isa::getAnyEngine({instruction}))
                  .message();
  }
  return message.empty() ? success() : op->emitOpError(message);
}
