// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Register/RegisterDialects.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "tools/umber-compile/Compiler.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>

static int report(llvm::Error error) {
  llvm::errs() << "umber-compile: error: " << toString(std::move(error))
               << "\n";
  return 1;
}

int main(int argc, char **argv) {
  // A file beyond the shell's limit is a failed write, not a crash.
  std::signal(SIGXFSZ, SIG_IGN);
  auto options = umber::compile::parseOptions(argc, argv);
  if (!options) {
    return report(options.takeError());
  }
  mlir::DialectRegistry registry;
  umber::registerDialects(registry);
  registry.insert<mlir::gpu::GPUDialect, mlir::LLVM::LLVMDialect,
                  mlir::memref::MemRefDialect, mlir::NVVM::NVVMDialect,
                  mlir::scf::SCFDialect, mlir::spirv::SPIRVDialect,
                  mlir::vector::VectorDialect>();
  llvm::parallel::strategy = llvm::hardware_concurrency(options->threads);
  mlir::MLIRContext context(registry);
  // Lowering builds ops of these without a pass that would load them.
  context.loadAllAvailableDialects();
  if (llvm::Error error = umber::compile::compile(context, *options)) {
    return report(std::move(error));
  }
  return 0;
}
