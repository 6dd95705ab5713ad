// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-interp/Load.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/Import.h"
#include "mlir/Parser/Parser.h"
#include "tools/common/FirstError.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace umber::interp {

static llvm::Expected<OwningOpRef<ModuleOp>>
readStandardInput(MLIRContext *context) {
  constexpr llvm::StringLiteral kName = "<stdin>";
  auto buffer = llvm::MemoryBuffer::getSTDIN();
  if (!buffer) {
    return llvm::createFileError(kName, buffer.getError());
  }
  FirstError error(context, kName);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  auto module = parseSourceFile<ModuleOp>(sources, context);
  if (!module) {
    return llvm::createStringError(error.getText());
  }
  return module;
}

llvm::Expected<OwningOpRef<ModuleOp>> loadModule(llvm::StringRef path,
                                                 MLIRContext *context) {
  return path == "-" ? readStandardInput(context)
                     : ::umber::importModel(context, path);
}

llvm::Expected<std::unique_ptr<ParameterStore>>
openParameters(ModuleOp module, llvm::StringRef path) {
  return path.empty() ? openParameterStore(module) : openParameterFile(path);
}

} // namespace umber::interp
