// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Decoder.h"

#include "test/SoftCuda/Warp.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace umber::softcuda;

namespace {

constexpr uint64_t kMostSharedBytes = 48 << 10; // of variables, for any device
constexpr unsigned kSlotAlignment = 32;

const std::unordered_map<std::string, Special> &specials() {
  static const std::unordered_map<std::string, Special> names = {
      {"%tid.x", Special::ThreadX},    {"%tid.y", Special::ThreadY},
      {"%tid.z", Special::ThreadZ},    {"%ntid.x", Special::ThreadsX},
      {"%ntid.y", Special::ThreadsY},  {"%ntid.z", Special::ThreadsZ},
      {"%ctaid.x", Special::BlockX},   {"%ctaid.y", Special::BlockY},
      {"%ctaid.z", Special::BlockZ},   {"%nctaid.x", Special::BlocksX},
      {"%nctaid.y", Special::BlocksY}, {"%nctaid.z", Special::BlocksZ},
      {"%laneid", Special::Lane},      {"%warpid", Special::Warp},
  };
  return names;
}

const OpcodeTable &opcodes() {
  static const OpcodeTable table = [] {
    OpcodeTable made;
    addIntegerOpcodes(made);
    addBitOpcodes(made);
    addFloatOpcodes(made);
    addCompareOpcodes(made);
    addConvertOpcodes(made);
    addMoveOpcodes(made);
    addMemoryOpcodes(made);
    addControlOpcodes(made);
    addWarpOpcodes(made);
    addMatrixOpcodes(made);
    return made;
  }();
  return table;
}

/// Of no kind if the modifier names no type.
Type typeOf(const std::string &name) {
  if (name == "pred") {
    return {'p', 0};
  }
  if (name == "bf16") {
    return {'h', 16};
  }
  if (name == "f16x2" || name == "bf16x2") {
    return {name[0] == 'f' ? 'x' : 'y', 32};
  }
  unsigned bits = unsigned(std::atoi(name.c_str() + !name.empty()));
  bool isKind = !name.empty() && std::strchr("busf", name[0]);
  bool isSize = bits == 8 || bits == 16 || bits == 32 || bits == 64;
  if (!isKind || !isSize || name.size() != (bits < 10 ? 2 : 3)) {
    return {};
  }
  return {name[0], bits};
}

/// Does an instruction for the lanes whose guard is true.
bool runGuarded(Warp &warp, const Instruction &in) {
  uint32_t active = warp.active;
  uint32_t guard = bitsOf(warp.get<int32_t>(in.guard));
  uint32_t lanes = active & (in.isGuardNegated ? ~guard : guard);
  if (lanes == 0) {
    return true;
  }
  warp.setActive(lanes);
  in.guarded(warp, in);
  warp.setActive(active);
  return true;
}

/// Where lanes meet that were apart.
bool runJoin(Warp &warp, const Instruction &in) {
  return warp.join(warp.indexOf(in));
}

} // namespace

Decoder::Decoder(const KernelSyntax &syntax, const ModuleScope &scope)
    : syntax(syntax), scope(scope) {
  kernel.name = syntax.name;
  std::copy_n(syntax.maxThreads, 3, kernel.maxThreads);
  std::copy_n(syntax.requiredThreads, 3, kernel.requiredThreads);
  for (const VariableSyntax &parameter : syntax.parameters) {
    size_t mask = parameter.alignment - 1;
    size_t offset = (kernel.parameterBytes + mask) & ~mask;
    kernel.parameters.push_back({offset, parameter.bytes});
    kernel.parameterBytes = offset + parameter.bytes;
  }
  for (const VariableSyntax &variable : syntax.variables) {
    layOut(variable);
  }
  for (const VariableSyntax *variable : scope.shared) {
    layOut(*variable);
  }
  for (const RegisterSyntax &made : syntax.registers) {
    unsigned bytes = bytesOfType(syntax.line, made.type);
    // Predicates are masks of 32 bits; of 8 bits nothing can be computed.
    Register empty = {bytes == 1 ? 2 : bytes, false, 0};
    if (made.count == 0) {
      registers[made.prefix] = empty;
    }
    for (unsigned i = 0; i < made.count; ++i) {
      registers[made.prefix + std::to_string(i)] = empty;
    }
  }
}

