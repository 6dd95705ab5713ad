// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/FittedAdapter.h"

#include "runtime/adapter/Site.h"
#include "runtime/package/HashText.h"

#include <algorithm>
#include <string>

namespace umber {

namespace {

Status unsupported(const std::string &message) {
  return Status(StatusCode::Unsupported, message);
}

} // namespace

Result<FittedAdapter> FittedAdapter::fit(std::shared_ptr<const Adapter> adapter,
                                         const fbs::Package &model,
                                         const fbs::Target &target) {
  const fbs::ModelInfo &base = *model.model();
  const std::string &arch = adapter->architecture();
  if (!arch.empty() && arch != base.arch()->str()) {
    return unsupported("expected an adapter for a model of architecture " +
                       base.arch()->str() + ", found one for " + arch);
  }
  if (adapter->baseHash() != 0 && adapter->baseHash() != base.base_hash()) {
    return unsupported(
        "expected an adapter for this model, whose identity is " +
        hashText(base.base_hash()) + ", found one for " +
        hashText(adapter->baseHash()));
  }
  std::map<std::string, uint32_t> sites;
  for (uint32_t i = 0; target.sites() && i < target.sites()->size(); ++i) {
    if (auto site = Site::fromSymbol(target.sites()->Get(i)->name()->str())) {
      sites.emplace(site->name(), i);
    }
  }
  if (sites.empty()) {
    return unsupported("expected a model that takes adapters, found one that "
                       "was compiled without");
  }
  FittedAdapter fitted(std::move(adapter), target);
  for (const AdapterPair &pair : fitted.adapter->pairs()) {
    if (Status status = fitted.addPair(pair, sites); !status.ok()) {
      return status;
    }
  }
  return fitted;
}

Status FittedAdapter::addPair(const AdapterPair &pair,
                              const std::map<std::string, uint32_t> &sites) {
  auto found = sites.find(pair.site);
  if (found == sites.end()) {
    return unsupported(pair.site +
                       ": expected a matrix that the model has, found none");
  }
  const fbs::AdapterSite &site = *target->sites()->Get(found->second);
  if (pair.inputs != site.inputs() || pair.outputs != site.outputs()) {
    return unsupported(
        pair.site + ": expected a matrix of " + std::to_string(site.outputs()) +
        " x " + std::to_string(site.inputs()) + ", found one of " +
        std::to_string(pair.outputs) + " x " + std::to_string(pair.inputs));
  }
  if (Status status = bases.add(site); !status.ok()) {
    return Status(status.code(), pair.site + ": " + status.message());
  }
  pairs.push_back({&pair, found->second});
  return {};
}

FittedAdapter FittedAdapter::recovery(std::shared_ptr<const Adapter> adapter,
                                      const fbs::Target &target) {
  std::map<std::string, uint32_t> sites;
  for (uint32_t i = 0; i < target.sites()->size(); ++i) {
    sites.emplace(target.sites()->Get(i)->name()->str(), i);
  }
  FittedAdapter fitted(std::move(adapter), target);
  fitted.isInBases = true;
  for (const AdapterPair &pair : fitted.adapter->pairs()) {
    fitted.pairs.push_back({&pair, sites.at(pair.site)});
  }
  return fitted;
}

int FittedAdapter::bitsAsStored() const {
  if (!isInBases) {
    return 0;
  }
  bool areIntegers =
      std::all_of(pairs.begin(), pairs.end(), [](const Pair &pair) {
        return pair.pair->dtype == fbs::DType_I8;
      });
  return areIntegers ? 8 : 16;
}

void FittedAdapter::load(size_t index, float *a, float *b) const {
  const AdapterPair &pair = this->pair(index);
  pair.load(a, b);
  if (!isInBases) {
    bases.enter(*target->sites()->Get(site(index)), adapter->rowOrder(),
                pair.rank, a, b);
  }
}

} // namespace umber
