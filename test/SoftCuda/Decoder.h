// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a kernel's text to instructions.

#ifndef UMBER_TEST_SOFTCUDA_DECODER_H
#define UMBER_TEST_SOFTCUDA_DECODER_H

#include "test/SoftCuda/Program.h"
#include "test/SoftCuda/Syntax.h"

#include <map>
#include <unordered_map>

namespace umber::softcuda {

/// b32, u32, s32, f32, bf16 (kind 'h'), f16x2 and bf16x2 ('x' and 'y'), pred
/// ('p' of no bits).
struct Type {
  char kind = 0;
  unsigned bits = 0;
  unsigned bytes() const { return bits / 8; }
  bool isFloat() const { return kind == 'f' || kind == 'h'; }
};

/// Whether T computes what the type wants: unsigned ones also where signs make
/// no difference.
template <class T>
bool isOf(Type type) {
  if (type.bits != 8 * sizeof(T)) {
    return false;
  }
  if constexpr (!std::is_integral_v<T>) {
    return type.kind == 'f';
  } else if constexpr (std::is_signed_v<T>) {
    return type.kind == 's';
  } else {
    return type.kind == 'b' || type.kind == 'u' || type.kind == 's';
  }
}

/// The function that `choose` has for the first of these types that is of
/// `type`; null if none is.
template <class... Types, class Choose>
Run pick(Type type, Choose choose) {
  Run run = nullptr;
  ((run = !run && isOf<Types>(type) ? choose(Types()) : run), ...);
  return run;
}

/// Where variables are.
struct ModuleScope {
  std::map<std::string, uint64_t> globals;    ///< addresses
  std::vector<const VariableSyntax *> shared; ///< of the module
};

/// Decodes a kernel's statements in turn. An opcode's function takes the
/// modifiers and operands of the current one and fills `in`; what it does not
/// take is an error.
class Decoder {
public:
  Decoder(const KernelSyntax &syntax, const ModuleScope &scope);
  Kernel decode();

  /// Whether the opcode has the modifier, which is then taken.
  bool take(const char *modifier);
  /// The next of the opcode's types.
  Type takeType();
  /// A number from 1 that a modifier tells after a prefix: 4 of "v4"; 0: none.
  unsigned takeCount(const char *prefix);

  size_t operands() const { return statement->operands.size(); }
  void expectOperands(size_t count);
  const OperandSyntax &operand(size_t index) const {
    return statement->operands[index];
  }
  /// A register of the type's size; with `isWideAllowed` or of a greater one.
  Slot destination(const OperandSyntax &operand, Type type,
                   bool isWideAllowed = false);
  /// A register or a constant.
  Slot source(const OperandSyntax &operand, Type type,
              bool isWideAllowed = false);
  Slot to(Type type) { return destination(operand(0), type); }
  Slot from(size_t index, Type type) { return source(operand(index), type); }
  /// A number that the text gives.
  uint64_t immediate(size_t index);
  /// Bytes of a register, 0 of a number or a symbol.
  unsigned registerBytes(const OperandSyntax &operand) const;
  /// A constant in all lanes.
  Slot constant(uint64_t bits, unsigned bytes);
  /// A register of the kernel's own that no name is for.
  Slot scratch(unsigned bytes);
  /// Sets the address `in` accesses: `in.a`, `in.offset`.
  void address(const OperandSyntax &operand);
  /// A parameter's offset, after the check that `bytes` from there are in it.
  uint32_t parameter(const OperandSyntax &operand, unsigned bytes);
  /// Keeps what `in.more` is to point to.
  void keep(std::vector<Slot> slots);
  /// Numbers an access to global memory.
  void addSite(bool isStore, bool isReadOnly);
  void noteSharedAccess(unsigned bytes);
  /// Where a label's statement is in the code; filled in at the end.
  uint32_t label(const std::string &name) const;

  [[noreturn]] void fail(const std::string &what) const;

  Instruction in;
  bool isGuardOwn = false; ///< the opcode's function has seen to the guard
  Slot guardSlot();
  bool hasGuard() const { return !statement->guard.empty(); }
  bool isGuardNegated() const { return statement->isGuardNegated; }

private:
  struct Register {
    unsigned bytes;
    bool isPlaced;
    Slot slot;
  };
  Register &find(const std::string &name);
  Slot place(unsigned bytes);
  void layOut(const VariableSyntax &variable);
  void decodeStatement();

  const KernelSyntax &syntax;
  const ModuleScope &scope;
  const StatementSyntax *statement = nullptr;
  std::vector<std::string> modifiers;
  Kernel kernel;
  std::unordered_map<std::string, Register> registers;
  std::unordered_map<std::string, uint64_t> shared;
  std::unordered_map<std::string, uint32_t> labels; ///< to statements
  std::map<std::pair<uint64_t, unsigned>, Slot> constants;
  std::vector<std::pair<uint32_t, size_t>> moreOf; ///< instruction, slots
};

using OpcodeTable = std::unordered_map<std::string, void (*)(Decoder &)>;

// Opcodes by their names without modifiers; those of floating-point types with
// ".f" behind, where they differ.
void addIntegerOpcodes(OpcodeTable &table);
void addBitOpcodes(OpcodeTable &table);
void addFloatOpcodes(OpcodeTable &table);
void addCompareOpcodes(OpcodeTable &table);
void addConvertOpcodes(OpcodeTable &table);
void addMoveOpcodes(OpcodeTable &table);
void addMemoryOpcodes(OpcodeTable &table);
void addControlOpcodes(OpcodeTable &table);
void addWarpOpcodes(OpcodeTable &table);
void addMatrixOpcodes(OpcodeTable &table);

/// Of ld.param, of which the opcode's table has no own name.
void decodeParameter(Decoder &d);

/// For each statement that a branch is: where the lanes meet again that it
/// parts, its immediate post-dominator; the number of statements where they
/// only meet at their end. Others have 0. `targets` has for each statement
/// where it jumps to, -1: it does not, or -2: it ends threads.
std::vector<uint32_t> findMeetings(const std::vector<int64_t> &targets,
                                   const std::vector<bool> &isConditional);

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_DECODER_H
