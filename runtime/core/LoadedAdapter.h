// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapters that are ready for a model, and the cache that keeps those of late.

#ifndef UMBER_RUNTIME_CORE_LOADEDADAPTER_H
#define UMBER_RUNTIME_CORE_LOADEDADAPTER_H

#include "runtime/drivers/Driver.h"
#include "runtime/package/Package.h"

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

namespace umber {

/// An adapter on a model's device. Immutable.
struct LoadedAdapter {
  std::string name;
  size_t sites;         ///< that it has matrices for
  int64_t rank;         ///< the largest
  uint64_t fingerprint; ///< of all that results depend on
  std::shared_ptr<const DeviceAdapter> onDevice;
};

/// Opens what is at `path` and makes it ready for `device`, whose package has
/// the metadata `model`. Messages begin with the path.
Result<std::shared_ptr<const LoadedAdapter>>
loadAdapter(const std::string &path, const fbs::Package &model,
            const DeviceModel &device);

/// The corrections that the device's target of `package` has of its own; null
/// if it has none, or the device takes no adapters. Messages have no path.
Result<std::shared_ptr<const DeviceAdapter>>
loadRecovery(std::shared_ptr<const Package> package, const DeviceModel &device);

/// The adapters that were used last, as many as a number of bytes has room for.
/// Any thread may call it.
class AdapterCache {
public:
  explicit AdapterCache(uint64_t budget) : budget(budget) {}

  /// The adapter of that path, if it is here and its files have not changed.
  std::shared_ptr<const LoadedAdapter> find(const std::string &path);
  /// Keeps one that was read while its files were as `stamp` says.
  void add(const std::string &path, const std::string &stamp,
           std::shared_ptr<const LoadedAdapter> adapter);

  /// What tells one state of an adapter's files from another: the sizes and
  /// times of a file or, of a folder, its files. Empty if there are none.
  static std::string stampOf(const std::string &path);

private:
  struct Entry {
    std::string path, stamp;
    std::shared_ptr<const LoadedAdapter> adapter;
  };

  const uint64_t budget;
  uint64_t bytes = 0;
  std::mutex mutex;
  std::list<Entry> entries; // the last used first
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_LOADEDADAPTER_H
