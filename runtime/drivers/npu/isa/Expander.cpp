// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Expander.h"

#include "runtime/drivers/npu/isa/Fields.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

/// Puts registers' values into an instruction.
class Resolver {
public:
  explicit Resolver(const Registers &values) : values(values) {}

  const std::string &failure() const { return message; }

  template <typename T>
  void number(const char *, T &, const Width &) {}
  void integer(const char *, int64_t &, unsigned) {}
  void flag(const char *, bool &) {}
  template <typename E>
  void choice(const char *, E &, const char *const *, unsigned) {}
  void real(const char *, float &) {}
  void registerNumber(const char *, Register &) {}
  void queues(const char *, uint8_t &) {}
  void stride(const char *, uint32_t &) {}
  void increments(Loop::Increment (&)[4]) {}

  void address(const char *name, ScratchpadAddress &address) {
    int64_t sum = add(name, address.offset, address.base);
    if (expect(name, sum, 0, UINT32_MAX) && sum % kGranule != 0) {
      fail(std::string(name) + ": expected a multiple of " +
           std::to_string(kGranule) + ", found " + std::to_string(sum));
    }
    address = {static_cast<uint32_t>(sum), 0};
  }

  void address(const char *name, DramAddress &address) {
    if (address.offset >> kDramBits != 0) {
      fail(std::string(name) + ": expected an offset below 2^40, found " +
           std::to_string(address.offset));
      return;
    }
    int64_t sum = add(name, static_cast<int64_t>(address.offset), address.base);
    expect(name, sum, 0, (int64_t(1) << kDramBits) - 1);
    address.offset = static_cast<uint64_t>(sum);
    address.base = 0;
  }

  void tile(const char *name, Tile &tile) { address(name, tile.at); }

  void replaced(const char *name, uint32_t &number, unsigned bits,
                Register &from) {
    if (from == 0) {
      return;
    }
    int64_t value = add(name, 0, from);
    expect(name, value, 0, (int64_t(1) << bits) - 1);
    number = static_cast<uint32_t>(value);
    from = 0;
  }

  void shifted(const char *name, int64_t &number, unsigned bits,
               Register &from) {
    number = add(name, number, from);
    int64_t limit = (int64_t(1) << (bits - 1)) - 1;
    expect(name, number, -limit, limit);
    from = 0;
  }

  /// number * register.
  void scaled(const char *name, uint32_t &number, Register from) {
    int64_t product = 0;
    if (!isRegister(name, from)) {
      return;
    }
    if (__builtin_mul_overflow(int64_t(number), values[from], &product)) {
      product = INT64_MAX;
    }
    expect(name, product, 0, UINT32_MAX);
    number = static_cast<uint32_t>(product);
  }

private:
  void fail(const std::string &text) {
    if (message.empty()) {
      message = text;
    }
  }

  bool isRegister(const char *name, Register number) {
    if (number >= kRegisters) {
      fail(std::string(name) + ": expected a register below " +
           std::to_string(kRegisters) + ", found " + std::to_string(number));
      return false;
    }
    return true;
  }

  int64_t add(const char *name, int64_t number, Register from) {
    if (!isRegister(name, from)) {
      return 0;
    }
    int64_t sum = 0;
    if (__builtin_add_overflow(number, values[from], &sum)) {
      return INT64_MAX;
    }
    return sum;
  }

  bool expect(const char *name, int64_t value, int64_t least, int64_t most) {
    if (value < least || value > most) {
      fail(std::string(name) + ": expected " + std::to_string(least) + " to " +
           std::to_string(most) + " with the register's value, found " +
           std::to_string(value));
      return false;
    }
    return true;
  }

  const Registers &values;
  std::string message;
};

} // namespace

Expander::Expander(const Program &program, const Registers &registers,
                   uint64_t most)
    : program(program), values(registers), most(most) {
  values[0] = 0;
  if (program.size() >= UINT32_MAX) {
    failure = {StatusCode::InvalidArgument,
               "expected a program of less than 2^32 - 1 instructions, "
               "found " +
                   std::to_string(program.size()),
               {},
               {}};
    return;
  }
  findEnds();
}

bool Expander::fail(const std::string &message) {
  failure = {StatusCode::InvalidArgument, message, currentIndex, {}};
  return false;
}

bool Expander::findEnds() {
  ends.resize(program.size());
  std::vector<uint32_t> open;
  for (uint32_t i = 0; i < program.size(); ++i) {
    currentIndex = i;
    if (std::holds_alternative<Loop>(program[i].operation)) {
      open.push_back(i);
      if (open.size() > kLoopDepth) {
        return fail("expected loops at most " + std::to_string(kLoopDepth) +
                    " deep, found one more");
      }
    } else if (std::holds_alternative<EndLoop>(program[i].operation)) {
      if (open.empty()) {
        return fail("expected a loop before it, found none");
      }
      ends[open.back()] = i;
      open.pop_back();
    }
  }
  if (!open.empty()) {
    currentIndex = open.back();
    return fail("expected an end, found none");
  }
  return true;
}

