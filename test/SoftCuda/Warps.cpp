// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lanes of a warp tell each other.

#include "test/SoftCuda/Decoder.h"
#include "test/SoftCuda/Results.h"
#include "test/SoftCuda/Warp.h"

#include <cstring>

using namespace umber::softcuda;

namespace {

enum Shuffle : uint8_t { Up, Down, Butterfly, Index };
enum Vote : uint8_t { All, Any, Uniform, Ballot };
enum Reduction : uint8_t { Sum, Minimum, Maximum, And, Or, Xor };

/// That the lanes which the instruction names are those that are at it.
void checkMembers(const Warp &warp, Slot members) {
  Lanes<uint32_t> masks = warp.get<uint32_t>(members);
  for (uint32_t left = warp.active; left != 0; left &= left - 1) {
    unsigned lane = unsigned(__builtin_ctz(left));
    if ((masks[lane] & warp.alive) != warp.active) {
      throw Fault(kLaunchFailed,
                  "the lanes that an instruction names are not those at it",
                  int(lane));
    }
  }
}

bool runShuffle(Warp &warp, const Instruction &in) {
  checkMembers(warp, in.more[0]);
  uint32_t values[kLanes], by[kLanes], limits[kLanes], results[kLanes] = {};
  auto get = [&](Slot slot, uint32_t (&to)[kLanes]) {
    Lanes<uint32_t> lanes = warp.get<uint32_t>(slot);
    std::memcpy(to, &lanes, sizeof lanes);
  };
  get(in.a, values);
  get(in.b, by);
  get(in.c, limits);
  uint32_t isInside = 0;
  for (uint32_t left = warp.active; left != 0; left &= left - 1) {
    // As the PTX ISA defines shfl.sync.
    uint32_t lane = uint32_t(__builtin_ctz(left));
    uint32_t step = by[lane] & 31, clamp = limits[lane] & 31;
    uint32_t segment = limits[lane] >> 8 & 31;
    uint32_t most = (lane & segment) | (clamp & ~segment);
    uint32_t from = 0;
    bool isIn = false;
    switch (Shuffle(in.mode)) {
    case Up:
      from = lane - step;
      isIn = int32_t(from) >= int32_t(most);
      break;
    case Down:
      from = lane + step;
      isIn = from <= most;
      break;
    case Butterfly:
      from = lane ^ step;
      isIn = from <= most;
      break;
    case Index:
      from = (lane & segment) | (step & ~segment);
      isIn = from <= most;
      break;
    }
    from = isIn ? from : lane;
    if (!(warp.active >> from & 1)) {
      throw Fault(kLaunchFailed,
                  "a shuffle from lane " + std::to_string(from) +
                      ", which is not at it",
                  int(lane));
    }
    results[lane] = values[from];
    isInside |= uint32_t(isIn) << lane;
  }
  warp.set<uint32_t>(in.to, bitsAs<Lanes<uint32_t>>(results));
  warp.set<int32_t>(in.more[1], maskOf(isInside));
  return true;
}

void decodeShuffle(Decoder &d) {
  if (!d.take("sync")) {
    d.fail("expected .sync");
  }
  d.in.mode = d.take("up")     ? Up
              : d.take("down") ? Down
              : d.take("bfly") ? Butterfly
                               : Index;
  if (d.in.mode == Index && !d.take("idx")) {
    d.fail("expected .up, .down, .bfly or .idx");
  }
  Type word = d.takeType();
  d.expectOperands(5);
  const OperandSyntax &to = d.operand(0);
  bool hasPredicate = to.kind == OperandSyntax::List && to.parts.size() == 2;
  d.in.run = word.bits == 32 ? runShuffle : nullptr;
  d.in.to = d.destination(hasPredicate ? to.parts[0] : to, word);
  d.in.a = d.from(1, word);
  d.in.b = d.from(2, word);
  d.in.c = d.from(3, word);
  d.keep({d.from(4, word),
          hasPredicate ? d.destination(to.parts[1], {'p', 0}) : d.scratch(4)});
}

bool runVote(Warp &warp, const Instruction &in) {
  checkMembers(warp, in.b);
  uint32_t truth = bitsOf(warp.get<int32_t>(in.a));
  truth = (in.isAddressNarrow ? ~truth : truth) & warp.active;
  bool isAll = truth == warp.active;
  switch (Vote(in.mode)) {
  case All:
    warp.set<int32_t>(in.to, maskOf(isAll ? kAllLanes : 0));
    break;
  case Any:
    warp.set<int32_t>(in.to, maskOf(truth ? kAllLanes : 0));
    break;
  case Uniform:
    warp.set<int32_t>(in.to, maskOf(isAll || !truth ? kAllLanes : 0));
    break;
  case Ballot:
    warp.set<uint32_t>(in.to, splat(truth));
    break;
  }
  return true;
}

void decodeVote(Decoder &d) {
  if (!d.take("sync")) {
    d.fail("expected .sync");
  }
  d.in.mode = d.take("all")   ? All
              : d.take("any") ? Any
              : d.take("uni") ? Uniform
                              : Ballot;
  if (d.in.mode == Ballot && !d.take("ballot")) {
    d.fail("expected .all, .any, .uni or .ballot");
  }
  Type type = d.takeType();
  d.expectOperands(3);
  d.in.run = runVote;
  d.in.to = d.to(type);
  OperandSyntax value = d.operand(1);
  d.in.isAddressNarrow = value.isNegated;
  value.isNegated = false;
  d.in.a = d.source(value, {'p', 0});
  d.in.b = d.from(2, {'b', 32});
}

template <class T>
bool runReduce(Warp &warp, const Instruction &in) {
  checkMembers(warp, in.b);
  Lanes<T> values = warp.get<T>(in.a);
  uint32_t left = warp.active;
  T result = values[unsigned(__builtin_ctz(left))];
  for (left &= left - 1; left != 0; left &= left - 1) {
    T value = values[unsigned(__builtin_ctz(left))];
    switch (Reduction(in.mode)) {
    case Sum:
      result = T(uint32_t(result) + uint32_t(value));
      break;
    case Minimum:
      result = value < result ? value : result;
      break;
    case Maximum:
      result = value > result ? value : result;
      break;
    case And:
      result &= value;
      break;
    case Or:
      result |= value;
      break;
    case Xor:
      result ^= value;
      break;
    }
  }
  warp.set<T>(in.to, splat(result));
  return true;
}

void decodeReduce(Decoder &d) {
  if (!d.take("sync")) {
    d.fail("expected .sync");
  }
  d.in.mode = d.take("add")   ? Sum
              : d.take("min") ? Minimum
              : d.take("max") ? Maximum
              : d.take("and") ? And
              : d.take("or")  ? Or
                              : Xor;
  if (d.in.mode == Xor && !d.take("xor")) {
    d.fail("unknown reduction");
  }
  Type type = d.takeType();
  d.expectOperands(3);
  d.in.run = pick<int32_t, uint32_t>(
      type, [](auto t) { return Run(runReduce<decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, {'b', 32});
}

bool runActive(Warp &warp, const Instruction &in) {
  warp.set<uint32_t>(in.to, splat(warp.active));
  return true;
}

void decodeActive(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(1);
  d.in.run = type.bits == 32 ? runActive : nullptr;
  d.in.to = d.to(type);
}

} // namespace

void umber::softcuda::addWarpOpcodes(OpcodeTable &table) {
  table["shfl"] = decodeShuffle;
  table["vote"] = decodeVote;
  table["redux"] = decodeReduce;
  table["activemask"] = decodeActive;
}
