// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Logic, shifts and fields of bits.

#include "test/SoftCuda/Lanewise.h"

#include <algorithm>

using namespace umber::softcuda;

namespace {

struct And {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return a & b;
  }
};

struct Or {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return a | b;
  }
};

struct Xor {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return a ^ b;
  }
};

struct Not {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a) {
    return ~a;
  }
};

/// Of predicates too, which are masks.
template <class Op>
void decodeLogic(Decoder &d) {
  if (!d.take("pred")) {
    decodeBinary<Op, uint16_t, uint32_t, uint64_t>(d);
    return;
  }
  d.expectOperands(3);
  d.in.run = runBinary<Op, int32_t>;
  d.in.to = d.to({'p', 0});
  d.in.a = d.from(1, {'p', 0});
  d.in.b = d.from(2, {'p', 0});
}

void decodeNot(Decoder &d) {
  if (!d.take("pred")) {
    decodeUnary<Not, uint16_t, uint32_t, uint64_t>(d);
    return;
  }
  d.expectOperands(2);
  d.in.run = runUnary<Not, int32_t>;
  d.in.to = d.to({'p', 0});
  d.in.a = d.from(1, {'p', 0});
}

/// Shifts by as many bits as there are or more leave zeros or signs.
template <class T, bool IsLeft>
bool runShift(Warp &warp, const Instruction &in) {
  using Count = std::make_unsigned_t<T>;
  constexpr uint32_t kBits = 8 * sizeof(T);
  Lanes<T> a = warp.get<T>(in.a);
  Lanes<uint32_t> by = warp.get<uint32_t>(in.b);
  Lanes<uint32_t> most = splat(kBits - 1);
  Mask isOver = by > most;
  auto count =
      bitsAs<Lanes<T>>(convert<Count>(select<uint32_t>(isOver, most, by)));
  auto over = __builtin_convertvector(isOver, MaskOf<T>);
  Lanes<T> shifted;
  if constexpr (IsLeft) {
    shifted = select<T>(over, Lanes<T>{}, a << count);
  } else if constexpr (std::is_signed_v<T>) {
    shifted = a >> count;
  } else {
    shifted = select<T>(over, Lanes<T>{}, a >> count);
  }
  warp.set<T>(in.to, shifted);
  return true;
}

