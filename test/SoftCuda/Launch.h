// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules and launches of their kernels.

#ifndef UMBER_TEST_SOFTCUDA_LAUNCH_H
#define UMBER_TEST_SOFTCUDA_LAUNCH_H

#include "test/SoftCuda/GlobalMemory.h"
#include "test/SoftCuda/Program.h"

#include <list>
#include <memory>

namespace umber::softcuda {

/// The newest PTX and architecture that the device takes.
constexpr unsigned kPtxMajor = 8, kPtxMinor = 0, kArchitecture = 90;
constexpr unsigned kMostThreads = 1024;

struct Module {
  std::list<Kernel> kernels;
  GlobalMemory *memory = nullptr;
  std::vector<uint64_t> variables; ///< allocations of .global and .const

  Module() = default;
  ~Module();
  Module(const Module &) = delete;
  Module &operator=(const Module &) = delete;
};

/// Throws PtxError; what has no room throws Fault.
std::unique_ptr<Module> loadModule(const std::string &text,
                                   GlobalMemory &memory);

struct Grid {
  uint32_t blocks[3], threads[3];
  uint32_t dynamicSharedBytes;
};

/// What the kernel cannot be launched with: 0, or the API's error.
int checkGrid(const Kernel &kernel, const Grid &grid);

/// Runs all blocks, one after the other; every second launch begins with the
/// last block and the last warp, so that what depends on an order differs.
/// Throws Fault, after a line on stderr.
void launch(const Kernel &kernel, const Grid &grid,
            const std::vector<std::byte> &parameters,
            const GlobalMemory &memory);

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_LAUNCH_H
