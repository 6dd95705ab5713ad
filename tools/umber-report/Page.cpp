// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/Page.h"

namespace umber::tools {

std::string makePage(const Json &report) {
  std::string page(kPageBegin);
  // Nothing in the data may end the element that holds it.
  for (char c : toText(report)) {
    if (c == '<') {
      page += "\\u003c";
    } else {
      page += c;
    }
  }
  page += kPageEnd;
  return page;
}

} // namespace umber::tools
