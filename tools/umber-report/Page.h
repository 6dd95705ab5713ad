// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The page: what bundle.py has made of page/, around a report's data.

#ifndef UMBER_TOOLS_UMBER_REPORT_PAGE_H
#define UMBER_TOOLS_UMBER_REPORT_PAGE_H

#include "tools/umber-report/Json.h"

#include <string_view>

namespace umber::tools {

extern const std::string_view kPageBegin;
extern const std::string_view kPageEnd;

/// A page that needs no other file.
std::string makePage(const Json &report);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_PAGE_H
