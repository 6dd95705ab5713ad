// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_PROGRESSACTION_H
#define UMBER_PASSES_COMPRESSION_PROGRESSACTION_H

#include "mlir/IR/Action.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

namespace umber {

/// Says how far a long pass has come: to be seen by an action handler that a
/// tool registers with the context. Does nothing itself.
class ProgressAction : public mlir::tracing::ActionImpl<ProgressAction> {
public:
  static constexpr llvm::StringLiteral tag = "umber-progress";

  ProgressAction(llvm::ArrayRef<mlir::IRUnit> units, llvm::StringRef what,
                 double done)
      : ActionImpl(units), what(what), done(done) {}

  llvm::StringRef getWhat() const { return what; }
  /// From 0 to 1.
  double getDone() const { return done; }

  void print(llvm::raw_ostream &os) const override {
    os << what << ' ' << int(100 * done) << " %";
  }

  static void report(mlir::MLIRContext *context, llvm::StringRef what,
                     double done) {
    context->executeAction<ProgressAction>([] {}, {}, what, done);
  }

private:
  llvm::StringRef what;
  double done;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_PROGRESSACTION_H
