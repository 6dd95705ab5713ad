// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/Passes.h"
#include "passes/Adapters/Sites.h"

namespace umber {
#define GEN_PASS_DEF_ATTACHADAPTERSPASS
#include "passes/Adapters/Passes.h.inc"
} // namespace umber

namespace {

struct AttachAdapters : ::umber::impl::AttachAdaptersPassBase<AttachAdapters> {
  void runOnOperation() override {
    if (failed(umber::attachAdapters(getOperation()))) {
      signalPassFailure();
    }
  }
};

} // namespace
