// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/ModelBody.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

ModelBody::ModelBody(ModuleOp module) {
  llvm::StringSet<> products, lookedUp, correct;
  module.walk([&](Operation *op) {
    if (auto linear = dyn_cast<LinearOp>(op)) {
      products.insert(linear.getWeight());
    } else if (auto embed = dyn_cast<EmbedOp>(op)) {
      lookedUp.insert(embed.getTable());
    } else if (auto param = dyn_cast<ParamOp>(op)) {
      if (auto recover = param.getRecoverAttr()) {
        correct.insert(recover.getA().getValue());
        correct.insert(recover.getB().getValue());
      }
    }
  });
  auto model = module->getAttrOfType<ModelAttr>(kModelAttrName);
  for (auto param : module.getOps<ParamOp>()) {
    StringRef name = param.getSymName();
    RankedTensorType type = param.getTensorType();
    bool isHead = model && products.contains(name) &&
                  type.getDimSize(0) == model.getVocab();
    if (correct.contains(name)) {
      corrections.push_back(param);
    } else if (lookedUp.contains(name) || isHead) {
      embeddings.push_back(param);
    } else if (products.contains(name)) {
      body.push_back(param);
      weights += param->hasAttr(kAddedAttrName) ? 0 : type.getNumElements();
    }
  }
}

} // namespace umber
