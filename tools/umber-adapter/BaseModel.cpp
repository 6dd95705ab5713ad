// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-adapter/BaseModel.h"

#include "runtime/adapter/Quote.h"
#include "runtime/adapter/Site.h"
#include "runtime/package/Package.h"
#include "tools/common/CreateFile.h"

namespace umber::tools {

namespace {

/// A package lists no sites with their shapes, which would be checked here too;
/// until it does, whether the layer exists.
void checkSite(const AdapterPair &pair, const fbs::ModelInfo &model,
               const std::string &path) {
  std::optional<Site> site = Site::fromTensor(pair.site);
  if (!site || site->layer >= model.layers()) {
    throw ToolError(path + ": expected a model with " + quote(pair.site) +
                    ", which the adapter is for, found " +
                    std::to_string(model.layers()) + " layers");
  }
}

} // namespace

uint64_t checkBase(const Adapter &adapter, const std::string &path) {
  auto package = Package::open(path);
  check(package.status());
  const fbs::Package &meta = (*package)->meta();
  if (meta.kind() != fbs::PackageKind_Model) {
    throw ToolError(path + ": expected a model, found an adapter");
  }
  const fbs::ModelInfo &model = *meta.model();
  if (model.base_hash() == 0) {
    throw ToolError(path + ": expected a model with a hash of its base, found "
                           "none");
  }
  if (adapter.baseHash() != 0 && adapter.baseHash() != model.base_hash()) {
    throw ToolError(path + ": expected the model that the adapter is for, "
                           "found another");
  }
  if (!adapter.architecture().empty() &&
      adapter.architecture() != model.arch()->string_view()) {
    throw ToolError(path + ": expected the adapter's architecture, " +
                    quote(adapter.architecture()) + ", found " +
                    quote(model.arch()->string_view()));
  }
  for (const AdapterPair &pair : adapter.pairs()) {
    checkSite(pair, model, path);
  }
  return model.base_hash();
}

} // namespace umber::tools
