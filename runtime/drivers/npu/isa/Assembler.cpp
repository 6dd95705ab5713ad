// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Assembly.h"

#include "runtime/adapter/Quote.h"
#include "runtime/drivers/npu/isa/FieldRange.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"

#include <charconv>
#include <utility>

using namespace umber;
using namespace umber::npu;

namespace {

/// What is wrong, and where in its line.
struct Failure {
  size_t column = 0; ///< from 0
  std::string message;
};

/// Reads a piece of a line from its front. The first failure is kept, and
/// nothing is read after it.
class Cursor {
public:
  Cursor(std::string_view line, size_t position, size_t end, Failure &failure)
      : line(line.substr(0, end)), position(position), failure(failure) {}

  bool isAtEnd() const { return position == line.size(); }
  size_t column() const { return position; }
  bool ok() const { return failure.message.empty(); }

  void fail(const std::string &expected) { failAt(position, expected); }
  void failAt(size_t column, const std::string &expected) {
    if (ok()) {
      size_t end = line.find_first_of(" \t", column);
      std::string_view rest = line.substr(column, end - column);
      failure = {column, "expected " + expected + ", found " +
                             (rest.empty() ? "the end" : quote(rest))};
    }
  }

  bool consume(std::string_view text) {
    if (!ok() || line.substr(position, text.size()) != text) {
      return false;
    }
    position += text.size();
    return true;
  }
  void expect(std::string_view text) {
    if (!consume(text)) {
      fail(quote(text));
    }
  }
  void skipSpaces() {
    while (!isAtEnd() && (line[position] == ' ' || line[position] == '\t')) {
      ++position;
    }
  }
  std::string_view readName() {
    size_t start = position;
    while (!isAtEnd() &&
           (std::isalnum(static_cast<unsigned char>(line[position])) ||
            line[position] == '_')) {
      ++position;
    }
    return line.substr(start, position - start);
  }

  uint64_t readNumber(uint64_t most) {
    size_t start = position;
    bool isHex = consume("0x");
    uint64_t value = 0;
    const char *begin = line.data() + position;
    auto [end, error] = std::from_chars(begin, line.data() + line.size(), value,
                                        isHex ? 16 : 10);
    if (error != std::errc() || value > most) {
      failAt(start, "a number of at most " + std::to_string(most));
      return 0;
    }
    position += end - begin;
    return value;
  }
  int64_t readInteger() {
    bool isNegative = consume("-");
    auto value = static_cast<int64_t>(readNumber(INT64_MAX));
    return isNegative ? -value : value;
  }
  float readReal() {
    float value = 0;
    const char *begin = line.data() + position;
    auto [end, error] =
        std::from_chars(begin, line.data() + line.size(), value);
    if (error != std::errc()) {
      fail("a number");
      return 0;
    }
    position += end - begin;
    return value;
  }
  bool isAtRegister() const {
    return ok() && position + 1 < line.size() && line[position] == 'r' &&
           line[position + 1] >= '0' && line[position + 1] <= '9';
  }
  Register readRegister() {
    if (!isAtRegister()) {
      fail("a register");
      return 0;
    }
    ++position;
    return static_cast<Register>(readNumber(kRegisters - 1));
  }
  /// A number in `names`.
  unsigned readChoice(const char *const *names, unsigned count) {
    size_t start = position;
    std::string_view name = readName();
    std::string all;
    for (unsigned i = 0; i < count; ++i) {
      if (name == names[i]) {
        return i;
      }
      all += (i == 0           ? ""
              : i + 1 == count ? " or "
                               : ", ") +
             std::string(names[i]);
    }
    failAt(start, all);
    return 0;
  }

private:
  std::string_view line;
  size_t position;
  Failure &failure;
};

/// A piece of a line between spaces, those in brackets not counted.
struct Item {
  size_t begin, end;
  bool isRead = false;
};

/// Reads an operation's fields from a line's items.
class TextReader {
public:
  TextReader(std::string_view line, std::vector<Item> &items, Failure &failure)
      : line(line), items(items), failure(failure) {}

