// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/EnginePrograms.h"
#include "runtime/drivers/npu/isa/Assembly.h"
#include "tools/common/WriteFile.h"

using namespace llvm;

namespace umber::compile {

Error writePrograms(const npu::CompiledModel &compiled, StringRef path) {
  return writeFile(path, [&](raw_ostream &os) {
    for (const npu::CompiledFunction &function : compiled.functions) {
      os << "; " << function.name << ": " << function.emitted.rows
         << " rows, scratchpad " << function.emitted.built.scratchpadBytes
         << " bytes, at least " << function.emitted.built.liveBytes << '\n'
         << npu::disassemble(function.emitted.built.program);
    }
  });
}

} // namespace umber::compile
