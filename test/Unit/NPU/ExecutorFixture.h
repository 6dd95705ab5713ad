// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a few instructions on a small engine, and makes them.

#ifndef UMBER_TEST_UNIT_NPU_EXECUTORFIXTURE_H
#define UMBER_TEST_UNIT_NPU_EXECUTORFIXTURE_H

#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/sim/Executor.h"
#include "test/Unit/NPU/Fixture.h"
#include "test/Unit/NPU/RandomProgram.h"

namespace umber::npu {

class ExecutorTest : public testing::Test {
protected:
  ExecutorTest() : config(getSmallMachine(0)), machine(config) {
    for (unsigned r = 0; r < kRegions; ++r) {
      memory[r].resize(1000);
      machine.regions[r] = {memory[r].data(), memory[r].size(), false};
    }
  }

  Status run(const std::vector<Operation> &operations) {
    Program program;
    for (const Operation &operation : operations) {
      program.emplace_back();
      program.back().operation = operation;
    }
    program.emplace_back();
    return execute(machine, Workers(), program, {});
  }
  /// The message for the last of these, which must be the one that is refused.
  std::string refuse(const std::vector<Operation> &operations) {
    Status status = run(operations);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
    std::string prefix = "instruction " +
                         std::to_string(operations.size() - 1) + " (" +
                         getName(operations.back()) + "): ";
    const std::string &message = status.message();
    if (message.rfind(prefix, 0) != 0) {
      return message;
    }
    return message.substr(prefix.size());
  }

  Config config;
  Machine machine;
  std::array<std::vector<uint8_t>, kRegions> memory;
};

inline Tile at(uint32_t offset, DataType type = DataType::F32,
               uint32_t stride = 64) {
  return {{offset, 0}, stride, type};
}

inline Load loadRows(uint32_t bytes, uint32_t rows = 1) {
  Load load;
  load.bytes = bytes;
  load.rows = rows;
  load.rowStride = bytes;
  load.scratchpadRowStride = 64;
  return load;
}

inline StreamWeights weights(uint32_t rows, uint32_t columns) {
  StreamWeights stream;
  stream.from.region = Region::Weights;
  stream.rows = rows;
  stream.columns = columns;
  return stream;
}

inline StreamWeights palette(uint32_t rows, uint8_t bits) {
  StreamWeights stream = weights(rows, 8);
  stream.isPalette = true;
  stream.bits = stream.storageBits = bits;
  stream.rowsPerTable = 2;
  return stream;
}

inline LoadTable table(uint8_t slot, DataType type = DataType::I8) {
  LoadTable load;
  load.from.region = Region::Tables;
  load.slot = slot;
  load.entries = 4;
  load.type = type;
  return load;
}

/// Of what weights(8, 8) has loaded.
inline Multiply product() {
  Multiply multiply;
  multiply.a = at(0);
  multiply.c = at(1024);
  multiply.rows = 2;
  multiply.columns = 8;
  multiply.inner = 8;
  return multiply;
}

inline Elementwise add(uint32_t rows = 2, uint32_t columns = 8) {
  Elementwise elementwise;
  elementwise.op = ElementwiseOp::Add;
  elementwise.spread = Spread::Full;
  elementwise.rows = rows;
  elementwise.columns = columns;
  elementwise.a = at(0);
  elementwise.b = at(1024);
  elementwise.d = at(2048);
  return elementwise;
}

template <typename T, typename F>
T with(T operation, F change) {
  change(operation);
  return operation;
}

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_EXECUTORFIXTURE_H