  template <typename T>
  void number(const char *name, T &field, const Width &width) {
    value(name, [&](Cursor &cursor) {
      size_t column = cursor.column();
      uint64_t found = cursor.readNumber(width.getMost());
      if (cursor.ok() && found < width.least) {
        cursor.failAt(column,
                      "a number of at least " + std::to_string(width.least));
      }
      field = static_cast<T>(found);
    });
  }
  void integer(const char *name, int64_t &field, unsigned bits) {
    value(name, [&](Cursor &cursor) { field = readInteger(cursor, bits); });
  }
  void flag(const char *name, bool &field) {
    Item *item = find(name, "");
    field = item != nullptr;
  }
  template <typename E>
  void choice(const char *name, E &field, const char *const *names,
              unsigned count) {
    value(name, [&](Cursor &cursor) {
      field = static_cast<E>(cursor.readChoice(names, count));
    });
  }
  void real(const char *name, float &field) {
    value(name, [&](Cursor &cursor) { field = cursor.readReal(); });
  }
  void registerNumber(const char *name, Register &field) {
    value(name, [&](Cursor &cursor) { field = cursor.readRegister(); });
  }
  void queues(const char *name, uint8_t &field) {
    value(name, [&](Cursor &cursor) {
      field = 0;
      do {
        field |= 1 << cursor.readChoice(kQueueNames, kQueues);
      } while (cursor.consume(","));
    });
  }
  void stride(const char *name, uint32_t &field) {
    value(name, [&](Cursor &cursor) { field = readGranules(cursor); });
  }
  void address(const char *name, ScratchpadAddress &field) {
    value(name, [&](Cursor &cursor) {
      readAddress(cursor, field);
      cursor.expect("]");
    });
  }
  void address(const char *name, DramAddress &field) {
    value(name, [&](Cursor &cursor) {
      field.region = static_cast<Region>(
          cursor.readChoice(kRegionNames, countOf(kRegionNames)));
      cursor.expect("[");
      field.offset = cursor.readNumber((uint64_t(1) << kDramBits) - 1);
      if (cursor.consume("+")) {
        field.base = cursor.readRegister();
      }
      cursor.expect("]");
    });
  }
  void tile(const char *name, Tile &field) {
    value(name, [&](Cursor &cursor) {
      field.type = static_cast<DataType>(
          cursor.readChoice(kTypeNames, countOf(kTypeNames)));
      readAddress(cursor, field.at);
      cursor.expect(",");
      cursor.skipSpaces();
      field.stride = readGranules(cursor);
      cursor.expect("]");
    });
  }
  void replaced(const char *name, uint32_t &field, unsigned bits,
                Register &from) {
    value(name, [&](Cursor &cursor) {
      if (!cursor.isAtRegister()) {
        field =
            static_cast<uint32_t>(cursor.readNumber((uint64_t(1) << bits) - 1));
        if (!cursor.consume("|")) {
          return;
        }
      }
      from = cursor.readRegister();
    });
  }
  void shifted(const char *name, int64_t &field, unsigned bits,
               Register &from) {
    value(name, [&](Cursor &cursor) {
      field = readInteger(cursor, bits);
      if (cursor.consume("+")) {
        from = cursor.readRegister();
      }
    });
  }
  void increments(Loop::Increment (&field)[4]) {
    unsigned count = 0;
    for (Item &item : items) {
      if (line.substr(item.begin, item.end - item.begin).find("+=") ==
          std::string_view::npos) {
        continue;
      }
      item.isRead = true;
      Cursor cursor(line, item.begin, item.end, failure);
      if (count == 4) {
        cursor.fail("at most 4 increments");
        return;
      }
      field[count].to = cursor.readRegister();
      cursor.expect("+=");
      field[count++].by = readInteger(cursor, kIncrementBits);
      expectEnd(cursor);
    }
  }

  /// The item that is NAME or begins with NAME= (`suffix`); it is then read.
  /// Twice is a failure.
  Item *find(std::string_view name, std::string_view suffix) {
    Item *found = nullptr;
    for (Item &item : items) {
      std::string_view text = line.substr(item.begin, item.end - item.begin);
      bool matches = suffix.empty() ? text == name
                                    : text.substr(0, name.size()) == name &&
                                          text.substr(name.size(),
                                                      suffix.size()) == suffix;
      if (item.isRead || !matches) {
        continue;
      }
      item.isRead = true;
      if (found != nullptr) {
        Cursor(line, item.begin, item.end, failure)
            .fail("'" + std::string(name) + "' once");
      }
      found = &item;
    }
    return found;
  }

  /// Calls read(cursor) with what is behind NAME=, all of which it must read.
  template <typename Read>
  void value(std::string_view name, Read read) {
    if (Item *item = find(name, "=")) {
      Cursor cursor(line, item->begin + name.size() + 1, item->end, failure);
      read(cursor);
      expectEnd(cursor);
    }
  }

private:
  static void expectEnd(Cursor &cursor) {
    if (cursor.ok() && !cursor.isAtEnd()) {
      cursor.fail("the end of the value");
    }
  }

  static int64_t readInteger(Cursor &cursor, unsigned bits) {
    size_t column = cursor.column();
    int64_t value = cursor.readInteger();
    int64_t limit = (int64_t(1) << (bits - 1)) - 1;
    if (cursor.ok() && (value < -limit || value > limit)) {
      cursor.failAt(column, "a number of " + std::to_string(-limit) + " to " +
                                std::to_string(limit));
    }
    return value;
  }

