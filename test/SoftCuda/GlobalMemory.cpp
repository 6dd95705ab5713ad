// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/GlobalMemory.h"

#include <cstring>
#include <sys/mman.h>

using namespace umber::softcuda;

namespace {

constexpr uint64_t kPage = 4096;
/// Around an allocation, so that a wrong index is in no other one.
constexpr uint64_t kGap = uint64_t(1) << 20;

/// What is mapped for an allocation, without the gap behind it.
uint64_t mappedBytes(uint64_t bytes) { return (bytes + kPage - 1) & -kPage; }

void unmap(uint64_t begin, uint64_t bytes) {
  munmap(reinterpret_cast<void *>(begin - kGap), mappedBytes(bytes) + 2 * kGap);
}

} // namespace

void GlobalMemory::clear() {
  for (auto [begin, bytes] : allocations) {
    unmap(begin, bytes);
  }
  allocations.clear();
  usedBytes = 0;
}

uint64_t GlobalMemory::allocate(uint64_t bytes) {
  if (bytes == 0 || bytes > kTotalBytes - usedBytes) {
    return 0;
  }
  void *mapped = mmap(nullptr, mappedBytes(bytes) + 2 * kGap, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    return 0;
  }
  uint64_t begin = reinterpret_cast<uint64_t>(mapped) + kGap;
  void *memory = reinterpret_cast<void *>(begin);
  if (mprotect(memory, mappedBytes(bytes), PROT_READ | PROT_WRITE) != 0) {
    unmap(begin, bytes);
    return 0;
  }
  std::memset(memory, 0xff, bytes);
  allocations[begin] = bytes;
  usedBytes += bytes;
  return begin;
}

bool GlobalMemory::free(uint64_t address) {
  auto found = allocations.find(address);
  if (found == allocations.end()) {
    return false;
  }
  unmap(address, found->second);
  usedBytes -= found->second;
  allocations.erase(found);
  return true;
}

GlobalMemory::Allocation GlobalMemory::find(uint64_t address) const {
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin()) {
    return {0, 0};
  }
  auto [begin, bytes] = *std::prev(after);
  return address < begin + bytes ? Allocation{begin, begin + bytes}
                                 : Allocation{0, 0};
}

bool GlobalMemory::contains(uint64_t address, uint64_t bytes) const {
  Allocation in = find(address);
  return in.end != 0 && bytes <= in.end - address;
}
