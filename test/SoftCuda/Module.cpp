// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Decoder.h"
#include "test/SoftCuda/Launch.h"
#include "test/SoftCuda/Results.h"
#include "test/SoftCuda/Warp.h"

#include <cstring>

using namespace umber::softcuda;

Module::~Module() {
  for (uint64_t address : variables) {
    memory->free(address);
  }
}

std::unique_ptr<Module> umber::softcuda::loadModule(const std::string &text,
                                                    GlobalMemory &memory) {
  ModuleSyntax syntax = parse(text);
  if (syntax.major > kPtxMajor ||
      (syntax.major == kPtxMajor && syntax.minor > kPtxMinor)) {
    throw Fault(kUnsupportedPtxVersion,
                "PTX of version " + std::to_string(syntax.major) + "." +
                    std::to_string(syntax.minor) + ", newer than " +
                    std::to_string(kPtxMajor) + "." +
                    std::to_string(kPtxMinor));
  }
  if (syntax.architecture > kArchitecture) {
    throw PtxError(1, "for sm_" + std::to_string(syntax.architecture) +
                          ", newer than sm_" + std::to_string(kArchitecture));
  }
  auto module = std::make_unique<Module>();
  module->memory = &memory;
  ModuleScope scope;
  for (const VariableSyntax &variable : syntax.variables) {
    if (variable.space == ".shared") {
      scope.shared.push_back(&variable);
      continue;
    }
    if (variable.isExternal || variable.bytes == 0) {
      throw PtxError(variable.line, variable.name + ": is not in the module");
    }
    uint64_t address = memory.allocate(variable.bytes);
    if (address == 0) {
      throw Fault(kOutOfMemory, variable.name + ": has no room");
    }
    module->variables.push_back(address);
    scope.globals[variable.name] = address;
    // Zeros where the text has no values.
    std::vector<uint8_t> initial = variable.initial;
    initial.resize(variable.bytes);
    std::memcpy(reinterpret_cast<void *>(address), initial.data(),
                initial.size());
  }
  for (const KernelSyntax &kernel : syntax.kernels) {
    module->kernels.push_back(Decoder(kernel, scope).decode());
  }
  return module;
}
