// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/DerivedParameters.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

static LogicalResult fail(ParamOp param, llvm::Error error) {
  return param.emitOpError("cannot be derived: ")
         << llvm::toString(std::move(error));
}

static LogicalResult failWithoutData(ParamOp param) {
  return param.emitOpError("cannot be derived: expected parameters, found a "
                           "model of shapes only");
}

FailureOr<DerivedParameters> DerivedParameters::open(ModuleOp module,
                                                     StringRef folder) {
  if (!module->hasAttr(kParametersAttrName)) {
    return DerivedParameters();
  }
  auto named = module->getAttrOfType<StringAttr>(kDerivedAttrName);
  if (!named && folder.empty()) {
    return module.emitError("expected a folder for derived parameters, as the "
                            "pass's option or the module's attribute '")
           << kDerivedAttrName << "', found none";
  }
  if (!named) {
    named = StringAttr::get(module.getContext(), folder);
    module->setAttr(kDerivedAttrName, named);
  }
  auto source = openParameterStore(module);
  if (!source) {
    return module.emitError(llvm::toString(source.takeError()));
  }
  DerivedParameters parameters;
  parameters.source = std::move(*source);
  parameters.derived = std::make_unique<DerivedStore>(named.getValue());
  return parameters;
}

FailureOr<uint64_t> DerivedParameters::getIdentity(ParamOp param,
                                                   StringRef key) const {
  if (!hasData()) {
    return failWithoutData(param);
  }
  auto identity = source->getIdentity(key);
  if (!identity) {
    return fail(param, identity.takeError());
  }
  return *identity;
}

FailureOr<std::string> DerivedParameters::getKey(ParamOp param,
                                                 StringRef recipe) const {
  auto identity = getIdentity(param);
  if (failed(identity)) {
    return failure();
  }
  uint64_t parts[] = {*identity, llvm::xxh3_64bits(recipe)};
  llvm::ArrayRef bytes(reinterpret_cast<const uint8_t *>(parts), sizeof parts);
  return (param.getSymName() + "." + llvm::utohexstr(llvm::xxh3_64bits(bytes)))
      .str();
}

FailureOr<std::vector<float>> DerivedParameters::read(ParamOp param,
                                                      StringRef key) const {
  if (!hasData()) {
    return failWithoutData(param);
  }
  RankedTensorType type = param.getTensorType();
  auto shape = source->getShape(key);
  if (!shape) {
    return fail(param, shape.takeError());
  }
  if (*shape != type.getShape()) {
    return param.emitOpError("expected its source to have its shape, found (")
           << *shape << ")";
  }
  std::vector<float> elements(type.getNumElements());
  if (llvm::Error error = source->readRows(key, 0, elements)) {
    return fail(param, std::move(error));
  }
  int64_t columns = type.getShape().back();
  for (auto [i, element] : llvm::enumerate(elements)) {
    if (!std::isfinite(element)) {
      return param.emitOpError("expected finite weights, found ")
             << (std::isnan(element) ? "a NaN" : "an infinity") << " at ("
             << int64_t(i) / columns << ", " << int64_t(i) % columns << ")";
    }
  }
  return elements;
}

FailureOr<bool> DerivedParameters::isUnit(ParamOp param) const {
  if (!hasData()) {
    return param->hasAttr(kAddedAttrName);
  }
  auto elements = read(param);
  if (failed(elements)) {
    return failure();
  }
  return llvm::all_of(*elements, [](float e) { return e == 1.0f; });
}

LogicalResult DerivedParameters::derive(ParamOp param, StringRef recipe,
                                        Transform transform) {
  RankedTensorType type = param.getTensorType();
  if (!hasData()) {
    param.setType(RankedTensorType::get(type.getShape(),
                                        Float32Type::get(param.getContext())));
    return success();
  }
  auto key = getKey(param, recipe);
  if (failed(key)) {
    return failure();
  }
  if (!derived->contains(*key)) {
    auto elements = read(param);
    if (failed(elements)) {
      return failure();
    }
    transform(*elements);
    if (llvm::Error error = derived->write(*key, type.getShape(), *elements)) {
      return fail(param, std::move(error));
    }
  }
  param.setSource(*key);
  param.setType(RankedTensorType::get(type.getShape(),
                                      Float32Type::get(param.getContext())));
  return success();
}

ParamOp DerivedParameters::add(ModuleOp module, StringRef name,
                               RankedTensorType type, StringRef key) {
  OpBuilder builder(module.getContext());
  builder.setInsertionPointToStart(module.getBody());
  for (auto param : module.getOps<ParamOp>()) {
    builder.setInsertionPointAfter(param);
  }
  auto param =
      ParamOp::create(builder, module.getLoc(), builder.getStringAttr(name),
                      TypeAttr::get(type),
                      key.empty() ? StringAttr() : builder.getStringAttr(key),
                      ElementsAttr(), LowRankAttr());
  param->setAttr(kAddedAttrName, builder.getUnitAttr());
  // Another parameter may have the name already.
  SymbolTable(module).insert(param);
  return param;
}

FailureOr<ParamOp> DerivedParameters::create(ModuleOp module, StringRef name,
                                             ArrayRef<int64_t> shape,
                                             ArrayRef<float> elements) {
  auto type =
      RankedTensorType::get(shape, Float32Type::get(module.getContext()));
  if (!hasData()) {
    return add(module, name, type, /*key=*/"");
  }
  llvm::ArrayRef bytes(reinterpret_cast<const uint8_t *>(elements.data()),
                       elements.size() * sizeof(float));
  std::string key =
      (name + "." + llvm::utohexstr(llvm::xxh3_64bits(bytes))).str();
  if (!derived->contains(key)) {
    if (llvm::Error error = derived->write(key, shape, elements)) {
      return module.emitError(llvm::toString(std::move(error)));
    }
  }
  return add(module, name, type, key);
}

} // namespace umber
