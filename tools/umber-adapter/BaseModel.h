// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model that an adapter is to be used with.

#ifndef UMBER_TOOLS_UMBER_ADAPTER_BASEMODEL_H
#define UMBER_TOOLS_UMBER_ADAPTER_BASEMODEL_H

#include "runtime/adapter/Adapter.h"

#include <string>

namespace umber::tools {

/// Checks what a model's package tells about whether the adapter is for it, and
/// returns its ModelInfo.base_hash. ToolError if the adapter is for another.
uint64_t checkBase(const Adapter &adapter, const std::string &package);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_ADAPTER_BASEMODEL_H
