// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/Phase.h"

#include <stdexcept>

umber::tools::Phase umber::tools::parsePhase(const std::string &text,
                                             int64_t contextLength) {
  Phase phase;
  phase.isDecode = text.rfind("decode@", 0) == 0;
  std::string number;
  if (phase.isDecode || text.rfind("prefill:", 0) == 0) {
    number = text.substr(phase.isDecode ? 7 : 8);
  }
  bool isNumber = !number.empty() && number.size() <= 9 &&
                  number.find_first_not_of("0123456789") == std::string::npos;
  if (isNumber) {
    phase.count = std::stoll(number);
  }
  int64_t least = phase.isDecode ? 0 : 1;
  int64_t most = phase.isDecode ? contextLength - 1 : contextLength;
  if (!isNumber || phase.count < least || phase.count > most) {
    throw std::runtime_error(
        "--phase: expected decode@0 to decode@" +
        std::to_string(contextLength - 1) + ", or prefill:1 to prefill:" +
        std::to_string(contextLength) + ", found '" + text + "'");
  }
  return phase;
}
