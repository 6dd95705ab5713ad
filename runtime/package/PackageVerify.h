// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files that verify a package's metadata share.

#ifndef UMBER_RUNTIME_PACKAGE_PACKAGEVERIFY_H
#define UMBER_RUNTIME_PACKAGE_PACKAGEVERIFY_H

#include "runtime/package/Status.h"
#include "runtime/package/umb_generated.h"

#include <cstdint>
#include <string>

namespace umber::verify {

inline Status bad(const std::string &where, const std::string &expected) {
  return Status(StatusCode::CorruptFile, where + ": expected " + expected);
}

template <typename T>
std::string found(T value) {
  return ", found " + std::to_string(value);
}

inline std::string at(const char *what, uint32_t index) {
  return std::string(what) + " " + std::to_string(index);
}

/// Number of elements; 0 where there is no vector.
template <typename V>
uint32_t sizeOf(const V *vector) {
  return vector ? vector->size() : 0;
}

/// Above any use there is, and low enough that products fit in 64 bits.
inline constexpr uint64_t kMaxBytes = uint64_t(1) << 46;

/// The segments have been verified.
Status verifyAdapter(const fbs::AdapterInfo &adapter,
                     const fbs::Package &package);

/// What adapters can correct in a target.
Status verifySites(const fbs::Target &target, const std::string &where);

/// The target's own corrections. Its sites and the segments have been verified.
Status verifyRecovery(const fbs::Target &target, const fbs::Package &package,
                      const std::string &where);

} // namespace umber::verify

#endif // UMBER_RUNTIME_PACKAGE_PACKAGEVERIFY_H
