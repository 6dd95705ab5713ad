// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/SharedMemory.h"

#include <algorithm>

using namespace umber::softcuda;

void SharedMemory::begin(size_t bytes, unsigned granule) {
  memory.assign(bytes, std::byte(0xff));
  shift = granule == 4 ? 2 : granule == 2 ? 1 : 0;
  size_t needed = (bytes >> shift) + 1;
  if (cells.size() < needed) {
    cells.resize(needed);
  }
  passBarrier();
}

void SharedMemory::passBarrier() {
  if (++epoch >> (32 - kWarpBits) != 0) {
    std::fill(cells.begin(), cells.end(), Cell());
    epoch = 1;
  }
}
