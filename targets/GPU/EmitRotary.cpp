// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary position embedding. An angle is a number of turns, of which only the
// fraction counts: a frequency is a fraction of 64 bits, and its product with a
// position modulo 2^64 is exact. So angles are exact to f32 at any position,
// with no floats of 64 bits, which many devices lack.

#include "targets/GPU/HeadStage.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

std::vector<uint32_t> getTurnsPerPosition(RotaryOp op) {
  constexpr long double kTurn = 6.283185307179586476925286766559L;
  std::vector<uint32_t> words;
  for (double frequency : op.getFrequencies()) {
    long double turns = std::fmod(frequency / kTurn, 1.0L);
    auto fraction = static_cast<uint64_t>(std::ldexp(turns, 64));
    words.push_back(static_cast<uint32_t>(fraction));
    words.push_back(static_cast<uint32_t>(fraction >> 32));
  }
  return words;
}

namespace {

/// 64 bits in two words.
struct Wide {
  Value low, high;
};

/// A fraction divided by an f32 that is normal and above zero: as
/// 2^(e - 23) m, with a 24-bit m, by long division in digits of 8 bits.
Wide divide(LaunchBuilder &l, Wide fraction, Value factor) {
  Value bits = l.asBits(factor);
  Value exponent = l.sub(l.shiftRight(bits, l.i32(23)), l.i32(127));
  Value m = l.bitOr(l.bitAnd(bits, l.i32(0x7fffff)), l.i32(0x800000));
  Value rest = l.i32(0);
  Wide q = {l.i32(0), l.i32(0)};
  // 2^24 times the fraction, which is below 2^63, has 11 digits.
  for (int64_t digit = 10; digit >= 0; --digit) {
    Value next = l.i32(0);
    if (digit >= 3) {
      int64_t at = 8 * (digit - 3);
      Value word = at >= 32 ? fraction.high : fraction.low;
      next = l.bitAnd(l.shiftRight(word, l.i32(at % 32)), l.i32(255));
    }
    rest = l.bitOr(l.shiftLeft(rest, l.i32(8)), next);
    Value part = l.div(rest, m);
    rest = l.sub(rest, l.mul(part, m));
    q.high =
        l.bitOr(l.shiftLeft(q.high, l.i32(8)), l.shiftRight(q.low, l.i32(24)));
    q.low = l.bitOr(l.shiftLeft(q.low, l.i32(8)), part);
  }
  // q is the quotient by 2^-1 m 2^-23.
  Value down = l.min(l.max(l.add(exponent, l.i32(1)), l.i32(0)), l.i32(31));
  Value up = l.min(l.max(l.sub(l.i32(-1), exponent), l.i32(0)), l.i32(31));
  Value across =
      l.shiftLeft(l.shiftLeft(q.high, l.i32(1)), l.sub(l.i32(31), down));
  q.low = l.bitOr(l.shiftRight(q.low, down), across);
  q.high = l.shiftRight(q.high, down);
  across = l.shiftRight(l.shiftRight(q.low, l.i32(1)), l.sub(l.i32(31), up));
  q.high = l.bitOr(l.shiftLeft(q.high, up), across);
  q.low = l.shiftLeft(q.low, up);
  return q;
}

} // namespace

std::pair<Value, Value> HeadStage::getTurn(RotaryOp op, Value pair) {
  Value table = e.getRotaryTable(op), at = l->mul(pair, l->index(2));
  Wide perPosition = {l->load(table, at),
                      l->load(table, l->add(at, l->index(1)))};
  if (op.getFactorsAttr()) {
    Value factor = l->loadF(e.getParameter(*op.getFactors()), pair);
    perPosition = divide(*l, perPosition, factor);
  }
  Value position = l->toI32(l->add(e.getStep(StepWord::Position), row));
  Value turns = l->add(l->mul(position, perPosition.high),
                       l->mulHigh(position, perPosition.low));
  // The nearest quarter of a turn, and what is left, within half a quarter.
  Value quarter = l->shiftRight(l->add(turns, l->i32(1 << 29)), l->i32(30));
  Value left = l->sub(turns, l->shiftLeft(quarter, l->i32(30)));
  Value x = l->mulF(l->toFloat(left), l->f32(6.283185307179586 / 4294967296.0));
  // Minimax polynomials on [-π/4, π/4], as of the Cephes library's sinf and
  // cosf: within a unit in the last place.
  Value x2 = l->mulF(x, x);
  Value s = l->fma(x2, l->f32(-1.9515295891e-4), l->f32(8.3321608736e-3));
  s = l->fma(s, x2, l->f32(-1.6666654611e-1));
  s = l->fma(l->mulF(s, x2), x, x);
  Value c =
      l->fma(x2, l->f32(2.443315711809948e-5), l->f32(-1.388731625493765e-3));
  c = l->fma(c, x2, l->f32(4.166664568298827e-2));
  c = l->fma(c, l->mulF(x2, x2), l->fma(x2, l->f32(-0.5), l->f32(1.0)));
  auto isSet = [&](Value word, int64_t bit) {
    return l->equal(l->bitAnd(word, l->i32(bit)), l->i32(bit));
  };
  auto negateIf = [&](Value condition, Value value) {
    return l->select(condition, l->subF(l->f32(0.0), value), value);
  };
  Value isOdd = isSet(quarter, 1);
  Value sine = negateIf(isSet(quarter, 2), l->select(isOdd, c, s));
  Value cosine =
      negateIf(isSet(l->add(quarter, l->i32(1)), 2), l->select(isOdd, s, c));
  if (double magnitude = op.getMagnitude(); magnitude != 1.0) {
    sine = l->mulF(sine, l->f32(magnitude));
    cosine = l->mulF(cosine, l->f32(magnitude));
  }
  return {sine, cosine};
}

void HeadStage::emitRotary(const HeadChain &chain, RotaryOp op) {
  int64_t pairs = op.getRotatedDims() / 2;
  bool isInterleaved = op.getStyle() == RotaryStyle::Interleaved;
  // A pair is one thread's, but who has written it may be another.
  l->barrier();
  forOwn(pairs, [&](Value pair) {
    auto [sine, cosine] = getTurn(op, pair);
    Value first = isInterleaved ? l->mul(pair, l->index(2)) : pair;
    Value second = l->add(first, l->index(isInterleaved ? 1 : pairs));
    Value u = l->loadF(vector, first), v = l->loadF(vector, second);
    l->storeF(l->subF(l->mulF(u, cosine), l->mulF(v, sine)), vector, first);
    l->storeF(l->addF(l->mulF(u, sine), l->mulF(v, cosine)), vector, second);
  });
  l->barrier();
}

} // namespace umber::gpu
