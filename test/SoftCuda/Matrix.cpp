// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products of a warp, and loads of their operands: mma and ldmatrix,
// whose fragments' layouts are those of the PTX ISA.

#include "test/SoftCuda/Access.h"
#include "test/SoftCuda/Decoder.h"
#include "test/SoftCuda/Results.h"

#include <cstring>

using namespace umber::softcuda;

namespace {

constexpr unsigned kRows = 16, kColumns = 8; // m16n8
// Four lanes have a row of A, each as many neighbours as a register has.
constexpr unsigned kLanesOfRow = 4;

void checkWhole(const Warp &warp) {
  if (warp.active != kAllLanes) {
    throw Fault(kLaunchFailed, "a matrix product of some lanes of a warp");
  }
}

/// An element of the operands and what its products are summed in.
struct SignedByte {
  using Storage = int8_t;
  using Value = int16_t;
  using Sum = int32_t;
  static Value valueOf(Storage x) { return x; }
};
struct UnsignedByte {
  using Storage = uint8_t;
  using Value = int16_t;
  using Sum = int32_t;
  static Value valueOf(Storage x) { return x; }
};
struct Half {
  using Storage = _Float16;
  using Value = float;
  using Sum = float;
  static Value valueOf(Storage x) { return Value(x); }
};
struct BFloat {
  using Storage = uint16_t;
  using Value = float;
  using Sum = float;
  static Value valueOf(Storage x) { return bitsAs<Value>(uint32_t(x) << 16); }
};

/// The elements of lane registers: the k-th of a row or column is in lane
/// (k / E) % 4 of its four, in register k / 4E of those of it, for E elements
/// in a register.
template <class Element, unsigned K, unsigned Vectors>
void unpack(const Warp &warp, const Slot *slots,
            typename Element::Value (&to)[Vectors][K]) {
  constexpr unsigned kPacked = 4 / sizeof(typename Element::Storage);
  constexpr unsigned kSlots = K / (kPacked * kLanesOfRow);
  // Eight rows, or columns, have a register of their own.
  constexpr unsigned kParts = Vectors / 8;
  for (unsigned slot = 0; slot < kSlots * kParts; ++slot) {
    Lanes<uint32_t> words = warp.get<uint32_t>(slots[slot]);
    typename Element::Storage elements[kLanes][kPacked];
    std::memcpy(elements, &words, sizeof elements);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      unsigned vector = lane / kLanesOfRow + 8 * (slot % kParts);
      unsigned k =
          lane % kLanesOfRow * kPacked + slot / kParts * kPacked * kLanesOfRow;
      for (unsigned i = 0; i < kPacked; ++i) {
        to[vector][k + i] = Element::valueOf(elements[lane][i]);
      }
    }
  }
}

template <class A, class B, unsigned K>
bool runProduct(Warp &warp, const Instruction &in) {
  using Sum = typename A::Sum;
  constexpr unsigned kPacked = 4 / sizeof(typename A::Storage);
  constexpr unsigned kASlots = 2 * K / (kPacked * kLanesOfRow);
  checkWhole(warp);
  typename A::Value a[kRows][K];
  typename B::Value b[kColumns][K];
  const Slot *slots = in.more + 4;
  unpack<A, K, kRows>(warp, slots, a);
  unpack<B, K, kColumns>(warp, slots + kASlots, b);
  const Slot *c = slots + kASlots + kASlots / 2;
  Sum sums[4][kLanes];
  for (unsigned i = 0; i < 4; ++i) {
    Lanes<Sum> before = warp.get<Sum>(c[i]);
    std::memcpy(sums[i], &before, sizeof before);
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      unsigned row = lane / kLanesOfRow + 8 * (i / 2);
      unsigned column = lane % kLanesOfRow * 2 + i % 2;
      Sum sum = 0;
      for (unsigned k = 0; k < K; ++k) {
        sum += Sum(a[row][k]) * Sum(b[column][k]);
      }
      // Words wrap around.
      if constexpr (std::is_integral_v<Sum>) {
        sums[i][lane] = Sum(uint32_t(sums[i][lane]) + uint32_t(sum));
      } else {
        sums[i][lane] += sum;
      }
    }
  }
  for (unsigned i = 0; i < 4; ++i) {
    warp.set<Sum>(in.more[i], bitsAs<Lanes<Sum>>(sums[i]));
  }
  return true;
}

template <unsigned K>
Run productOfBytes(bool isASigned, bool isBSigned) {
  if (isASigned) {
    return isBSigned ? runProduct<SignedByte, SignedByte, K>
                     : runProduct<SignedByte, UnsignedByte, K>;
  }
  return isBSigned ? runProduct<UnsignedByte, SignedByte, K>
                   : runProduct<UnsignedByte, UnsignedByte, K>;
}