void Decoder::layOut(const VariableSyntax &variable) {
  uint64_t mask = variable.alignment - 1;
  uint64_t begin = (kernel.sharedBytes + mask) & ~mask;
  if (variable.bytes == 0) {
    // Sized by the launch, behind all others.
    kernel.hasDynamicShared = true;
    begin = (begin + 15) & ~uint64_t(15);
  }
  shared[variable.name] = begin;
  kernel.sharedBytes = begin + variable.bytes;
  if (kernel.sharedBytes > kMostSharedBytes) {
    throw PtxError(variable.line, syntax.name + ": " +
                                      std::to_string(kernel.sharedBytes) +
                                      " bytes of shared memory, of " +
                                      std::to_string(kMostSharedBytes));
  }
}

void Decoder::fail(const std::string &what) const {
  throw PtxError(statement ? statement->line : syntax.line,
                 syntax.name + ": " + what +
                     (statement ? " in " + statement->opcode : ""));
}

Decoder::Register &Decoder::find(const std::string &name) {
  auto found = registers.find(name);
  if (found != registers.end()) {
    return found->second;
  }
  auto special = specials().find(name);
  if (special == specials().end()) {
    fail("unknown register " + name);
  }
  Slot slot = place(4);
  kernel.specials.push_back({special->second, slot});
  return registers[name] = {4, true, slot};
}

Slot Decoder::place(unsigned bytes) {
  Slot slot = Slot(kernel.registerBytes);
  kernel.registerBytes += kLanes * std::max(bytes == 0 ? 4 : bytes, 2u);
  static_assert(kLanes * 2 % kSlotAlignment == 0);
  return slot;
}

Slot Decoder::scratch(unsigned bytes) { return place(bytes); }

bool Decoder::take(const char *modifier) {
  auto found = std::find(modifiers.begin(), modifiers.end(), modifier);
  if (found == modifiers.end()) {
    return false;
  }
  modifiers.erase(found);
  return true;
}

Type Decoder::takeType() {
  for (auto i = modifiers.begin(); i != modifiers.end(); ++i) {
    if (Type type = typeOf(*i); type.kind != 0) {
      modifiers.erase(i);
      return type;
    }
  }
  fail("expected a type");
}

unsigned Decoder::takeCount(const char *prefix) {
  size_t length = std::strlen(prefix);
  for (auto i = modifiers.begin(); i != modifiers.end(); ++i) {
    if (i->size() == length + 1 && i->compare(0, length, prefix) == 0 &&
        (*i)[length] >= '1' && (*i)[length] <= '9') {
      unsigned count = unsigned((*i)[length] - '0');
      modifiers.erase(i);
      return count;
    }
  }
  return 0;
}

void Decoder::expectOperands(size_t count) {
  if (operands() != count) {
    fail("expected " + std::to_string(count) + " operands, found " +
         std::to_string(operands()));
  }
}

unsigned Decoder::registerBytes(const OperandSyntax &operand) const {
  auto found = registers.find(operand.name);
  return operand.kind == OperandSyntax::Name && found != registers.end()
             ? found->second.bytes
             : 0;
}

Slot Decoder::destination(const OperandSyntax &operand, Type type,
                          bool isWideAllowed) {
  if (operand.kind != OperandSyntax::Name || operand.isNegated) {
    fail("expected a register for a result");
  }
  if (operand.name == "_") {
    return scratch(std::max(type.bytes(), 2u));
  }
  auto found = registers.find(operand.name);
  if (found == registers.end()) {
    fail("unknown register " + operand.name);
  }
  Register &made = found->second;
  if (made.bytes != type.bytes() &&
      !(isWideAllowed && made.bytes > type.bytes() && type.bytes() > 0)) {
    fail(operand.name + " is of " + std::to_string(8 * made.bytes) +
         " bits, expected " + std::to_string(type.bits));
  }
  if (!made.isPlaced) {
    made.isPlaced = true;
    made.slot = place(made.bytes);
  }
  return made.slot;
}