bool Expander::checkRegister(Register number, bool isWritten) {
  if (number >= kRegisters || (isWritten && number == 0)) {
    return fail("expected a register of " + std::to_string(isWritten ? 1 : 0) +
                " to " + std::to_string(kRegisters - 1) + ", found " +
                std::to_string(number));
  }
  return true;
}

bool Expander::run(const SetRegister &set) {
  if (!checkRegister(set.to, true) || !checkRegister(set.from, false)) {
    return false;
  }
  if (set.divisor == 0) {
    return fail("divisor: expected at least 1, found 0");
  }
  __int128 sum =
      static_cast<__int128>(values[set.from]) * set.multiplier + set.addend;
  // What is not above 0 becomes 0, so that only positive sums are divided.
  __int128 result = sum <= 0 ? 0 : (sum + set.divisor - 1) / set.divisor;
  if (set.limit != 0 && result > set.limit) {
    result = set.limit;
  }
  if (result > INT64_MAX) {
    return fail("expected a result below 2^63, found more");
  }
  values[set.to] = static_cast<int64_t>(result);
  return true;
}

bool Expander::run(const AddRegister &add) {
  if (!checkRegister(add.to, true) || !checkRegister(add.from, false)) {
    return false;
  }
  int64_t product = 0, sum = 0;
  if (__builtin_mul_overflow(values[add.from], add.multiplier, &product) ||
      __builtin_add_overflow(values[add.to], product, &sum)) {
    return fail("expected a result below 2^63 in magnitude, found more");
  }
  values[add.to] = sum;
  return true;
}

bool Expander::run(const Loop &loop) {
  int64_t count = loop.count;
  if (loop.countFrom != 0) {
    if (!checkRegister(loop.countFrom, false)) {
      return false;
    }
    count = values[loop.countFrom];
  }
  constexpr int64_t kMost = (int64_t(1) << kLoopCountBits) - 1;
  if (count < 0 || count > kMost) {
    return fail("count: expected 0 to " + std::to_string(kMost) + ", found " +
                std::to_string(count));
  }
  for (const Loop::Increment &increment : loop.increments) {
    if (!checkRegister(increment.to, false)) {
      return false;
    }
  }
  if (count == 0) {
    nextIndex = ends[currentIndex] + 1;
    return true;
  }
  loops.push_back({currentIndex, static_cast<uint32_t>(count), values});
  return true;
}

bool Expander::runEnd() {
  OpenLoop &open = loops.back();
  const Loop &loop = std::get<Loop>(program[open.index].operation);
  bool isLast = --open.remaining == 0;
  for (const Loop::Increment &increment : loop.increments) {
    if (increment.to == 0) {
      continue;
    }
    int64_t &value = values[increment.to];
    if (isLast) {
      value = open.before[increment.to];
    } else if (__builtin_add_overflow(value, increment.by, &value)) {
      return fail("expected a register below 2^63 in magnitude, found more");
    }
  }
  if (isLast) {
    loops.pop_back();
  } else {
    nextIndex = open.index + 1;
  }
  return true;
}

bool Expander::resolve() {
  Resolver resolver(values);
  std::visit([&](auto &operation) { visitFields(resolver, operation); },
             instruction.operation);
  if (auto *append = std::get_if<AppendCache>(&instruction.operation)) {
    if (append->strideFrom != 0) {
      resolver.scaled("head_stride", append->headStride, append->strideFrom);
      resolver.scaled("scale_head_stride", append->scaleHeadStride,
                      append->strideFrom);
      append->strideFrom = 0;
    }
  }
  return resolver.failure().empty() || fail(resolver.failure());
}

bool Expander::next() {
  if (isStopped || !failure.ok()) {
    return false;
  }
  if (nextIndex >= program.size()) {
    failure = {StatusCode::InvalidArgument,
               "expected a stop at the end of the program, found none",
               {},
               {}};
    return false;
  }
  currentIndex = nextIndex++;
  if (fetched++ >= most) {
    return fail("expected at most " + std::to_string(most) +
                " instructions to be fetched, found more");
  }
  instruction = program[currentIndex];
  const Operation &operation = instruction.operation;
  if (const auto *loop = std::get_if<Loop>(&operation)) {
    return run(*loop);
  }
  if (std::holds_alternative<EndLoop>(operation)) {
    return runEnd();
  }
  if (const auto *set = std::get_if<SetRegister>(&operation)) {
    return run(*set);
  }
  if (const auto *add = std::get_if<AddRegister>(&operation)) {
    return run(*add);
  }
  isStopped = std::holds_alternative<Stop>(operation);
  return resolve();
}
