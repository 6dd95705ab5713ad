// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A second reading of Instruction.h: an interpreter of programs, one element at
// a time, that shares nothing with the simulator but the instructions' structs.
// It takes programs for valid; what is not there throws std::out_of_range.

#ifndef UMBER_TEST_UNIT_NPU_SCALARINTERPRETER_H
#define UMBER_TEST_UNIT_NPU_SCALARINTERPRETER_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <array>
#include <cstddef>
#include <map>
#include <vector>

namespace umber::npu {

class ScalarInterpreter {
public:
  using Memory = std::vector<uint8_t>;

  Memory scratchpad;
  /// By Region.
  std::array<Memory, 7> regions;
  std::array<int64_t, kRegisters> registers = {};

  void run(const Program &program);

  /// F16 and back, for what makes programs too.
  static float decodeF16(uint16_t bits);
  static uint16_t encodeF16(float value);

private:
  using Values = std::vector<float>;
  struct Decoded {
    bool isInteger = false;
    std::vector<Values> rows;
    Values scales;
  };

  std::size_t runFrom(const Program &program, std::size_t index);

  std::size_t at(const ScratchpadAddress &address) const;
  uint8_t &dram(const DramAddress &address, int64_t offset);
  Values readRow(const Tile &tile, std::size_t row, std::size_t columns) const;
  float read(const Tile &tile, std::size_t row, std::size_t column) const;
  float readAt(std::size_t address, DataType type) const;
  void write(const Tile &tile, std::size_t row, std::size_t column,
             float value);
  void writeRow(const Tile &tile, std::size_t row, const Values &values);
  float halfAt(const DramAddress &address, int64_t offset);
  void putHalf(const DramAddress &address, int64_t offset, float value);
  uint32_t count(uint32_t number, Register from) const;

  void run(const SetRegister &set);
  void run(const AddRegister &add);
  void run(const Load &load);
  void run(const Store &store);
  void run(const Gather &gather);
  void run(const LoadTable &load);
  void run(const StreamWeights &weights);
  void run(const Multiply &product);
  void run(const MultiplyDynamic &product);
  void run(const Elementwise &elementwise);
  void run(const Reduce &reduction);
  void run(const Normalize &norm);
  void run(const Quantize &quantize);
  void run(const Dequantize &dequantize);
  void run(const Rotate &rotation);
  void run(const SoftmaxStep &softmax);
  void run(const AppendCache &append);
  void run(const Stop &) {}
  void run(const Fence &) {}
  void run(const Loop &) {}
  void run(const EndLoop &) {}
  void run(const Mark &) {}

  std::map<unsigned, std::pair<DataType, Values>> tables;
  std::map<unsigned, Decoded> slots;
  std::vector<Values> sums;
};

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_SCALARINTERPRETER_H
