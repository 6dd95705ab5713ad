// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the runtime's own C++ reports failure: a code, which is one of the C
// API's umber_status_code, and one line for a person. No exceptions cross the C
// API.

#ifndef UMBER_RUNTIME_PACKAGE_STATUS_H
#define UMBER_RUNTIME_PACKAGE_STATUS_H

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace umber {

enum class StatusCode : int32_t {
  Ok = 0,
  InvalidArgument = 1,
  NotFound = 2,
  CorruptFile = 3,
  Unsupported = 4,
  OutOfMemory = 5,
  ContextFull = 6,
  IoError = 7,
  Internal = 8,
};

class [[nodiscard]] Status {
public:
  Status() = default;
  Status(StatusCode code, std::string message)
      : statusCode(code), text(std::move(message)) {
    assert(code != StatusCode::Ok && "an error needs an error code");
  }

  bool ok() const { return statusCode == StatusCode::Ok; }
  StatusCode code() const { return statusCode; }
  const std::string &message() const { return text; }

private:
  StatusCode statusCode = StatusCode::Ok;
  std::string text;
};

/// A value, or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : content(std::move(value)) {}
  Result(Status failure) : failure(std::move(failure)) {
    assert(!this->failure.ok() && "a result without a value needs an error");
  }

  bool ok() const { return content.has_value(); }
  const Status &status() const { return failure; }
  T &operator*() { return *content; }
  const T &operator*() const { return *content; }
  T *operator->() { return &*content; }
  const T *operator->() const { return &*content; }

private:
  std::optional<T> content;
  Status failure;
};

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_STATUS_H
