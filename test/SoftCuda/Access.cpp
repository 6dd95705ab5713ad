// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Access.h"

#include "test/SoftCuda/GlobalMemory.h"
#include "test/SoftCuda/Results.h"

#include <algorithm>
#include <cstdio>

using namespace umber::softcuda;

namespace {

std::string hexadecimal(int64_t address) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx",
                static_cast<unsigned long long>(address));
  return text;
}

[[noreturn]] void failAt(const Warp &warp, int result, unsigned lane,
                         int64_t address, unsigned bytes,
                         const std::string &what) {
  // A lane that is not active has another's address.
  while (!(warp.active >> lane & 1)) {
    lane = unsigned(__builtin_ctz(warp.active));
  }
  throw Fault(result,
              "the access of " + std::to_string(bytes) + " bytes at " +
                  hexadecimal(address) + " " + what,
              int(lane));
}

[[noreturn]] void failMisaligned(const Warp &warp,
                                 const Lanes<int64_t> &addresses,
                                 unsigned bytes) {
  unsigned lane = 0;
  while (addresses[lane] % bytes == 0) {
    ++lane;
  }
  failAt(warp, kMisalignedAddress, lane, addresses[lane], bytes,
         "is not aligned");
}

} // namespace

bool umber::softcuda::checkGlobal(const Warp &warp, const Instruction &in,
                                  const Lanes<int64_t> &addresses,
                                  unsigned bytes) {
  int64_t least = __builtin_reduce_min(addresses),
          most = __builtin_reduce_max(addresses);
  if (__builtin_reduce_or(addresses) & (bytes - 1)) {
    failMisaligned(warp, addresses, bytes);
  }
  TouchedSite &site = warp.block->sites[in.site];
  site.begin = std::min(site.begin, least);
  site.end = std::max(site.end, most + bytes);
  if (least >= site.allocationBegin && most <= site.allocationEnd - bytes) {
    return least == most;
  }
  // The next ones are likely in the same allocation.
  GlobalMemory::Allocation near = warp.block->global->find(uint64_t(least));
  site.allocationBegin = int64_t(near.begin);
  site.allocationEnd = int64_t(near.end);
  if (near.end != 0 && most <= site.allocationEnd - bytes) {
    return least == most;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!warp.block->global->contains(uint64_t(addresses[lane]), bytes)) {
      failAt(warp, kIllegalAddress, lane, addresses[lane], bytes,
             "is not in the device's memory");
    }
  }
  return least == most;
}

bool umber::softcuda::checkShared(const Warp &warp,
                                  const Lanes<int64_t> &addresses,
                                  unsigned bytes, bool isStore) {
  int64_t least = __builtin_reduce_min(addresses),
          most = __builtin_reduce_max(addresses);
  if (__builtin_reduce_or(addresses) & (bytes - 1)) {
    failMisaligned(warp, addresses, bytes);
  }
  SharedMemory &shared = warp.block->shared;
  if (least < 0 || most + bytes > int64_t(shared.size())) {
    unsigned lane = 0;
    while (addresses[lane] >= 0 &&
           addresses[lane] + bytes <= int64_t(shared.size())) {
      ++lane;
    }
    failAt(warp, kIllegalAddress, lane, addresses[lane], bytes,
           "is beyond the block's " + std::to_string(shared.size()) +
               " bytes of shared memory");
  }
  // All of a run of bytes at once, which is what most accesses are.
  bool isOne = least == most;
  Lanes<int64_t> run = convert<int64_t>(laneNumbers()) * bytes + least;
  uint32_t lanes = isOne ? warp.active & -warp.active : warp.active;
  if (!isOne && __builtin_reduce_or(addresses ^ run) == 0) {
    if (isStore ? shared.write(uint64_t(least), kLanes * bytes, warp.number)
                : shared.read(uint64_t(least), kLanes * bytes, warp.number)) {
      return false;
    }
  }
  for (; lanes != 0; lanes &= lanes - 1) {
    unsigned lane = unsigned(__builtin_ctz(lanes));
    uint64_t address = uint64_t(addresses[lane]);
    if (!(isStore ? shared.write(address, bytes, warp.number)
                  : shared.read(address, bytes, warp.number))) {
      failAt(warp, kLaunchFailed, lane, addresses[lane], bytes,
             isStore ? "writes what another warp has touched since the last "
                       "barrier"
                     : "reads what another warp has written since the last "
                       "barrier");
    }
  }
  return isOne;
}
