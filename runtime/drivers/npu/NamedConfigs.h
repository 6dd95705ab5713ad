// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The descriptions in targets/NPU/configs, within the library: the runtime
// needs no folder beside it.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_NAMEDCONFIGS_H
#define UMBER_RUNTIME_DRIVERS_NPU_NAMEDCONFIGS_H

#include <string_view>
#include <vector>

namespace umber::npu {

struct NamedConfig {
  std::string_view name;
  std::string_view text;
};

/// Sorted by name. CMake writes it.
extern const std::vector<NamedConfig> kNamedConfigs;

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_NAMEDCONFIGS_H
