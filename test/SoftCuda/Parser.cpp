// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Tokens.h"

#include <algorithm>
#include <cstdlib>

using namespace umber::softcuda;

unsigned umber::softcuda::bytesOfType(unsigned line, const std::string &type) {
  if (type == ".pred") {
    return 0;
  }
  size_t digits = type.find_first_of("0123456789");
  unsigned bits = digits == std::string::npos
                      ? 0
                      : unsigned(std::atoi(type.c_str() + digits));
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64) {
    throw PtxError(line, "unknown type " + type);
  }
  return bits / 8;
}

namespace {

constexpr uint64_t kLargestVariable = uint64_t(1) << 30;
constexpr unsigned kMostRegisters = 1 << 16;

class Parser {
public:
  explicit Parser(const std::string &text) : tokens(text) {}

  ModuleSyntax parseModule();

private:
  KernelSyntax parseKernel();
  VariableSyntax parseVariable(const std::string &space);
  void parseInitial(VariableSyntax &variable, unsigned elementBytes);
  void parseRegisters(KernelSyntax &kernel);
  void parseTarget();
  void parseStatement(KernelSyntax &kernel, std::vector<std::string> &labels);
  OperandSyntax parseOperand();
  void parseSizes(uint32_t (&sizes)[3]);

  Tokens tokens;
  ModuleSyntax module;
};

void Parser::parseTarget() {
  unsigned line = tokens.lineNumber();
  std::string name = tokens.takeName();
  if (name.rfind("sm_", 0) != 0) {
    throw PtxError(line, "expected a target sm_N, found " + name);
  }
  module.architecture = unsigned(std::atoi(name.c_str() + 3));
  while (tokens.skip(",")) {
    tokens.takeName();
  }
}

ModuleSyntax Parser::parseModule() {
  while (!tokens.isEnd()) {
    unsigned line = tokens.lineNumber();
    if (tokens.skip(".version")) {
      std::string version = tokens.word();
      size_t point = version.find('.');
      module.major = unsigned(std::atoi(version.c_str()));
      module.minor = point == std::string::npos
                         ? 0
                         : unsigned(std::atoi(version.c_str() + point + 1));
      tokens.advance();
    } else if (tokens.skip(".target")) {
      parseTarget();
    } else if (tokens.skip(".address_size")) {
      if (tokens.takeNumber() != 64) {
        throw PtxError(line, "expected addresses of 64 bits");
      }
    } else if (tokens.skip(".visible") || tokens.skip(".weak")) {
      continue; // What is visible makes no difference in a single module.
    } else if (tokens.skip(".entry")) {
      module.kernels.push_back(parseKernel());
    } else if (tokens.is(".extern") || tokens.is(".global") ||
               tokens.is(".const") || tokens.is(".shared")) {
      bool isExternal = tokens.skip(".extern");
      VariableSyntax variable = parseVariable(tokens.takeName());
      variable.isExternal = isExternal;
      tokens.expect(";");
      module.variables.push_back(std::move(variable));
    } else {
      throw PtxError(line, "expected a directive, found " + tokens.found());
    }
  }
  if (module.major == 0 || module.architecture == 0) {
    throw PtxError(1, "expected .version and .target");
  }
  return std::move(module);
}

/// What stands after the space: .align 4 .b8 name[16] = {...}.
VariableSyntax Parser::parseVariable(const std::string &space) {
  VariableSyntax variable;
  variable.line = tokens.lineNumber();
  variable.space = space;
  unsigned elementBytes = 0;
  bool hasAlignment = false;
  while (tokens.isName() && tokens.word()[0] == '.') {
    if (tokens.skip(".align")) {
      variable.alignment = tokens.takeNumber();
      hasAlignment = true;
    } else if (tokens.skip(".ptr")) {
      // The alignment and space of what a parameter points to.
      for (const char *pointed : {".global", ".shared", ".const"}) {
        tokens.skip(pointed);
      }
      if (tokens.skip(".align")) {
        tokens.takeNumber();
      }
    } else {
      elementBytes = bytesOfType(variable.line, tokens.takeName());
    }
  }
  variable.name = tokens.takeName();
  uint64_t elements = 1;
  if (tokens.skip("[")) {
    elements = tokens.is("]") ? 0 : tokens.takeNumber();
    tokens.expect("]");
  }
  if (elementBytes == 0 || elements > kLargestVariable) {
    throw PtxError(variable.line, variable.name + ": too large or of no size");
  }
  variable.bytes = elements * elementBytes;
  if (!hasAlignment) {
    variable.alignment = elementBytes;
  }
  uint64_t alignment = variable.alignment;
  if (alignment == 0 || alignment > 256 || (alignment & (alignment - 1)) != 0) {
    throw PtxError(variable.line, variable.name + ": alignment of " +
                                      std::to_string(alignment));
  }
  if (tokens.skip("=")) {
    parseInitial(variable, elementBytes);
  }
  return variable;
}

void Parser::parseInitial(VariableSyntax &variable, unsigned elementBytes) {
  bool isList = tokens.skip("{");
  do {
    uint64_t value = tokens.takeNumber();
    for (unsigned i = 0; i < elementBytes; ++i) {
      variable.initial.push_back(uint8_t(value >> 8 * i));
    }
  } while (isList && tokens.skip(","));
  if (isList) {
    tokens.expect("}");
  }
  if (variable.initial.size() > variable.bytes) {
    throw PtxError(variable.line, variable.name + ": has too many values");
  }
  variable.initial.resize(variable.bytes);
}

void Parser::parseSizes(uint32_t (&sizes)[3]) {
  for (uint32_t &size : sizes) {
    size = 1;
  }
  unsigned i = 0;
  do {
    sizes[std::min(i++, 2u)] = uint32_t(tokens.takeNumber());
  } while (tokens.skip(","));
}

KernelSyntax Parser::parseKernel() {
  KernelSyntax kernel;
  kernel.line = tokens.lineNumber();
  kernel.name = tokens.takeName();
  if (tokens.skip("(")) {
    while (!tokens.skip(")")) {
      tokens.expect(".param");
      kernel.parameters.push_back(parseVariable(".param"));
      tokens.skip(",");
    }
  }
  while (!tokens.is("{")) {
    if (tokens.skip(".maxntid")) {
      parseSizes(kernel.maxThreads);
    } else if (tokens.skip(".reqntid")) {
      parseSizes(kernel.requiredThreads);
    } else if (tokens.skip(".minnctapersm") || tokens.skip(".maxnreg")) {
      tokens
          .takeNumber(); // Of allocating registers, of which there are enough.
    } else {
      throw PtxError(tokens.lineNumber(),
                     "expected a kernel's body, found " + tokens.found());
    }
  }
  std::vector<std::string> labels;
  unsigned depth = 0;
  do {
    if (tokens.skip("{")) {
      ++depth;
    } else if (tokens.skip("}")) {
      --depth;
    } else if (tokens.isEnd()) {
      throw PtxError(kernel.line, kernel.name + ": the body has no end");
    } else {
      parseStatement(kernel, labels);
    }
  } while (depth > 0);
  // Where a body's end is jumped to or reached, threads end.
  StatementSyntax end;
  end.line = tokens.lineNumber();
  end.labels = std::move(labels);
  end.opcode = "ret";
  kernel.statements.push_back(std::move(end));
  return kernel;
}

void Parser::parseRegisters(KernelSyntax &kernel) {
  unsigned line = tokens.lineNumber();
  std::string type = tokens.takeName();
  bytesOfType(line, type);
  do {
    RegisterSyntax made;
    made.type = type;
    made.prefix = tokens.takeName();
    if (tokens.skip("<")) {
      uint64_t count = tokens.takeNumber();
      if (count == 0 || count > kMostRegisters) {
        throw PtxError(line, std::to_string(count) + " registers");
      }
      made.count = unsigned(count);
      tokens.expect(">");
    }
    kernel.registers.push_back(std::move(made));
  } while (tokens.skip(","));
  tokens.expect(";");
}

void Parser::parseStatement(KernelSyntax &kernel,
                            std::vector<std::string> &labels) {
  unsigned line = tokens.lineNumber();
  if (tokens.skip(".reg")) {
    parseRegisters(kernel);
    return;
  }
  if (tokens.skip(".shared")) {
    kernel.variables.push_back(parseVariable(".shared"));
    tokens.expect(";");
    return;
  }
  if (tokens.skip(".pragma")) {
    tokens.advance();
    tokens.expect(";");
    return;
  }
  StatementSyntax statement;
  statement.line = line;
  if (tokens.skip("@")) {
    statement.isGuardNegated = tokens.skip("!");
    statement.guard = tokens.takeName();
  }
  statement.opcode = tokens.takeName();
  if (tokens.skip(":")) {
    labels.push_back(statement.opcode);
    return;
  }
  if (statement.opcode[0] == '.') {
    throw PtxError(line, "unknown directive " + statement.opcode);
  }
  if (!tokens.is(";")) {
    do {
      statement.operands.push_back(parseOperand());
    } while (tokens.skip(","));
  }
  tokens.expect(";");
  statement.labels = std::move(labels);
  labels.clear();
  kernel.statements.push_back(std::move(statement));
}

OperandSyntax Parser::parseOperand() {
  OperandSyntax operand;
  if (tokens.skip("{")) {
    operand.kind = OperandSyntax::List;
    do {
      operand.parts.push_back(parseOperand());
    } while (tokens.skip(","));
    tokens.expect("}");
    return operand;
  }
  if (tokens.skip("[")) {
    operand.kind = OperandSyntax::Address;
    if (tokens.isName()) {
      operand.name = tokens.takeName();
    }
    if (operand.name.empty() || tokens.skip("+") || tokens.is("-")) {
      operand.bits = tokens.takeNumber();
    }
    tokens.expect("]");
    return operand;
  }
  if (tokens.isNumber()) {
    operand.kind = OperandSyntax::Number;
    operand.bits = tokens.takeNumber(&operand.isFloat);
    return operand;
  }
  operand.isNegated = tokens.skip("!");
  operand.name = tokens.takeName();
  if (tokens.skip("|")) {
    OperandSyntax both;
    both.kind = OperandSyntax::List;
    both.parts = {operand, parseOperand()};
    return both;
  }
  return operand;
}

} // namespace

ModuleSyntax umber::softcuda::parse(const std::string &text) {
  return Parser(text).parseModule();
}
