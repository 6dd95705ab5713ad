// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A register's values in all lanes of a warp, as a vector that the compiler
// cuts into those of the host.

#ifndef UMBER_TEST_SOFTCUDA_LANES_H
#define UMBER_TEST_SOFTCUDA_LANES_H

#include <cstdint>
#include <type_traits>

namespace umber::softcuda {

constexpr unsigned kLanes = 32;
constexpr uint32_t kAllLanes = ~uint32_t(0);

namespace detail {

template <class T>
struct LanesOf {
  typedef T type __attribute__((vector_size(kLanes * sizeof(T))));
};

template <unsigned Bytes>
struct IntegerOf;
template <>
struct IntegerOf<2> {
  using type = int16_t;
};
template <>
struct IntegerOf<4> {
  using type = int32_t;
};
template <>
struct IntegerOf<8> {
  using type = int64_t;
};

} // namespace detail

template <class T>
using Lanes = typename detail::LanesOf<T>::type;

/// A predicate: -1 in lanes where it is true, else 0. A comparison of lanes of
/// type T is of type MaskOf<T>.
using Mask = Lanes<int32_t>;
template <class T>
using MaskOf = Lanes<typename detail::IntegerOf<sizeof(T)>::type>;

/// The same bits as another type's.
template <class To, class From>
inline To bitsAs(const From &from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

template <class To, class From>
inline Lanes<To> convert(const From &from) {
  return __builtin_convertvector(from, Lanes<To>);
}

template <class T>
inline Lanes<T> splat(T value) {
  return value - Lanes<T>{};
}

template <class T>
inline Lanes<T> select(const MaskOf<T> &mask, const Lanes<T> &yes,
                       const Lanes<T> &no) {
  using Bits = MaskOf<T>;
  return bitsAs<Lanes<T>>((bitsAs<Bits>(yes) & mask) |
                          (bitsAs<Bits>(no) & ~mask));
}

/// A mask's lanes as bits, lane 0's the lowest.
inline uint32_t bitsOf(const Mask &mask) {
  typedef bool Bits __attribute__((ext_vector_type(kLanes)));
  return __builtin_bit_cast(uint32_t, __builtin_convertvector(mask, Bits));
}

inline Lanes<uint32_t> laneNumbers() {
  return Lanes<uint32_t>{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                         11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                         22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
}

inline Mask maskOf(uint32_t bits) {
  return bitsAs<Mask>(((bits >> laneNumbers()) & 1u) != 0u);
}

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_LANES_H
