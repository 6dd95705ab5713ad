// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Code.h"
#include "tools/common/WriteFile.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace umber::compile {

Error writeCode(mlir::ModuleOp kernels, const cpu::InstructionSet &isa,
                Emit emit, StringRef path) {
  LLVMContext llvmContext;
  auto code = cpu::translateToLLVMIR(kernels, isa, llvmContext);
  if (!code) {
    return code.takeError();
  }
  if (emit == Emit::LLVM) {
    return writeFile(path,
                     [&](raw_ostream &os) { (*code)->print(os, nullptr); });
  }
  if (emit == Emit::Assembly) {
    auto text = cpu::emitAssembly(**code, isa);
    if (!text) {
      return text.takeError();
    }
    return writeFile(path, [&](raw_ostream &os) { os << *text; });
  }
  auto object = cpu::emitObject(**code, isa);
  if (!object) {
    return object.takeError();
  }
  return writeFile(
      path, [&](raw_ostream &os) { os.write(object->data(), object->size()); });
}

Expected<CodeVariant> buildVariant(mlir::ModuleOp kernels,
                                   const cpu::InstructionSet &isa) {
  LLVMContext llvmContext;
  auto code = cpu::translateToLLVMIR(kernels, isa, llvmContext);
  if (!code) {
    return code.takeError();
  }
  auto object = cpu::emitObject(**code, isa);
  if (!object) {
    return object.takeError();
  }
  auto library = cpu::linkLibrary(*object, isa);
  if (!library) {
    return library.takeError();
  }
  return CodeVariant{isa.name.str(), std::move(*library)};
}

} // namespace umber::compile
