// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/Executor.h"

#include "runtime/drivers/npu/Product.h"
#include "runtime/drivers/npu/sim/Operations.h"
#include "runtime/drivers/npu/sim/WorkModel.h"

#include <type_traits>

using namespace umber;
using namespace umber::npu;

namespace {

template <typename T>
constexpr bool kIsOfSystem =
    std::is_same_v<T, Stop> || std::is_same_v<T, Fence> ||
    std::is_same_v<T, SetRegister> || std::is_same_v<T, AddRegister> ||
    std::is_same_v<T, Loop> || std::is_same_v<T, EndLoop> ||
    std::is_same_v<T, Mark>;

Status executeOne(Machine &machine, const Workers &workers,
                  const Operation &operation) {
  Operands operands(machine);
  std::visit(
      [&](const auto &o) {
        // The others have had their effect when they were fetched.
        if constexpr (!kIsOfSystem<std::decay_t<decltype(o)>>) {
          execute(operands, workers, o);
        }
      },
      operation);
  return operands.status();
}

/// `visit` is called for each instruction when it is done.
template <typename F>
Status run(Machine &machine, const Workers &workers, const Program &program,
           const Registers &registers, uint64_t most, F visit) {
  Expander expander(program, registers, most);
  while (expander.next()) {
    Status status = executeOne(machine, workers, expander.current().operation);
    if (status.ok()) {
      status = visit(expander);
    }
    if (!status.ok()) {
      return Status(status.code(),
                    describe(program, expander.index(), status.message()));
    }
  }
  return expander.status();
}

} // namespace

Status npu::execute(Machine &machine, const Workers &workers,
                    const Program &program, const Registers &registers) {
  return run(machine, workers, program, registers, kMostExecuted,
             [](const Expander &) { return Status(); });
}

Result<Trace> npu::trace(Machine &machine, const Workers &workers,
                         const Program &program, const Registers &registers) {
  const Config &config = machine.config;
  if (!std::holds_alternative<CoreArray>(config.array)) {
    return Status(StatusCode::Unsupported,
                  config.name + " runs no programs: it is no array of cores");
  }
  Trace result;
  Status status = run(machine, workers, program, registers, kMostCommands,
                      [&](const Expander &expander) -> Status {
                        Result<Command> command =
                            getCommand(machine, expander.current());
                        if (!command.ok()) {
                          return command.status();
                        }
                        result.commands.push_back(*command);
                        result.instructions.push_back(expander.index());
                        return {};
                      });
  if (!status.ok()) {
    return status;
  }
  return result;
}