void decodeProduct(Decoder &d) {
  for (const char *modifier : {"sync", "aligned", "row", "col"}) {
    if (!d.take(modifier)) {
      d.fail(std::string("expected .") + modifier);
    }
  }
  unsigned k = d.take("m16n8k8")    ? 8
               : d.take("m16n8k16") ? 16
               : d.take("m16n8k32") ? 32
                                    : 0;
  Type to = d.takeType(), a = d.takeType(), b = d.takeType(), c = d.takeType();
  d.expectOperands(4);
  bool isOfWords = to.bits == 32 && c.bits == 32 && to.kind == c.kind;
  if (isOfWords && to.kind == 's' && a.bits == 8 && b.bits == 8) {
    bool isASigned = a.kind == 's', isBSigned = b.kind == 's';
    d.in.run = k == 32   ? productOfBytes<32>(isASigned, isBSigned)
               : k == 16 ? productOfBytes<16>(isASigned, isBSigned)
                         : nullptr;
  } else if (isOfWords && to.kind == 'f' && a.bits == 16 && b.bits == 16 &&
             a.kind == b.kind) {
    bool isBFloat = a.kind == 'h';
    d.in.run = k == 16  ? (isBFloat ? runProduct<BFloat, BFloat, 16>
                                    : runProduct<Half, Half, 16>)
               : k == 8 ? (isBFloat ? runProduct<BFloat, BFloat, 8>
                                    : runProduct<Half, Half, 8>)
                        : nullptr;
  }
  if (!d.in.run) {
    d.fail("unknown form");
  }
  size_t aSlots = 2 * k * a.bytes() / (4 * kLanesOfRow);
  const size_t counts[] = {4, aSlots, aSlots / 2, 4};
  std::vector<Slot> slots;
  for (size_t i = 0; i < 4; ++i) {
    std::vector<OperandSyntax> parts = d.operand(i).parts;
    if (d.operand(i).kind != OperandSyntax::List) {
      parts = {d.operand(i)};
    }
    if (parts.size() != counts[i]) {
      d.fail("expected " + std::to_string(counts[i]) +
             " registers in operand " + std::to_string(i));
    }
    for (const OperandSyntax &part : parts) {
      slots.push_back(i == 0 ? d.destination(part, {'b', 32})
                             : d.source(part, {'b', 32}));
    }
  }
  d.keep(std::move(slots));
}

/// `mode` matrices of 8 rows of 8 values; lanes 8i to 8i + 7 have the addresses
/// of the rows of matrix i.
template <bool IsTransposed>
bool runLoadMatrix(Warp &warp, const Instruction &in) {
  constexpr unsigned kSide = 8, kRowBytes = 2 * kSide;
  checkWhole(warp);
  Lanes<int64_t> addresses = addressesOf(warp, in);
  for (unsigned lane = in.mode * kSide; lane < kLanes; ++lane) {
    addresses[lane] = addresses[0];
  }
  checkShared(warp, addresses, kRowBytes, false);
  for (unsigned i = 0; i < in.mode; ++i) {
    uint16_t matrix[kSide][kSide], values[kLanes][2];
    for (unsigned row = 0; row < kSide; ++row) {
      uint64_t address = uint64_t(addresses[i * kSide + row]);
      std::memcpy(matrix[row], warp.block->shared.at(address), kRowBytes);
    }
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      unsigned row = lane / 4, column = lane % 4 * 2;
      for (unsigned j : {0u, 1u}) {
        values[lane][j] =
            IsTransposed ? matrix[column + j][row] : matrix[row][column + j];
      }
    }
    warp.set<uint32_t>(in.more[i], bitsAs<Lanes<uint32_t>>(values));
  }
  return true;
}

void decodeLoadMatrix(Decoder &d) {
  for (const char *modifier : {"sync", "aligned", "m8n8", "shared", "b16"}) {
    if (!d.take(modifier)) {
      d.fail(std::string("expected .") + modifier);
    }
  }
  unsigned count = d.takeCount("x");
  bool isTransposed = d.take("trans");
  d.expectOperands(2);
  std::vector<OperandSyntax> parts = d.operand(0).parts;
  if (d.operand(0).kind != OperandSyntax::List) {
    parts = {d.operand(0)};
  }
  if (parts.size() != count || (count != 1 && count != 2 && count != 4)) {
    d.fail("expected a register for each matrix");
  }
  std::vector<Slot> slots;
  for (const OperandSyntax &part : parts) {
    slots.push_back(d.destination(part, {'b', 32}));
  }
  d.keep(std::move(slots));
  d.address(d.operand(1));
  d.in.mode = uint8_t(count);
  d.in.run = isTransposed ? runLoadMatrix<true> : runLoadMatrix<false>;
}

} // namespace

void umber::softcuda::addMatrixOpcodes(OpcodeTable &table) {
  table["mma"] = decodeProduct;
  table["ldmatrix"] = decodeLoadMatrix;
}
