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
  for (const auto &[name, width] : *widths) {
    auto bits = width.getAsInteger();
    if (!bits || !isStorageWidth(*bits)) {
      return fail("\"" + StringRef(name) + "\": expected " + kStorageWidths +
                  ", found " +
                  (bits ? Twine(*bits).str() : std::string("no integer")));
    }
    recipe.bits[name] = *bits;
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
  llvm::json::Object widths;
  for (ParamOp param : llvm::concat<ParamOp>(parts.body, parts.embeddings)) {
    widths[param.getSymName()] = getStorageWidth(param.getTensorType());
  }
  return llvm::json::Object{{kVersionKey, kVersion},
                            {"bits", std::move(widths)}};
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
