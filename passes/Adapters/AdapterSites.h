// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrices of a module that adapters can correct.

#ifndef UMBER_PASSES_ADAPTERS_ADAPTERSITES_H
#define UMBER_PASSES_ADAPTERS_ADAPTERSITES_H

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/adapter/FittedAdapter.h"
#include "llvm/ADT/MapVector.h"

namespace umber {

/// Tells a package's metadata of sites, as runtime/package/umb.fbs has them.
class SiteWriter {
public:
  /// `store`, which has the module's parameters, may be null if they have
  /// values of their own. All outlive this.
  SiteWriter(mlir::ModuleOp module, const ParameterStore *store,
             flatbuffers::FlatBufferBuilder &fb)
      : module(module), store(store), fb(fb) {}

  /// The site of the matrix `weight`, whose product, or what adapters make of
  /// it, is `result`. Fails if a parameter is not there.
  llvm::Expected<flatbuffers::Offset<fbs::AdapterSite>>
  write(llvm::StringRef weight, mlir::Value result);

  /// What the sites so far name as their gains.
  const std::vector<flatbuffers::Offset<fbs::Gain>> &getGains() const {
    return gains;
  }

private:
  /// The index of what a norm's `weight` and `offset` multiply by.
  llvm::Expected<int32_t> addGain(mlir::FlatSymbolRefAttr weight,
                                  mlir::FloatAttr offset);

  mlir::ModuleOp module;
  const ParameterStore *store;
  flatbuffers::FlatBufferBuilder &fb;
  std::vector<flatbuffers::Offset<fbs::Gain>> gains;
  llvm::DenseMap<std::pair<mlir::Attribute, mlir::Attribute>, int32_t>
      gainIndices;
};

/// Fits adapters to a module as the runtime does to the package made of it.
class AdapterSites {
public:
  /// The sites of a module, each with the result of its product or what
  /// adapters make of that.
  using List = llvm::MapVector<mlir::StringAttr, mlir::Value>;

  /// The sites that umber.lora ops of the module name.
  static List findAttached(mlir::ModuleOp module);

  /// See SiteWriter.
  static llvm::Expected<AdapterSites>
  create(mlir::ModuleOp module, const List &list, const ParameterStore *store);

  /// Opens an adapter, which must not outlive this. Errors are one line that
  /// names the path: those of Adapter::open and FittedAdapter::fit.
  llvm::Expected<FittedAdapter> open(llvm::StringRef path) const;

  /// The symbol of the matrix, by FittedAdapter::site().
  llvm::StringRef getSymbol(uint32_t site) const;

private:
  explicit AdapterSites(flatbuffers::DetachedBuffer metadata)
      : metadata(std::move(metadata)) {}
  const fbs::Package &getPackage() const;

  /// A package's, with nothing in it but the model's identity and the sites.
  flatbuffers::DetachedBuffer metadata;
};

} // namespace umber

#endif // UMBER_PASSES_ADAPTERS_ADAPTERSITES_H
