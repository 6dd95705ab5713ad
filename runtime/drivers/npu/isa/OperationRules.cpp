// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/OperationRules.h"

#include "runtime/drivers/npu/isa/Access.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"

#include <initializer_list>
#include <string>
#include <string_view>

using namespace umber;
using namespace umber::npu;

namespace {

using Types = std::initializer_list<DataType>;

// Sums of a group of products of I8 are exact in 32 bits, -128 included.
static_assert(((int64_t(1) << kMatrixBits) - 1) * 128 * 128 <= INT32_MAX);

constexpr Types kFloats = {DataType::F16, DataType::F32};

class Rules {
public:
  explicit Rules(const Config &config) : config(config) {}

  Status status;

  void operator()(const SetRegister &o) { within("to", o.to, 1); }
  void operator()(const AddRegister &o) { within("to", o.to, 1); }

  void operator()(const Load &o) {
    transfer(o);
    if (o.rows > 1 || o.rowsFrom != 0) {
      within("at_row_stride", o.scratchpadRowStride, o.bytes);
    }
  }
  void operator()(const Store &o) {
    transfer(o);
    writable("dram", o.dram);
    if (o.rows > 1 || o.rowsFrom != 0) {
      within("row_stride", std::abs(o.rowStride), o.bytes);
    }
  }
  void operator()(const Gather &o) {
    within("bytes", o.bytes, 1);
    counted("count", o.count, o.countFrom);
    within("limit", o.limit, 1);
    within("stride", o.stride, o.bytes);
  }
  void operator()(const LoadTable &o) {
    hasDecoder();
    within("slot and count", o.slot + o.count, 1, kTableSlots);
    supported("entries", "decoder.max_table_values", o.entries,
              config.decoder.maxTableValues);
    type("type", o.type, {DataType::I8, DataType::F16});
  }

  void operator()(const StreamWeights &o) {
    positive("rows", o.rows);
    positive("columns", o.columns);
    int64_t storage = o.bits;
    int64_t element = o.bits / 8;
    if (o.isPalette) {
      hasDecoder();
      oneOf("bits", o.bits, {1, 2, 3, 4, 6, 8});
      within("rows_per_table", o.rowsPerTable, 1);
      if (!status.ok()) {
        return;
      }
      storage = o.bits == 3   ? config.decoder.threeBitStorage
                : o.bits == 6 ? config.decoder.sixBitStorage
                              : o.bits;
      // A byte at least. What the tables hold, a run shows (Checker.h).
      element = 1;
      int64_t tables = (o.rows + o.rowsPerTable - 1) / o.rowsPerTable;
      within("table and its successors", o.table + tables, 1, kTableSlots);
    } else {
      oneOf("bits", o.bits, {8, 16});
    }
    within("storage_bits", o.storageBits, storage, storage);
    slot(o.slot);
    if (!status.ok()) {
      return;
    }
    supported("rows x columns in bytes", "a kernel slot",
              int64_t(o.rows) * o.columns * element,
              config.kernelBuffer.bytes / config.kernelBuffer.slots);
  }

  void operator()(const Multiply &o) {
    sizes(o);
    positive("inner", o.inner);
    slot(o.slot);
    type("a", o.a.type, {DataType::I8, DataType::F16, DataType::F32});
    type("c", o.c.type, kFloats);
    arithmetic(o.a.type);
    if (o.a.type == DataType::I8) {
      within("group", o.group, 1);
      type("scales", o.scales.type, {DataType::F32});
      if (status.ok() && !o.isLast && o.inner % o.group != 0) {
        fail("inner: expected whole groups of " + std::to_string(o.group) +
             ", as it is no last part, found " + std::to_string(o.inner));
      }
    }
    if (!o.isFirst || !o.isLast) {
      supported("rows x columns sums in bytes", "scratchpad.accumulator_bytes",
                4 * int64_t(o.rows) * o.columns,
                config.scratchpad.accumulatorBytes);
    }
  }

  void operator()(const MultiplyDynamic &o) {
    sizes(o);
    positive("inner", o.inner);
    type("a", o.a.type, kFloats);
    type("b", o.b.type, {DataType::I8, DataType::F16, DataType::F32});
    type("c", o.c.type, {DataType::F32});
    arithmetic(o.a.type);
    if (o.hasScales) {
      type("b", o.b.type, {DataType::I8, DataType::F16});
    }
  }

