// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt: a value in another type.

#include "test/SoftCuda/Lanewise.h"

#include <cmath>
#include <limits>

using namespace umber::softcuda;

namespace {

using Wide = Lanes<int64_t>;

enum Rounding : uint8_t { ToEven, ToZero, Down, Up };

/// A register's lowest bits as a type of them tells, in 64.
template <class T, class Register>
Wide loadAs(const Warp &warp, Slot slot) {
  return convert<int64_t>(convert<T>(warp.get<Register>(slot)));
}

template <class T>
Wide load(const Warp &warp, Slot slot, unsigned registerBytes) {
  switch (registerBytes) {
  case 2:
    if constexpr (sizeof(T) <= 2) {
      return loadAs<T, uint16_t>(warp, slot);
    }
    break;
  case 4:
    if constexpr (sizeof(T) <= 4) {
      return loadAs<T, uint32_t>(warp, slot);
    }
    break;
  }
  return loadAs<T, uint64_t>(warp, slot);
}

template <class T>
void store(Warp &warp, Slot slot, unsigned registerBytes, const Wide &value) {
  Lanes<T> cut = convert<T>(value);
  // Signs go on in registers that are wider than the type.
  switch (registerBytes) {
  case 2:
    warp.set<int16_t>(slot, convert<int16_t>(cut));
    break;
  case 4:
    warp.set<int32_t>(slot, convert<int32_t>(cut));
    break;
  default:
    warp.set<int64_t>(slot, convert<int64_t>(cut));
  }
}

// How wide an instruction's registers are, from and to.
unsigned fromBytes(const Instruction &in) { return in.mode >> 4; }
unsigned toBytes(const Instruction &in) { return in.mode & 15; }

template <class From, class To>
bool runInteger(Warp &warp, const Instruction &in) {
  store<To>(warp, in.to, toBytes(in), load<From>(warp, in.a, fromBytes(in)));
  return true;
}

template <class From, class To>
bool runNumber(Warp &warp, const Instruction &in) {
  Lanes<float> number;
  if constexpr (std::is_same_v<From, uint64_t>) {
    number = convert<float>(warp.get<uint64_t>(in.a));
  } else if constexpr (sizeof(From) == 4) {
    number = convert<float>(fromBytes(in) == 4
                                ? warp.get<From>(in.a)
                                : convert<From>(warp.get<uint64_t>(in.a)));
  } else {
    number = convert<float>(load<From>(warp, in.a, fromBytes(in)));
  }
  warp.set<To>(in.to, convert<To>(number));
  return true;
}

template <Rounding R>
Lanes<float> rounded(const Lanes<float> &x) {
  switch (R) {
  case ToEven:
    return __builtin_elementwise_roundeven(x);
  case ToZero:
    return __builtin_elementwise_trunc(x);
  case Down:
    return __builtin_elementwise_floor(x);
  case Up:
    return __builtin_elementwise_ceil(x);
  }
}

/// Beyond the type's range the nearest of it, of a NaN 0.
template <class To, Rounding R>
bool runWhole(Warp &warp, const Instruction &in) {
  Lanes<float> whole =
      rounded<R>(in.offset == 2 ? convert<float>(warp.get<_Float16>(in.a))
                                : warp.get<float>(in.a));
  Wide value = eachLane<int64_t>(
      [](float x) {
        // One more than the largest is a power of two, which a float has.
        constexpr float kEnd =
            2.0f * float(uint64_t(1) << (std::numeric_limits<To>::digits - 1));
        constexpr To kLeast = std::numeric_limits<To>::min(),
                     kMost = std::numeric_limits<To>::max();
        if (!(x == x)) {
          return int64_t(0);
        }
        return int64_t(x >= kEnd ? kMost : x <= float(kLeast) ? kLeast : To(x));
      },
      whole);
  store<To>(warp, in.to, toBytes(in), value);
  return true;
}

template <Rounding R>
bool runRound(Warp &warp, const Instruction &in) {
  warp.set<float>(in.to, rounded<R>(warp.get<float>(in.a)));
  return true;
}

/// bf16 is the upper half of f32.
Lanes<uint32_t> toBFloat(const Lanes<float> &x) {
  Lanes<uint32_t> bits = bitsAs<Lanes<uint32_t>>(x);
  Lanes<uint32_t> even = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return select<uint32_t>(x != x, splat(0x7fffu), even);
}

Lanes<uint32_t> toHalf(const Lanes<float> &x) {
  return convert<uint32_t>(bitsAs<Lanes<uint16_t>>(convert<_Float16>(x)));
}

template <bool IsBFloat>
Lanes<uint32_t> toSmall(const Lanes<float> &x) {
  return IsBFloat ? toBFloat(x) : toHalf(x);
}

template <bool IsBFloat>
bool runNarrow(Warp &warp, const Instruction &in) {
  warp.set<uint16_t>(
      in.to, convert<uint16_t>(toSmall<IsBFloat>(warp.get<float>(in.a))));
  return true;
}

bool runWidenHalf(Warp &warp, const Instruction &in) {
  warp.set<float>(in.to, convert<float>(warp.get<_Float16>(in.a)));
  return true;
}

bool runWidenBFloat(Warp &warp, const Instruction &in) {
  warp.set<uint32_t>(in.to, convert<uint32_t>(warp.get<uint16_t>(in.a)) << 16);
  return true;
}

/// Two in a word, the first operand in the upper half.
template <bool IsBFloat>
bool runPair(Warp &warp, const Instruction &in) {
  warp.set<uint32_t>(in.to, toSmall<IsBFloat>(warp.get<float>(in.a)) << 16 |
                                toSmall<IsBFloat>(warp.get<float>(in.b)));
  return true;
}

/// Calls `f` with a value of the integer type.
template <class F>
Run withInteger(Type type, F f) {
  bool isSigned = type.kind == 's';
  switch (type.bits) {
  case 8:
    return isSigned ? f(int8_t()) : f(uint8_t());
  case 16:
    return isSigned ? f(int16_t()) : f(uint16_t());
  case 32:
    return isSigned ? f(int32_t()) : f(uint32_t());
  default:
    return isSigned ? f(int64_t()) : f(uint64_t());
  }
}

template <class F>
Run withRounding(Rounding rounding, F f) {
  switch (rounding) {
  case ToEven:
    return f(std::integral_constant<Rounding, ToEven>());
  case ToZero:
    return f(std::integral_constant<Rounding, ToZero>());
  case Down:
    return f(std::integral_constant<Rounding, Down>());
  case Up:
    return f(std::integral_constant<Rounding, Up>());
  }
  return nullptr;
}

Run convertFloats(Type to, Type from, bool isWhole, Rounding rounding) {
  if (isWhole && to.bits == 32 && from.bits == 32 && to.kind == 'f' &&
      from.kind == 'f') {
    return withRounding(rounding, [](auto r) { return Run(runRound<r()>); });
  }
  if (isWhole || to.bits == from.bits) {
    return nullptr;
  }
  if (to.bits == 16 && from.bits == 32) {
    return to.kind == 'h' ? runNarrow<true> : runNarrow<false>;
  }
  if (to.bits == 32 && from.bits == 16) {
    return from.kind == 'h' ? runWidenBFloat : runWidenHalf;
  }
  return nullptr;
}

void decodeConvert(Decoder &d) {
  struct Name {
    const char *text;
    Rounding rounding;
  };
  bool isNearest = d.take("rn"), isWhole = false;
  Rounding rounding = ToEven;
  for (const Name &name : {Name{"rni", ToEven}, Name{"rzi", ToZero},
                           Name{"rmi", Down}, Name{"rpi", Up}}) {
    if (d.take(name.text)) {
      isWhole = true;
      rounding = name.rounding;
    }
  }
  Type to = d.takeType(), from = d.takeType();
  if (to.kind == 'x' || to.kind == 'y') {
    d.expectOperands(3);
    d.in.run = !isNearest       ? nullptr
               : to.kind == 'y' ? runPair<true>
                                : runPair<false>;
    d.in.to = d.to({'b', 32});
    d.in.a = d.from(1, from);
    d.in.b = d.from(2, from);
    return;
  }
  d.expectOperands(2);
  d.in.to = d.destination(d.operand(0), to, !to.isFloat());
  d.in.a = d.source(d.operand(1), from, !from.isFloat());
  unsigned fromRegister = d.registerBytes(d.operand(1));
  unsigned widths[2] = {fromRegister ? fromRegister
                                     : std::max(from.bytes(), 2u),
                        std::max(d.registerBytes(d.operand(0)), 2u)};
  d.in.mode = uint8_t(widths[0] << 4 | widths[1]);
  if (to.isFloat() && from.isFloat()) {
    d.in.run = convertFloats(to, from, isWhole, rounding);
  } else if (to.isFloat()) {
    d.in.run = to.kind == 'f' && to.bits <= 32 && isNearest
                   ? withInteger(from,
                                 [&](auto f) {
                                   using From = decltype(f);
                                   return to.bits == 32
                                              ? Run(runNumber<From, float>)
                                              : Run(runNumber<From, _Float16>);
                                 })
                   : nullptr;
  } else if (from.isFloat()) {
    d.in.offset = from.bytes();
    if (from.kind == 'f' && from.bits <= 32 && isWhole) {
      d.in.run = withInteger(to, [&](auto t) {
        return withRounding(
            rounding, [](auto r) { return Run(runWhole<decltype(t), r()>); });
      });
    }
  } else if (!isWhole && !isNearest) {
    d.in.run = withInteger(from, [&](auto f) {
      return withInteger(
          to, [](auto t) { return Run(runInteger<decltype(f), decltype(t)>); });
    });
  }
}

} // namespace

void umber::softcuda::addConvertOpcodes(OpcodeTable &table) {
  table["cvt"] = decodeConvert;
}
