// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-interp/Load.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace umber::interp {

OwningOpRef<ModuleOp> loadModule(llvm::StringRef path, MLIRContext *context) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer) {
    emitError(UnknownLoc::get(context))
        << "cannot read: " << buffer.getError().message();
    return {};
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(sources, context);
}

FailureOr<std::unique_ptr<ParameterStore>>
openParameters(ModuleOp module, llvm::StringRef path) {
  if (auto attribute =
          module->getAttrOfType<StringAttr>(mlir::umber::kParametersAttrName);
      attribute && path.empty()) {
    path = attribute.getValue();
  }
  if (path.empty()) {
    return std::unique_ptr<ParameterStore>();
  }
  auto store = openParameterStore(path);
  if (!store) {
    return emitError(UnknownLoc::get(module.getContext()))
           << "cannot open parameters: " << llvm::toString(store.takeError());
  }
  return std::move(*store);
}

} // namespace umber::interp
