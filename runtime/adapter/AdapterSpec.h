// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_ADAPTER_ADAPTERSPEC_H
#define UMBER_RUNTIME_ADAPTER_ADAPTERSPEC_H

#include "runtime/package/Status.h"

#include <string>

namespace umber {

/// An adapter as a command line names it.
struct AdapterSpec {
  std::string path;
  float scale = 1.0f;

  /// Reads `PATH[:SCALE]`. A path may have a colon, too: what is there as a
  /// whole is a path. InvalidArgument, `expected …, found …`, where the scale
  /// is no finite number.
  static Result<AdapterSpec> parse(const std::string &text);
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_ADAPTERSPEC_H
