// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the C API's handles of sessions and adapters hold.

#ifndef UMBER_RUNTIME_CORE_API_HANDLES_H
#define UMBER_RUNTIME_CORE_API_HANDLES_H

#include "runtime/core/Session.h"
#include "runtime/core/api/Boundary.h"

struct umber_session {
  std::unique_ptr<umber::Session> session;
};

struct umber_adapter {
  // Declared first, so that the adapter goes before its model.
  std::shared_ptr<const umber::Model> model;
  std::shared_ptr<const umber::LoadedAdapter> adapter;
};

#endif // UMBER_RUNTIME_CORE_API_HANDLES_H
