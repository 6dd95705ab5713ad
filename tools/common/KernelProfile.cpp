// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/KernelProfile.h"

#include "tools/common/Handles.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

using namespace umber::tools;

std::string umber::tools::nameInAnyLayer(const umber_dispatch_profile &row) {
  std::string prefix = "l" + std::to_string(row.layer) + ".";
  std::string name = row.name;
  return row.layer >= 0 && name.rfind(prefix, 0) == 0
             ? name.substr(prefix.size())
             : name;
}

namespace {

/// By what they are added up for.
using Key = std::tuple<std::string, size_t, std::string>;
using Kernels = std::map<Key, KernelProfile>;

void add(const umber_session *session, bool byLayer, Kernels &kernels) {
  for (size_t i = 0; i < umber_session_profile_count(session); ++i) {
    umber_dispatch_profile row = UMBER_DISPATCH_PROFILE_INIT;
    check([&](umber_error *error) {
      return umber_session_profile_get(session, i, &row, error);
    });
    if (row.runs == 0) {
      continue;
    }
    std::string name = nameInAnyLayer(row);
    KernelProfile &kernel = kernels[{row.program, byLayer ? i : 0, name}];
    kernel.program = row.program;
    kernel.name = name;
    kernel.layer = byLayer ? row.layer : -1;
    kernel.runs += row.runs;
    kernel.nanoseconds += row.nanoseconds;
    kernel.weightBytes += row.weight_bytes_read;
    kernel.cacheBytes += row.cache_bytes_read;
    kernel.integerOps += row.integer_ops;
    kernel.floatOps += row.float_ops;
  }
}

std::vector<KernelProfile> addUp(const std::vector<umber_session *> &sessions,
                                 bool byLayer) {
  Kernels kernels;
  for (const umber_session *session : sessions) {
    add(session, byLayer, kernels);
  }
  std::vector<KernelProfile> all;
  for (auto &[key, kernel] : kernels) {
    all.push_back(std::move(kernel));
  }
  return all;
}

} // namespace

std::vector<KernelProfile>
umber::tools::profileKernels(const std::vector<umber_session *> &sessions) {
  std::vector<KernelProfile> sorted = addUp(sessions, /*byLayer=*/false);
  std::sort(sorted.begin(), sorted.end(),
            [](const KernelProfile &a, const KernelProfile &b) {
              return a.nanoseconds > b.nanoseconds;
            });
  return sorted;
}

std::vector<KernelProfile>
umber::tools::profileLayers(const std::vector<umber_session *> &sessions) {
  return addUp(sessions, /*byLayer=*/true);
}
