// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel op: syntax, verifier, and the removal of what it does not need.

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::umber;

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &state) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> inputs;
  SMLoc loc = parser.getCurrentLocation();
  auto parseBinding = [&]() -> ParseResult {
    return failure(parser.parseArgument(arguments.emplace_back()) ||
                   parser.parseEqual() ||
                   parser.parseOperand(inputs.emplace_back()) ||
                   parser.parseColonType(arguments.back().type));
  };
  if (parser.parseSymbolName(name, getSymNameAttrName(state.name),
                             state.attributes) ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren,
                                     parseBinding) ||
      parser.parseOptionalArrowTypeList(state.types) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes)) {
    return failure();
  }
  SmallVector<Type> types;
  for (const OpAsmParser::Argument &argument : arguments) {
    types.push_back(argument.type);
  }
  Region *body = state.addRegion();
  if (parser.resolveOperands(inputs, types, loc, state.operands) ||
      parser.parseRegion(*body, arguments)) {
    return failure();
  }
  ensureTerminator(*body, parser.getBuilder(), state.location);
  return success();
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()),
                        printer, [&](auto pair) {
                          auto [argument, input] = pair;
                          printer << argument << " = " << input << " : "
                                  << argument.getType();
                        });
  printer << ")";
  printer.printOptionalArrowTypeList(getResultTypes());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getSymNameAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/getNumResults() > 0);
}

LogicalResult KernelOp::verify() {
  if (getBody().getArgumentTypes() != getInputs().getTypes()) {
    return emitOpError(
               "expected a region argument of each input's type, found ")
           << getBody().getArgumentTypes() << " for " << getInputs().getTypes();
  }
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  if (yield.getValues().getTypes() != getResultTypes()) {
    return emitOpError("expected to yield (")
           << getResultTypes() << "), found (" << yield.getValues().getTypes()
           << ")";
  }
  return success();
}

/// Drops results that nobody uses, inputs that the body does not read, and
/// second copies of an input.
LogicalResult KernelOp::canonicalize(KernelOp op, PatternRewriter &rewriter) {
  Block &body = op.getBody().front();
  llvm::BitVector deadArguments(body.getNumArguments());
  llvm::SmallDenseMap<Value, unsigned> firstUse;
  SmallVector<Value> inputs;
  for (auto [index, input] : llvm::enumerate(op.getInputs())) {
    BlockArgument argument = body.getArgument(index);
    auto [it, isNew] = firstUse.try_emplace(input, index);
    if (!argument.use_empty() && !isNew) {
      rewriter.replaceAllUsesWith(argument, body.getArgument(it->second));
    }
  }
  for (auto [index, input] : llvm::enumerate(op.getInputs())) {
    if (body.getArgument(index).use_empty()) {
      deadArguments.set(index);
    } else {
      inputs.push_back(input);
    }
  }
  SmallVector<Value> yielded, kept;
  auto yield = cast<YieldOp>(body.getTerminator());
  for (auto [result, value] : llvm::zip(op.getResults(), yield.getValues())) {
    if (!result.use_empty()) {
      kept.push_back(result);
      yielded.push_back(value);
    }
  }
  if (deadArguments.none() && kept.size() == op.getNumResults()) {
    return failure();
  }

  rewriter.modifyOpInPlace(yield,
                           [&] { yield.getValuesMutable().assign(yielded); });
  auto replacement =
      KernelOp::create(rewriter, op.getLoc(), ValueRange(kept).getTypes(),
                       op.getSymNameAttr(), inputs);
  rewriter.inlineRegionBefore(op.getBody(), replacement.getBody(),
                              replacement.getBody().end());
  replacement.getBody().front().eraseArguments(deadArguments);
  SmallVector<Value> results(op.getNumResults());
  for (auto [index, value] : llvm::enumerate(kept)) {
    results[cast<OpResult>(value).getResultNumber()] =
        replacement.getResult(index);
  }
  for (auto [result, value] : llvm::zip(op.getResults(), results)) {
    if (value) {
      rewriter.replaceAllUsesWith(result, value);
    }
  }
  rewriter.eraseOp(op);
  return success();
}
