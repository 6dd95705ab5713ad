// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on integers.

#include "test/SoftCuda/Lanewise.h"

using namespace umber::softcuda;

namespace {

struct Add {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return a + b;
  }
};

struct Subtract {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return a - b;
  }
};

struct Multiply {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return a * b;
  }
};

struct MultiplyAdd {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b, const Lanes<T> &c) {
    return a * b + c;
  }
};

struct Minimum {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return select<T>(a < b, a, b);
  }
};

struct Maximum {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return select<T>(a > b, a, b);
  }
};

struct Negate {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a) {
    return -a;
  }
};

struct Absolute {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a) {
    using Unsigned = Lanes<std::make_unsigned_t<T>>;
    Unsigned bits = bitsAs<Unsigned>(a);
    return bitsAs<Lanes<T>>(bitsAs<Unsigned>(
        select<T>(a < T(0), bitsAs<Lanes<T>>(Unsigned{} - bits), a)));
  }
};

// By zero the result is of all ones, as devices give it; PTX leaves it open.
struct Divide {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return eachLane<T>(
        [](T x, T y) {
          if (y == 0) {
            return T(-1);
          }
          return std::is_signed_v<T> && y == T(-1)
                     ? T(-std::make_unsigned_t<T>(x))
                     : T(x / y);
        },
        a, b);
  }
};

struct Remainder {
  template <class T>
  static Lanes<T> run(const Lanes<T> &a, const Lanes<T> &b) {
    return eachLane<T>(
        [](T x, T y) {
          if (y == 0) {
            return x;
          }
          return std::is_signed_v<T> && y == T(-1) ? T(0) : T(x % y);
        },
        a, b);
  }
};

/// The upper half of a product, plus c.
template <class T>
Lanes<T> upperHalf(const Lanes<T> &a, const Lanes<T> &b) {
  if constexpr (sizeof(T) == 8) {
    using Wide =
        std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    return eachLane<T>([](T x, T y) { return T(Wide(x) * y >> 64); }, a, b);
  } else {
    using Wide = std::conditional_t<
        sizeof(T) == 4,
        std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
        std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>>;
    return convert<T>(convert<Wide>(a) * convert<Wide>(b) >> 8 * sizeof(T));
  }
}

template <class T>
bool runUpper(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, upperHalf<T>(warp.get<T>(in.a), warp.get<T>(in.b)) +
                         warp.get<T>(in.c));
  return true;
}

template <class T>
struct WideOf;
template <>
struct WideOf<uint16_t> {
  using type = uint32_t;
};
template <>
struct WideOf<int16_t> {
  using type = int32_t;
};
template <>
struct WideOf<uint32_t> {
  using type = uint64_t;
};
template <>
struct WideOf<int32_t> {
  using type = int64_t;
};

template <class T>
bool runWide(Warp &warp, const Instruction &in) {
  using Wide = typename WideOf<T>::type;
  using Bits = std::make_unsigned_t<Wide>;
  auto product = bitsAs<Lanes<Bits>>(convert<Wide>(warp.get<T>(in.a)) *
                                     convert<Wide>(warp.get<T>(in.b)));
  warp.set<Bits>(in.to, product + warp.get<Bits>(in.c));
  return true;
}

/// mul and mad of .hi and .wide: with a c of zeros where there is none.
void decodeProduct(Decoder &d, bool isAdding) {
  if (d.take("lo")) {
    isAdding ? decodeTernary<MultiplyAdd, uint16_t, uint32_t, uint64_t>(d)
             : decodeBinary<Multiply, uint16_t, uint32_t, uint64_t>(d);
    return;
  }
  bool isWide = d.take("wide");
  if (!isWide && !d.take("hi")) {
    d.fail("expected .lo, .hi or .wide");
  }
  Type type = d.takeType(), result = type;
  result.bits *= isWide ? 2 : 1;
  d.expectOperands(isAdding ? 4 : 3);
  d.in.run =
      isWide ? pick<int16_t, int32_t, uint16_t, uint32_t>(
                   type, [](auto t) { return Run(runWide<decltype(t)>); })
             : pick<int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t>(
                   type, [](auto t) { return Run(runUpper<decltype(t)>); });
  d.in.to = d.to(result);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.in.c = isAdding ? d.from(3, result) : d.constant(0, result.bytes());
}

/// The sum of products of four bytes, with c.
template <class A, class B>
bool runDot(Warp &warp, const Instruction &in) {
  using Words = Lanes<uint32_t>;
  Words a = warp.get<uint32_t>(in.a), b = warp.get<uint32_t>(in.b);
  Words sum = warp.get<uint32_t>(in.c);
  for (unsigned left : {24u, 16u, 8u, 0u}) {
    auto byteOf = [left](const Words &word, auto sign) {
      using T = decltype(sign);
      return bitsAs<Words>(bitsAs<Lanes<T>>(word << left) >> 24);
    };
    sum += byteOf(a, A()) * byteOf(b, B());
  }
  warp.set<uint32_t>(in.to, sum);
  return true;
}

void decodeDot(Decoder &d) {
  Type a = d.takeType(), b = d.takeType(), word = {'b', 32};
  d.expectOperands(4);
  if (a.bits == 32 && b.bits == 32) {
    bool isASigned = a.kind == 's', isBSigned = b.kind == 's';
    d.in.run = isASigned   ? isBSigned ? runDot<int32_t, int32_t>
                                       : runDot<int32_t, uint32_t>
               : isBSigned ? runDot<uint32_t, int32_t>
                           : runDot<uint32_t, uint32_t>;
  }
  d.in.to = d.to(word);
  d.in.a = d.from(1, word);
  d.in.b = d.from(2, word);
  d.in.c = d.from(3, word);
}

} // namespace

void umber::softcuda::addIntegerOpcodes(OpcodeTable &table) {
  table["add"] = decodeBinary<Add, uint16_t, uint32_t, uint64_t>;
  table["sub"] = decodeBinary<Subtract, uint16_t, uint32_t, uint64_t>;
  table["mul"] = [](Decoder &d) { decodeProduct(d, false); };
  table["mad"] = [](Decoder &d) { decodeProduct(d, true); };
  table["div"] = decodeBinary<Divide, int16_t, int32_t, int64_t, uint16_t,
                              uint32_t, uint64_t>;
  table["rem"] = decodeBinary<Remainder, int16_t, int32_t, int64_t, uint16_t,
                              uint32_t, uint64_t>;
  table["min"] = decodeBinary<Minimum, int16_t, int32_t, int64_t, uint16_t,
                              uint32_t, uint64_t>;
  table["max"] = decodeBinary<Maximum, int16_t, int32_t, int64_t, uint16_t,
                              uint32_t, uint64_t>;
  table["neg"] = decodeUnary<Negate, uint16_t, uint32_t, uint64_t>;
  table["abs"] = decodeUnary<Absolute, int16_t, int32_t, int64_t>;
  table["dp4a"] = decodeDot;
}
