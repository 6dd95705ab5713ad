// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A PTX module as text has it: names and statements, nothing of them resolved.

#ifndef UMBER_TEST_SOFTCUDA_SYNTAX_H
#define UMBER_TEST_SOFTCUDA_SYNTAX_H

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace umber::softcuda {

/// PTX that is wrong or has what this device does not: the line and why.
class PtxError : public std::runtime_error {
public:
  PtxError(unsigned line, const std::string &what)
      : std::runtime_error("line " + std::to_string(line) + ": " + what) {}
};

struct OperandSyntax {
  enum Kind {
    Name,    ///< a register, a variable, a label or "_"; `name`
    Number,  ///< `bits`, sign-extended where written with a sign
    Address, ///< [name + bits] or [bits]
    List     ///< {parts}, or a|b: two results
  };
  Kind kind = Name;
  std::string name;
  uint64_t bits = 0;
  bool isFloat = false;   ///< a number that was written 0f or 0d
  bool isNegated = false; ///< !name
  std::vector<OperandSyntax> parts;
};

struct StatementSyntax {
  unsigned line = 0;
  std::vector<std::string> labels; ///< that stand before it
  std::string guard;               ///< a predicate's name, or empty
  bool isGuardNegated = false;
  std::string opcode; ///< with its modifiers: "ld.global.v4.b32"
  std::vector<OperandSyntax> operands;
};

/// .reg .b32 %r<9>: %r0 to %r8; a single one has `count` 0.
struct RegisterSyntax {
  std::string type, prefix;
  unsigned count = 0;
};

/// A variable of .shared, .global or .const, or a parameter.
struct VariableSyntax {
  unsigned line = 0;
  std::string space, name;
  uint64_t alignment = 1, bytes = 0; ///< 0 bytes: name[], sized by the launch
  bool isExternal = false;
  std::vector<uint8_t> initial;
};

struct KernelSyntax {
  unsigned line = 0;
  std::string name;
  std::vector<VariableSyntax> parameters, variables;
  std::vector<RegisterSyntax> registers;
  std::vector<StatementSyntax> statements;
  uint32_t maxThreads[3] = {0, 0, 0}; ///< .maxntid, 0: not told
  uint32_t requiredThreads[3] = {0, 0, 0};
};

struct ModuleSyntax {
  unsigned major = 0, minor = 0; ///< .version
  unsigned architecture = 0;     ///< 80 of sm_80
  std::vector<VariableSyntax> variables;
  std::vector<KernelSyntax> kernels;
};

/// Throws PtxError.
ModuleSyntax parse(const std::string &text);

/// Bytes of a value of type ".b32" and the like, 0 of a predicate.
unsigned bytesOfType(unsigned line, const std::string &type);

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_SYNTAX_H
