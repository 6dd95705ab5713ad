// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_COMMON_PHASE_H
#define UMBER_TOOLS_COMMON_PHASE_H

#include <cstdint>
#include <string>

namespace umber::tools {

/// What is run of a model. `decode@512`: the step after 512 tokens;
/// `prefill:1024`: a prompt of so many.
struct Phase {
  bool isDecode = false;
  int64_t count = 0;

  std::string text() const {
    return (isDecode ? "decode@" : "prefill:") + std::to_string(count);
  }
};

/// Reads `--phase` of a model for up to `contextLength` tokens. Throws a
/// std::runtime_error that says what was expected.
Phase parsePhase(const std::string &text, int64_t contextLength);

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_PHASE_H
