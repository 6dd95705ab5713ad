// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-translate for a neural engine's programs: between their binaries and
// ops of the dialect npu.

#include "dialects/NPU/IR/NPUOps.h"
#include "dialects/NPU/Translation/ImportProgram.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace {

OwningOpRef<Operation *> importBinary(llvm::SourceMgr &sources,
                                      MLIRContext *context) {
  const llvm::MemoryBuffer *buffer =
      sources.getMemoryBuffer(sources.getMainFileID());
  context->loadDialect<mlir::npu::NPUDialect>();
  Location loc =
      FileLineColLoc::get(context, buffer->getBufferIdentifier(), 0, 0);
  StringRef bytes = buffer->getBuffer();
  auto program = umber::npu::decode(
      {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  if (!program.ok()) {
    emitError(loc, program.status().message());
    return {};
  }
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  umber::npu::ProgramInfo info;
  info.name = "program";
  if (failed(umber::npu::importProgram(*module, *program, info))) {
    return {};
  }
  return OwningOpRef<Operation *>(module.release());
}

/// The program of that name, or the only one.
mlir::npu::ProgramOp findProgram(ModuleOp module, StringRef name) {
  auto programs = llvm::to_vector(module.getOps<mlir::npu::ProgramOp>());
  if (name.empty()) {
    if (programs.size() == 1) {
      return programs.front();
    }
    module.emitError("expected one program, or --npu-program, found ")
        << programs.size() << " programs";
    return {};
  }
  for (mlir::npu::ProgramOp program : programs) {
    if (program.getSymName() == name) {
      return program;
    }
  }
  module.emitError("expected a program '") << name << "', found none";
  return {};
}

LogicalResult exportBinary(ModuleOp module, StringRef name,
                           raw_ostream &output) {
  mlir::npu::ProgramOp program = findProgram(module, name);
  if (!program) {
    return failure();
  }
  auto bytes = umber::npu::encode(program.getProgram());
  if (!bytes.ok()) {
    return program.emitOpError(bytes.status().message());
  }
  output.write(reinterpret_cast<const char *>(bytes->data()), bytes->size());
  return success();
}

} // namespace

int main(int argc, char **argv) {
  llvm::cl::opt<std::string> name(
      "npu-program",
      llvm::cl::desc("the program to write; default: the only one"),
      llvm::cl::value_desc("name"));
  TranslateToMLIRRegistration toMLIR(
      "npu-to-mlir", "a neural engine's binary to ops", importBinary);
  TranslateFromMLIRRegistration fromMLIR(
      "mlir-to-npu", "ops of the dialect npu to a neural engine's binary",
      [&](ModuleOp module, raw_ostream &output) {
        return exportBinary(module, name, output);
      },
      [](DialectRegistry &registry) {
        registry.insert<mlir::npu::NPUDialect>();
      });
  return failed(mlirTranslateMain(argc, argv, "Umber translation driver"));
}
