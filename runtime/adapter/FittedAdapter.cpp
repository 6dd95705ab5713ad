// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/FittedAdapter.h"

#include "runtime/adapter/Site.h"
#include "runtime/adapter/Values.h"
#include "runtime/package/HashText.h"

#include <cstring>
#include <string>

namespace umber {

namespace {

Status unsupported(const std::string &message) {
  return Status(StatusCode::Unsupported, message);
}

/// Sorts each head's rows of b from Hugging Face's order to the interleaved
/// one.
void interleave(float *b, int64_t outputs, int64_t rank, int64_t head) {
  std::vector<float> sorted(head * rank);
  for (int64_t first = 0; first < outputs; first += head) {
    float *rows = b + first * rank;
    for (int64_t i = 0; i < head; ++i) {
      int64_t from = i / 2 + i % 2 * (head / 2);
      std::memcpy(&sorted[i * rank], rows + from * rank, rank * sizeof(float));
    }
    std::memcpy(rows, sorted.data(), sorted.size() * sizeof(float));
  }
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
  for (uint32_t size : {site.input_rotation(), site.output_rotation()}) {
    if (size != 0 && !addRotation(size)) {
      return unsupported(pair.site +
                         ": expected a rotation that this version "
                         "knows, found one of size " +
                         std::to_string(size));
    }
  }
  pairs.push_back({&pair, found->second});
  return {};
}

bool FittedAdapter::addRotation(uint32_t size) {
  if (rotations.count(size)) {
    return true;
  }
  auto rotation = Orthogonal::get(size);
  if (!rotation) {
    return false;
  }
  rotations.emplace(size, std::move(*rotation));
  return true;
}

void FittedAdapter::load(size_t index, float *a, float *b) const {
  const AdapterPair &pair = this->pair(index);
  const fbs::AdapterSite &site = *target->sites()->Get(this->site(index));
  loadValues(pair.dtype, pair.a, a);
  loadValues(pair.dtype, pair.b, b);
  if (site.interleaved_head() != 0 &&
      adapter->rowOrder() == RowOrder::HuggingFace) {
    interleave(b, pair.outputs, pair.rank, site.interleaved_head());
  }
  // As umber-absorb-norms and umber-rotate do with W.
  if (site.gain() >= 0) {
    const flatbuffers::Vector<float> &gain =
        *target->gains()->Get(site.gain())->values();
    for (int64_t r = 0; r < pair.rank; ++r) {
      for (int64_t c = 0; c < pair.inputs; ++c) {
        a[r * pair.inputs + c] *= gain.Get(c);
      }
    }
  }
  if (uint32_t size = site.input_rotation()) {
    const Orthogonal &rotation = rotations.at(size);
    for (int64_t at = 0; at < pair.rank * pair.inputs; at += size) {
      rotation.apply(a + at);
    }
  }
  if (uint32_t size = site.output_rotation()) {
    const Orthogonal &rotation = rotations.at(size);
    for (int64_t first = 0; first < pair.outputs; first += size) {
      rotation.apply(b + first * pair.rank, pair.rank);
    }
  }
}

} // namespace umber
