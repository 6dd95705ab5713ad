// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A CUDA device with one package's kernels.

#ifndef UMBER_RUNTIME_DRIVERS_CUDA_CUDADEVICE_H
#define UMBER_RUNTIME_DRIVERS_CUDA_CUDADEVICE_H

#include "runtime/drivers/cuda/CudaApi.h"
#include "runtime/drivers/gpu/Device.h"
#include "runtime/drivers/gpu/Plan.h"

namespace umber::cuda {

class CudaDevice : public gpu::Device {
public:
  /// Opens the device and compiles the plan's kernels for it. CorruptFile for
  /// code that is no PTX or does not have them.
  static Result<std::unique_ptr<gpu::Device>> open(const CudaApi &api,
                                                   int index,
                                                   const std::string &name,
                                                   const gpu::Plan &plan);
  ~CudaDevice() override;

  const std::string &name() const override { return deviceName; }
  uint64_t maxRangeBytes() const override { return UINT64_MAX / 2; }
  uint64_t maxBufferBytes() const override;
  Result<std::unique_ptr<gpu::Buffer>> allocate(uint64_t bytes,
                                                const char *purpose) override;
  Status write(const gpu::Buffer &buffer, uint64_t offset, const void *from,
               uint64_t bytes) override;
  Status read(const gpu::Buffer &buffer, uint64_t offset, void *to,
              uint64_t bytes) override;
  /// In CudaStream.cpp.
  Result<std::unique_ptr<gpu::Stream>>
  createStream(uint64_t inputBytes, uint64_t resultBytes) override;

  const CudaApi &cuda() const { return api; }
  CudaContext handle() const { return context; }
  CudaFunction kernel(uint32_t index) const { return functions[index]; }

private:
  CudaDevice(const CudaApi &api, const std::string &name)
      : api(api), deviceName(name) {}
  Status create(int index, const gpu::Plan &plan);
  Status loadModule(const gpu::Plan &plan);
  Status findKernel(const gpu::PlannedKernel &kernel, CudaFunction &function);

  const CudaApi &api;
  const std::string deviceName;
  CudaDeviceIndex device = 0;
  CudaContext context = nullptr;
  CudaModule module = nullptr;
  CudaStream copies = nullptr;
  std::vector<CudaFunction> functions; // of the plan's kernels
};

/// Memory of a device.
class CudaBuffer : public gpu::Buffer {
public:
  CudaBuffer(const CudaDevice &device, CudaAddress address, uint64_t bytes)
      : gpu::Buffer(bytes), device(device), address(address) {}
  ~CudaBuffer() override;

  static CudaAddress at(const gpu::Range &range) {
    return static_cast<const CudaBuffer *>(range.buffer)->address +
           range.offset;
  }

private:
  const CudaDevice &device;
  CudaAddress address;
};

} // namespace umber::cuda

#endif // UMBER_RUNTIME_DRIVERS_CUDA_CUDADEVICE_H
