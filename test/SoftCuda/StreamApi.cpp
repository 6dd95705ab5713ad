// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver API's streams, graphs, events, copies and launches.

#include "test/SoftCuda/State.h"
#include "test/SoftCuda/Warp.h"

#include <chrono>
#include <cstring>

using namespace umber::softcuda;
using namespace umber::cuda;

namespace {

/// Calls the function with a stream of this handle.
CudaResult withStream(CudaStream handle,
                      const std::function<CudaResult(State &, Stream &)> &f) {
  return inContext([&](State &state) {
    auto found = state.streams.find(handle);
    return found == state.streams.end() ? kInvalidHandle
                                        : f(state, found->second);
  });
}

/// Puts an operation where the stream's are done or where its graph is made.
CudaResult enqueue(Stream &stream, Operation operation) {
  (stream.isCapturing ? stream.captured : stream.queue)
      .push_back(std::move(operation));
  return kSuccess;
}

/// A copy of what may have been freed since it was asked for.
Operation copyOf(State &state, void *to, const void *from, CudaAddress device,
                 size_t bytes) {
  return [&state, to, from, device, bytes] {
    if (!state.memory.contains(device, bytes)) {
      throw Fault(kIllegalAddress, "a copy of memory that was freed");
    }
    std::memcpy(to, from, bytes);
  };
}

} // namespace

