// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparisons and what chooses by them.

#include "test/SoftCuda/Lanewise.h"

using namespace umber::softcuda;

namespace {

enum Comparison { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

/// How the comparison's truth goes together with a predicate's.
enum Combination : uint8_t { Alone, WithAnd, WithOr, WithXor };

template <Comparison C, class T>
MaskOf<T> compare(const Lanes<T> &a, const Lanes<T> &b) {
  switch (C) {
  case Equal:
    return a == b;
  case NotEqual:
    return a != b;
  case Less:
    return a < b;
  case LessEqual:
    return a <= b;
  case Greater:
    return a > b;
  case GreaterEqual:
    return a >= b;
  }
}

/// Comparisons of floats are ordered, true of no NaN, or unordered, true of
/// each.
template <Comparison C, class T, bool IsUnordered>
bool runCompare(Warp &warp, const Instruction &in) {
  Mask result;
  if constexpr (std::is_integral_v<T>) {
    result = __builtin_convertvector(
        (compare<C, T>(warp.get<T>(in.a), warp.get<T>(in.b))), Mask);
  } else {
    Lanes<float> a = convert<float>(warp.get<T>(in.a)),
                 b = convert<float>(warp.get<T>(in.b));
    Mask isNaN = (a != a) | (b != b);
    result = compare<C, float>(a, b);
    result = IsUnordered ? result | isNaN : result & ~isNaN;
  }
  if (in.mode != Alone) {
    Mask other = warp.get<int32_t>(in.c);
    other = in.isGuardNegated ? ~other : other;
    result = in.mode == WithAnd  ? result & other
             : in.mode == WithOr ? result | other
                                 : result ^ other;
  }
  warp.set<int32_t>(in.to, result);
  return true;
}

template <class T, bool IsUnordered>
Run comparing(Comparison comparison) {
  switch (comparison) {
  case Equal:
    return runCompare<Equal, T, IsUnordered>;
  case NotEqual:
    return runCompare<NotEqual, T, IsUnordered>;
  case Less:
    return runCompare<Less, T, IsUnordered>;
  case LessEqual:
    return runCompare<LessEqual, T, IsUnordered>;
  case Greater:
    return runCompare<Greater, T, IsUnordered>;
  case GreaterEqual:
    return runCompare<GreaterEqual, T, IsUnordered>;
  }
  return nullptr;
}

/// Whether both are numbers, or not.
template <class T, bool IsNumber>
bool runOrdered(Warp &warp, const Instruction &in) {
  Lanes<float> a = convert<float>(warp.get<T>(in.a)),
               b = convert<float>(warp.get<T>(in.b));
  Mask isNumber = (a == a) & (b == b);
  warp.set<int32_t>(in.to, IsNumber ? isNumber : ~isNumber);
  return true;
}

void decodeCompare(Decoder &d) {
  struct Name {
    const char *text;
    Comparison comparison;
    bool isUnordered;
  };
  static constexpr Name kNames[] = {
      {"eq", Equal, false},   {"ne", NotEqual, false},
      {"lt", Less, false},    {"le", LessEqual, false},
      {"gt", Greater, false}, {"ge", GreaterEqual, false},
      {"lo", Less, false},    {"ls", LessEqual, false},
      {"hi", Greater, false}, {"hs", GreaterEqual, false},
      {"equ", Equal, true},   {"neu", NotEqual, true},
      {"ltu", Less, true},    {"leu", LessEqual, true},
      {"gtu", Greater, true}, {"geu", GreaterEqual, true}};
  const Name *name = nullptr;
  for (const Name &candidate : kNames) {
    if (d.take(candidate.text)) {
      name = &candidate;
      break;
    }
  }
  bool isNumber = !name && d.take("num"), isNaN = !name && d.take("nan");
  if (!name && !isNumber && !isNaN) {
    d.fail("expected a comparison");
  }
  Combination combination = d.take("and")   ? WithAnd
                            : d.take("or")  ? WithOr
                            : d.take("xor") ? WithXor
                                            : Alone;
  Type type = d.takeType();
  d.expectOperands(combination == Alone ? 3 : 4);
  if (!name && combination != Alone) {
    d.fail("unknown combination");
  }
  if (isNumber || isNaN) {
    d.in.run = pick<float, _Float16>(type, [&](auto t) {
      using T = decltype(t);
      return isNumber ? Run(runOrdered<T, true>) : Run(runOrdered<T, false>);
    });
  } else if (type.kind == 'f') {
    d.in.run = pick<float, _Float16>(type, [&](auto t) {
      using T = decltype(t);
      return name->isUnordered ? comparing<T, true>(name->comparison)
                               : comparing<T, false>(name->comparison);
    });
  } else if (!name->isUnordered) {
    d.in.run = pick<int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t>(
        type, [&](auto t) {
          return comparing<decltype(t), false>(name->comparison);
        });
  }
  d.in.to = d.to({'p', 0});
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.in.mode = combination;
  if (combination != Alone) {
    OperandSyntax other = d.operand(3);
    if (d.hasGuard()) {
      d.fail("a guard and a combination");
    }
    d.in.isGuardNegated = other.isNegated;
    other.isNegated = false;
    d.in.c = d.source(other, {'p', 0});
  }
}

template <class T>
bool runSelect(Warp &warp, const Instruction &in) {
  auto chosen = __builtin_convertvector(warp.get<int32_t>(in.c), MaskOf<T>);
  warp.set<T>(in.to, select<T>(chosen, warp.get<T>(in.a), warp.get<T>(in.b)));
  return true;
}

void decodeSelect(Decoder &d) {
  Type type = d.takeType();
  Type bits = {'b', type.bits};
  d.expectOperands(4);
  d.in.run = pick<uint16_t, uint32_t, uint64_t>(
      bits, [](auto t) { return Run(runSelect<decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
  d.in.b = d.from(2, type);
  d.in.c = d.from(3, {'p', 0});
}

} // namespace

void umber::softcuda::addCompareOpcodes(OpcodeTable &table) {
  table["setp"] = decodeCompare;
  table["selp"] = decodeSelect;
}
