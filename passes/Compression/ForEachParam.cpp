// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/ForEachParam.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Parallel.h"
#include <atomic>
#include <map>
#include <mutex>

using namespace mlir;
using namespace mlir::umber;

namespace umber {

LogicalResult forEachParam(ArrayRef<ParamOp> params, ParamReport report,
                           function_ref<LogicalResult(size_t)> function) {
  if (params.empty()) {
    return success();
  }
  if (params.size() == 1) {
    // Its rows may then run on all threads.
    if (failed(function(0))) {
      return failure();
    }
    report(params.front());
    return success();
  }
  static thread_local size_t current;
  MLIRContext *context = params.front()->getContext();
  std::map<size_t, std::vector<Diagnostic>> said;
  std::atomic<size_t> firstFailed = params.size();
  std::mutex mutex;
  {
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      std::lock_guard<std::mutex> lock(mutex);
      said[current].push_back(std::move(diagnostic));
    });
    // In order, so that none before the first failure is left out.
    std::atomic<size_t> next = 0;
    llvm::parallelFor(0, llvm::parallel::getThreadCount(), [&](size_t) {
      while (firstFailed == params.size() &&
             (current = next++) < params.size()) {
        bool isDone = succeeded(function(current));
        std::lock_guard<std::mutex> lock(mutex);
        if (isDone) {
          report(params[current]);
        } else {
          firstFailed = std::min(firstFailed.load(), current);
        }
      }
    });
  }
  if (firstFailed == params.size()) {
    return success();
  }
  for (Diagnostic &diagnostic : said[firstFailed]) {
    context->getDiagEngine().emit(std::move(diagnostic));
  }
  return failure();
}

} // namespace umber