namespace umber::cuda {

CudaResult cuStreamCreate(CudaStream *stream, unsigned flags) {
  return inContext([&](State &state) {
    *stream = state.makeHandle<CudaStream>();
    state.streams[*stream];
    return flags <= kStreamNonBlocking ? kSuccess : kInvalidValue;
  });
}

CudaResult cuStreamDestroy_v2(CudaStream stream) {
  return withStream(stream, [&](State &state, Stream &found) {
    CudaResult result = state.drain(found);
    state.streams.erase(stream);
    return result;
  });
}

CudaResult cuStreamSynchronize(CudaStream stream) {
  return withStream(stream, [&](State &state, Stream &found) {
    return found.isCapturing ? kCaptureUnsupported : state.drain(found);
  });
}

CudaResult cuStreamBeginCapture_v2(CudaStream stream, int mode) {
  return withStream(stream, [&](State &, Stream &found) {
    if (found.isCapturing || mode < 0 || mode > 2) {
      return kInvalidValue;
    }
    found.isCapturing = true;
    return kSuccess;
  });
}

CudaResult cuStreamEndCapture(CudaStream stream, CudaGraph *graph) {
  return withStream(stream, [&](State &state, Stream &found) {
    if (!found.isCapturing) {
      return kInvalidValue;
    }
    *graph = state.makeHandle<CudaGraph>();
    state.graphs[*graph].operations = std::move(found.captured);
    found.captured.clear();
    found.isCapturing = false;
    return kSuccess;
  });
}

CudaResult cuGraphInstantiateWithFlags(CudaGraphExec *executable,
                                       CudaGraph graph,
                                       unsigned long long flags) {
  return inContext([&](State &state) {
    auto found = state.graphs.find(graph);
    if (found == state.graphs.end()) {
      return kInvalidHandle;
    }
    *executable = state.makeHandle<CudaGraphExec>();
    state.executables[*executable] = found->second;
    return flags == 0 ? kSuccess : kInvalidValue;
  });
}

CudaResult cuGraphLaunch(CudaGraphExec executable, CudaStream stream) {
  return withStream(stream, [&](State &state, Stream &found) {
    auto graph = state.executables.find(executable);
    if (graph == state.executables.end()) {
      return kInvalidHandle;
    }
    for (const Operation &operation : graph->second.operations) {
      enqueue(found, operation);
    }
    return kSuccess;
  });
}

CudaResult cuGraphExecDestroy(CudaGraphExec executable) {
  return inContext([&](State &state) {
    return state.executables.erase(executable) ? kSuccess : kInvalidHandle;
  });
}

CudaResult cuGraphDestroy(CudaGraph graph) {
  return inContext([&](State &state) {
    return state.graphs.erase(graph) ? kSuccess : kInvalidHandle;
  });
}

CudaResult cuMemcpyHtoDAsync_v2(CudaAddress to, const void *from, size_t bytes,
                                CudaStream stream) {
  return withStream(stream, [&](State &state, Stream &found) {
    if (!state.memory.contains(to, bytes)) {
      return kInvalidValue;
    }
    void *memory = reinterpret_cast<void *>(to);
    if (state.isPinned(from, bytes)) {
      return enqueue(found, copyOf(state, memory, from, to, bytes));
    }
    if (found.isCapturing) {
      return kCaptureUnsupported;
    }
    // Memory that the device cannot read is read at once.
    const char *begin = static_cast<const char *>(from);
    auto kept = std::make_shared<std::vector<char>>(begin, begin + bytes);
    Operation copy = copyOf(state, memory, kept->data(), to, bytes);
    return enqueue(found, [kept, copy] { copy(); });
  });
}

CudaResult cuMemcpyDtoHAsync_v2(void *to, CudaAddress from, size_t bytes,
                                CudaStream stream) {
  return withStream(stream, [&](State &state, Stream &found) {
    if (!state.memory.contains(from, bytes)) {
      return kInvalidValue;
    }
    Operation copy =
        copyOf(state, to, reinterpret_cast<void *>(from), from, bytes);
    if (state.isPinned(to, bytes)) {
      return enqueue(found, copy);
    }
    if (found.isCapturing) {
      return kCaptureUnsupported;
    }
    enqueue(found, copy);
    return state.drain(found);
  });
}

CudaResult cuLaunchKernel(CudaFunction function, unsigned blocksX,
                          unsigned blocksY, unsigned blocksZ, unsigned threadsX,
                          unsigned threadsY, unsigned threadsZ,
                          unsigned sharedBytes, CudaStream stream,
                          void **parameters, void **extra) {
  return withStream(stream, [&](State &state, Stream &found) {
    const Kernel *kernel = state.kernelOf(function);
    if (!kernel) {
      return kInvalidHandle;
    }
    Grid grid = {{blocksX, blocksY, blocksZ},
                 {threadsX, threadsY, threadsZ},
                 sharedBytes};
    CudaResult result = checkGrid(*kernel, grid);
    if (result != kSuccess || extra) {
      return result ? result : kInvalidValue;
    }
    std::vector<std::byte> values(kernel->parameterBytes);
    for (size_t i = 0; i < kernel->parameters.size(); ++i) {
      const ParameterPlace &place = kernel->parameters[i];
      std::memcpy(values.data() + place.offset, parameters[i], place.bytes);
    }
    return enqueue(found, [&state, function, grid, values] {
      const Kernel *kernel = state.kernelOf(function);
      if (!kernel) {
        throw Fault(kInvalidHandle, "a launch of a module that was unloaded");
      }
      launch(*kernel, grid, values, state.memory);
    });
  });
}

CudaResult cuEventCreate(CudaEvent *event, unsigned flags) {
  return inContext([&](State &state) {
    *event = state.makeHandle<CudaEvent>();
    state.events[*event] = std::make_shared<Event>();
    return flags <= 3 ? kSuccess : kInvalidValue;
  });
}

CudaResult cuEventDestroy_v2(CudaEvent event) {
  return inContext([&](State &state) {
    return state.events.erase(event) ? kSuccess : kInvalidHandle;
  });
}

CudaResult cuEventRecord(CudaEvent event, CudaStream stream) {
  return withStream(stream, [&](State &state, Stream &found) {
    auto recorded = state.events.find(event);
    if (recorded == state.events.end()) {
      return kInvalidHandle;
    }
    return enqueue(found, [event = recorded->second] {
      std::chrono::duration<double, std::milli> now =
          std::chrono::steady_clock::now().time_since_epoch();
      event->isRecorded = true;
      event->milliseconds = now.count();
    });
  });
}

CudaResult cuEventElapsedTime(float *milliseconds, CudaEvent begin,
                              CudaEvent end) {
  return inContext([&](State &state) {
    auto first = state.events.find(begin), second = state.events.find(end);
    if (first == state.events.end() || second == state.events.end()) {
      return kInvalidHandle;
    }
    if (!first->second->isRecorded || !second->second->isRecorded) {
      return kNotReady;
    }
    *milliseconds =
        float(second->second->milliseconds - first->second->milliseconds);
    return kSuccess;
  });
}

} // namespace umber::cuda
