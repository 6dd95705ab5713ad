// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-adapter/Export.h"

#include "runtime/adapter/AdapterPackage.h"
#include "runtime/adapter/PeftWriter.h"
#include "runtime/adapter/Site.h"
#include "runtime/adapter/SiteBases.h"
#include "tools/common/CreateFile.h"

#include <memory>
#include <vector>

namespace umber::tools {

namespace {

/// The first of a model's targets with corrections.
const fbs::Target *findTarget(const fbs::Package &model) {
  if (model.targets()) {
    for (const fbs::Target *target : *model.targets()) {
      if (target->recovery() && target->recovery()->size() > 0) {
        return target;
      }
    }
  }
  return nullptr;
}

const fbs::AdapterSite &findSite(const fbs::Target &target,
                                 const std::string &name) {
  for (const fbs::AdapterSite *site : *target.sites()) {
    if (site->name()->string_view() == name) {
      return *site;
    }
  }
  throw ToolError(name + ": expected a site of the target, found none");
}

/// A pair in f32, for the model's own matrix.
PeftPair leaveBases(const AdapterPair &pair, const fbs::Target &target) {
  auto place = Site::fromSymbol(pair.site);
  if (!place) {
    throw ToolError(pair.site + ": expected a matrix that PEFT can adapt, " +
                    Site::listModules() + ", found another");
  }
  PeftPair moved = {*place, pair.rank, pair.inputs, pair.outputs,
                    {},     {},        pair.scale};
  moved.a.resize(pair.rank * pair.inputs);
  moved.b.resize(pair.outputs * pair.rank);
  pair.load(moved.a.data(), moved.b.data());
  const fbs::AdapterSite &site = findSite(target, pair.site);
  SiteBases bases(target);
  Status status = bases.add(site);
  if (status.ok()) {
    status = bases.leave(site, pair.rank, moved.a.data(), moved.b.data());
  }
  if (!status.ok()) {
    throw ToolError(pair.site + ": " + status.message());
  }
  return moved;
}

std::vector<PeftPair> getCorrections(std::shared_ptr<const Package> package,
                                     std::string &base) {
  const fbs::Target *target = findTarget(package->meta());
  if (!target) {
    throw ToolError("expected a model that was compiled with --recover-rank, "
                    "found one without corrections");
  }
  check(package->verifySegments(1));
  auto read = readRecovery(package, *target);
  check(read.status());
  base = (*read)->baseName();
  std::vector<PeftPair> pairs;
  for (const AdapterPair &pair : (*read)->pairs()) {
    pairs.push_back(leaveBases(pair, *target));
  }
  return pairs;
}

std::vector<PeftPair> getPairs(const Adapter &adapter) {
  std::vector<PeftPair> pairs;
  for (const AdapterPair &pair : adapter.pairs()) {
    auto place = Site::fromTensor(pair.site);
    if (!place) {
      throw ToolError(pair.site + ": expected a matrix that PEFT can adapt, " +
                      Site::listTensors() + ", found another");
    }
    // How large a head is, an adapter does not say.
    if (adapter.rowOrder() == RowOrder::GGUF && place->isReordered()) {
      throw ToolError(pair.site +
                      ": expected rows in Hugging Face's order, found GGUF's");
    }
    PeftPair wide = {*place, pair.rank, pair.inputs, pair.outputs,
                     {},     {},        pair.scale};
    wide.a.resize(pair.rank * pair.inputs);
    wide.b.resize(pair.outputs * pair.rank);
    pair.load(wide.a.data(), wide.b.data());
    pairs.push_back(std::move(wide));
  }
  return pairs;
}

} // namespace

void exportPeft(const std::string &path, const std::string &folder) {
  auto opened = Package::open(path);
  check(opened.status());
  std::shared_ptr<const Package> package = std::move(*opened);
  std::string base;
  std::vector<PeftPair> pairs;
  try {
    if (package->meta().kind() == fbs::PackageKind_Model) {
      pairs = getCorrections(package, base);
    } else {
      auto adapter = readAdapterPackage(path);
      if (!adapter.ok()) {
        throw ToolError(adapter.status().message());
      }
      base = (*adapter)->baseName();
      pairs = getPairs(**adapter);
    }
  } catch (const ToolError &error) {
    // Some messages have the path already.
    std::string message = error.what();
    throw ToolError(message.rfind(path + ": ", 0) == 0 ? message
                                                       : path + ": " + message);
  }
  check(writePeftFolder(base, pairs, folder));
}

} // namespace umber::tools
