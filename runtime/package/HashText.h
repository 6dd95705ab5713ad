// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How messages show a hash.

#ifndef UMBER_RUNTIME_PACKAGE_HASHTEXT_H
#define UMBER_RUNTIME_PACKAGE_HASHTEXT_H

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>

namespace umber {

inline std::string hashText(uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%016" PRIx64, value);
  return text;
}

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_HASHTEXT_H
