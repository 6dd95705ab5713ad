// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on floating-point numbers. What is rounded to the nearest even is
// as on devices; what they only approximate is as exact as the host has it.

#include "test/SoftCuda/Lanewise.h"

#include <cmath>

using namespace umber::softcuda;

namespace {

using Floats = Lanes<float>;
using Words = Lanes<uint32_t>;

struct Add {
  static Floats run(const Floats &a, const Floats &b) { return a + b; }
};
struct Subtract {
  static Floats run(const Floats &a, const Floats &b) { return a - b; }
};
struct Multiply {
  static Floats run(const Floats &a, const Floats &b) { return a * b; }
};
struct Divide {
  static Floats run(const Floats &a, const Floats &b) { return a / b; }
};
struct Fused {
  static Floats run(const Floats &a, const Floats &b, const Floats &c) {
    return __builtin_elementwise_fma(a, b, c);
  }
};
struct Reciprocal {
  static Floats run(const Floats &a) { return 1.0f / a; }
};
struct SquareRoot {
  static Floats run(const Floats &a) { return __builtin_elementwise_sqrt(a); }
};
struct InverseRoot {
  static Floats run(const Floats &a) {
    return 1.0f / __builtin_elementwise_sqrt(a);
  }
};
struct Exponential {
  static Floats run(const Floats &a) {
    return eachLane<float>([](float x) { return std::exp2(x); }, a);
  }
};
struct Logarithm {
  static Floats run(const Floats &a) {
    return eachLane<float>([](float x) { return std::log2(x); }, a);
  }
};
struct Sine {
  static Floats run(const Floats &a) {
    return eachLane<float>([](float x) { return std::sin(x); }, a);
  }
};
struct Cosine {
  static Floats run(const Floats &a) {
    return eachLane<float>([](float x) { return std::cos(x); }, a);
  }
};
struct HyperbolicTangent {
  static Floats run(const Floats &a) {
    return eachLane<float>([](float x) { return std::tanh(x); }, a);
  }
};
struct Negate {
  static Floats run(const Floats &a) {
    return bitsAs<Floats>(bitsAs<Words>(a) ^ 0x80000000u);
  }
};
struct Absolute {
  static Floats run(const Floats &a) {
    return bitsAs<Floats>(bitsAs<Words>(a) & 0x7fffffffu);
  }
};

/// PTX orders zeros by their signs. A NaN gives way to a number, or with .NaN
/// makes the result one.
template <bool IsMaximum, bool IsNaNKept>
struct Extremum {
  static Floats run(const Floats &a, const Floats &b) {
    Words x = bitsAs<Words>(a), y = bitsAs<Words>(b);
    Words chosen = IsMaximum ? select<uint32_t>(a > b, x, y)
                             : select<uint32_t>(a < b, x, y);
    chosen = select<uint32_t>(a == b, IsMaximum ? x & y : x | y, chosen);
    Words nan = splat(0x7fffffffu);
    Mask isNaNA = a != a, isNaNB = b != b;
    if (IsNaNKept) {
      chosen = select<uint32_t>(isNaNA | isNaNB, nan, chosen);
    } else {
      chosen = select<uint32_t>(isNaNA, y, chosen);
      chosen = select<uint32_t>(isNaNB, x, chosen);
      chosen = select<uint32_t>(isNaNA & isNaNB, nan, chosen);
    }
    return bitsAs<Floats>(chosen);
  }
};

/// f16's results are f32's, rounded once more: with 24 bits that is the nearest
/// of 11 for a sum, product, quotient or root.
template <class T>
Floats floatsOf(const Warp &warp, Slot slot) {
  return convert<float>(warp.get<T>(slot));
}

template <class Op, class T>
bool runFloat1(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, convert<T>(Op::run(floatsOf<T>(warp, in.a))));
  return true;
}

template <class Op, class T>
bool runFloat2(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, convert<T>(Op::run(floatsOf<T>(warp, in.a),
                                        floatsOf<T>(warp, in.b))));
  return true;
}

