// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/LoadedAdapter.h"

#include "runtime/adapter/AdapterPackage.h"
#include "runtime/adapter/FittedAdapter.h"
#include "runtime/core/Hash.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <vector>

using namespace umber;

namespace {

/// Of a pair's place, shape, scale and values.
void addFingerprint(const FittedAdapter &adapter, size_t index,
                    std::vector<uint64_t> &parts) {
  const AdapterPair &pair = adapter.pair(index);
  uint32_t scale;
  static_assert(sizeof scale == sizeof pair.scale);
  std::memcpy(&scale, &pair.scale, sizeof scale);
  parts.insert(parts.end(), {adapter.site(index), uint64_t(pair.dtype),
                             uint64_t(pair.rank), scale});
  for (Bytes part : {pair.a, pair.b, pair.aScales, pair.bScales}) {
    parts.push_back(hashBytes(part.data, part.size));
  }
}

std::string stampOfFile(const std::string &path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) {
    return {};
  }
  std::string text;
  for (int64_t part :
       {int64_t(status.st_dev), int64_t(status.st_ino), int64_t(status.st_size),
        int64_t(status.st_mtim.tv_sec), int64_t(status.st_mtim.tv_nsec)}) {
    text += std::to_string(part) + ",";
  }
  return text;
}

} // namespace

Result<std::shared_ptr<const LoadedAdapter>>
umber::loadAdapter(const std::string &path, const fbs::Package &model,
                   const DeviceModel &device) {
  const fbs::Target *target = device.adapterTarget();
  if (!target) {
    return Status(StatusCode::Unsupported,
                  path + ": the device takes no adapters");
  }
  Result<std::shared_ptr<const Adapter>> opened = Adapter::open(path);
  if (!opened.ok()) {
    return opened.status();
  }
  auto blame = [&](const Status &status) {
    return Status(status.code(), path + ": " + status.message());
  };
  Result<FittedAdapter> fitted = FittedAdapter::fit(*opened, model, *target);
  if (!fitted.ok()) {
    return blame(fitted.status());
  }
  Result<std::shared_ptr<const DeviceAdapter>> made =
      device.loadAdapter(*fitted);
  if (!made.ok()) {
    return blame(made.status());
  }
  auto loaded = std::make_shared<LoadedAdapter>();
  loaded->name = (*opened)->name();
  loaded->sites = (*fitted).count();
  loaded->rank = 0;
  std::vector<uint64_t> parts = {uint64_t((*opened)->rowOrder()),
                                 uint64_t((*made)->bits())};
  for (size_t i = 0; i < loaded->sites; ++i) {
    loaded->rank = std::max(loaded->rank, (*fitted).pair(i).rank);
    addFingerprint(*fitted, i, parts);
  }
  loaded->fingerprint =
      hashBytes(parts.data(), parts.size() * sizeof parts.front());
  loaded->onDevice = std::move(*made);
  return std::shared_ptr<const LoadedAdapter>(std::move(loaded));
}

Result<std::shared_ptr<const DeviceAdapter>>
umber::loadRecovery(std::shared_ptr<const Package> package,
                    const DeviceModel &device) {
  const fbs::Target *target = device.adapterTarget();
  if (!target) {
    return std::shared_ptr<const DeviceAdapter>();
  }
  Result<std::shared_ptr<const Adapter>> read =
      readRecovery(std::move(package), *target);
  if (!read.ok()) {
    return read.status();
  }
  if (!*read) {
    return std::shared_ptr<const DeviceAdapter>();
  }
  return device.loadAdapter(FittedAdapter::recovery(*read, *target));
}

std::string AdapterCache::stampOf(const std::string &path) {
  std::string stamp = stampOfFile(path);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    for (const char *name :
         {"/adapter_config.json", "/adapter_model.safetensors"}) {
      stamp += stampOfFile(path + name);
    }
  }
  return stamp;
}

std::shared_ptr<const LoadedAdapter>
AdapterCache::find(const std::string &path) {
  std::string stamp = stampOf(path);
  std::lock_guard lock(mutex);
  auto found =
      std::find_if(entries.begin(), entries.end(),
                   [&](const Entry &entry) { return entry.path == path; });
  if (found == entries.end() || found->stamp != stamp) {
    return nullptr;
  }
  entries.splice(entries.begin(), entries, found);
  return entries.front().adapter;
}

void AdapterCache::add(const std::string &path, const std::string &stamp,
                       std::shared_ptr<const LoadedAdapter> adapter) {
  std::lock_guard lock(mutex);
  auto bytesOf = [](const Entry &entry) {
    return entry.adapter->onDevice->bytes();
  };
  entries.remove_if([&](const Entry &entry) {
    bool isOld = entry.path == path;
    bytes -= isOld ? bytesOf(entry) : 0;
    return isOld;
  });
  entries.push_front({path, stamp, std::move(adapter)});
  bytes += bytesOf(entries.front());
  while (bytes > budget) {
    bytes -= bytesOf(entries.back());
    entries.pop_back();
  }
}
