// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Warp.h"

#include "test/SoftCuda/Results.h"

#include <algorithm>

using namespace umber::softcuda;

namespace {

constexpr uint64_t kMostJumps = uint64_t(1) << 32;

} // namespace

void Warp::begin(Block &itsBlock, unsigned itsNumber, std::byte *memory) {
  block = &itsBlock;
  number = itsNumber;
  registers = memory;
  const Kernel &kernel = *block->kernel;
  bases[0] = registers;
  bases[1] = kernel.constants.data();
  const uint32_t *threads = block->threads;
  uint32_t total = threads[0] * threads[1] * threads[2];
  uint32_t lanes = std::min(kLanes, total - number * kLanes);
  alive = lanes == kLanes ? kAllLanes : (uint32_t(1) << lanes) - 1;
  state = Running;
  pc = 0;
  jumps = 0;
  reconvergence = uint32_t(kernel.code.size());
  pending.clear();
  setActive(kAllLanes);
  Lanes<uint32_t> thread = laneNumbers() + number * kLanes;
  for (const Kernel::SpecialRegister &special : kernel.specials) {
    Lanes<uint32_t> value = {};
    switch (special.special) {
    case Special::ThreadX:
      value = thread % threads[0];
      break;
    case Special::ThreadY:
      value = thread / threads[0] % threads[1];
      break;
    case Special::ThreadZ:
      value = thread / (threads[0] * threads[1]);
      break;
    case Special::ThreadsX:
    case Special::ThreadsY:
    case Special::ThreadsZ:
      value += threads[int(special.special) - int(Special::ThreadsX)];
      break;
    case Special::BlockX:
    case Special::BlockY:
    case Special::BlockZ:
      value += block->index[int(special.special) - int(Special::BlockX)];
      break;
    case Special::BlocksX:
    case Special::BlocksY:
    case Special::BlocksZ:
      value += block->blocks[int(special.special) - int(Special::BlocksX)];
      break;
    case Special::Lane:
      value = laneNumbers();
      break;
    case Special::Warp:
      value += number;
      break;
    }
    set<uint32_t>(special.slot, value);
  }
  setActive(alive);
}

void Warp::run() {
  const Instruction *code = block->kernel->code.data();
  const Instruction *in = code + pc;
  try {
    while (state == Running) {
      while (in->run(*this, *in)) {
        ++in;
      }
      in = code + pc;
    }
  } catch (...) {
    pc = uint32_t(in - code);
    throw;
  }
}

void Warp::countJump() {
  if (++jumps > kMostJumps) {
    throw Fault(kLaunchTimeout, "goes on forever");
  }
}

void Warp::diverge(uint32_t taken, uint32_t target, uint32_t next,
                   uint32_t meeting) {
  uint32_t others = active & ~taken;
  // Where the lanes meet they are what they were before; some never do.
  if (meeting != reconvergence && meeting < block->kernel->code.size()) {
    pending.push_back({meeting, active, reconvergence});
  }
  // Lanes that jump to where they meet wait for the others there.
  if (target != meeting && next != meeting) {
    pending.push_back({next, others, meeting});
  }
  bool isTakenFirst = target != meeting;
  setActive(isTakenFirst ? taken : others);
  pc = isTakenFirst ? target : next;
  reconvergence = meeting;
}

void Warp::resume() {
  while (!pending.empty()) {
    Path path = pending.back();
    pending.pop_back();
    if (uint32_t lanes = path.lanes & alive) {
      setActive(lanes);
      pc = path.pc;
      reconvergence = path.reconvergence;
      return;
    }
  }
  state = Done;
}

bool Warp::join(uint32_t at) {
  if (reconvergence != at) {
    return true;
  }
  resume();
  return false;
}

void Warp::end(uint32_t lanes, uint32_t next) {
  alive &= ~lanes;
  pc = next;
  if (uint32_t left = active & ~lanes) {
    setActive(left);
    return;
  }
  resume();
}
