// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/Operands.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

std::string npu::getText(Wide value) {
  // What this is about has at most 80 bits, but any value has a text.
  std::string digits;
  bool negative = value < 0;
  do {
    auto digit = int(value % 10);
    digits += char('0' + (digit < 0 ? -digit : digit));
    value /= 10;
  } while (value != 0);
  if (negative) {
    digits += '-';
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

void Operands::fail(const std::string &message) {
  if (failure.ok()) {
    failure = Status(StatusCode::InvalidArgument, message);
  }
}

void Operands::fail(const char *name, const std::string &expected,
                    const std::string &found) {
  if (failure.ok()) {
    fail(std::string(name) + ": expected " + expected + ", found " + found);
  }
}

void Operands::checkSize(const char *name, uint64_t size) {
  if (size == 0) {
    fail(name, "1 or more", "0");
  }
}

void Operands::checkRange(const char *name, uint64_t value, uint64_t least,
                          uint64_t most) {
  if (value < least || value > most) {
    fail(name, std::to_string(least) + " to " + std::to_string(most),
         std::to_string(value));
  }
}

Wide Operands::getAddress(const char *name, const ScratchpadAddress &address) {
  Wide begin = address.offset;
  if (address.offset % kGranule != 0) {
    fail(name, "an address that is a multiple of " + std::to_string(kGranule),
         getText(begin));
  }
  return begin;
}

void Operands::checkEnd(const char *name, Wide begin, Wide end) {
  if (begin < 0 || end > Wide(machine.scratchpadBytes())) {
    fail(name,
         "at most the " + std::to_string(machine.scratchpadBytes()) +
             " bytes of the scratchpad",
         "bytes " + getText(begin) + " to " + getText(end));
  }
}

void Operands::checkStride(const char *name, uint64_t stride) {
  if (stride % kGranule != 0) {
    fail(name, "a stride that is a multiple of " + std::to_string(kGranule),
         std::to_string(stride));
  }
}

Matrix Operands::open(const char *name, const Tile &tile, uint64_t rows,
                      uint64_t columns, Types types, Access access) {
  if (unsigned(tile.type) > unsigned(DataType::F32) ||
      (in(tile.type) & types) == 0) {
    std::string expected;
    for (DataType type :
         {DataType::I8, DataType::I32, DataType::F16, DataType::F32}) {
      if ((in(type)&types) != 0) {
        expected +=
            (expected.empty() ? "" : " or ") + std::string(getName(type));
      }
    }
    fail(name, expected,
         unsigned(tile.type) > unsigned(DataType::F32)
             ? "type " + std::to_string(unsigned(tile.type))
             : getName(tile.type));
    return {};
  }
  checkSize("rows", rows);
  checkSize("columns", columns);
  checkStride(name, tile.stride);
  Wide rowBytes = Wide(columns) * getSize(tile.type);
  if (access == Access::Write && rows > 1 && Wide(tile.stride) < rowBytes) {
    fail(name, "a stride of at least a row's " + getText(rowBytes) + " bytes",
         std::to_string(tile.stride));
  }
  Wide begin = getAddress(name, tile.at);
  // At most 2^64 rows, 2^32 bytes apart.
  checkEnd(name, begin, begin + Wide(rows - 1) * tile.stride + rowBytes);
  if (!compute()) {
    return {};
  }
  return {machine.scratchpad.data() + size_t(begin), tile.stride, tile.type};
}

uint8_t *Operands::open(const char *name, const ScratchpadAddress &address,
                        uint64_t bytes) {
  Wide begin = getAddress(name, address);
  checkEnd(name, begin, begin + bytes);
  return compute() ? machine.scratchpad.data() + size_t(begin) : nullptr;
}

uint8_t *Operands::open(const char *name, const ScratchpadAddress &address,
                        uint64_t bytes, uint64_t rows, uint64_t rowStride,
                        uint64_t planes, uint64_t planeStride) {
  checkStride(name, rowStride);
  checkStride(name, planeStride);
  Wide begin = getAddress(name, address);
  checkEnd(name, begin,
           begin + Wide(planes - 1) * planeStride + Wide(rows - 1) * rowStride +
               bytes);
  return compute() ? machine.scratchpad.data() + size_t(begin) : nullptr;
}

uint8_t *Operands::open(const char *name, const DramAddress &address,
                        Wide first, Wide end, Access access) {
  if (unsigned(address.region) >= kRegions) {
    fail(name, "a region below " + std::to_string(kRegions),
         std::to_string(unsigned(address.region)));
    return nullptr;
  }
  const DramRegion &region = machine.region(address.region);
  if (access == Access::Write && machine.isReadOnly(address.region)) {
    fail(name, "a region that can be written", getName(address.region));
  }
  Wide at = address.offset;
  if (at + first < 0 || at + end > Wide(region.size)) {
    fail(name,
         "at most the " + std::to_string(region.size) + " bytes of " +
             getName(address.region),
         "bytes " + getText(at + first) + " to " + getText(at + end));
  }
  if (!compute()) {
    return nullptr;
  }
  if (!region.data) {
    if (end > first) {
      fail(name, "a region that has data", getName(address.region));
    }
    return nullptr;
  }
  // What is accessed is within the region; the address itself may not be.
  return reinterpret_cast<uint8_t *>(reinterpret_cast<uintptr_t>(region.data) +
                                     uintptr_t(at));
}
