// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/FieldRange.h"

#include "runtime/drivers/npu/isa/Fields.h"

#include <cmath>

using namespace umber;
using namespace umber::npu;

namespace {

class RangeChecker {
public:
  std::string message;

  template <typename T>
  void number(const char *name, T &field, const Width &width) {
    within(name, uint64_t(field), width.least, width.getMost());
  }

  void integer(const char *name, int64_t &field, unsigned bits) {
    int64_t limit = (int64_t(1) << (bits - 1)) - 1;
    if (field < -limit || field > limit) {
      fail(name, std::to_string(-limit) + " to " + std::to_string(limit),
           std::to_string(field));
    }
  }

  void flag(const char *, bool &) {}

  template <typename E>
  void choice(const char *name, E &field, const char *const *, unsigned count) {
    within(name, uint64_t(field), 0, count - 1);
  }

  void real(const char *name, float &field) {
    if (!std::isfinite(field)) {
      fail(name, "a finite number", std::to_string(field));
    }
  }

  void registerNumber(const char *name, Register &field) {
    within(name, field, 0, kRegisters - 1);
  }

  void queues(const char *, uint8_t &) {}

  void stride(const char *name, uint32_t &field) {
    if (field % kGranule != 0) {
      fail(name, "a multiple of " + std::to_string(kGranule),
           std::to_string(field));
    }
  }

  void address(const char *name, ScratchpadAddress &field) {
    stride(name, field.offset);
    registerNumber(name, field.base);
  }

  void address(const char *name, DramAddress &field) {
    within(name, unsigned(field.region), 0, countOf(kRegionNames) - 1);
    within(name, field.offset, 0, (uint64_t(1) << kDramBits) - 1);
    registerNumber(name, field.base);
  }

  void tile(const char *name, Tile &field) {
    address(name, field.at);
    stride(name, field.stride);
    within(name, unsigned(field.type), 0, countOf(kTypeNames) - 1);
  }

  void replaced(const char *name, uint32_t &field, unsigned bits,
                Register &from) {
    number(name, field, {bits});
    registerNumber(name, from);
  }

  void shifted(const char *name, int64_t &field, unsigned bits,
               Register &from) {
    integer(name, field, bits);
    registerNumber(name, from);
  }

  void increments(Loop::Increment (&field)[4]) {
    for (Loop::Increment &increment : field) {
      registerNumber("increment", increment.to);
      integer("increment", increment.by, kIncrementBits);
    }
  }

  void within(const char *name, uint64_t value, uint64_t least, uint64_t most) {
    if (value < least || value > most) {
      fail(name, std::to_string(least) + " to " + std::to_string(most),
           std::to_string(value));
    }
  }

private:
  void fail(const char *name, const std::string &expected,
            const std::string &found) {
    if (message.empty()) {
      message =
          std::string(name) + ": expected " + expected + ", found " + found;
    }
  }
};

} // namespace

std::string npu::findRangeError(const Instruction &instruction) {
  RangeChecker checker;
  checker.within("queue", unsigned(instruction.queue), 0, kQueues - 1);
  auto checkUse = [&](const char *name, SemaphoreUse use) {
    checker.within(name, use.semaphore, 0, kSemaphores - 1);
    checker.within(name, use.count, 0, kMostSignals);
  };
  checkUse("wait", instruction.wait[0]);
  checkUse("wait", instruction.wait[1]);
  checkUse("signal", instruction.signal);
  checker.within("id", instruction.operationId, 0,
                 (uint64_t(1) << kOperationIdBits) - 1);
  // Visitors may change what they visit.
  Operation operation = instruction.operation;
  std::visit([&](auto &o) { visitFields(checker, o); }, operation);
  return checker.message;
}
