// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/NPUTarget.h"

#include "dialects/NPU/Translation/ImportProgram.h"
#include "mlir/IR/Verifier.h"
#include "runtime/drivers/npu/isa/Verifier.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::npu {

static int64_t getMaxTokens(func::FuncOp function) {
  auto tokens = function->getAttrOfType<IntegerAttr>("umber.max_tokens");
  return tokens ? tokens.getInt() : 1;
}

/// The description's name, if it is one that comes with Umber and as it is
/// there: others are not known to whoever reads it in a program.
static StringRef getDeviceName(const Config &config) {
  auto named = loadConfig(config.name);
  bool isSame =
      named.ok() && llvm::equal(named->parameters, config.parameters,
                                [](const auto &x, const auto &y) {
                                  return x.path == y.path && x.value == y.value;
                                });
  return isSame ? StringRef(config.name) : "";
}

/// Makes ops of a model's programs, and its programs of these.
static LogicalResult makeProgramOps(ModuleOp module, const Config &config,
                                    CompiledModel &model) {
  module.getContext()->loadDialect<mlir::npu::NPUDialect>();
  model.programs = ModuleOp::create(module.getLoc(), module.getSymName());
  for (CompiledFunction &compiled : model.functions) {
    auto function = cast<func::FuncOp>(module.lookupSymbol(compiled.name));
    SmallVector<StringRef> names;
    SmallVector<Location> locations;
    for (auto kernel : function.getOps<KernelOp>()) {
      names.push_back(kernel.getSymName());
      locations.push_back(
          NameLoc::get(kernel.getSymNameAttr(), kernel.getLoc()));
    }
    Program &program = compiled.emitted.built.program;
    auto op =
        importProgram(*model.programs, program,
                      {compiled.name, getDeviceName(config), names, locations});
    if (failed(op)) {
      return failure();
    }
    program = op->getProgram();
  }
  return mlir::verify(*model.programs);
}

FailureOr<CompiledModel> compileModel(ModuleOp module, const Config &config,
                                      int64_t adapterRank) {
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  int64_t most = 1;
  for (func::FuncOp function : functions) {
    most = std::max(most, getMaxTokens(function));
  }
  // Tiles of weights are the same for all functions, so all are compiled anew
  // for fewer rows.
  for (;; most = (most + 1) / 2) {
    auto layout = Layout::create(module, config, most, adapterRank);
    if (failed(layout)) {
      return failure();
    }
    CompiledModel model;
    Status status;
    for (func::FuncOp function : functions) {
      int64_t rows = std::min(most, getMaxTokens(function));
      auto emitted = FunctionEmitter(function, config, *layout, rows).run();
      if (failed(emitted)) {
        return failure();
      }
      if (!emitted->ok()) {
        status = emitted->status();
        break;
      }
      Status legal = verify((**emitted).built.program, config);
      if (!legal.ok()) {
        return function.emitError(config.name) << ": " << legal.message();
      }
      model.functions.push_back(
          {function.getSymName().str(), std::move(**emitted)});
    }
    if (status.ok()) {
      model.layout = std::move(*layout);
      if (failed(makeProgramOps(module, config, model))) {
        return failure();
      }
      return model;
    }
    if (status.code() != StatusCode::Unsupported || most == 1) {
      return module.emitError(status.message());
    }
  }
}

} // namespace umber::npu
