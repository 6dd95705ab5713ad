// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Code.h"
#include "tools/common/WriteFile.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Parallel.h"

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

static Expected<CodeVariant> buildVariant(mlir::ModuleOp kernels,
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

Expected<std::vector<CodeVariant>>
buildVariants(mlir::ModuleOp kernels,
              ArrayRef<const cpu::InstructionSet *> isas) {
  std::vector<CodeVariant> variants(isas.size());
  std::vector<std::string> failures(isas.size());
  parallelFor(0, isas.size(), [&](size_t i) {
    if (auto variant = buildVariant(kernels, *isas[i])) {
      variants[i] = std::move(*variant);
    } else {
      failures[i] = toString(variant.takeError());
    }
  });
  for (const std::string &failure : failures) {
    if (!failure.empty()) {
      return createStringError(failure);
    }
  }
  return variants;
}

} // namespace umber::compile
