// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One session's launches on a CUDA device.

#ifndef UMBER_RUNTIME_DRIVERS_CUDA_CUDASTREAM_H
#define UMBER_RUNTIME_DRIVERS_CUDA_CUDASTREAM_H

#include "runtime/drivers/cuda/CudaDevice.h"

namespace umber::cuda {

/// Programs are graphs, which the device goes through by itself; timed ones are
/// launched one by one.
class CudaStreamOfSession : public gpu::Stream {
public:
  /// The device outlives the stream.
  static Result<std::unique_ptr<gpu::Stream>>
  create(const CudaDevice &device, uint64_t inputBytes, uint64_t resultBytes);
  ~CudaStreamOfSession() override;

  Result<std::unique_ptr<gpu::Recording>>
  record(const std::vector<gpu::Launch> &launches, const gpu::Range &input,
         bool isTimed) override;
  Status run(gpu::Recording &recording, const void *input,
             const gpu::Range &result, const void **output) override;
  Status readTimes(const gpu::Recording &recording,
                   std::vector<uint64_t> &nanoseconds) override;

private:
  class Recorded;

  explicit CudaStreamOfSession(const CudaDevice &device) : device(device) {}
  Status allocate(uint64_t inputBytes, uint64_t resultBytes);
  /// Copies the input and launches everything, or captures that.
  CudaResult launchAll(Recorded &recording);
  CudaResult capture(Recorded &recording);

  const CudaDevice &device;
  CudaStream stream = nullptr;
  // Memory of the host that the device reads and writes.
  void *inputWindow = nullptr, *resultWindow = nullptr;
};

} // namespace umber::cuda

#endif // UMBER_RUNTIME_DRIVERS_CUDA_CUDASTREAM_H