  static uint32_t readGranules(Cursor &cursor) {
    size_t column = cursor.column();
    uint64_t value = cursor.readNumber(UINT32_MAX);
    if (cursor.ok() && value % kGranule != 0) {
      cursor.failAt(column, "a multiple of " + std::to_string(kGranule));
    }
    return static_cast<uint32_t>(value);
  }

  static void readAddress(Cursor &cursor, ScratchpadAddress &address) {
    cursor.expect("[");
    address.offset = readGranules(cursor);
    if (cursor.consume("+")) {
      address.base = cursor.readRegister();
    }
  }

  std::string_view line;
  std::vector<Item> &items;
  Failure &failure;
};

template <size_t... I>
bool makeOperation(std::string_view name, Operation &operation,
                   std::index_sequence<I...>) {
  return ((name == std::variant_alternative_t<I, Operation>::kName
               ? (operation.emplace<I>(), true)
               : false) ||
          ...);
}

std::vector<Item> split(std::string_view line) {
  std::vector<Item> items;
  bool isInItem = false, isInBrackets = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    bool isSpace = (c == ' ' || c == '\t') && !isInBrackets;
    if (!isSpace && !isInItem) {
      items.push_back({i, line.size()});
    } else if (isSpace && isInItem) {
      items.back().end = i;
    }
    isInItem = !isSpace;
    isInBrackets =
        (isInBrackets || c == '[' || c == '(') && c != ']' && c != ')';
  }
  return items;
}

/// `wait(3,1)`, of items that begin with it, at most `most`.
void readUses(std::string_view line, std::vector<Item> &items,
              std::string_view name, SemaphoreUse *uses, unsigned most,
              Failure &failure) {
  unsigned count = 0;
  for (Item &item : items) {
    Cursor cursor(line, item.begin, item.end, failure);
    if (!cursor.consume(name) || !cursor.consume("(")) {
      continue;
    }
    item.isRead = true;
    if (count == most) {
      cursor.failAt(item.begin, "at most " + std::to_string(most) + " " +
                                    std::string(name));
      return;
    }
    SemaphoreUse &use = uses[count++];
    use.semaphore = static_cast<uint8_t>(cursor.readNumber(kSemaphores - 1));
    cursor.expect(",");
    cursor.skipSpaces();
    use.count = static_cast<uint8_t>(cursor.readNumber(kMostSignals));
    cursor.expect(")");
    if (cursor.ok() && !cursor.isAtEnd()) {
      cursor.fail("the end of the " + std::string(name));
    }
  }
}

Instruction readLine(std::string_view line, std::vector<Item> &items,
                     Failure &failure) {
  Instruction instruction;
  Item &first = items[0];
  first.isRead = true;
  Cursor start(line, first.begin, first.end, failure);
  std::string_view name = start.readName();
  constexpr auto kAll =
      std::make_index_sequence<std::variant_size_v<Operation>>();
  if (!start.isAtEnd() || !makeOperation(name, instruction.operation, kAll)) {
    start.failAt(first.begin, "an instruction");
    return instruction;
  }
  instruction.queue = getOwnQueue(instruction.operation);
  if (items.size() > 1) {
    Cursor cursor(line, items[1].begin, items[1].end, failure);
    if (cursor.consume("@")) {
      items[1].isRead = true;
      instruction.queue =
          static_cast<Queue>(cursor.readChoice(kQueueNames, kQueues));
      if (cursor.ok() && !cursor.isAtEnd()) {
        cursor.fail("the end of the queue");
      }
    }
  }
  readUses(line, items, "wait", instruction.wait, 2, failure);
  readUses(line, items, "signal", &instruction.signal, 1, failure);
  TextReader reader(line, items, failure);
  reader.number("id", instruction.operationId, {kOperationIdBits});
  std::visit([&](auto &o) { visitFields(reader, o); }, instruction.operation);
  for (const Item &item : items) {
    if (!item.isRead) {
      Cursor(line, item.begin, item.end, failure)
          .fail("a field of " + std::string(getName(instruction.operation)));
    }
  }
  if (failure.message.empty()) {
    // What is left out and has no default that could be encoded.
    failure = {first.begin, findRangeError(instruction)};
  }
  return instruction;
}

} // namespace

Result<Program> npu::assemble(std::string_view text) {
  Program program;
  for (size_t number = 1, begin = 0; begin < text.size(); ++number) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    line = line.substr(0, line.find('#'));
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    std::vector<Item> items = split(line);
    if (items.empty()) {
      continue;
    }
    Failure failure;
    program.push_back(readLine(line, items, failure));
    if (!failure.message.empty()) {
      return Status(StatusCode::InvalidArgument,
                    std::to_string(number) + ":" +
                        std::to_string(failure.column + 1) + ": " +
                        failure.message);
    }
  }
  return program;
}
