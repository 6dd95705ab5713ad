// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One session's launches on a CUDA device.

#include "runtime/drivers/cuda/CudaDevice.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::cuda;

namespace {

/// Programs are graphs, which the device goes through by itself; timed ones are
/// launched one by one.
class CudaStreamOfSession : public gpu::Stream {
public:
  /// The device outlives the stream, which is of use after allocate().
  explicit CudaStreamOfSession(const CudaDevice &device) : device(device) {}
  ~CudaStreamOfSession() override;
  Status allocate(uint64_t inputBytes, uint64_t resultBytes);

  Result<std::unique_ptr<gpu::Recording>>
  record(const std::vector<gpu::Launch> &launches, const gpu::Range &input,
         bool isTimed) override;
  Status run(gpu::Recording &recording, const void *input,
             const gpu::Range &result, const void **output) override;
  Status readTimes(const gpu::Recording &recording,
                   std::vector<uint64_t> &nanoseconds) override;

private:
  class Recorded;

  /// Copies the input and launches everything, or captures that.
  CudaResult launchAll(Recorded &recording);
  CudaResult capture(Recorded &recording);

  const CudaDevice &device;
  CudaStream stream = nullptr;
  // Memory of the host that the device reads and writes.
  void *inputWindow = nullptr, *resultWindow = nullptr;
};

} // namespace

/// Launches with their arguments, and a graph of them unless they are timed.
class CudaStreamOfSession::Recorded : public gpu::Recording {
public:
  struct Launch {
    CudaFunction function;
    gpu::Launch launch;
    std::vector<CudaAddress> arguments;
  };

  explicit Recorded(const CudaDevice &device) : device(device) {}
  ~Recorded() override {
    CurrentContext current(device.cuda(), device.handle());
    if (graph) {
      device.cuda().cuGraphExecDestroy(graph);
    }
    for (CudaEvent event : events) {
      device.cuda().cuEventDestroy_v2(event);
    }
  }

  const CudaDevice &device;
  std::vector<Launch> launches;
  gpu::Range input;
  CudaGraphExec graph = nullptr;
  std::vector<CudaEvent> events; // one before all launches, one after each
};

Status CudaStreamOfSession::allocate(uint64_t inputBytes,
                                     uint64_t resultBytes) {
  const CudaApi &api = device.cuda();
  CurrentContext current(api, device.handle());
  CudaResult result = api.cuStreamCreate(&stream, kStreamNonBlocking);
  if (result == 0) {
    result = api.cuMemAllocHost_v2(&inputWindow, inputBytes);
  }
  if (result == 0) {
    result = api.cuMemAllocHost_v2(&resultWindow, resultBytes);
  }
  return result == 0
             ? Status()
             : api.failure(result, device.name() + ": cannot make a stream");
}

CudaStreamOfSession::~CudaStreamOfSession() {
  const CudaApi &api = device.cuda();
  CurrentContext current(api, device.handle());
  for (void *memory : {inputWindow, resultWindow}) {
    if (memory) {
      api.cuMemFreeHost(memory);
    }
  }
  if (stream) {
    api.cuStreamDestroy_v2(stream);
  }
}

CudaResult CudaStreamOfSession::launchAll(Recorded &recording) {
  const CudaApi &api = device.cuda();
  CudaResult result =
      api.cuMemcpyHtoDAsync_v2(CudaBuffer::at(recording.input), inputWindow,
                               recording.input.bytes, stream);
  std::vector<void *> parameters;
  for (size_t i = 0; i <= recording.launches.size() && result == 0; ++i) {
    if (i > 0) {
      Recorded::Launch &launch = recording.launches[i - 1];
      parameters.clear();
      for (CudaAddress &argument : launch.arguments) {
        parameters.push_back(&argument);
      }
      const uint32_t *grid = launch.launch.grid;
      result = api.cuLaunchKernel(launch.function, grid[0], grid[1], grid[2],
                                  launch.launch.threads, 1, 1, 0, stream,
                                  parameters.data(), nullptr);
    }
    if (result == 0 && !recording.events.empty()) {
      result = api.cuEventRecord(recording.events[i], stream);
    }
  }
  return result;
}

