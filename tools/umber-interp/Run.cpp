// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-interp/Run.h"
#include "dialects/Umber/Interpreter/Session.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "tools/umber-interp/Npy.h"
#include "tools/umber-interp/Print.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using mlir::umber::AdaptersType;
using mlir::umber::KVCacheType;

namespace umber::interp {

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// Empty state for each argument; none if one is not state.
static std::optional<SmallVector<Value>>
emptyArguments(FunctionOpInterface function) {
  SmallVector<Value> arguments;
  for (Type type : function.getArgumentTypes()) {
    if (auto cache = dyn_cast<KVCacheType>(type)) {
      arguments.push_back(KVCache::create(cache));
    } else if (isa<AdaptersType>(type)) {
      arguments.push_back(AdaptersRef(std::make_shared<Adapters>()));
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

LogicalResult runFunctions(Interpreter &interpreter, ModuleOp module,
                           llvm::raw_ostream &os) {
  SmallVector<FunctionOpInterface> functions;
  if (auto main = module.lookupSymbol<FunctionOpInterface>("main")) {
    functions.push_back(main);
  } else {
    for (auto function : module.getOps<FunctionOpInterface>()) {
      if (function.isPublic()) {
        functions.push_back(function);
      }
    }
  }
  if (functions.empty()) {
    return module.emitError("expected a public function, found none");
  }
  for (FunctionOpInterface function : functions) {
    auto arguments = emptyArguments(function);
    if (!arguments) {
      return function.emitOpError("expected no arguments but !umber.kv_cache "
                                  "and !umber.adapters, found (")
             << function.getArgumentTypes() << "); --prompt-ids runs a model";
    }
    auto results = interpreter.call(function.getName(), *arguments);
    if (failed(results)) {
      return failure();
    }
    for (const Value &result : *results) {
      printValue(os, result);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Generation
//===----------------------------------------------------------------------===//

static LogicalResult reportError(ModuleOp module, llvm::Error error) {
  if (!error) {
    return success();
  }
  return emitError(UnknownLoc::get(module.getContext()))
         << llvm::toString(std::move(error));
}

static void printGenerated(const GenerationOptions &options,
                           ArrayRef<GreedyToken> tokens,
                           llvm::raw_ostream &os) {
  if (!options.json) {
    llvm::interleave(
        tokens, os, [&](const GreedyToken &token) { os << token.id; }, ",");
    os << '\n';
    return;
  }
  llvm::json::OStream json(os);
  json.object([&] {
    json.attributeArray("prompt_ids", [&] {
      for (int32_t id : options.promptIds) {
        json.value(id);
      }
    });
    json.attributeArray("ids", [&] {
      for (const GreedyToken &token : tokens) {
        json.value(token.id);
      }
    });
    json.attributeArray("margins", [&] {
      for (const GreedyToken &token : tokens) {
        json.value(token.margin);
      }
    });
  });
  os << '\n';
}

LogicalResult generate(Interpreter &interpreter, ModuleOp module,
                       const GenerationOptions &options,
                       llvm::raw_ostream &os) {
  auto session = Session::create(interpreter, module);
  if (failed(session)) {
    return failure();
  }
  if (options.adapters && failed(session->setAdapters(options.adapters))) {
    return failure();
  }
  auto logits = session->prefill(options.promptIds, options.chunk);
  if (failed(logits)) {
    return failure();
  }
  if (!options.logitsFile.empty() &&
      failed(reportError(
          module, writeRawFloats(options.logitsFile, logits->getFloats())))) {
    return failure();
  }
  SmallVector<GreedyToken> tokens;
  while (int64_t(tokens.size()) < options.count) {
    if (!tokens.empty()) {
      logits = session->step(tokens.back().id, /*outputs=*/1);
      if (failed(logits)) {
        return failure();
      }
    }
    auto token = chooseGreedily(logits->getFloats(), module.getLoc());
    if (failed(token)) {
      return failure();
    }
    tokens.push_back(*token);
  }
  printGenerated(options, tokens, os);
  return success();
}

//===----------------------------------------------------------------------===//
// Probes
//===----------------------------------------------------------------------===//

/// A name for files, of letters, digits and `.-_`.
static std::string probeName(OpResult result) {
  Operation *op = result.getOwner();
  std::string name = op->getName().getStringRef().str();
  op->getLoc()->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  for (char &c : name) {
    if (!llvm::isAlnum(c) && c != '.' && c != '-') {
      c = '_';
    }
  }
  return name.substr(0, 200);
}

LogicalResult writeProbes(Interpreter &interpreter, ModuleOp module,
                          std::string directory) {
  if (std::error_code error = llvm::sys::fs::create_directories(directory)) {
    return reportError(module, llvm::createFileError(directory, error));
  }
  int64_t call = -1;
  interpreter.setProbe([directory, call](int64_t number, OpResult result,
                                         const Tensor &value) mutable {
    call += number == 0;
    std::string name;
    llvm::raw_string_ostream(name)
        << llvm::format("%04lld-%05lld-", (long long)call, (long long)number)
        << probeName(result) << ".npy";
    llvm::SmallString<128> path(directory);
    llvm::sys::path::append(path, name);
    if (llvm::Error error = writeNpy(path, value)) {
      return LogicalResult(emitError(result.getLoc())
                           << llvm::toString(std::move(error)));
    }
    return success();
  });
  return success();
}

} // namespace umber::interp