  void operator()(const Elementwise &o) {
    sizes(o);
    bool isUnary = o.op == ElementwiseOp::Copy;
    bool isEither =
        o.op == ElementwiseOp::Silu || o.op == ElementwiseOp::GeluTanh;
    bool hasB = o.spread != Spread::None;
    if (isUnary ? hasB : !isEither && !hasB) {
      fail("spread: expected " +
           std::string(isUnary ? "none" : "one that is not none") + " of " +
           kElementwiseNames[unsigned(o.op)] + ", found " +
           kSpreadNames[unsigned(o.spread)]);
    }
    // Copies convert between all types.
    if (!isUnary) {
      type("a", o.a.type, kFloats);
      type("d", o.d.type, kFloats);
    }
    if (hasB && o.spread != Spread::Immediate) {
      type("b", o.b.type, kFloats);
    }
  }
  void operator()(const Reduce &o) {
    sizes(o);
    type("a", o.a.type, kFloats);
    type("d", o.d.type,
         {o.op == ReduceOp::ArgMax ? DataType::I32 : DataType::F32});
  }
  void operator()(const Normalize &o) {
    sizes(o);
    positive("heads", o.heads);
    type("a", o.a.type, kFloats);
    type("d", o.d.type, kFloats);
    notNegative("epsilon", o.epsilon);
  }
  void operator()(const Quantize &o) {
    sizes(o);
    positive("group", o.group);
    within("bits", o.bits, 2, 8);
    type("a", o.a.type, kFloats);
    type("d", o.d.type, {DataType::I8});
    type("scales", o.scales.type, {DataType::F32});
  }
  void operator()(const Dequantize &o) {
    sizes(o);
    positive("group", o.group);
    type("a", o.a.type, {DataType::I8});
    type("scales", o.scales.type, kFloats);
    type("d", o.d.type, kFloats);
  }
  void operator()(const Rotate &o) {
    sizes(o);
    positive("heads", o.heads);
    even("columns", o.columns);
    type("a", o.a.type, kFloats);
    type("d", o.d.type, kFloats);
    type("table", o.table.type, {DataType::F32});
  }
  void operator()(const SoftmaxStep &o) {
    sizes(o);
    positive("rows_per_token", o.rowsPerToken);
    type("a", o.a.type, kFloats);
    type("d", o.d.type, kFloats);
    type("state", o.state.type, {DataType::F32});
    type("factors", o.factors.type, {DataType::F32});
    notNegative("soft_cap", o.softCap);
  }
  void operator()(const AppendCache &o) {
    positive("heads", o.heads);
    positive("columns", o.columns);
    counted("rows", o.rows, o.rowsFrom);
    oneOf("bits", o.bits, {4, 8, 16, 32});
    if (o.bits == 4) {
      even("columns", o.columns);
    }
    type("a", o.a.type, {DataType::F32});
    writable("to", o.to);
    if (o.bits <= 8) {
      writable("scales", o.scales);
    }
  }
  template <typename T>
  void operator()(const T &) {}

  /// Rows that are written do not overlap each other, and all is within the
  /// scratchpad.
  void checkTiles(const std::vector<Access> &accesses) {
    for (const Access &access : accesses) {
      if (access.memory != Memory::Scratchpad) {
        continue;
      }
      if (access.isWrite && access.rows > 1 &&
          access.rowStride < access.length) {
        fail(std::string(access.operand) +
             ": expected a stride of at least a row's " +
             std::to_string(access.length) + " bytes, found " +
             std::to_string(access.rowStride));
      }
      int64_t begin = access.base == 0 ? 0 : access.first();
      if (access.end() - begin > config.scratchpad.bytes) {
        fail(std::string(access.operand) + ": expected an end within the " +
                 std::to_string(config.scratchpad.bytes) +
                 " bytes of the scratchpad, found " +
                 std::to_string(access.end() - begin),
             StatusCode::Unsupported);
      }
    }
  }

  /// What is written is not read too, but for the same tile if that is allowed.
  void checkAliases(const std::vector<Access> &accesses, bool allowsSame) {
    for (const Access &write : accesses) {
      for (const Access &other : accesses) {
        bool isSameOperand = std::string_view(write.operand) == other.operand;
        if (!write.isWrite || isSameOperand || write.base != other.base ||
            !overlap(write, other)) {
          continue;
        }
        bool isSame =
            allowsSame && !other.isWrite && write.begin == other.begin &&
            write.length == other.length && write.rows == other.rows &&
            (write.rows == 1 || write.rowStride == other.rowStride);
        if (!isSame) {
          fail(std::string(write.operand) + ": expected it apart from " +
               other.operand + (allowsSame ? ", or the same tile" : "") +
               ", found an overlap");
        }
      }
    }
  }

private:
  void fail(const std::string &message,
            StatusCode code = StatusCode::InvalidArgument) {
    if (status.ok()) {
      status = Status(code, message);
    }
  }

