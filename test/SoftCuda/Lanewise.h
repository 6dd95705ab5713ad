// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions that compute a lane's result from the same lane of operands.

#ifndef UMBER_TEST_SOFTCUDA_LANEWISE_H
#define UMBER_TEST_SOFTCUDA_LANEWISE_H

#include "test/SoftCuda/Decoder.h"
#include "test/SoftCuda/Warp.h"

namespace umber::softcuda {

template <class Op, class T>
bool runUnary(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, Op::template run<T>(warp.get<T>(in.a)));
  return true;
}

template <class Op, class T>
bool runBinary(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, Op::template run<T>(warp.get<T>(in.a), warp.get<T>(in.b)));
  return true;
}

template <class Op, class T>
bool runTernary(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, Op::template run<T>(warp.get<T>(in.a), warp.get<T>(in.b),
                                         warp.get<T>(in.c)));
  return true;
}

/// Decode op.type d, a and the like; Types as `pick` takes them.
template <class Op, class... Types>
void decodeUnary(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(2);
  d.in.run = pick<Types...>(
      type, [](auto t) { return Run(runUnary<Op, decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
}

template <class Op, class... Types>
void decodeBinary(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(3);
  d.in.run = pick<Types...>(
      type, [](auto t) { return Run(runBinary<Op, decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
}

template <class Op, class... Types>
void decodeTernary(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(4);
  d.in.run = pick<Types...>(
      type, [](auto t) { return Run(runTernary<Op, decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.in.c = d.from(3, type);
}

/// A function of each lane's values, for what no vector instruction does.
template <class To, class F, class... From>
Lanes<To> eachLane(F function, const From &...from) {
  To results[kLanes];
  for (unsigned i = 0; i < kLanes; ++i) {
    results[i] = function(from[i]...);
  }
  return bitsAs<Lanes<To>>(results);
}

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_LANEWISE_H
