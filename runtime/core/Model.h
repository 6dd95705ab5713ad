// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package on a device: what sessions, tokenizers and samplers share.

#ifndef UMBER_RUNTIME_CORE_MODEL_H
#define UMBER_RUNTIME_CORE_MODEL_H

#include "runtime/drivers/Driver.h"
#include "runtime/package/Package.h"
#include "umber/umber.h"

#include <memory>
#include <string>

namespace umber {

/// Immutable, and used by many threads.
class Model {
public:
  /// Opens and verifies a package and loads it on the device of that name
  /// (empty: the default one). Messages start with the path where the package
  /// is to blame.
  static Result<std::shared_ptr<const Model>> load(const std::string &path,
                                                   const std::string &device,
                                                   const LoadOptions &options);

  const DeviceModel &device() const { return *onDevice; }
  int32_t vocab() const { return values.vocab; }
  int32_t contextLength() const { return values.context_length; }
  uint64_t identity() const { return values.identity; }

  /// Strings point into the model.
  const umber_model_info &describe() const { return values; }

private:
  Model() = default;

  std::shared_ptr<const Package> package;
  std::unique_ptr<DeviceModel> onDevice;
  umber_model_info values = UMBER_MODEL_INFO_INIT;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_MODEL_H