Slot Decoder::source(const OperandSyntax &operand, Type type,
                     bool isWideAllowed) {
  if (operand.kind == OperandSyntax::Number) {
    if (operand.isFloat && type.bits < 32) {
      fail("a number of more bits than its type");
    }
    uint64_t bits = operand.bits;
    if (type.kind == 'p') {
      return constant(bits ? uint64_t(-1) : 0, 4);
    }
    return constant(bits, std::max(type.bytes(), 2u));
  }
  if (operand.kind != OperandSyntax::Name || operand.isNegated) {
    fail("expected a register or a number");
  }
  if (auto found = shared.find(operand.name); found != shared.end()) {
    return constant(found->second, type.bytes());
  }
  if (auto found = scope.globals.find(operand.name);
      found != scope.globals.end()) {
    return constant(found->second, type.bytes());
  }
  Register &made = find(operand.name);
  if (made.bytes != type.bytes() &&
      !(isWideAllowed && made.bytes > type.bytes() && type.bytes() > 0)) {
    fail(operand.name + " is of " + std::to_string(8 * made.bytes) +
         " bits, expected " + std::to_string(type.bits));
  }
  if (!made.isPlaced) {
    made.isPlaced = true;
    made.slot = place(made.bytes);
  }
  return made.slot;
}

uint64_t Decoder::immediate(size_t index) {
  if (index >= operands() || operand(index).kind != OperandSyntax::Number) {
    fail("expected a number as operand " + std::to_string(index));
  }
  return operand(index).bits;
}

Slot Decoder::constant(uint64_t bits, unsigned bytes) {
  if (bytes < 8) {
    bits &= (uint64_t(1) << 8 * bytes) - 1;
  }
  auto [place, isNew] = constants.try_emplace({bits, bytes}, 0);
  if (isNew) {
    size_t begin = kernel.constants.size();
    kernel.constants.resize(begin + kLanes * bytes);
    for (unsigned i = 0; i < kLanes; ++i) {
      std::memcpy(kernel.constants.data() + begin + i * bytes, &bits, bytes);
    }
    place->second = Slot(begin) | kConstantSlot;
  }
  return place->second;
}

void Decoder::address(const OperandSyntax &operand) {
  if (operand.kind != OperandSyntax::Address) {
    fail("expected an address");
  }
  in.offset = int64_t(operand.bits);
  OperandSyntax base;
  base.name = operand.name;
  if (operand.name.empty()) {
    base.kind = OperandSyntax::Number;
  }
  in.isAddressNarrow = registerBytes(base) == 4;
  in.a = source(base, {'b', in.isAddressNarrow ? 32u : 64u});
}

uint32_t Decoder::parameter(const OperandSyntax &operand, unsigned bytes) {
  for (size_t i = 0; i < syntax.parameters.size(); ++i) {
    if (operand.kind == OperandSyntax::Address &&
        syntax.parameters[i].name == operand.name) {
      const ParameterPlace &place = kernel.parameters[i];
      if (operand.bits > place.bytes || bytes > place.bytes - operand.bits) {
        fail("beyond the parameter " + operand.name);
      }
      return uint32_t(place.offset + operand.bits);
    }
  }
  fail("expected a parameter");
}

void Decoder::keep(std::vector<Slot> slots) {
  moreOf.push_back({uint32_t(kernel.code.size()), kernel.slots.size()});
  kernel.slots.push_back(std::move(slots));
}

void Decoder::addSite(bool isStore, bool isReadOnly) {
  in.site = uint32_t(kernel.sites.size());
  kernel.sites.push_back({statement->line, isStore, isReadOnly});
}

