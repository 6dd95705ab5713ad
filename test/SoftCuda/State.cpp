// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/State.h"

#include "test/SoftCuda/Warp.h"

#include <cstdlib>

using namespace umber::softcuda;
using namespace umber::cuda;

State &State::get() {
  // Never destroyed: what is static elsewhere may still call.
  static State *state = new State();
  return *state;
}

bool State::isPinned(const void *address, size_t bytes) const {
  auto after = pinned.upper_bound(address);
  if (after == pinned.begin()) {
    return false;
  }
  auto [begin, size] = *std::prev(after);
  size_t offset = size_t(static_cast<const char *>(address) -
                         static_cast<const char *>(begin));
  return offset <= size && bytes <= size - offset;
}

const Kernel *State::kernelOf(CudaFunction function) const {
  for (const auto &[handle, module] : modules) {
    for (const Kernel &kernel : module->kernels) {
      if (reinterpret_cast<CudaFunction>(const_cast<Kernel *>(&kernel)) ==
          function) {
        return &kernel;
      }
    }
  }
  return nullptr;
}

CudaResult State::drain(Stream &stream) {
  std::vector<Operation> queue = std::move(stream.queue);
  stream.queue.clear();
  try {
    for (const Operation &operation : queue) {
      if (failure != kSuccess) {
        break;
      }
      operation();
    }
  } catch (const Fault &fault) {
    failure = fault.result;
  }
  return failure;
}

CudaResult State::drainAll() {
  for (auto &[handle, stream] : streams) {
    drain(stream);
  }
  return failure;
}

void State::reset() {
  drainAll();
  events.clear();
  executables.clear();
  graphs.clear();
  streams.clear();
  modules.clear();
  memory.clear();
  for (const auto &[address, bytes] : pinned) {
    std::free(const_cast<void *>(address));
  }
  pinned.clear();
  failure = kSuccess;
}
