// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the plans of compiled programs have in common, whatever runs them.

#ifndef UMBER_RUNTIME_DRIVERS_PROGRAMPLAN_H
#define UMBER_RUNTIME_DRIVERS_PROGRAMPLAN_H

#include "runtime/package/Status.h"

#include <cstdint>
#include <string>

namespace umber {

class Package;

namespace fbs {
struct Dispatch;
struct Program;
struct Target;
} // namespace fbs

/// What reports call a dispatch, and what it costs. See umb.fbs.
struct DispatchCosts {
  std::string name;
  int32_t layer;
  uint64_t weightBytes;
  uint64_t flopsPerToken;
  uint64_t integerOpsPerToken;
  uint64_t flopsPerPosition;
  uint64_t window;
  bool ofOutputs; // computes a step's last rows alone
};

DispatchCosts readCosts(const fbs::Dispatch &dispatch);

/// The package's target of that name. NotFound, with the targets that there
/// are.
Result<const fbs::Target *> findTarget(const Package &package,
                                       const std::string &name);

/// CorruptFile unless some dispatch reads token ids and some writes logits.
Status checkMakesLogits(const fbs::Target &target, const fbs::Program &program);

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_PROGRAMPLAN_H
