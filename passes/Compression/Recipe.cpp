// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Recipe.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

constexpr llvm::StringLiteral kVersionKey = "umber-recipe";
constexpr int64_t kVersion = 1;

bool isStorageWidth(int64_t bits) {
  return llvm::is_contained({1, 2, 3, 4, 6, 8, 16}, bits);
}

bool isCorrectionRank(int64_t rank) { return rank >= 1 && rank <= 4096; }

/// Reads an object's integers, which `isAllowed`, into `numbers`; returns what
/// is wrong, or nothing.
static std::string readNumbers(const llvm::json::Object &object,
                               function_ref<bool(int64_t)> isAllowed,
                               StringRef expected,
                               llvm::StringMap<int64_t> &numbers) {
  for (const auto &[name, value] : object) {
    auto number = value.getAsInteger();
    if (!number || !isAllowed(*number)) {
      return ("\"" + StringRef(name) + "\": expected " + expected + ", found " +
              (number ? Twine(*number).str() : std::string("no integer")))
          .str();
    }
    numbers[name] = *number;
  }
  return "";
}

llvm::Expected<Recipe> Recipe::read(StringRef path) {
  auto fail = [&](const Twine &message) {
    return llvm::createStringError(path + ": " + message);
  };
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file) {
    return fail(file.getError().message());
  }
  auto value = llvm::json::parse((*file)->getBuffer());
  if (!value) {
    return fail(llvm::toString(value.takeError()));
  }
  llvm::json::Object *root = value->getAsObject();
  auto version = root ? root->getInteger(kVersionKey) : std::nullopt;
  if (!version || *version != kVersion) {
    return fail("expected a recipe, an object with \"" + kVersionKey +
                "\": " + Twine(kVersion));
  }
  llvm::json::Object *widths = root->getObject("bits");
  if (!widths) {
    return fail("expected an object \"bits\" with a width for each matrix");
  }
  Recipe recipe;
  std::string wrong =
      readNumbers(*widths, isStorageWidth, kStorageWidths, recipe.bits);
  if (const llvm::json::Value *recover = root->get("recover");
      recover && wrong.empty()) {
    const llvm::json::Object *ranks = recover->getAsObject();
    if (!ranks) {
      return fail("expected \"recover\" to be an object with ranks");
    }
    wrong =
        readNumbers(*ranks, isCorrectionRank, kCorrectionRanks, recipe.ranks);
  }
  if (!wrong.empty()) {
    return fail(wrong);
  }
  return recipe;
}

int64_t getStorageWidth(RankedTensorType type) {
  if (auto palette = dyn_cast_if_present<PaletteAttr>(type.getEncoding())) {
    return palette.getBits();
  }
  if (auto rows = dyn_cast_if_present<QuantizedAttr>(type.getEncoding())) {
    return rows.getBits();
  }
  return type.getElementTypeBitWidth();
}

llvm::json::Value Recipe::describe(ModuleOp module) {
  ModelBody parts(module);
  SymbolTable symbols(module);
  llvm::json::Object widths, ranks;
  for (ParamOp param : llvm::concat<ParamOp>(parts.body, parts.embeddings)) {
    widths[param.getSymName()] = getStorageWidth(param.getTensorType());
    if (auto recover = param.getRecoverAttr()) {
      auto a = symbols.lookup<ParamOp>(recover.getA().getValue());
      ranks[param.getSymName()] = a.getTensorType().getDimSize(0);
    }
  }
  llvm::json::Object recipe{{kVersionKey, kVersion},
                            {"bits", std::move(widths)}};
  if (!ranks.empty()) {
    recipe["recover"] = std::move(ranks);
  }
  return recipe;
}

FailureOr<int64_t> Recipe::get(ParamOp param) const {
  auto it = bits.find(param.getSymName());
  if (it == bits.end()) {
    return param.emitOpError("expected the recipe to name it, found no width");
  }
  return it->second;
}

LogicalResult Recipe::checkNames(ModuleOp module,
                                 const ModelBody &parts) const {
  llvm::StringMap<int64_t> unknown = bits;
  for (ParamOp param :
       llvm::concat<const ParamOp>(parts.body, parts.embeddings)) {
    if (failed(get(param))) {
      return failure();
    }
    unknown.erase(param.getSymName());
  }
  for (const auto &entry : ranks) {
    if (!bits.contains(entry.first())) {
      unknown[entry.first()] = entry.second;
    }
  }
  if (unknown.empty()) {
    return success();
  }
  std::vector<StringRef> names;
  for (const auto &entry : unknown) {
    names.push_back(entry.first());
  }
  return module.emitError("expected the recipe to name matrices of the model, "
                          "found '")
         << *llvm::min_element(names) << "'";
}

} // namespace umber
