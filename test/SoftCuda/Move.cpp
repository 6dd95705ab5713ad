// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Moves between registers, and parameters.

#include "test/SoftCuda/Lanewise.h"

#include <cstring>

using namespace umber::softcuda;

namespace {

template <class T>
bool runMove(Warp &warp, const Instruction &in) {
  warp.set<T>(in.to, warp.get<T>(in.a));
  return true;
}

/// Registers of half the bits as one.
template <class Part, class Whole>
bool runPack(Warp &warp, const Instruction &in) {
  constexpr unsigned kParts = sizeof(Whole) / sizeof(Part);
  Lanes<Whole> whole = {};
  for (unsigned i = 0; i < kParts; ++i) {
    whole |= convert<Whole>(warp.get<Part>(in.more[i])) << 8 * sizeof(Part) * i;
  }
  warp.set<Whole>(in.to, whole);
  return true;
}

template <class Part, class Whole>
bool runUnpack(Warp &warp, const Instruction &in) {
  constexpr unsigned kParts = sizeof(Whole) / sizeof(Part);
  Lanes<Whole> whole = warp.get<Whole>(in.a);
  for (unsigned i = 0; i < kParts; ++i) {
    warp.set<Part>(in.more[i], convert<Part>(whole >> 8 * sizeof(Part) * i));
  }
  return true;
}

void decodeParts(Decoder &d, Type type, bool isPacking) {
  const auto &parts = d.operand(isPacking ? 1 : 0).parts;
  Type part = {'b', unsigned(type.bits / parts.size())};
  if (part.bits == 16 && type.bits == 32) {
    d.in.run =
        isPacking ? runPack<uint16_t, uint32_t> : runUnpack<uint16_t, uint32_t>;
  } else if (part.bits == 32 && type.bits == 64) {
    d.in.run =
        isPacking ? runPack<uint32_t, uint64_t> : runUnpack<uint32_t, uint64_t>;
  } else if (part.bits == 16 && type.bits == 64) {
    d.in.run =
        isPacking ? runPack<uint16_t, uint64_t> : runUnpack<uint16_t, uint64_t>;
  } else {
    return;
  }
  std::vector<Slot> slots;
  for (const OperandSyntax &operand : parts) {
    slots.push_back(isPacking ? d.source(operand, part)
                              : d.destination(operand, part));
  }
  d.keep(std::move(slots));
  isPacking ? d.in.to = d.to(type) : d.in.a = d.from(1, type);
}

void decodeMove(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(2);
  for (unsigned i : {0u, 1u}) {
    if (d.operand(i).kind == OperandSyntax::List) {
      decodeParts(d, {'b', type.bits}, i == 1);
      return;
    }
  }
  Type bits = {'b', type.bits};
  d.in.run = type.kind == 'p'
                 ? runMove<int32_t>
                 : pick<uint16_t, uint32_t, uint64_t>(
                       bits, [](auto t) { return Run(runMove<decltype(t)>); });
  d.in.to = d.to(type);
  d.in.a = d.from(1, type);
}

/// Addresses of global memory are those of memory of any kind.
void decodeGenericAddress(Decoder &d) {
  d.take("to");
  if (!d.take("global")) {
    d.fail("only addresses of global memory are generic ones");
  }
  decodeMove(d);
}

/// `offset` is the parameter's; values are of `mode` bytes, one after the
/// other.
template <class T>
bool runParameter(Warp &warp, const Instruction &in) {
  const std::byte *from = warp.block->parameters + in.offset;
  for (unsigned i = 0; i < in.mode; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof value, sizeof value);
    warp.set<T>(in.more[i], splat(value));
  }
  return true;
}

} // namespace

void umber::softcuda::decodeParameter(Decoder &d) {
  unsigned count = std::max(d.takeCount("v"), 1u);
  Type type = d.takeType();
  d.expectOperands(2);
  const OperandSyntax &to = d.operand(0);
  std::vector<Slot> slots;
  if (to.kind == OperandSyntax::List) {
    for (const OperandSyntax &part : to.parts) {
      slots.push_back(d.destination(part, type));
    }
  } else {
    slots.push_back(d.destination(to, type));
  }
  if (slots.size() != count) {
    d.fail("expected a register for each value");
  }
  d.keep(std::move(slots));
  d.in.mode = uint8_t(count);
  d.in.offset = d.parameter(d.operand(1), count * type.bytes());
  d.in.run = pick<uint16_t, uint32_t, uint64_t>(
      {'b', type.bits}, [](auto t) { return Run(runParameter<decltype(t)>); });
}

void umber::softcuda::addMoveOpcodes(OpcodeTable &table) {
  table["mov"] = decodeMove;
  table["cvta"] = decodeGenericAddress;
}