template <bool IsLeft>
void decodeShift(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(3);
  d.in.run = pick<int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t>(
      type, [](auto t) { return Run(runShift<decltype(t), IsLeft>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, {'u', 32});
}

/// A word of two, a the lower: mode 1 to the left, 2 with counts of more than
/// 32 as if 32, else modulo 32.
bool runFunnel(Warp &warp, const Instruction &in) {
  using Wide = Lanes<uint64_t>;
  Wide both = convert<uint64_t>(warp.get<uint32_t>(in.b)) << 32 |
              convert<uint64_t>(warp.get<uint32_t>(in.a));
  Lanes<uint32_t> by = warp.get<uint32_t>(in.c);
  Lanes<uint32_t> most = splat(32u);
  Lanes<uint32_t> count =
      in.mode & 2 ? select<uint32_t>(by > most, most, by) : by & 31u;
  Wide shift = convert<uint64_t>(count);
  Wide shifted = in.mode & 1 ? (both << shift) >> 32 : both >> shift;
  warp.set<uint32_t>(in.to, convert<uint32_t>(shifted));
  return true;
}

void decodeFunnel(Decoder &d) {
  bool isLeft = d.take("l");
  if (!isLeft && !d.take("r")) {
    d.fail("expected .l or .r");
  }
  bool isClamped = d.take("clamp");
  if (!isClamped && !d.take("wrap")) {
    d.fail("expected .clamp or .wrap");
  }
  Type type = d.takeType();
  d.expectOperands(4);
  d.in.run = type.bits == 32 ? runFunnel : nullptr;
  d.in.mode = uint8_t(isLeft) | uint8_t(isClamped) << 1;
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.in.c = d.from(3, type);
}

/// `length` bits from `position` on: only the low bytes of both count. A signed
/// field's sign is its last bit, or the number's where that is beyond it.
template <class T>
bool runExtract(Warp &warp, const Instruction &in) {
  using Bits = std::make_unsigned_t<T>;
  constexpr Bits kBits = 8 * sizeof(T);
  auto countOf = [&](Slot slot) {
    return convert<Bits>(warp.get<uint32_t>(slot) & 255u);
  };
  Lanes<Bits> position = countOf(in.b), length = countOf(in.c);
  Lanes<Bits> last = splat<Bits>(kBits - 1), all = splat<Bits>(kBits);
  auto asT = [](const Lanes<Bits> &count) { return bitsAs<Lanes<T>>(count); };
  Lanes<T> a = warp.get<T>(in.a);
  Lanes<T> moved = a >> asT(select<Bits>(position > last, last, position));
  if constexpr (!std::is_signed_v<T>) {
    moved = select<T>(position > last, Lanes<T>{}, moved);
  }
  // To the upper end and back, by less than all bits.
  Lanes<Bits> unused = all - select<Bits>(length > all, all, length);
  Lanes<T> by = asT(select<Bits>(unused > last, last, unused));
  Lanes<T> field =
      bitsAs<Lanes<T>>(bitsAs<Lanes<Bits>>(moved) << bitsAs<Lanes<Bits>>(by)) >>
      by;
  warp.set<T>(in.to, select<T>(length == Bits(0), Lanes<T>{}, field));
  return true;
}

void decodeExtract(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(4);
  d.in.run = pick<int32_t, int64_t, uint32_t, uint64_t>(
      type, [](auto t) { return Run(runExtract<decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, {'u', 32});
  d.in.c = d.from(3, {'u', 32});
}

/// A field of b, all but which is of another operand: bfi d, a, b, position,
/// length, with a the field.
template <class T>
bool runInsert(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, eachLane<T>(
                         [](T a, T b, uint32_t position, uint32_t length) {
                           constexpr unsigned kBits = 8 * sizeof(T);
                           position &= 255;
                           length &= 255;
                           if (position >= kBits || length == 0) {
                             return b;
                           }
                           T ones =
                               length >= kBits ? T(-1) : (T(1) << length) - 1;
                           T mask = ones << position;
                           return T((a << position & mask) | (b & ~mask));
                         },
                         warp.get<T>(in.a), warp.get<T>(in.b),
                         warp.get<uint32_t>(in.more[0]),
                         warp.get<uint32_t>(in.more[1])));
  return true;
}

void decodeInsert(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(5);
  d.in.run = pick<uint32_t, uint64_t>(
      type, [](auto t) { return Run(runInsert<decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.keep({d.from(3, {'u', 32}), d.from(4, {'u', 32})});
}

/// Bytes of the eight of a and b that the digits of c choose, their highest
/// bits as signs.
bool runPermute(Warp &warp, const Instruction &in) {
  warp.set<uint32_t>(
      in.to, eachLane<uint32_t>(
                 [](uint32_t a, uint32_t b, uint32_t choice) {
                   uint64_t both = uint64_t(b) << 32 | a;
                   uint32_t chosen = 0;
                   for (unsigned i = 0; i < 4; ++i) {
                     uint32_t digit = choice >> 4 * i;
                     uint8_t byte = uint8_t(both >> 8 * (digit & 7));
                     byte = digit & 8 ? uint8_t(int8_t(byte) >> 7) : byte;
                     chosen |= uint32_t(byte) << 8 * i;
                   }
                   return chosen;
                 },
                 warp.get<uint32_t>(in.a), warp.get<uint32_t>(in.b),
                 warp.get<uint32_t>(in.c)));
  return true;
}

/// Any function of three bits: mode has its value for each of the eight.
bool runLogic3(Warp &warp, const Instruction &in) {
  Lanes<uint32_t> a = warp.get<uint32_t>(in.a), b = warp.get<uint32_t>(in.b),
                  c = warp.get<uint32_t>(in.c), result = {};
  for (unsigned i = 0; i < 8; ++i) {
    if (in.mode >> i & 1) {
      result |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    }
  }
  warp.set<uint32_t>(in.to, result);
  return true;
}

void decodeWords(Decoder &d, Run run, size_t count) {
  Type type = d.takeType();
  d.expectOperands(count);
  d.in.run = type.bits == 32 ? run : nullptr;
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.in.c = d.from(3, type);
}

void decodeLogic3(Decoder &d) {
  decodeWords(d, runLogic3, 5);
  d.in.mode = uint8_t(d.immediate(4));
}

struct Reverse {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a) {
    return eachLane<T>(
        [](T x) {
          return T(__builtin_bitreverse64(x) >> (64 - 8 * sizeof(T)));
        },
        a);
  }
};

/// How many bits are ones, or how many zeros are before the first one.
template <class T, bool IsLeading>
bool runCount(Warp &warp, const Instruction &in) {
  warp.set<uint32_t>(in.to, eachLane<uint32_t>(
                                [](T x) {
                                  if (!IsLeading) {
                                    return uint32_t(__builtin_popcountll(x));
                                  }
                                  return x == 0
                                             ? uint32_t(8 * sizeof(T))
                                             : uint32_t(__builtin_clzll(x)) -
                                                   uint32_t(64 - 8 * sizeof(T));
                                },
                                warp.get<T>(in.a)));
  return true;
}

template <bool IsLeading>
void decodeCount(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(2);
  d.in.run = pick<uint32_t, uint64_t>(
      type, [](auto t) { return Run(runCount<decltype(t), IsLeading>); });
  d.in.to = d.to({'u', 32});
  d.in.a = d.from(1, type);
}

} // namespace

void umber::softcuda::addBitOpcodes(OpcodeTable &table) {
  table["and"] = decodeLogic<And>;
  table["or"] = decodeLogic<Or>;
  table["xor"] = decodeLogic<Xor>;
  table["not"] = decodeNot;
  table["shl"] = decodeShift<true>;
  table["shr"] = decodeShift<false>;
  table["shf"] = decodeFunnel;
  table["bfe"] = decodeExtract;
  table["bfi"] = decodeInsert;
  table["prmt"] = [](Decoder &d) { decodeWords(d, runPermute, 4); };
  table["lop3"] = decodeLogic3;
  table["brev"] = decodeUnary<Reverse, uint32_t, uint64_t>;
  table["popc"] = decodeCount<false>;
  table["clz"] = decodeCount<true>;
}
