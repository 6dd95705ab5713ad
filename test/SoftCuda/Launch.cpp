// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Launch.h"

#include "test/SoftCuda/Results.h"
#include "test/SoftCuda/Warp.h"

#include <cstdio>
#include <memory>

using namespace umber::softcuda;

namespace {

constexpr uint32_t kMostBlocksX = INT32_MAX, kMostBlocksYZ = 65535;
constexpr uint32_t kMostThreadsZ = 64;
constexpr size_t kMostSharedBytes = 48 << 10; // without asking for more

std::string numbersOf(const uint32_t (&index)[3]) {
  return "(" + std::to_string(index[0]) + ", " + std::to_string(index[1]) +
         ", " + std::to_string(index[2]) + ")";
}

/// The warps of a launch's blocks, which take turns in each.
class Runner {
public:
  Runner(const Kernel &kernel, const Grid &grid, const std::byte *parameters,
         const GlobalMemory &memory, bool isBackward)
      : kernel(kernel), isBackward(isBackward), sites(kernel.sites.size()),
        sharedBytes(kernel.sharedBytes + grid.dynamicSharedBytes) {
    uint32_t threads = 1;
    for (int i = 0; i < 3; ++i) {
      block.threads[i] = grid.threads[i];
      block.blocks[i] = grid.blocks[i];
      threads *= grid.threads[i];
    }
    block.kernel = &kernel;
    block.parameters = parameters;
    block.global = &memory;
    block.sites = sites.data();
    warps.resize((threads + kLanes - 1) / kLanes);
    if (registers.size() < warps.size() * kernel.registerBytes) {
      registers.resize(warps.size() * kernel.registerBytes);
    }
  }

  void run(uint64_t number) {
    block.index[0] = uint32_t(number % block.blocks[0]);
    block.index[1] = uint32_t(number / block.blocks[0] % block.blocks[1]);
    block.index[2] = uint32_t(number / block.blocks[0] / block.blocks[1]);
    block.shared.begin(sharedBytes, kernel.sharedGranule);
    for (size_t i = 0; i < warps.size(); ++i) {
      warps[i].begin(block, unsigned(i),
                     registers.data() + i * kernel.registerBytes);
    }
    while (runToBarrier()) {
      block.shared.passBarrier();
    }
  }

  /// Read-only loads may come from a cache that does not see what is written.
  void checkReadOnly() const {
    for (size_t i = 0; i < sites.size(); ++i) {
      for (size_t j = 0; j < sites.size() && kernel.sites[i].isReadOnly; ++j) {
        if (kernel.sites[j].isStore && sites[i].begin < sites[j].end &&
            sites[j].begin < sites[i].end) {
          report("the read-only load of line " +
                 std::to_string(kernel.sites[i].line) +
                 " is of memory that line " +
                 std::to_string(kernel.sites[j].line) + " writes");
          throw Fault(kLaunchFailed, "");
        }
      }
    }
  }

private:
  /// False if all have ended.
  bool runToBarrier() {
    size_t waiting = 0;
    for (size_t i = 0; i < warps.size(); ++i) {
      Warp &warp = warps[isBackward ? warps.size() - 1 - i : i];
      warp.state = Warp::Running;
      try {
        warp.run();
      } catch (const Fault &fault) {
        reportAt(warp, fault);
        throw;
      }
      waiting += warp.state == Warp::AtBarrier;
    }
    if (waiting == 0) {
      return false;
    }
    for (const Warp &warp : warps) {
      if (waiting != warps.size() || warp.barrier != warps[0].barrier) {
        report("block " + numbersOf(block.index) +
               ": some warps wait at a barrier, others have ended or are at "
               "another");
        throw Fault(kLaunchFailed, "");
      }
    }
    return true;
  }

  void report(const std::string &what) const {
    std::fprintf(stderr, "soft-cuda: kernel %s: %s\n", kernel.name.c_str(),
                 what.c_str());
  }

  void reportAt(const Warp &warp, const Fault &fault) const {
    std::string where = "block " + numbersOf(block.index);
    uint32_t lane = uint32_t(std::max(fault.lane, 0));
    uint32_t thread = warp.number * kLanes + lane;
    uint32_t index[3] = {thread % block.threads[0],
                         thread / block.threads[0] % block.threads[1],
                         thread / block.threads[0] / block.threads[1]};
    report(where + ", " + (fault.lane < 0 ? "the warp of " : "") + "thread " +
           numbersOf(index) + ", line " +
           std::to_string(kernel.lines[warp.pc]) + ": " + fault.what());
  }

  const Kernel &kernel;
  const bool isBackward;
  std::vector<TouchedSite> sites;
  const size_t sharedBytes;
  Block block;
  std::vector<Warp> warps;
  // Kept for the next launch: they are large.
  static thread_local std::vector<std::byte> registers;
};

thread_local std::vector<std::byte> Runner::registers;

} // namespace

int umber::softcuda::checkGrid(const Kernel &kernel, const Grid &grid) {
  uint64_t threads = 1;
  for (int i = 0; i < 3; ++i) {
    uint32_t mostBlocks = i == 0 ? kMostBlocksX : kMostBlocksYZ;
    uint32_t mostThreads = i == 2 ? kMostThreadsZ : kMostThreads;
    if (grid.blocks[i] == 0 || grid.blocks[i] > mostBlocks ||
        grid.threads[i] == 0 || grid.threads[i] > mostThreads) {
      return kInvalidValue;
    }
    uint32_t required = kernel.requiredThreads[i];
    if (required != 0 && grid.threads[i] != required) {
      return kInvalidValue;
    }
    threads *= grid.threads[i];
  }
  uint64_t most = kMostThreads;
  if (kernel.maxThreads[0] != 0) {
    most = uint64_t(kernel.maxThreads[0]) * kernel.maxThreads[1] *
           kernel.maxThreads[2];
  }
  if (threads > most) {
    return kInvalidValue;
  }
  size_t shared = kernel.sharedBytes + grid.dynamicSharedBytes;
  return shared > kMostSharedBytes ? kLaunchOutOfResources : kSuccess;
}

void umber::softcuda::launch(const Kernel &kernel, const Grid &grid,
                             const std::vector<std::byte> &parameters,
                             const GlobalMemory &memory) {
  static bool isBackward = true;
  isBackward = !isBackward;
  Runner runner(kernel, grid, parameters.data(), memory, isBackward);
  uint64_t blocks = uint64_t(grid.blocks[0]) * grid.blocks[1] * grid.blocks[2];
  for (uint64_t i = 0; i < blocks; ++i) {
    runner.run(isBackward ? blocks - 1 - i : i);
  }
  runner.checkReadOnly();
}