void Decoder::noteSharedAccess(unsigned bytes) {
  kernel.sharedGranule = std::min(kernel.sharedGranule, bytes);
}

uint32_t Decoder::label(const std::string &name) const {
  auto found = labels.find(name);
  if (found == labels.end()) {
    fail("unknown label " + name);
  }
  return found->second;
}

Slot Decoder::guardSlot() {
  OperandSyntax guard;
  guard.name = statement->guard;
  return source(guard, {'p', 0});
}

void Decoder::decodeStatement() {
  modifiers.clear();
  const std::string &opcode = statement->opcode;
  size_t begin = 0;
  std::string name;
  bool isFloat = false;
  while (begin <= opcode.size()) {
    size_t end = std::min(opcode.find('.', begin), opcode.size());
    std::string part = opcode.substr(begin, end - begin);
    begin == 0 ? (name = part, void()) : modifiers.push_back(part);
    isFloat |= begin > 0 && typeOf(part).isFloat();
    begin = end + 1;
  }
  auto found = opcodes().find(isFloat ? name + ".f" : name);
  if (found == opcodes().end()) {
    found = opcodes().find(name);
  }
  if (found == opcodes().end()) {
    throw PtxError(statement->line, syntax.name + ": unknown opcode " + opcode);
  }
  in = Instruction();
  isGuardOwn = false;
  found->second(*this);
  if (!modifiers.empty()) {
    fail("unknown modifier ." + modifiers.front());
  }
  if (!in.run) {
    fail("unknown type");
  }
  if (hasGuard() && !isGuardOwn) {
    in.guard = guardSlot();
    in.isGuardNegated = isGuardNegated();
    in.guarded = in.run;
    in.run = runGuarded;
  }
  kernel.code.push_back(in);
  kernel.lines.push_back(statement->line);
}

Kernel Decoder::decode() {
  const auto &statements = syntax.statements;
  for (uint32_t i = 0; i < statements.size(); ++i) {
    for (const std::string &name : statements[i].labels) {
      if (!labels.emplace(name, i).second) {
        throw PtxError(statements[i].line, "the label " + name + " is twice");
      }
    }
  }
  // Where control goes, from the statements' opcodes.
  std::vector<int64_t> targets(statements.size(), -1);
  std::vector<bool> isConditional(statements.size(), false);
  for (uint32_t i = 0; i < statements.size(); ++i) {
    statement = &statements[i];
    isConditional[i] = hasGuard();
    if (statement->opcode == "bra" || statement->opcode == "bra.uni") {
      expectOperands(1);
      targets[i] = label(operand(0).name);
    } else if (statement->opcode == "ret" || statement->opcode == "exit") {
      targets[i] = -2;
    }
  }
  std::vector<uint32_t> meetings = findMeetings(targets, isConditional);
  std::vector<bool> isMeeting(statements.size() + 1, false);
  for (size_t i = 0; i < meetings.size(); ++i) {
    isMeeting[meetings[i]] = isMeeting[meetings[i]] || targets[i] >= 0;
  }
  std::vector<uint32_t> begins;
  for (uint32_t i = 0; i < statements.size(); ++i) {
    statement = &statements[i];
    begins.push_back(uint32_t(kernel.code.size()));
    if (isMeeting[i]) {
      Instruction join;
      join.run = runJoin;
      kernel.code.push_back(join);
      kernel.lines.push_back(statement->line);
    }
    decodeStatement();
    kernel.code.back().reconvergence = meetings[i];
  }
  begins.push_back(uint32_t(kernel.code.size()));
  // From statements to the code.
  for (Instruction &made : kernel.code) {
    made.target = begins[made.target];
    made.reconvergence = begins[made.reconvergence];
  }
  for (auto [index, slots] : moreOf) {
    kernel.code[index].more = kernel.slots[slots].data();
  }
  return std::move(kernel);
}
