// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Safetensors.h"
#include "runtime/adapter/Json.h"

#include <algorithm>
#include <cstring>

namespace umber {

using nlohmann::json;

namespace {

/// Ten times what an adapter of the largest models needs.
constexpr uint64_t kMaxHeader = 1 << 22;
/// The object, a tensor's entry, and a list in it.
constexpr int kHeaderDepth = 3;

struct Type {
  const char *name;
  uint64_t bytes;
};
constexpr Type kTypes[] = {
    {"F64", 8},     {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1},
    {"F8_E5M2", 1}, {"I64", 8}, {"I32", 4}, {"I16", 2},  {"I8", 1},
    {"U64", 8},     {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}};

Status bad(const std::string &where, const std::string &expected) {
  return Status(StatusCode::CorruptFile, where + ": expected " + expected);
}

/// A list of unsigned integers, or none.
std::optional<std::vector<uint64_t>> getList(const json &entry,
                                             const char *key) {
  auto list = entry.find(key);
  if (list == entry.end() || !list->is_array()) {
    return std::nullopt;
  }
  std::vector<uint64_t> values;
  for (const json &value : *list) {
    if (!value.is_number_unsigned()) {
      return std::nullopt;
    }
    values.push_back(value.get<uint64_t>());
  }
  return values;
}

Result<SafeTensor> readEntry(const std::string &name, const json &entry,
                             Bytes data) {
  std::string where = "tensor " + quote(name);
  if (!entry.is_object()) {
    return bad(where, "an object, found " + brief(entry));
  }
  SafeTensor tensor;
  tensor.name = name;
  auto dtype = entry.find("dtype");
  const Type *type = nullptr;
  if (dtype != entry.end() && dtype->is_string()) {
    tensor.dtype = dtype->get<std::string>();
    type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto &known) {
      return known.name == tensor.dtype;
    });
  }
  if (!type || type == std::end(kTypes)) {
    return bad(where, "a known dtype, found " +
                          (dtype == entry.end() ? "none" : brief(*dtype)));
  }
  auto shape = getList(entry, "shape");
  auto offsets = getList(entry, "data_offsets");
  if (!shape) {
    return bad(where, "a shape of unsigned integers, found none");
  }
  if (!offsets || offsets->size() != 2) {
    return bad(where, "data_offsets of two unsigned integers, found none");
  }
  tensor.shape = std::move(*shape);
  uint64_t bytes = type->bytes;
  for (uint64_t extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      return bad(where, "a shape whose size fits in 64 bits, found an extent "
                        "of " +
                            std::to_string(extent) + " too many");
    }
  }
  uint64_t begin = (*offsets)[0], end = (*offsets)[1];
  if (begin > end || end > data.size) {
    return bad(where, "data_offsets within the " + std::to_string(data.size) +
                          " bytes of data, found " + std::to_string(begin) +
                          " to " + std::to_string(end));
  }
  if (end - begin != bytes) {
    return bad(where, std::to_string(bytes) +
                          " bytes for its shape and dtype, found " +
                          std::to_string(end - begin));
  }
  tensor.data = {data.data + begin, size_t(bytes)};
  return tensor;
}

/// Every byte of the data belongs to one tensor: nothing is hidden in it.
Status checkPlaces(const std::vector<SafeTensor> &tensors, Bytes data) {
  const uint8_t *end = data.data;
  for (const SafeTensor &tensor : tensors) {
    if (tensor.data.data != end) {
      return bad("tensor " + quote(tensor.name),
                 "its data at offset " + std::to_string(end - data.data) +
                     ", right behind the tensor before, found it at " +
                     std::to_string(tensor.data.data - data.data));
    }
    end += tensor.data.size;
  }
  if (end != data.data + data.size) {
    return bad("data", std::to_string(end - data.data) +
                           " bytes, which the tensors take, found " +
                           std::to_string(data.size));
  }
  return Status();
}

} // namespace

Result<std::vector<SafeTensor>> readSafetensors(Bytes file) {
  uint64_t length;
  if (file.size < sizeof length) {
    return bad("header", "a length of 8 bytes, found a file of " +
                             std::to_string(file.size));
  }
  std::memcpy(&length, file.data, sizeof length);
  uint64_t most = std::min<uint64_t>(file.size - sizeof length, kMaxHeader);
  if (length > most) {
    return bad("header", "at most " + std::to_string(most) + " bytes, found " +
                             std::to_string(length));
  }
  Bytes header = {file.data + sizeof length, size_t(length)};
  Bytes data = {header.data + length, file.size - sizeof length - length};
  // So says the format; JSON alone would take spaces.
  if (length == 0 || header.data[0] != '{') {
    return bad("header", "a '{' at its start, found none");
  }
  Result<json> entries = parseJson<json>(header, kHeaderDepth);
  if (!entries.ok()) {
    return Status(entries.status().code(),
                  "header: " + entries.status().message());
  }
  std::vector<SafeTensor> tensors;
  for (const auto &[name, entry] : entries->items()) {
    if (name == "__metadata__") {
      continue; // Strings for people.
    }
    Result<SafeTensor> tensor = readEntry(name, entry, data);
    if (!tensor.ok()) {
      return tensor.status();
    }
    tensors.push_back(std::move(*tensor));
  }
  std::sort(tensors.begin(), tensors.end(), [](const auto &a, const auto &b) {
    // Empty ones come before what begins at the same place.
    return std::make_pair(a.data.data, a.data.size) <
           std::make_pair(b.data.data, b.data.size);
  });
  if (Status status = checkPlaces(tensors, data); !status.ok()) {
    return status;
  }
  return tensors;
}

} // namespace umber
