// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much memory variables of a SPIR-V module take.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_SPIRVSIZES_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_SPIRVSIZES_H

#include <cstdint>
#include <map>

namespace umber::vulkan {

/// Sizes of a module's types. What is too large for 64 bits has all of them,
/// and what is not known has none.
class SpirvSizes {
public:
  /// The fewest words of an instruction that declares a type or a constant; 0
  /// for any other.
  static uint32_t fewestWords(uint32_t opcode);
  /// Reads such an instruction, of `count` words. Types and constants come
  /// before those that use them.
  void declare(const uint32_t *word, uint32_t count);
  /// Bytes of what a pointer of this type points to, one element behind the
  /// other, as the workgroup's memory has them.
  uint64_t pointeeBytes(uint32_t pointerType) const;

private:
  uint64_t bytesOf(uint32_t type) const;

  std::map<uint32_t, uint64_t> bytes;     // by type
  std::map<uint32_t, uint32_t> pointees;  // types, by pointer type
  std::map<uint32_t, uint32_t> constants; // low words, by id
};

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_SPIRVSIZES_H
