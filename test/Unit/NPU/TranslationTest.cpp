// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions as ops of the dialect npu, in memory and as text, and back.

#include "dialects/NPU/Translation/ImportProgram.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "test/Unit/NPU/RandomInstruction.h"
#include "test/Unit/NPU/RandomProgram.h"

#include <gtest/gtest.h>

namespace umber::npu {
namespace {

namespace dialect = mlir::npu;

class Translation : public ::testing::Test {
protected:
  Translation() { context.loadDialect<dialect::NPUDialect>(); }

  static std::vector<uint8_t> encodeAll(const Program &program) {
    auto bytes = encode(program);
    EXPECT_TRUE(bytes.ok()) << bytes.status().message();
    return bytes.ok() ? *bytes : std::vector<uint8_t>();
  }

  /// The module's only program, after it was text.
  Program readText(mlir::ModuleOp module, bool verifies) {
    std::string text;
    llvm::raw_string_ostream os(text);
    module->print(os, mlir::OpPrintingFlags().assumeVerified());
    auto read = mlir::parseSourceString<mlir::ModuleOp>(
        text, mlir::ParserConfig(&context, verifies));
    EXPECT_TRUE(read) << text;
    return read ? (*read->getOps<dialect::ProgramOp>().begin()).getProgram()
                : Program();
  }

  mlir::MLIRContext context;
};

TEST_F(Translation, KeepsAllValuesOfAllFields) {
  std::mt19937_64 random(1);
  mlir::Location loc = mlir::UnknownLoc::get(&context);
  for (size_t kind = 0; kind < kOperations; ++kind) {
    for (int round = 0; round < 100; ++round) {
      Program program = {makeRandomInstruction(kind, random)};
      bool isLoop = std::holds_alternative<Loop>(program[0].operation);
      if (std::holds_alternative<EndLoop>(program[0].operation)) {
        continue; // with its loop
      }
      if (isLoop) {
        Instruction end =
            makeRandomInstruction(Operation(EndLoop()).index(), random);
        // Half of them are left out in text.
        if (round % 2 == 0) {
          end = dialect::makeInstruction(EndLoop());
          end.operationId = program[0].operationId;
        }
        program.push_back(end);
      }
      mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(loc);
      mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(module->getBody());
      auto op =
          dialect::ProgramOp::create(builder, loc, builder.getStringAttr("p"),
                                     mlir::StringAttr(), mlir::ArrayAttr());
      builder.setInsertionPointToEnd(&op.getBody().emplaceBlock());
      for (const Instruction &instruction : program) {
        mlir::OperationState state = dialect::makeState(loc, instruction);
        bool hasBody = std::holds_alternative<Loop>(instruction.operation);
        if (hasBody) {
          state.addRegion();
        }
        mlir::Operation *made = builder.create(state);
        if (hasBody) {
          builder.setInsertionPointToEnd(&made->getRegion(0).emplaceBlock());
        }
      }
      ASSERT_EQ(encodeAll(op.getProgram()), encodeAll(program))
          << getName(program[0].operation);
      // Fields at random are rarely legal together.
      ASSERT_EQ(encodeAll(readText(*module, /*verifies=*/false)),
                encodeAll(program))
          << getName(program[0].operation);
    }
  }
}

TEST_F(Translation, KeepsProgramsToTheByte) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Program program = makeRandomProgram(seed, getSmallMachine(seed)).program;
    mlir::OwningOpRef<mlir::ModuleOp> module =
        mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
    ProgramInfo info;
    info.name = "p";
    auto op = importProgram(*module, program, info);
    ASSERT_TRUE(mlir::succeeded(op)) << seed;
    ASSERT_TRUE(mlir::succeeded(mlir::verify(*module))) << seed;
    ASSERT_EQ(encodeAll(op->getProgram()), encodeAll(program)) << seed;
    ASSERT_EQ(encodeAll(readText(*module, /*verifies=*/true)),
              encodeAll(program))
        << seed;
  }
}

template <typename E, unsigned N>
void expectNames(const char *const (&names)[N],
                 std::optional<E> (*get)(uint32_t),
                 llvm::StringRef (*getName)(E)) {
  for (unsigned i = 0; i < N; ++i) {
    ASSERT_TRUE(get(i));
    EXPECT_EQ(getName(*get(i)).str(), names[i]);
  }
  EXPECT_FALSE(get(N));
}

TEST_F(Translation, HasTheInstructionsNames) {
  expectNames(kQueueNames, dialect::symbolizeQueue, dialect::stringifyQueue);
  expectNames(kTypeNames, dialect::symbolizeDataType,
              dialect::stringifyDataType);
  expectNames(kRegionNames, dialect::symbolizeMemoryRegion,
              dialect::stringifyMemoryRegion);
  expectNames(kElementwiseNames, dialect::symbolizeElementFunction,
              dialect::stringifyElementFunction);
  expectNames(kSpreadNames, dialect::symbolizeSpread, dialect::stringifySpread);
  expectNames(kReduceNames, dialect::symbolizeReduction,
              dialect::stringifyReduction);
}

} // namespace
} // namespace umber::npu
