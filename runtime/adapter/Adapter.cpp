// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Adapter.h"
#include "runtime/adapter/AdapterPackage.h"
#include "runtime/adapter/Forms.h"
#include "runtime/adapter/Values.h"
#include "runtime/package/Format.h"

#include <cstring>
#include <filesystem>
#include <vector>

namespace umber {

static bool startsWith(Bytes bytes, const void *magic, size_t size) {
  return bytes.size >= size && std::memcmp(bytes.data, magic, size) == 0;
}

void AdapterPair::load(float *toA, float *toB) const {
  if (dtype != fbs::DType_I8) {
    loadValues(dtype, a, toA);
    loadValues(dtype, b, toB);
    return;
  }
  auto value = [](Bytes integers, int64_t i) {
    return float(static_cast<int8_t>(integers.data[i]));
  };
  std::vector<float> scales(rank);
  loadValues(fbs::DType_F16, aScales, scales.data());
  for (int64_t r = 0; r < rank; ++r) {
    for (int64_t c = r * inputs; c < (r + 1) * inputs; ++c) {
      toA[c] = scales[r] * value(a, c);
    }
  }
  loadValues(fbs::DType_F16, bScales, scales.data());
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t r = 0; r < rank; ++r) {
      toB[o * rank + r] = scales[r] * value(b, o * rank + r);
    }
  }
}

Result<std::shared_ptr<const Adapter>> Adapter::open(const std::string &path) {
  std::error_code ignored; // Opening the file has the better message.
  if (std::filesystem::is_directory(path, ignored)) {
    return readPeftFolder(path);
  }
  auto file = MappedFile::open(path);
  if (!file.ok()) {
    return file.status();
  }
  Bytes bytes = (*file)->bytes();
  if (startsWith(bytes, "GGUF", 4)) {
    return readGgufAdapter(std::move(*file));
  }
  if (startsWith(bytes, kPackageMagic, sizeof kPackageMagic)) {
    return readAdapterPackage(path);
  }
  return Status(StatusCode::CorruptFile,
                path + ": expected a PEFT folder, a GGUF file or an adapter "
                       "package, found other bytes at the file's start");
}

std::string nameOfPath(const std::string &path) {
  std::error_code error;
  std::filesystem::path full = std::filesystem::absolute(path, error);
  full = (error ? std::filesystem::path(path) : full).lexically_normal();
  // A folder's path may end with a slash.
  return full.has_filename() ? full.filename().string()
                             : full.parent_path().filename().string();
}

} // namespace umber
