// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Single instructions of random programs, with operands that are valid.

#ifndef UMBER_TEST_UNIT_NPU_RANDOMOPERATIONS_H
#define UMBER_TEST_UNIT_NPU_RANDOMOPERATIONS_H

#include "runtime/drivers/npu/Config.h"
#include "test/Unit/NPU/RandomState.h"

namespace umber::npu {

constexpr int64_t kSmallScratchpad = 16 << 10;
constexpr int64_t kSmallRegion = 8 << 10;
/// At the start of Io are indices below kIndexLimit.
constexpr int64_t kIndexBytes = 256;
constexpr int64_t kIndexLimit = 16;

/// Where in the scratchpad elements of a type mostly are, so that few
/// instructions take one type's bytes for another's.
struct Zone {
  size_t begin;
  size_t end;
};
Zone getZone(DataType type);

class RandomOperations {
public:
  RandomOperations(RandomNumbers &numbers, const Config &config, bool overlaps);

protected:
  /// One instruction, or some that belong together.
  void writeOperation();

  void add(Queue queue, const Operation &operation);
  /// Nothing is under way at what follows.
  void fence();
  /// Whose value is within a range and a multiple of `multiple`; null if there
  /// is none.
  const KnownRegister *pickRegister(int64_t least, int64_t most,
                                    int64_t multiple);

  RandomNumbers &numbers;
  const Config &config;
  Program program;
  std::vector<KnownRegister> registers;
  Register nextRegister = kParameters + 1;
  unsigned depth = 0;

private:
  struct Span {
    int64_t begin;
    int64_t end;
  };

  ScratchpadAddress place(DataType type, int64_t bytes);
  ScratchpadAddress placeAnywhere(DataType type, int64_t bytes, Span &span);
  Tile tile(DataType type, int64_t rows, int64_t columns);
  DramAddress dram(Region region, int64_t first, int64_t end,
                   int64_t least = 0);
  Region readable();
  Region writable();
  uint32_t count(int64_t most, Register &from);
  DataType pickFloat();

  Transfer transfer(Region region);
  void gather();
  void product();
  StreamWeights stream(int64_t rows, int64_t columns, bool isInteger);
  void dynamicProduct();
  void elementwise();
  void reduce();
  void normalize();
  void quantize();
  void dequantize();
  void rotate();
  void softmax();
  void append();

  const bool overlaps;
  /// Bytes of the scratchpad that the instruction has which is being made, with
  /// all values that its registers can have.
  std::vector<Span> taken;
  /// The last instruction that is not of the system queue and has nothing
  /// after it yet that keeps the order; none after a fence.
  size_t lastUnordered = SIZE_MAX;
};

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_RANDOMOPERATIONS_H
