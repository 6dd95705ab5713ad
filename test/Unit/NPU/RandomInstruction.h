// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions whose every field has any value that can be encoded.

#ifndef UMBER_TEST_UNIT_NPU_RANDOMINSTRUCTION_H
#define UMBER_TEST_UNIT_NPU_RANDOMINSTRUCTION_H

#include "runtime/drivers/npu/isa/Fields.h"

#include <cmath>
#include <cstring>
#include <random>
#include <utility>

namespace umber::npu {

class RandomFields {
public:
  explicit RandomFields(std::mt19937_64 &random) : random(random) {}

  /// Extremes more often than they would come by themselves.
  uint64_t pick(uint64_t least, uint64_t most) {
    switch (random() % 8) {
    case 0:
      return least;
    case 1:
      return most;
    default:
      return std::uniform_int_distribution<uint64_t>(least, most)(random);
    }
  }

  template <typename T>
  void number(const char *, T &field, const Width &width) {
    field = static_cast<T>(pick(width.least, width.getMost()));
  }
  void integer(const char *, int64_t &field, unsigned bits) {
    auto limit = (int64_t(1) << (bits - 1)) - 1;
    field = static_cast<int64_t>(pick(0, 2 * limit)) - limit;
  }
  void flag(const char *, bool &field) { field = pick(0, 1) != 0; }
  template <typename E>
  void choice(const char *, E &field, const char *const *, unsigned count) {
    field = static_cast<E>(pick(0, count - 1));
  }
  void real(const char *, float &field) {
    do {
      auto bits = static_cast<uint32_t>(pick(0, UINT32_MAX));
      std::memcpy(&field, &bits, sizeof field);
    } while (!std::isfinite(field));
  }
  void registerNumber(const char *, Register &field) {
    field = static_cast<Register>(pick(0, kRegisters - 1));
  }
  void queues(const char *, uint8_t &field) {
    field = static_cast<uint8_t>(pick(0, 255));
  }
  void stride(const char *, uint32_t &field) {
    field = static_cast<uint32_t>(pick(0, UINT32_MAX / kGranule)) * kGranule;
  }
  void address(const char *name, ScratchpadAddress &field) {
    stride(name, field.offset);
    registerNumber(name, field.base);
  }
  void address(const char *name, DramAddress &field) {
    choice(name, field.region, kRegionNames, countOf(kRegionNames));
    field.offset = pick(0, (uint64_t(1) << kDramBits) - 1);
    registerNumber(name, field.base);
  }
  void tile(const char *name, Tile &field) {
    address(name, field.at);
    stride(name, field.stride);
    choice(name, field.type, kTypeNames, countOf(kTypeNames));
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
      if (pick(0, 1) != 0) {
        registerNumber("", increment.to);
        integer("", increment.by, kIncrementBits);
      }
    }
  }

private:
  std::mt19937_64 &random;
};

template <size_t... I>
Operation makeOperation(size_t index, std::index_sequence<I...>) {
  Operation operation;
  ((I == index ? void(operation.emplace<I>()) : void()), ...);
  return operation;
}

constexpr size_t kOperations = std::variant_size_v<Operation>;

/// Of the operation that is number `index` of Operation.
inline Instruction makeRandomInstruction(size_t index,
                                         std::mt19937_64 &random) {
  RandomFields fields(random);
  Instruction instruction;
  instruction.operation =
      makeOperation(index, std::make_index_sequence<kOperations>());
  instruction.queue = static_cast<Queue>(fields.pick(0, kQueues - 1));
  for (SemaphoreUse *use :
       {&instruction.wait[0], &instruction.wait[1], &instruction.signal}) {
    use->semaphore = static_cast<uint8_t>(fields.pick(0, kSemaphores - 1));
    use->count = static_cast<uint8_t>(fields.pick(0, kMostSignals));
  }
  instruction.operationId = static_cast<uint32_t>(
      fields.pick(0, (uint64_t(1) << kOperationIdBits) - 1));
  std::visit([&](auto &o) { visitFields(fields, o); }, instruction.operation);
  return instruction;
}

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_RANDOMINSTRUCTION_H
