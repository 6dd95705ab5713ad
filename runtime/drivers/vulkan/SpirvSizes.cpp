// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/SpirvSizes.h"

using namespace umber::vulkan;

namespace {

// Of the specification's table.
enum Opcode : uint32_t {
  OpTypeBool = 20,
  OpTypeInt = 21,
  OpTypeFloat = 22,
  OpTypeVector = 23,
  OpTypeArray = 28,
  OpTypeStruct = 30,
  OpTypePointer = 32,
  OpConstant = 43,
  OpSpecConstant = 50,
};

uint64_t multiply(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

uint64_t add(uint64_t a, uint64_t b) {
  uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

} // namespace

uint32_t SpirvSizes::fewestWords(uint32_t opcode) {
  switch (opcode) {
  case OpTypeBool:
  case OpTypeStruct:
    return 2;
  case OpTypeFloat:
    return 3;
  case OpTypeInt:
  case OpTypeVector:
  case OpTypeArray:
  case OpTypePointer:
  case OpConstant:
  case OpSpecConstant:
    return 4;
  default:
    return 0;
  }
}

uint64_t SpirvSizes::bytesOf(uint32_t type) const {
  auto found = bytes.find(type);
  return found == bytes.end() ? 0 : found->second;
}

void SpirvSizes::declare(const uint32_t *word, uint32_t count) {
  uint32_t id = word[1];
  switch (word[0] & 0xffff) {
  case OpTypeBool:
    bytes[id] = sizeof(uint32_t);
    break;
  case OpTypeInt:
  case OpTypeFloat:
    bytes[id] = (uint64_t(word[2]) + 7) / 8;
    break;
  case OpTypeVector:
    bytes[id] = multiply(bytesOf(word[2]), word[3]);
    break;
  case OpTypeArray: {
    auto length = constants.find(word[3]);
    bytes[id] = multiply(bytesOf(word[2]),
                         length == constants.end() ? 0 : length->second);
    break;
  }
  case OpTypeStruct: {
    uint64_t sum = 0;
    for (uint32_t i = 2; i < count; ++i) {
      sum = add(sum, bytesOf(word[i]));
    }
    bytes[id] = sum;
    break;
  }
  case OpTypePointer:
    pointees[id] = word[3];
    break;
  default:
    constants[word[2]] = word[3];
    break;
  }
}

uint64_t SpirvSizes::pointeeBytes(uint32_t pointerType) const {
  auto found = pointees.find(pointerType);
  return found == pointees.end() ? 0 : bytesOf(found->second);
}