CudaResult CudaStreamOfSession::capture(Recorded &recording) {
  const CudaApi &api = device.cuda();
  CudaResult result = api.cuStreamBeginCapture_v2(stream, kCaptureThreadLocal);
  if (result != 0) {
    return result;
  }
  result = launchAll(recording);
  // Ended in any case: the stream is of no use before.
  CudaGraph graph = nullptr;
  CudaResult ended = api.cuStreamEndCapture(stream, &graph);
  result = result != 0 ? result : ended;
  if (result == 0) {
    result = api.cuGraphInstantiateWithFlags(&recording.graph, graph, 0);
  }
  if (graph) {
    api.cuGraphDestroy(graph);
  }
  return result;
}

Result<std::unique_ptr<gpu::Recording>>
CudaStreamOfSession::record(const std::vector<gpu::Launch> &launches,
                            const gpu::Range &input, bool isTimed) {
  const CudaApi &api = device.cuda();
  CurrentContext current(api, device.handle());
  auto recording = std::make_unique<Recorded>(device);
  recording->input = input;
  for (const gpu::Launch &launch : launches) {
    Recorded::Launch made = {device.kernel(launch.kernel), launch, {}};
    for (const gpu::Range &range : launch.bindings) {
      made.arguments.push_back(CudaBuffer::at(range));
    }
    recording->launches.push_back(std::move(made));
  }
  CudaResult result = 0;
  if (isTimed) {
    for (size_t i = 0; i <= launches.size() && result == 0; ++i) {
      CudaEvent event = nullptr;
      result = api.cuEventCreate(&event, 0);
      if (result == 0) {
        recording->events.push_back(event);
      }
    }
  } else {
    result = capture(*recording);
  }
  if (result != 0) {
    return api.failure(result, device.name() + ": cannot record a program");
  }
  return std::unique_ptr<gpu::Recording>(std::move(recording));
}

Status CudaStreamOfSession::run(gpu::Recording &recording, const void *input,
                                const gpu::Range &result, const void **output) {
  const CudaApi &api = device.cuda();
  CurrentContext current(api, device.handle());
  auto &recorded = static_cast<Recorded &>(recording);
  std::memcpy(inputWindow, input, recorded.input.bytes);
  CudaResult failed = recorded.graph ? api.cuGraphLaunch(recorded.graph, stream)
                                     : launchAll(recorded);
  if (failed == 0 && result.bytes > 0) {
    failed = api.cuMemcpyDtoHAsync_v2(resultWindow, CudaBuffer::at(result),
                                      result.bytes, stream);
    *output = resultWindow;
  }
  if (failed == 0) {
    failed = api.cuStreamSynchronize(stream);
  }
  return failed == 0 ? Status()
                     : api.failure(failed, device.name() + ": a step failed");
}

Status CudaStreamOfSession::readTimes(const gpu::Recording &recording,
                                      std::vector<uint64_t> &nanoseconds) {
  const CudaApi &api = device.cuda();
  CurrentContext current(api, device.handle());
  const auto &recorded = static_cast<const Recorded &>(recording);
  nanoseconds.assign(recorded.launches.size(), 0);
  for (size_t i = 0; i < nanoseconds.size(); ++i) {
    float milliseconds = 0;
    CudaResult result = api.cuEventElapsedTime(
        &milliseconds, recorded.events[i], recorded.events[i + 1]);
    if (result != 0) {
      return api.failure(result, device.name() + ": cannot read times");
    }
    nanoseconds[i] = uint64_t(double(std::max(milliseconds, 0.0f)) * 1e6);
  }
  return {};
}

Result<std::unique_ptr<gpu::Stream>>
CudaDevice::createStream(uint64_t inputBytes, uint64_t resultBytes) {
  auto stream = std::make_unique<CudaStreamOfSession>(*this);
  if (Status status = stream->allocate(inputBytes, resultBytes); !status.ok()) {
    return status;
  }
  return std::unique_ptr<gpu::Stream>(std::move(stream));
}
