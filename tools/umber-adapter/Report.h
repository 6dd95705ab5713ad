// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is in an adapter, for people and for programs.

#ifndef UMBER_TOOLS_UMBER_ADAPTER_REPORT_H
#define UMBER_TOOLS_UMBER_ADAPTER_REPORT_H

#include "runtime/adapter/Adapter.h"

namespace umber::tools {

/// To standard output, as a table or as one JSON object.
void printText(const Adapter &adapter);
void printJson(const Adapter &adapter);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_ADAPTER_REPORT_H
