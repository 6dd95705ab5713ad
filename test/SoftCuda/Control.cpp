// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, ends and barriers.

#include "test/SoftCuda/Decoder.h"
#include "test/SoftCuda/Results.h"
#include "test/SoftCuda/Warp.h"

using namespace umber::softcuda;

namespace {

uint32_t guardOf(const Warp &warp, const Instruction &in) {
  uint32_t guard = bitsOf(warp.get<int32_t>(in.guard));
  return warp.active & (in.isGuardNegated ? ~guard : guard);
}

bool runJump(Warp &warp, const Instruction &in) {
  warp.countJump();
  warp.pc = in.target;
  return false;
}

bool runBranch(Warp &warp, const Instruction &in) {
  uint32_t taken = guardOf(warp, in);
  if (taken == 0) {
    return true;
  }
  warp.countJump();
  if (taken == warp.active) {
    warp.pc = in.target;
  } else {
    warp.diverge(taken, in.target, warp.indexOf(in) + 1, in.reconvergence);
  }
  return false;
}

void decodeBranch(Decoder &d) {
  d.take("uni");
  d.expectOperands(1);
  d.in.target = d.label(d.operand(0).name);
  d.in.run = d.hasGuard() ? runBranch : runJump;
  if (d.hasGuard()) {
    d.isGuardOwn = true;
    d.in.guard = d.guardSlot();
    d.in.isGuardNegated = d.isGuardNegated();
  }
}

bool runEnd(Warp &warp, const Instruction &in) {
  warp.end(warp.active, warp.indexOf(in) + 1);
  return false;
}

bool runGuardedEnd(Warp &warp, const Instruction &in) {
  uint32_t lanes = guardOf(warp, in);
  if (lanes == 0) {
    return true;
  }
  warp.end(lanes, warp.indexOf(in) + 1);
  return false;
}

void decodeEnd(Decoder &d) {
  d.take("uni");
  d.expectOperands(0);
  d.in.run = d.hasGuard() ? runGuardedEnd : runEnd;
  if (d.hasGuard()) {
    d.isGuardOwn = true;
    d.in.guard = d.guardSlot();
    d.in.isGuardNegated = d.isGuardNegated();
  }
}

bool runTrap(Warp &warp, const Instruction &in) {
  throw Fault(kLaunchFailed, "a trap");
}

bool runBarrier(Warp &warp, const Instruction &in) {
  if (warp.active != warp.alive) {
    throw Fault(kLaunchFailed,
                "some threads of a warp are at a barrier, "
                "others elsewhere",
                __builtin_ctz(warp.active));
  }
  warp.state = Warp::AtBarrier;
  warp.barrier = uint32_t(in.offset);
  warp.pc = warp.indexOf(in) + 1;
  return false;
}

void decodeBarrier(Decoder &d) {
  d.take("cta");
  bool isOfWarp = d.take("warp");
  d.take("aligned");
  if (!d.take("sync")) {
    d.fail("expected .sync");
  }
  d.expectOperands(1);
  if (d.hasGuard()) {
    d.fail("a barrier with a guard");
  }
  d.in.offset = int64_t(d.immediate(0));
  // Lanes of a warp go together.
  d.in.run =
      isOfWarp ? [](Warp &, const Instruction &) { return true; } : runBarrier;
}

/// Memory has no order but that of instructions.
void decodeFence(Decoder &d) {
  for (const char *modifier :
       {"acq_rel", "sc", "cta", "gl", "gpu", "sys", "cluster"}) {
    d.take(modifier);
  }
  d.expectOperands(0);
  d.in.run = [](Warp &, const Instruction &) { return true; };
}

} // namespace

void umber::softcuda::addControlOpcodes(OpcodeTable &table) {
  table["bra"] = decodeBranch;
  table["ret"] = decodeEnd;
  table["exit"] = decodeEnd;
  table["trap"] = [](Decoder &d) { d.in.run = runTrap; };
  table["bar"] = decodeBarrier;
  table["barrier"] = decodeBarrier;
  table["membar"] = decodeFence;
  table["fence"] = decodeFence;
}
