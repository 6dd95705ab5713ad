// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-interp/Adapters.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Adapters/AdapterSites.h"
#include "passes/Adapters/Passes.h"
#include "runtime/adapter/AdapterSpec.h"

using namespace mlir;

namespace umber::interp {

/// Adds an adapter's pairs.
static llvm::Error addPairs(const FittedAdapter &fitted, float scale,
                            const AdapterSites &sites, Type type,
                            Adapters &adapters) {
  for (size_t i = 0; i < fitted.count(); ++i) {
    const AdapterPair &pair = fitted.pair(i);
    std::vector<float> a(pair.rank * pair.inputs), b(pair.outputs * pair.rank);
    fitted.load(i, a.data(), b.data());
    LowRankPair added = {
        Tensor::ofFloats(type, {pair.rank, pair.inputs}, std::move(a)),
        Tensor::ofFloats(type, {pair.outputs, pair.rank}, std::move(b)),
        scale * pair.scale};
    if (llvm::Error error =
            adapters.add(sites.getSymbol(fitted.site(i)), std::move(added))) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Expected<AdaptersRef> loadAdapters(ModuleOp module,
                                         const ParameterStore *store,
                                         llvm::ArrayRef<std::string> specs) {
  AdapterSites::List list = AdapterSites::findAttached(module);
  if (list.empty()) {
    PassManager attach(module.getContext());
    attach.addPass(createAttachAdaptersPass());
    if (failed(attach.run(module))) {
      return llvm::createStringError("adapters cannot be attached");
    }
    list = AdapterSites::findAttached(module);
  }
  auto sites = AdapterSites::create(module, list, store);
  if (!sites) {
    return sites.takeError();
  }
  Type type = Float32Type::get(module.getContext());
  auto adapters = std::make_shared<Adapters>();
  for (const std::string &text : specs) {
    auto spec = AdapterSpec::parse(text);
    if (!spec.ok()) {
      return llvm::createStringError("--lora: " + spec.status().message());
    }
    auto fitted = sites->open(spec->path);
    if (!fitted) {
      return fitted.takeError();
    }
    if (llvm::Error error =
            addPairs(*fitted, spec->scale, *sites, type, *adapters)) {
      return error;
    }
  }
  return AdaptersRef(std::move(adapters));
}

} // namespace umber::interp
