// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/EnginePrograms.h"
#include "runtime/drivers/npu/isa/Assembly.h"
#include "runtime/drivers/npu/sim/ProgramFile.h"
#include "tools/common/WriteFile.h"

using namespace llvm;

namespace umber::compile {

Error writePrograms(mlir::ModuleOp module, const npu::CompiledModel &compiled,
                    const npu::Config &engine, Emit emit, StringRef path) {
  if (emit == Emit::EngineAssembly) {
    return writeFile(path, [&](raw_ostream &os) {
      for (const npu::CompiledFunction &function : compiled.functions) {
        os << "; " << function.name << ": " << function.emitted.rows
           << " rows, scratchpad " << function.emitted.built.scratchpadBytes
           << " bytes, at least " << function.emitted.built.liveBytes << '\n'
           << npu::disassemble(function.emitted.built.program);
      }
    });
  }
  npu::ProgramFile file;
  file.model = module.getSymName().value_or("").str();
  file.device = engine.name;
  auto model = module->getAttrOfType<mlir::umber::ModelAttr>(
      mlir::umber::kModelAttrName);
  file.contextLength = model ? model.getContextLength() : 1;
  file.weightBytes = compiled.weightBytes;
  file.tableBytes = compiled.tableBytes;
  file.adapterRank = compiled.adapterRank;
  file.adapterBytes = compiled.adapterBytes;
  file.adapterScales = compiled.adapterScales;
  file.sites = compiled.sites;
  for (const npu::CompiledFunction &function : compiled.functions) {
    const npu::EmittedFunction &emitted = function.emitted;
    file.steps.push_back({function.name, emitted.rows, emitted.built.program,
                          emitted.kernels, emitted.built.scratchpadBytes,
                          emitted.built.liveBytes, emitted.activationBytes,
                          emitted.ioBytes, emitted.logits});
  }
  auto bytes = npu::writeProgramFile(file);
  if (!bytes.ok()) {
    return createStringError(inconvertibleErrorCode(),
                             bytes.status().message());
  }
  return writeFile(path, [&](raw_ostream &os) {
    os.write(reinterpret_cast<const char *>(bytes->data()), bytes->size());
  });
}

} // namespace umber::compile
