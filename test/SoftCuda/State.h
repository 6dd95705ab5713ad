// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the functions of the driver API share: the device with all that was made
// on it. Work that is put into a stream is done when somebody waits for it, so
// that who does not wait finds nothing done.

#ifndef UMBER_TEST_SOFTCUDA_STATE_H
#define UMBER_TEST_SOFTCUDA_STATE_H

#include "runtime/drivers/cuda/CudaApi.h"
#include "test/SoftCuda/Launch.h"
#include "test/SoftCuda/Results.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>

// Of the functions' declarations the driver has the only ones.
#define SOFTCUDA_DECLARE(NAME, PARAMETERS)                                     \
  extern "C" umber::cuda::CudaResult NAME PARAMETERS;
namespace umber::cuda {
UMBER_CUDA_FUNCTIONS(SOFTCUDA_DECLARE)
}
#undef SOFTCUDA_DECLARE

namespace umber::softcuda {

using namespace umber::cuda;

/// Throws Fault.
using Operation = std::function<void()>;

struct Stream {
  std::vector<Operation> queue;
  bool isCapturing = false;
  std::vector<Operation> captured;
};

struct Graph {
  std::vector<Operation> operations;
};

struct Event {
  bool isRecorded = false;
  double milliseconds = 0;
};

class State {
public:
  static State &get();

  std::mutex mutex;
  bool isInitialized = false;
  int users = 0; ///< of the primary context
  /// After a launch that failed nothing works any more.
  CudaResult failure = kSuccess;

  GlobalMemory memory;
  std::map<const void *, size_t> pinned; ///< sizes of the host's memory
  std::map<CudaModule, std::unique_ptr<Module>> modules;
  std::map<CudaStream, Stream> streams;
  std::map<CudaGraph, Graph> graphs;
  std::map<CudaGraphExec, Graph> executables;
  std::map<CudaEvent, std::shared_ptr<Event>> events;

  /// Handles are numbers that were given to nothing before.
  template <class Handle>
  Handle makeHandle() {
    return reinterpret_cast<Handle>(lastHandle += 16);
  }
  bool isPinned(const void *address, size_t bytes) const;
  /// The kernel of a handle, null if it is none of a module that is loaded.
  const Kernel *kernelOf(CudaFunction function) const;
  /// Does what is queued.
  CudaResult drain(Stream &stream);
  CudaResult drainAll();
  /// Ends the context with all that is left in it.
  void reset();

private:
  uintptr_t lastHandle = 0x1000;
};

/// Calls the function with the state locked, for a caller who has made the
/// context current; else, and after a failure, returns what is wrong.
CudaResult inContext(const std::function<CudaResult(State &)> &function);

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_STATE_H
