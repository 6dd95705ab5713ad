// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/AdapterSites.h"

using namespace llvm;
using namespace mlir::umber;
using flatbuffers::Offset;

namespace umber {

//===----------------------------------------------------------------------===//
// SiteWriter
//===----------------------------------------------------------------------===//

/// The rows of a head whose pairs rotary embedding takes from neighbours, where
/// files interleave halves of heads. An odd head has none.
static int64_t getInterleavedHead(mlir::Value value) {
  for (mlir::Operation *user : value.getUsers()) {
    if (auto rotary = dyn_cast<RotaryOp>(user)) {
      int64_t head = rotary.getHeadDim();
      bool isInterleaved = rotary.getStyle() == RotaryStyle::Interleaved;
      return isInterleaved && head % 2 == 0 ? head : 0;
    }
    if (auto norm = dyn_cast<RmsNormOp>(user)) {
      return getInterleavedHead(norm.getResult());
    }
  }
  return 0;
}

Expected<int32_t> SiteWriter::addGain(mlir::FlatSymbolRefAttr weight,
                                      mlir::FloatAttr offset) {
  auto [it, isNew] =
      gainIndices.insert({{weight, offset}, int32_t(gains.size())});
  if (isNew) {
    auto param = module.lookupSymbol<ParamOp>(weight.getValue());
    if (!param || !store) {
      return createStringError("the gain " + weight.getValue() +
                               " is no stored parameter");
    }
    std::vector<float> values(param.getTensorType().getNumElements());
    if (Error error = store->readRows(param.getKey(), 0, values)) {
      return error;
    }
    for (float &value : values) {
      value += offset ? offset.getValue().convertToFloat() : 0.0f;
    }
    gains.push_back(fbs::CreateGain(fb, fb.CreateVector(values)));
  }
  return it->second;
}

Expected<Offset<fbs::AdapterSite>> SiteWriter::write(StringRef weight,
                                                     mlir::Value result) {
  auto param = module.lookupSymbol<ParamOp>(weight);
  if (!param || param.getTensorType().getRank() != 2) {
    return createStringError("the site " + weight +
                             " is no matrix among the parameters");
  }
  auto basis = param->getAttrOfType<BasisAttr>(kBasisAttrName);
  int32_t gain = -1;
  if (basis && basis.getGain()) {
    auto added = addGain(basis.getGain(), basis.getGainOffset());
    if (!added) {
      return added.takeError();
    }
    gain = *added;
  }
  auto name = fb.CreateString(weight.str());
  return fbs::CreateAdapterSite(fb, name, param.getTensorType().getDimSize(1),
                                param.getTensorType().getDimSize(0), gain,
                                basis ? basis.getInputRotation() : 0,
                                basis ? basis.getOutputRotation() : 0,
                                getInterleavedHead(result));
}

//===----------------------------------------------------------------------===//
// AdapterSites
//===----------------------------------------------------------------------===//

AdapterSites::List AdapterSites::findAttached(mlir::ModuleOp module) {
  List list;
  module.walk([&](LoraOp lora) {
    list.insert({lora.getSiteAttr().getAttr(), lora.getResult()});
  });
  return list;
}

Expected<AdapterSites> AdapterSites::create(mlir::ModuleOp module,
                                            const List &list,
                                            const ParameterStore *store) {
  flatbuffers::FlatBufferBuilder fb;
  SiteWriter writer(module, store, fb);
  std::vector<Offset<fbs::AdapterSite>> sites;
  for (auto [weight, result] : list) {
    auto site = writer.write(weight, result);
    if (!site) {
      return site.takeError();
    }
    sites.push_back(*site);
  }
  auto siteTables = fb.CreateVector(sites);
  auto gains = fb.CreateVector(writer.getGains());
  fbs::TargetBuilder target(fb);
  target.add_sites(siteTables);
  target.add_gains(gains);
  auto targets =
      fb.CreateVector(std::vector<Offset<fbs::Target>>{target.Finish()});
  auto model = module->getAttrOfType<ModelAttr>(kModelAttrName);
  auto arch = fb.CreateString(model ? model.getArch().str() : "");
  auto identity = module->getAttrOfType<mlir::IntegerAttr>(kIdentityAttrName);
  fbs::ModelInfoBuilder info(fb);
  info.add_arch(arch);
  info.add_base_hash(identity ? uint64_t(identity.getInt()) : 0);
  auto infoTable = info.Finish();
  fbs::PackageBuilder package(fb);
  package.add_model(infoTable);
  package.add_targets(targets);
  fb.Finish(package.Finish());
  return AdapterSites(fb.Release());
}

const fbs::Package &AdapterSites::getPackage() const {
  return *flatbuffers::GetRoot<fbs::Package>(metadata.data());
}

Expected<FittedAdapter> AdapterSites::open(StringRef path) const {
  auto adapter = Adapter::open(path.str());
  if (!adapter.ok()) {
    return createStringError(adapter.status().message());
  }
  auto fitted = FittedAdapter::fit(*adapter, getPackage(),
                                   *getPackage().targets()->Get(0));
  if (!fitted.ok()) {
    return createStringError(path + ": " + fitted.status().message());
  }
  return std::move(*fitted);
}

StringRef AdapterSites::getSymbol(uint32_t site) const {
  const flatbuffers::String &name =
      *getPackage().targets()->Get(0)->sites()->Get(site)->name();
  return StringRef(name.c_str(), name.size());
}

} // namespace umber
