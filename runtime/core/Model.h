// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package on a device: what sessions, tokenizers and samplers share.

#ifndef UMBER_RUNTIME_CORE_MODEL_H
#define UMBER_RUNTIME_CORE_MODEL_H

#include "runtime/core/LoadedAdapter.h"
#include "runtime/core/text/ChatTemplate.h"
#include "runtime/core/text/Tokenizer.h"
#include "runtime/drivers/Driver.h"
#include "runtime/package/Package.h"
#include "umber/umber.h"

#include <memory>
#include <string>
#include <vector>

namespace umber {

/// Immutable, and used by many threads.
class Model {
public:
  /// Opens and verifies a package and loads it on the device of that name
  /// (empty: the default one), which also is the options' variant. Messages
  /// start with the path where the package is to blame.
  static Result<std::shared_ptr<const Model>> load(const std::string &path,
                                                   const std::string &device,
                                                   LoadOptions options,
                                                   uint64_t adapterCacheBytes);

  /// The adapter at `path`, ready for this model, from the cache if it is
  /// there. Messages begin with the path.
  Result<std::shared_ptr<const LoadedAdapter>>
  loadAdapter(const std::string &path) const;

  const DeviceModel &device() const { return *onDevice; }
  /// What the package has to make up for compression, which every session has
  /// active besides its adapters; null if it has nothing.
  const std::shared_ptr<const DeviceAdapter> &recovery() const {
    return corrections;
  }
  int32_t vocab() const { return values.vocab; }
  int32_t contextLength() const { return values.context_length; }
  uint64_t identity() const { return values.identity; }
  fbs::DType cacheType() const { return package->meta().cache()->dtype(); }
  bool isEndOfGeneration(int32_t id) const;

  /// Unsupported, with the reason, where the package has no tokenizer or chat
  /// template, or one that is not known: a model can be run without them.
  Result<const Tokenizer *> tokenizer() const;
  Result<const ChatTemplate *> chatTemplate() const;

  /// Strings point into the model.
  const umber_model_info &describe() const { return values; }

private:
  explicit Model(uint64_t adapterCacheBytes) : adapters(adapterCacheBytes) {}
  void fillIn(const Driver &driver);
  void loadText();

  std::shared_ptr<const Package> package;
  std::unique_ptr<DeviceModel> onDevice;
  std::shared_ptr<const DeviceAdapter> corrections;
  std::vector<int32_t> ends; // tokens that end an answer
  std::unique_ptr<Tokenizer> text;
  std::unique_ptr<ChatTemplate> chat;
  Status textStatus, chatStatus; // why there is none
  mutable AdapterCache adapters;
  umber_model_info values = UMBER_MODEL_INFO_INIT;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_MODEL_H
