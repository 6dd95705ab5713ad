// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every function of the C API does first and last: catch exceptions, turn
// a Status into a code and a message, read and fill structures of any version.

#ifndef UMBER_RUNTIME_CORE_API_BOUNDARY_H
#define UMBER_RUNTIME_CORE_API_BOUNDARY_H

#include "runtime/core/Model.h"
#include "runtime/package/Status.h"
#include "umber/umber.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>

struct umber_model {
  std::shared_ptr<const umber::Model> model;
};

namespace umber::api {

/// Writes `message`, cut off at a character's start if too long, with anything
/// that would make it more than one line replaced.
void setMessage(umber_error *error, std::string_view message);

umber_status report(const Status &status, umber_error *error);

/// Runs `body`, which returns a Status, and reports how it went.
template <typename Body>
umber_status guarded(umber_error *error, Body body) noexcept {
  try {
    return report(body(), error);
  } catch (const std::bad_alloc &) {
    setMessage(error, "out of memory");
    return UMBER_OUT_OF_MEMORY;
  } catch (const std::exception &exception) {
    setMessage(error, exception.what());
    return UMBER_INTERNAL;
  }
}

/// InvalidArgument naming the first of the arguments that is null.
struct Argument {
  const void *value;
  const char *name;
};
Status requireArguments(std::initializer_list<Argument> arguments);

/// `options` over the defaults that `result` holds: as much of the structure as
/// caller and library both know. Null options leave the defaults.
template <typename Options>
Status readOptions(const Options *options, Options &result) {
  if (!options) {
    return {};
  }
  size_t size = options->struct_size;
  if (size <= sizeof(size_t)) {
    return Status(StatusCode::InvalidArgument,
                  "struct_size of an options structure is not set");
  }
  std::memcpy(static_cast<void *>(&result), options,
              std::min(size, sizeof result));
  return {};
}

/// Fills in as much of the caller's structure as it has room for.
template <typename Info>
Status writeInfo(Info value, Info *info) {
  size_t size = info->struct_size;
  if (size <= sizeof(size_t)) {
    return Status(StatusCode::InvalidArgument,
                  "struct_size of an information structure is not set");
  }
  value.struct_size = size;
  std::memcpy(static_cast<void *>(info), &value, std::min(size, sizeof value));
  return {};
}

/// Copies what fits of `count` elements, and tells how many there are.
template <typename T>
void copyOut(const T *elements, size_t count, T *out, size_t capacity,
             size_t *total) {
  size_t copied = std::min(count, capacity);
  if (copied > 0) {
    std::memcpy(out, elements, copied * sizeof(T));
  }
  *total = count;
}

} // namespace umber::api

#endif // UMBER_RUNTIME_CORE_API_BOUNDARY_H
