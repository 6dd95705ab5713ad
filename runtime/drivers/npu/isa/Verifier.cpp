// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Verifier.h"

#include "runtime/drivers/npu/isa/FieldRange.h"
#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/isa/OperationRules.h"

#include <array>
#include <optional>

using namespace umber;
using namespace umber::npu;

namespace {

/// What the array keeps between the parts of a product.
struct OpenProduct {
  uint32_t rows = 0;
  uint32_t columns = 0;
  DataType type = DataType::F32;

  bool operator==(const OpenProduct &other) const {
    return rows == other.rows && columns == other.columns && type == other.type;
  }
};

class Verification {
public:
  Verification(const Program &program, const Config &config)
      : program(program), config(config) {}

  Finding run();

private:
  Finding fail(const std::string &message,
               StatusCode code = StatusCode::InvalidArgument) const {
    return {code, message, static_cast<uint32_t>(index), {}};
  }
  Finding checkLoops();
  Finding checkWaits();
  Finding checkParts();

  const Program &program;
  const Config &config;
  size_t index = 0;
  struct OpenLoop {
    size_t index;
    std::optional<OpenProduct> product;
  };
  std::vector<OpenLoop> loops;
  std::optional<OpenProduct> product;
  std::array<std::optional<Queue>, kSemaphores> waiters;
};

std::string getText(const std::optional<OpenProduct> &product) {
  return product ? "one of " + std::to_string(product->rows) + " x " +
                       std::to_string(product->columns) + " of " +
                       kTypeNames[unsigned(product->type)]
                 : "none";
}

Finding Verification::checkLoops() {
  const Operation &operation = program[index].operation;
  if (std::holds_alternative<Loop>(operation)) {
    if (loops.size() == kLoopDepth) {
      return fail("expected loops at most " + std::to_string(kLoopDepth) +
                  " deep, found one more");
    }
    loops.push_back({index, product});
  } else if (std::holds_alternative<EndLoop>(operation)) {
    if (loops.empty()) {
      return fail("expected a loop before it, found none");
    }
    if (!(loops.back().product == product)) {
      return fail("expected the same unfinished product as where the loop "
                  "begins, " +
                  getText(loops.back().product) + ", found " +
                  getText(product));
    }
    loops.pop_back();
  } else if (std::holds_alternative<Stop>(operation)) {
    if (index + 1 != program.size()) {
      return fail("expected it at the end only, found instructions behind it");
    }
    if (!loops.empty()) {
      index = loops.back().index;
      return fail("expected an end, found none");
    }
    if (product) {
      return fail("expected no unfinished product, found " + getText(product));
    }
  }
  return {};
}

Finding Verification::checkWaits() {
  const Instruction &instruction = program[index];
  for (SemaphoreUse wait : instruction.wait) {
    if (wait.count == 0) {
      continue;
    }
    std::optional<Queue> &waiter = waiters[wait.semaphore];
    if (waiter && *waiter != instruction.queue) {
      return fail("semaphore " + std::to_string(wait.semaphore) +
                  ": expected waits of one queue, found " +
                  kQueueNames[unsigned(*waiter)] + " and " +
                  kQueueNames[unsigned(instruction.queue)]);
    }
    waiter = instruction.queue;
  }
  return {};
}

Finding Verification::checkParts() {
  const Operation &operation = program[index].operation;
  const auto *part = std::get_if<Multiply>(&operation);
  if (!part) {
    if (product && std::holds_alternative<MultiplyDynamic>(operation)) {
      return fail("expected the last part of a product before, found " +
                  getText(product) + " unfinished");
    }
    return {};
  }
  OpenProduct own = {part->rows, part->columns, part->a.type};
  if (part->isFirst && product) {
    return fail("expected a later part of the unfinished product, found a "
                "first part while there is " +
                getText(product));
  }
  if (!part->isFirst && !product) {
    return fail("expected a first part before, found none");
  }
  if (product && !(own == *product)) {
    return fail("expected a part of the unfinished product, " +
                getText(product) + ", found " + getText(own));
  }
  product = part->isLast ? std::nullopt : std::optional<OpenProduct>(own);
  return {};
}

Finding Verification::run() {
  for (index = 0; index < program.size(); ++index) {
    std::string error = findRangeError(program[index]);
    if (!error.empty()) {
      return fail(error);
    }
    Status status = checkOperation(program[index], config);
    if (!status.ok()) {
      return fail(status.message(), status.code());
    }
    for (auto check : {&Verification::checkWaits, &Verification::checkParts,
                       &Verification::checkLoops}) {
      Finding finding = (this->*check)();
      if (!finding.ok()) {
        return finding;
      }
    }
  }
  if (program.empty() ||
      !std::holds_alternative<Stop>(program.back().operation)) {
    return {StatusCode::InvalidArgument,
            "expected a stop at the end of the program, found none",
            {},
            {}};
  }
  return {};
}

} // namespace

Finding npu::findIllegal(const Program &program, const Config &config) {
  return Verification(program, config).run();
}

Status npu::verify(const Program &program, const Config &config) {
  return findIllegal(program, config).getStatus(program);
}