  void within(const char *name, int64_t value, int64_t least,
              int64_t most = INT64_MAX) {
    if (value < least || value > most) {
      fail(std::string(name) + ": expected " +
           (least == most ? std::to_string(least)
            : most == INT64_MAX
                ? "at least " + std::to_string(least)
                : std::to_string(least) + " to " + std::to_string(most)) +
           ", found " + std::to_string(value));
    }
  }
  void positive(const char *name, int64_t value) { within(name, value, 1); }

  /// A register may hold 0, and there is nothing to do then.
  void counted(const char *name, int64_t value, Register from) {
    within(name, value, from == 0 ? 1 : 0);
  }

  void transfer(const Transfer &o) {
    within("bytes", o.bytes, 1);
    counted("rows", o.rows, o.rowsFrom);
    positive("planes", o.planes);
  }

  void supported(const char *name, const char *limit, int64_t value,
                 int64_t most) {
    if (value > most) {
      fail(std::string(name) + ": expected at most the " +
               std::to_string(most) + " of " + limit + " of " + config.name +
               ", found " + std::to_string(value),
           StatusCode::Unsupported);
    }
  }

  void oneOf(const char *name, unsigned value,
             std::initializer_list<unsigned> values) {
    std::string all;
    for (unsigned one : values) {
      if (one == value) {
        return;
      }
      all += (all.empty() ? "" : ", ") + std::to_string(one);
    }
    fail(std::string(name) + ": expected one of " + all + ", found " +
         std::to_string(value));
  }

  void type(const char *name, DataType value, Types types) {
    std::string all;
    for (DataType one : types) {
      if (one == value) {
        return;
      }
      all +=
          (all.empty() ? "" : " or ") + std::string(kTypeNames[unsigned(one)]);
    }
    fail(std::string(name) + ": expected " + all + ", found " +
         kTypeNames[unsigned(value)]);
  }

  template <typename T>
  void sizes(const T &o) {
    positive("rows", o.rows);
    positive("columns", o.columns);
  }

  void even(const char *name, uint32_t value) {
    if (value % 2 != 0) {
      fail(std::string(name) + ": expected an even number, found " +
           std::to_string(value));
    }
  }

  void notNegative(const char *name, float value) {
    if (value < 0) {
      fail(std::string(name) + ": expected at least 0, found " +
           std::to_string(value));
    }
  }

  void writable(const char *name, const DramAddress &address) {
    if (address.region != Region::Cache &&
        address.region != Region::Activations && address.region != Region::Io) {
      fail(std::string(name) +
           ": expected a region that can be written (cache, activations or "
           "io), found " +
           kRegionNames[unsigned(address.region)]);
    }
  }

  void slot(unsigned slot) {
    if (slot >= config.kernelBuffer.slots) {
      fail("slot: expected one below the " +
               std::to_string(config.kernelBuffer.slots) +
               " of kernel_buffer.slots of " + config.name + ", found " +
               std::to_string(slot),
           StatusCode::Unsupported);
    }
  }

  void hasDecoder() {
    if (config.decoder.weightsPerSecond == 0) {
      fail(config.name + " decodes no palettes (decoder.weights_per_s is 0)",
           StatusCode::Unsupported);
    }
  }

  /// Whether the array multiplies elements of that type.
  void arithmetic(DataType type) {
    bool isI8 = type == DataType::I8;
    const auto *cores = std::get_if<CoreArray>(&config.array);
    bool can = cores ? (isI8 ? cores->rowsI8 : cores->rowsF16) > 0 : isI8;
    if (!can) {
      fail("a: expected " + std::string(isI8 ? "f16 or f32" : "i8") +
               ", as the array of " + config.name +
               " multiplies no other, found " + kTypeNames[unsigned(type)],
           StatusCode::Unsupported);
    }
  }

  const Config &config;
};

} // namespace

Status npu::checkOperation(const Instruction &instruction,
                           const Config &config) {
  const Operation &operation = instruction.operation;
  if (!isFor(operation, instruction.queue)) {
    return Status(StatusCode::InvalidArgument,
                  std::string("queue: expected ") +
                      kQueueNames[unsigned(getOwnQueue(operation))] +
                      ", found " + kQueueNames[unsigned(instruction.queue)]);
  }
  if (instruction.queue == Queue::System &&
      (instruction.wait[0].count != 0 || instruction.wait[1].count != 0 ||
       instruction.signal.count != 0)) {
    return Status(StatusCode::InvalidArgument,
                  "expected no semaphores of the system queue, found some");
  }
  Rules rules(config);
  std::visit(rules, operation);
  if (rules.status.ok()) {
    std::vector<Access> accesses = getAccesses(instruction);
    rules.checkTiles(accesses);
    rules.checkAliases(accesses, instruction.queue == Queue::Vector);
  }
  return rules.status;
}
