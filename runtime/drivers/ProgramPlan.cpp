// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/ProgramPlan.h"

#include "runtime/package/Package.h"

using namespace umber;

DispatchCosts umber::readCosts(const fbs::Dispatch &dispatch) {
  return {dispatch.name()->str(),
          dispatch.layer(),
          dispatch.weight_bytes(),
          dispatch.flops_per_token(),
          dispatch.integer_ops_per_token(),
          dispatch.flops_per_position(),
          dispatch.window(),
          dispatch.of_outputs()};
}

Result<const fbs::Target *> umber::findTarget(const Package &package,
                                              const std::string &name) {
  std::string names;
  if (package.meta().targets()) {
    for (const fbs::Target *target : *package.meta().targets()) {
      if (target->name()->str() == name) {
        return target;
      }
      names += (names.empty() ? "" : ", ") + target->name()->str();
    }
  }
  return Status(StatusCode::NotFound, "has no target " + name + "; there is: " +
                                          (names.empty() ? "none" : names));
}

Status umber::checkMakesLogits(const fbs::Target &target,
                               const fbs::Program &program) {
  bool readsIds = false, writesLogits = false;
  if (program.dispatches()) {
    for (const fbs::Dispatch *dispatch : *program.dispatches()) {
      if (dispatch->bindings()) {
        for (const fbs::Binding *binding : *dispatch->bindings()) {
          readsIds |= binding->kind() == fbs::BindingKind_TokenIds;
          writesLogits |= binding->kind() == fbs::BindingKind_Logits;
        }
      }
    }
  }
  if (!readsIds || !writesLogits) {
    return Status(StatusCode::CorruptFile,
                  "target " + target.name()->str() + ": program " +
                      program.name()->str() +
                      " does not make logits from token ids");
  }
  return {};
}
