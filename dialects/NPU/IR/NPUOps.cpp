// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generated op classes, and a program's verifier.

#include "dialects/NPU/IR/NPUOps.h"
#include "mlir/IR/Builders.h"
#include "runtime/drivers/npu/isa/AnyEngine.h"
#include "runtime/drivers/npu/isa/Verifier.h"

using namespace mlir;
using namespace mlir::npu;
namespace isa = ::umber::npu;

#include "dialects/NPU/IR/NPUInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/NPU/IR/NPUOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &state) {
  mlir::Region *body = state.addRegion();
  if (parseInstruction(parser, state, getDefaultInstruction()) ||
      parser.parseRegion(*body)) {
    return failure();
  }
  bool hasEnd = !body->empty() && !body->back().empty() &&
                llvm::isa<EndOp>(body->back().back());
  ensureTerminator(*body, parser.getBuilder(), state.location);
  // Another op that ends a block is refused by its verifier.
  auto end = dyn_cast<EndOp>(body->back().back());
  Attribute id = state.attributes.get("id");
  if (!hasEnd && end && id) {
    end.setIdAttr(cast<IntegerAttr>(id));
  }
  return success();
}

void LoopOp::print(OpAsmPrinter &printer) {
  printInstruction(printer, *this);
  printer << ' ';
  mlir::Operation *end = getBody().front().getTerminator();
  NamedAttrList left;
  if (getIdAttr()) {
    left.append(getIdAttrName(), getIdAttr());
  }
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/end->getAttrDictionary() !=
                          left.getDictionary(getContext()));
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static void append(Block &block, isa::Program &program,
                   SmallVectorImpl<mlir::Operation *> &ops) {
  for (mlir::Operation &op : block) {
    program.push_back(cast<InstructionOpInterface>(op).getInstruction());
    ops.push_back(&op);
    if (auto loop = dyn_cast<LoopOp>(op)) {
      append(loop.getBody().front(), program, ops);
    }
  }
}

isa::Program ProgramOp::getProgram(SmallVectorImpl<mlir::Operation *> *ops) {
  isa::Program program;
  SmallVector<mlir::Operation *> all;
  append(getBody().front(), program, all);
  if (ops) {
    *ops = std::move(all);
  }
  return program;
}

/// All that is in a program, and in its loops, is instructions.
static LogicalResult verifyBody(Block &block) {
  if (block.getNumArguments() != 0) {
    return block.getParentOp()->emitOpError(
               "expected a body without arguments, found ")
           << block.getNumArguments();
  }
  for (mlir::Operation &op : block) {
    if (!llvm::isa<InstructionOpInterface>(op)) {
      return op.emitError("expected instructions alone in a program, found '")
             << op.getName() << "'";
    }
    auto loop = dyn_cast<LoopOp>(op);
    if (loop && failed(verifyBody(loop.getBody().front()))) {
      return failure();
    }
  }
  return success();
}

/// The named description, without limits for one that is only known as a file.
static isa::Config getEngine(std::optional<StringRef> device,
                             const isa::Program &program) {
  if (device && !device->ends_with(".json")) {
    if (auto config = isa::loadConfig(device->str()); config.ok()) {
      return std::move(*config);
    }
  }
  return isa::getAnyEngine(program);
}

LogicalResult ProgramOp::verifyRegions() {
  if (failed(verifyBody(getBody().front()))) {
    return failure();
  }
  SmallVector<mlir::Operation *> ops;
  isa::Program program = getProgram(&ops);
  isa::Finding finding =
      isa::findIllegal(program, getEngine(getDevice(), program));
  if (finding.ok()) {
    return success();
  }
  mlir::Operation *op =
      finding.instruction ? ops[*finding.instruction] : getOperation();
  return op->emitOpError(finding.message);
}
