// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/KernelKind.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

llvm::StringRef getKernelKind(KernelOp kernel) {
  auto has = [](KernelOp of, auto isOne) {
    return llvm::any_of(of.getBody().front(), isOne);
  };
  auto isGated = llvm::IsaPred<GatedActivationOp>;
  bool isAfterGated = llvm::any_of(kernel.getInputs(), [&](Value input) {
    auto before = input.getDefiningOp<KernelOp>();
    return before && has(before, isGated);
  });
  llvm::StringRef kind = has(kernel, llvm::IsaPred<EmbedOp>)       ? "embed"
                         : has(kernel, llvm::IsaPred<AttentionOp>) ? "attention"
                         : has(kernel, llvm::IsaPred<KVUpdateOp>)  ? "qkv"
                         : has(kernel, isGated) || isAfterGated    ? "ffn"
                                                                   : "";
  if (!kind.empty()) {
    return kind;
  }
  bool isHead = llvm::all_of(kernel->getUsers(), [](mlir::Operation *user) {
    auto after = dyn_cast<KernelOp>(user);
    return isa<func::ReturnOp>(user) ||
           (after && getKernelKind(after) == "head");
  });
  return isHead ? "head" : "other";
}

} // namespace umber
