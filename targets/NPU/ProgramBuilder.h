// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program that is being made: instructions in the order that they would run
// in one after another, on buffers that have no place in the scratchpad yet.
// Finishing it finds the places, and the semaphores with which queues run
// beside each other.

#ifndef UMBER_TARGETS_NPU_PROGRAMBUILDER_H
#define UMBER_TARGETS_NPU_PROGRAMBUILDER_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Instruction.h"

#include <string>
#include <vector>

namespace umber::npu {

/// A part of the scratchpad, by its number.
using Buffer = uint32_t;

/// What lies in DRAM and is written and read by the same program: a layer of
/// the cache, a tensor. 0: nothing that is written.
using DramObject = uint32_t;

struct BufferInfo {
  uint32_t bytes = 0;
  /// It has its place for the whole program.
  bool isPinned = false;
  /// Of the instructions, found by finish(): from the first that uses it to the
  /// last; with all of a loop that it is used in.
  uint32_t first = UINT32_MAX;
  uint32_t last = 0;
  uint32_t offset = 0;
};

struct BuiltProgram {
  Program program;
  uint32_t scratchpadBytes = 0;
  /// The most bytes of buffers that are in use at once: what no placement can
  /// be below.
  uint32_t liveBytes = 0;
  uint32_t semaphores = 0;
};

class ProgramBuilder {
public:
  explicit ProgramBuilder(const Config &config) : config(config) {}

  /// `what` is for messages.
  Buffer addBuffer(uint64_t bytes, const std::string &what,
                   bool isPinned = false);
  /// The address of a buffer's byte. It stands for the place until finish().
  ScratchpadAddress at(Buffer buffer, uint64_t offset = 0, Register base = 0);
  /// The address `bytes` behind another that at() gave.
  ScratchpadAddress behind(ScratchpadAddress address, uint64_t bytes);

  /// `object`: what it reads of DRAM or writes there, as far as that changes.
  void add(Queue queue, Operation operation, DramObject object = 0);
  void beginLoop(const Loop &loop);
  void endLoop();
  DramObject addDramObject() { return ++dramObjects; }

  /// What follows belongs to this, for reports: its operationId.
  void setOperationId(uint32_t id) { operationId = id; }

  /// Unsupported: where buffers do not fit into the scratchpad, or there are
  /// not enough semaphores, `NAME: …`.
  Result<BuiltProgram> finish();

  struct Step {
    Instruction instruction;
    DramObject object = 0;
  };
  struct Reference {
    Buffer buffer;
    uint32_t offset;
  };

private:
  void findLifetimes();

  const Config &config;
  std::vector<Step> steps;
  std::vector<BufferInfo> buffers;
  std::vector<std::string> names;
  std::vector<Reference> references;
  DramObject dramObjects = 0;
  uint32_t operationId = 0;
  /// The first problem that was met while building.
  Status status;
};

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_PROGRAMBUILDER_H
