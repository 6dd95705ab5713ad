// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-opt with Umber's dialects and passes, and all of upstream's.

#include "dialects/NPU/Transforms/Passes.h"
#include "dialects/Register/RegisterDialects.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/Pipelines/Pipelines.h"
#include "targets/CPU/Passes.h"
#include "llvm/Support/PrettyStackTrace.h"

int main(int argc, char **argv) {
  llvm::setBugReportMsg("PLEASE submit a bug report to Umber and include the "
                        "crash backtrace.\n");
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  umber::registerDialects(registry);
  umber::registerPasses();
  umber::registerUmberCPUPasses();
  umber::registerUmberNPUPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Umber optimizer driver\n", registry));
}
