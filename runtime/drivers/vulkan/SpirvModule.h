// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a SPIR-V module declares, as far as a driver must know it before it
// gives the module to a device. The format is that of the SPIR-V
// specification, version 1.3, section 2.3.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_SPIRVMODULE_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_SPIRVMODULE_H

#include "runtime/package/MappedFile.h"
#include "runtime/package/Status.h"
#include "runtime/package/TexelSets.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace umber::vulkan {

struct SpirvEntry {
  uint32_t function = 0;           ///< its id
  uint32_t threads[3] = {0, 0, 0}; ///< of a workgroup; 0: not declared
  /// One more than the highest binding that it uses.
  uint32_t bindings = 0;
  uint64_t workgroupBytes = 0; ///< of memory that a workgroup shares
  /// The bindings that it reads as texels, of each set (TexelSets.h).
  std::set<uint32_t> texels[kTexelSets];

  bool readsTexels() const;
};

struct SpirvFunction {
  size_t begin = 0, end = 0;    ///< its words in the module's
  std::set<uint32_t> callees;   ///< ids
  std::set<uint32_t> variables; ///< ids of the module's that it may use
};

struct SpirvModule {
  std::vector<uint32_t> words;
  std::vector<uint32_t> capabilities;
  std::map<std::string, SpirvEntry> entries;
  std::map<uint32_t, SpirvFunction> functions; ///< by their ids
  std::set<uint32_t> variables;                ///< outside of functions
  std::map<uint32_t, uint32_t> owners;         ///< function of an id within one

  /// The words of a module with this entry point alone, and what it needs of
  /// functions and variables. Devices compile as much as they are given, and
  /// count a workgroup's memory so.
  std::vector<uint32_t> extract(const std::string &entry) const;
  /// Whether some entry point reads texels.
  bool readsTexels() const;
  /// The functions that this one calls, and itself.
  std::set<uint32_t> reachableFrom(uint32_t function) const;
};

/// CorruptFile for bytes that are no module, for entry points that are no
/// compute shaders, and for memory other than storage buffers of descriptor set
/// 0, texel buffers of those of TexelSets.h, and what a workgroup or thread has
/// of its own; Unsupported for a version after 1.3. That functions compute
/// something sensible is not checked: code deserves the trust that a program
/// does.
Result<SpirvModule> parseSpirv(Bytes bytes);

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_SPIRVMODULE_H
