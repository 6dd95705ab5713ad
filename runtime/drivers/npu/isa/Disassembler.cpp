// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Assembly.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"

#include <charconv>
#include <cinttypes>

using namespace umber;
using namespace umber::npu;

namespace {

/// A field's name and value as text. Of flags that are set, and of increments,
/// the value alone.
struct FieldText {
  const char *name;
  std::string value;
  /// Where a register can take a number's place: the number.
  uint64_t replaced = 0;
  /// Whether it is shown even if it is the default.
  bool isMain = false;
};

/// The text of all fields of an operation.
class TextWriter {
public:
  /// `defaults`: of an operation whose fields have their defaults.
  explicit TextWriter(const std::vector<FieldText> *defaults)
      : defaults(defaults) {}

  std::vector<FieldText> fields;

  template <typename T>
  void number(const char *name, T &field, const Width &) {
    add(name, std::to_string(field));
  }
  void integer(const char *name, int64_t &field, unsigned) {
    add(name, std::to_string(field));
  }
  void flag(const char *name, bool &field) {
    fields.push_back({"", field ? name : ""});
  }
  template <typename E>
  void choice(const char *name, E &field, const char *const *names,
              unsigned count) {
    add(name, pick(names, count, unsigned(field)),
        std::string_view(name) == "op");
  }
  void real(const char *name, float &field) {
    char text[32];
    auto [end, error] = std::to_chars(text, text + sizeof text, field);
    add(name, std::string(text, end));
  }
  void registerNumber(const char *name, Register &field) {
    add(name, getRegister(field));
  }
  void queues(const char *name, uint8_t &field) {
    std::string text;
    for (unsigned queue = 0; queue < kQueues; ++queue) {
      if ((field >> queue & 1) != 0) {
        text += (text.empty() ? "" : ",") + std::string(kQueueNames[queue]);
      }
    }
    add(name, text);
  }
  void stride(const char *name, uint32_t &field) {
    add(name, std::to_string(field));
  }
  void address(const char *name, ScratchpadAddress &field) {
    add(name, "[" + getSum(field.offset, field.base) + "]",
        isMainOperand(name));
  }
  void address(const char *name, DramAddress &field) {
    add(name,
        pick(kRegionNames, countOf(kRegionNames), unsigned(field.region)) +
            "[" + getSum(field.offset, field.base) + "]",
        isMainOperand(name));
  }
  void tile(const char *name, Tile &field) {
    add(name,
        pick(kTypeNames, countOf(kTypeNames), unsigned(field.type)) + "[" +
            getSum(field.at.offset, field.at.base) + ", " +
            std::to_string(field.stride) + "]",
        isMainOperand(name));
  }
  void replaced(const char *name, uint32_t &field, unsigned, Register &from) {
    std::string text = from == 0 ? std::to_string(field) : getRegister(from);
    if (from != 0 && defaults && (*defaults)[fields.size()].replaced != field) {
      text = std::to_string(field) + "|" + text;
    }
    fields.push_back({name, text, field});
  }
  void shifted(const char *name, int64_t &field, unsigned, Register &from) {
    add(name,
        std::to_string(field) + (from == 0 ? "" : "+" + getRegister(from)));
  }
  void increments(Loop::Increment (&field)[4]) {
    std::string text, skipped;
    for (const Loop::Increment &increment : field) {
      std::string one =
          getRegister(increment.to) + "+=" + std::to_string(increment.by);
      if (increment.to == 0 && increment.by == 0) {
        skipped += one + " ";
        continue;
      }
      text += (text.empty() ? "" : " ") + skipped + one;
      skipped.clear();
    }
    fields.push_back({"", text});
  }

private:
  void add(const char *name, std::string value, bool isMain = false) {
    fields.push_back({name, std::move(value), 0, isMain});
  }

  static std::string getRegister(Register number) {
    return "r" + std::to_string(number);
  }
  static std::string getSum(uint64_t offset, Register base) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%" PRIx64, offset);
    return text + (base == 0 ? "" : "+" + getRegister(base));
  }
  static std::string pick(const char *const *names, unsigned count,
                          unsigned index) {
    return index < count ? names[index] : "?" + std::to_string(index);
  }

  const std::vector<FieldText> *defaults;
};

template <typename T>
void writeFields(std::string &line, T operation) {
  T plain;
  TextWriter defaults(nullptr);
  visitFields(defaults, plain);
  TextWriter writer(&defaults.fields);
  visitFields(writer, operation);
  for (size_t i = 0; i < writer.fields.size(); ++i) {
    const FieldText &field = writer.fields[i];
    if (field.name[0] == '\0') {
      line += field.value.empty() ? "" : " " + field.value;
    } else if (field.isMain || field.value != defaults.fields[i].value) {
      line += " " + std::string(field.name) + "=" + field.value;
    }
  }
}

std::string getUse(const char *name, SemaphoreUse use) {
  return std::string(" ") + name + "(" + std::to_string(use.semaphore) + "," +
         std::to_string(use.count) + ")";
}

bool isNone(SemaphoreUse use) { return use.semaphore == 0 && use.count == 0; }

} // namespace

std::string npu::disassemble(const Instruction &instruction) {
  std::string line = getName(instruction.operation);
  if (instruction.queue != getOwnQueue(instruction.operation)) {
    line += std::string(" @") + (unsigned(instruction.queue) < kQueues
                                     ? kQueueNames[unsigned(instruction.queue)]
                                     : "?");
  }
  const SemaphoreUse *wait = instruction.wait;
  if (!isNone(wait[0]) || !isNone(wait[1])) {
    line += getUse("wait", wait[0]);
  }
  if (!isNone(wait[1])) {
    line += getUse("wait", wait[1]);
  }
  if (!isNone(instruction.signal)) {
    line += getUse("signal", instruction.signal);
  }
  if (instruction.operationId != 0) {
    line += " id=" + std::to_string(instruction.operationId);
  }
  std::visit([&](const auto &o) { writeFields(line, o); },
             instruction.operation);
  return line;
}

std::string npu::disassemble(const Program &program) {
  std::string text;
  size_t depth = 0;
  for (const Instruction &instruction : program) {
    if (std::holds_alternative<EndLoop>(instruction.operation) && depth > 0) {
      --depth;
    }
    // Programs that are not legal may nest deeper than is readable.
    text.append(2 * std::min<size_t>(depth, kLoopDepth), ' ');
    text += disassemble(instruction) + '\n';
    depth += std::holds_alternative<Loop>(instruction.operation) ? 1 : 0;
  }
  return text;
}
