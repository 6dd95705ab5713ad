// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/AdapterSites.h"
#include "passes/Adapters/Passes.h"
#include "passes/Adapters/Sites.h"
#include "passes/Compression/DerivedParameters.h"
#include "runtime/adapter/AdapterSpec.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <deque>

namespace umber {
#define GEN_PASS_DEF_MERGEADAPTERSPASS
#include "passes/Adapters/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

/// A pair that one of the adapters has for a matrix.
struct Addend {
  const FittedAdapter *adapter;
  size_t index;
  float scale;

  void addTo(MutableArrayRef<float> weights) const;
  /// All that addTo depends on but the matrix's bases.
  std::string describe() const;
};

void Addend::addTo(MutableArrayRef<float> weights) const {
  const AdapterPair &pair = adapter->pair(index);
  std::vector<float> a(pair.rank * pair.inputs), b(pair.outputs * pair.rank);
  adapter->load(index, a.data(), b.data());
  for (int64_t o = 0; o < pair.outputs; ++o) {
    float *row = weights.data() + o * pair.inputs;
    for (int64_t r = 0; r < pair.rank; ++r) {
      float factor = scale * pair.scale * b[o * pair.rank + r];
      for (int64_t i = 0; i < pair.inputs; ++i) {
        row[i] += factor * a[r * pair.inputs + i];
      }
    }
  }
}

std::string Addend::describe() const {
  const AdapterPair &pair = adapter->pair(index);
  std::string text;
  llvm::raw_string_ostream os(text);
  auto hash = [](Bytes bytes) {
    return llvm::utohexstr(llvm::xxh3_64bits(ArrayRef(bytes.data, bytes.size)));
  };
  os << ' ' << int(adapter->rowOrder()) << ' ' << int(pair.dtype) << ' '
     << pair.rank << ' ' << hash(pair.a) << ' ' << hash(pair.b) << ' '
     << llvm::utohexstr(llvm::bit_cast<uint32_t>(scale * pair.scale));
  return text;
}

struct MergeAdapters : ::umber::impl::MergeAdaptersPassBase<MergeAdapters> {
  using MergeAdaptersPassBase::MergeAdaptersPassBase;

  void runOnOperation() override;

private:
  /// What the matrices that adapters can correct are called, and where their
  /// products' results are.
  FailureOr<AdapterSites::List> findSites();
  LogicalResult open(const AdapterSites &sites);
  LogicalResult merge(ParamOp param, ArrayRef<Addend> addends,
                      DerivedParameters &parameters);

  std::deque<FittedAdapter> fitted;
  llvm::MapVector<StringAttr, SmallVector<Addend>> work;
  std::string merged;
};

FailureOr<AdapterSites::List> MergeAdapters::findSites() {
  ModuleOp module = getOperation();
  auto step = module.lookupSymbol<func::FuncOp>("step");
  if (!step || step.isExternal()) {
    return module.emitError("expected a function 'step'");
  }
  AdapterSites::List list;
  for (LinearOp linear : ::umber::findSites(step)) {
    list.insert({linear.getWeightAttr().getAttr(), linear.getResult()});
  }
  for (auto [weight, result] : AdapterSites::findAttached(module)) {
    list[weight] = result;
  }
  return list;
}

LogicalResult MergeAdapters::open(const AdapterSites &sites) {
  ModuleOp module = getOperation();
  for (const std::string &text : adapters) {
    auto spec = AdapterSpec::parse(text);
    if (!spec.ok()) {
      return module.emitError("adapters: ") << spec.status().message();
    }
    auto opened = sites.open(spec->path);
    if (!opened) {
      return emitError(UnknownLoc::get(&getContext()))
             << llvm::toString(opened.takeError());
    }
    const FittedAdapter &adapter = fitted.emplace_back(std::move(*opened));
    for (size_t i = 0; i < adapter.count(); ++i) {
      auto name =
          StringAttr::get(&getContext(), sites.getSymbol(adapter.site(i)));
      work[name].push_back({&adapter, i, spec->scale});
    }
  }
  return success();
}

LogicalResult MergeAdapters::merge(ParamOp param, ArrayRef<Addend> addends,
                                   DerivedParameters &parameters) {
  if (param.getTensorType().getEncoding() || param.getValue()) {
    return param.emitOpError("expected a plain, stored matrix to merge "
                             "adapters into, found ")
           << param.getTensorType();
  }
  std::string recipe = "merge";
  for (const Addend &addend : addends) {
    recipe += addend.describe();
  }
  merged += (param.getSymName() + recipe).str();
  LogicalResult derived =
      parameters.derive(param, recipe, [&](MutableArrayRef<float> weights) {
        for (const Addend &addend : addends) {
          addend.addTo(weights);
        }
      });
  // Which may have become too large.
  return success(succeeded(derived) && succeeded(parameters.read(param)));
}

void MergeAdapters::runOnOperation() {
  ModuleOp module = getOperation();
  auto parameters = DerivedParameters::open(module, derived);
  auto list = findSites();
  if (failed(parameters) || failed(list)) {
    return signalPassFailure();
  }
  auto store = openParameterStore(module);
  if (!store) {
    module.emitError(llvm::toString(store.takeError()));
    return signalPassFailure();
  }
  auto sites = AdapterSites::create(module, *list, store->get());
  if (!sites) {
    module.emitError(llvm::toString(sites.takeError()));
    return signalPassFailure();
  }
  if (failed(open(*sites))) {
    return signalPassFailure();
  }
  SymbolTable symbols(module);
  for (auto &[name, addends] : work) {
    if (failed(merge(symbols.lookup<ParamOp>(name), addends, *parameters))) {
      return signalPassFailure();
    }
  }
  // Another model: what was made for the old one does not fit it.
  if (auto old = module->getAttrOfType<IntegerAttr>(kIdentityAttrName)) {
    merged += llvm::utohexstr(uint64_t(old.getInt()));
    module->setAttr(
        kIdentityAttrName,
        IntegerAttr::get(old.getType(), int64_t(llvm::xxh3_64bits(merged))));
  }
}

} // namespace