bool runFused(Warp &warp, const Instruction &in) {
  warp.set<float>(in.to,
                  Fused::run(warp.get<float>(in.a), warp.get<float>(in.b),
                             warp.get<float>(in.c)));
  return true;
}

/// All f16 sums of f16 products are exact in f64 but where exponents are far
/// apart, which a second rounding does not see.
bool runFusedHalf(Warp &warp, const Instruction &in) {
  auto get = [&](Slot slot) {
    return convert<double>(floatsOf<_Float16>(warp, slot));
  };
  Lanes<double> sum = get(in.a) * get(in.b) + get(in.c);
  warp.set<_Float16>(in.to, convert<_Float16>(sum));
  return true;
}

/// Results are the nearest even, as without a modifier where that is meant.
void takeRounding(Decoder &d, bool isApproximated) {
  if (!d.take("rn") && isApproximated && !d.take("approx")) {
    d.take("full");
  }
}

template <class Op>
void decodeFloat1(Decoder &d, bool isApproximated = false) {
  takeRounding(d, isApproximated);
  Type type = d.takeType();
  d.expectOperands(2);
  d.in.run = pick<float, _Float16>(
      type, [](auto t) { return Run(runFloat1<Op, decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
}

template <class Op>
void decodeApproximated(Decoder &d) {
  decodeFloat1<Op>(d, true);
}

template <class Op>
void decodeExact(Decoder &d) {
  decodeFloat1<Op>(d);
}

template <class Op>
void decodeFloat2(Decoder &d) {
  takeRounding(d, std::is_same_v<Op, Divide>);
  Type type = d.takeType();
  d.expectOperands(3);
  d.in.run = pick<float, _Float16>(
      type, [](auto t) { return Run(runFloat2<Op, decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
}

template <bool IsMaximum>
void decodeExtremum(Decoder &d) {
  d.take("NaN") ? decodeFloat2<Extremum<IsMaximum, true>>(d)
                : decodeFloat2<Extremum<IsMaximum, false>>(d);
}

void decodeFused(Decoder &d) {
  takeRounding(d, false);
  Type type = d.takeType();
  d.expectOperands(4);
  d.in.run = type.kind != 'f'  ? nullptr
             : type.bits == 32 ? runFused
             : type.bits == 16 ? runFusedHalf
                               : nullptr;
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.in.c = d.from(3, type);
}

/// b with the sign of a.
bool runCopySign(Warp &warp, const Instruction &in) {
  warp.set<uint32_t>(in.to, (warp.get<uint32_t>(in.a) & 0x80000000u) |
                                (warp.get<uint32_t>(in.b) & 0x7fffffffu));
  return true;
}

void decodeCopySign(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(3);
  d.in.run = type.bits == 32 ? runCopySign : nullptr;
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
}

} // namespace

void umber::softcuda::addFloatOpcodes(OpcodeTable &table) {
  table["add.f"] = decodeFloat2<Add>;
  table["sub.f"] = decodeFloat2<Subtract>;
  table["mul.f"] = decodeFloat2<Multiply>;
  table["div.f"] = decodeFloat2<Divide>;
  table["fma.f"] = decodeFused;
  table["rcp.f"] = decodeApproximated<Reciprocal>;
  table["sqrt.f"] = decodeApproximated<SquareRoot>;
  table["rsqrt.f"] = decodeApproximated<InverseRoot>;
  table["ex2.f"] = decodeApproximated<Exponential>;
  table["lg2.f"] = decodeApproximated<Logarithm>;
  table["sin.f"] = decodeApproximated<Sine>;
  table["cos.f"] = decodeApproximated<Cosine>;
  table["tanh.f"] = decodeApproximated<HyperbolicTangent>;
  table["neg.f"] = decodeExact<Negate>;
  table["abs.f"] = decodeExact<Absolute>;
  table["min.f"] = decodeExtremum<false>;
  table["max.f"] = decodeExtremum<true>;
  table["copysign.f"] = decodeCopySign;
}
