// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Operation.h"

using namespace umber;
using namespace umber::npu;

namespace {

struct OwnQueue {
  template <typename T>
  Queue operator()(const T &) const {
    return Queue::Vector;
  }
  Queue operator()(const Stop &) const { return Queue::System; }
  Queue operator()(const Fence &) const { return Queue::System; }
  Queue operator()(const SetRegister &) const { return Queue::System; }
  Queue operator()(const AddRegister &) const { return Queue::System; }
  Queue operator()(const Loop &) const { return Queue::System; }
  Queue operator()(const EndLoop &) const { return Queue::System; }
  Queue operator()(const Mark &) const { return Queue::System; }
  Queue operator()(const Load &) const { return Queue::Load0; }
  Queue operator()(const Gather &) const { return Queue::Load0; }
  Queue operator()(const Store &) const { return Queue::Store; }
  Queue operator()(const LoadTable &) const { return Queue::Weights; }
  Queue operator()(const StreamWeights &) const { return Queue::Weights; }
  Queue operator()(const Multiply &) const { return Queue::Matrix; }
  Queue operator()(const MultiplyDynamic &) const { return Queue::Matrix; }
  Queue operator()(const AppendCache &) const { return Queue::Cache; }
};

} // namespace

const char *npu::getName(const Operation &operation) {
  return std::visit([](const auto &o) { return o.kName; }, operation);
}

Queue npu::getOwnQueue(const Operation &operation) {
  return std::visit(OwnQueue(), operation);
}

bool npu::isFor(const Operation &operation, Queue queue) {
  if (std::holds_alternative<Mark>(operation)) {
    return true;
  }
  Queue own = getOwnQueue(operation);
  return queue == own || (own == Queue::Load0 && queue == Queue::Load1);
}

std::string npu::describe(const Program &program, size_t index,
                          const std::string &message) {
  return "instruction " + std::to_string(index) + " (" +
         getName(program[index].operation) + "): " + message;
}

unsigned npu::getBytes(DataType type) {
  switch (type) {
  case DataType::I8:
    return 1;
  case DataType::F16:
    return 2;
  case DataType::I32:
  case DataType::F32:
    break;
  }
  return 4;
}
