// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cuda/CudaDevice.h"

#include <cstring>

using namespace umber;
using namespace umber::cuda;

namespace {

/// Weights come in buffers of up to this: larger ones are harder to place.
constexpr uint64_t kLargestBuffer = uint64_t(1) << 30;
constexpr size_t kLogBytes = 2048;

} // namespace

Result<std::unique_ptr<gpu::Device>> CudaDevice::open(const CudaApi &api,
                                                      int index,
                                                      const std::string &name,
                                                      const gpu::Plan &plan) {
  std::unique_ptr<CudaDevice> device(new CudaDevice(api, name));
  if (Status status = device->create(index, plan); !status.ok()) {
    return status;
  }
  return std::unique_ptr<gpu::Device>(std::move(device));
}

Status CudaDevice::create(int index, const gpu::Plan &plan) {
  CudaResult result = api.cuDeviceGet(&device, index);
  if (result == 0) {
    result = api.cuDevicePrimaryCtxRetain(&context, device);
  }
  if (result != 0) {
    return api.failure(result, deviceName + ": cannot open the device");
  }
  CurrentContext current(api, context);
  if (Status status = loadModule(plan); !status.ok()) {
    return status;
  }
  result = api.cuStreamCreate(&copies, kStreamNonBlocking);
  return result == 0
             ? Status()
             : api.failure(result, deviceName + ": cannot make a stream");
}

CudaDevice::~CudaDevice() {
  if (!context) {
    return;
  }
  {
    CurrentContext current(api, context);
    if (copies) {
      api.cuStreamDestroy_v2(copies);
    }
    if (module) {
      api.cuModuleUnload(module);
    }
  }
  api.cuDevicePrimaryCtxRelease_v2(device);
}

Status CudaDevice::loadModule(const gpu::Plan &plan) {
  if (plan.code.size == 0 || plan.code.data[plan.code.size - 1] != 0) {
    return Status(StatusCode::CorruptFile,
                  "target gpu: expected PTX that ends with a zero");
  }
  char log[kLogBytes] = "";
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  // The API takes numbers as pointers.
  void *values[] = {log, reinterpret_cast<void *>(kLogBytes - 1)};
  CudaResult result =
      api.cuModuleLoadDataEx(&module, plan.code.data, 2, options, values);
  if (result != 0) {
    Status status =
        api.failure(result, deviceName + ": cannot compile the kernels");
    std::string line(log, strcspn(log, "\n"));
    return Status(status.code(),
                  status.message() + (line.empty() ? "" : ": " + line));
  }
  for (const gpu::PlannedKernel &kernel : plan.kernels) {
    functions.push_back(nullptr);
    if (kernel.threads == 0) {
      continue; // No dispatch runs it.
    }
    if (Status status = findKernel(kernel, functions.back()); !status.ok()) {
      return status;
    }
  }
  return {};
}

Status CudaDevice::findKernel(const gpu::PlannedKernel &kernel,
                              CudaFunction &function) {
  std::string where = "target gpu: kernel " + kernel.name;
  if (api.cuModuleGetFunction(&function, module, kernel.name.c_str()) != 0) {
    return Status(StatusCode::CorruptFile,
                  where + ": the PTX has no such entry");
  }
  int most = 0;
  api.cuFuncGetAttribute(&most, kFunctionMaxThreads, function);
  if (kernel.threads > uint32_t(most)) {
    return Status(StatusCode::Unsupported,
                  deviceName + ": kernel " + kernel.name +
                      " needs workgroups of " + std::to_string(kernel.threads) +
                      " threads, the device has " + std::to_string(most));
  }
  int shared = 0;
  if (api.cuFuncGetAttribute(&shared, kFunctionSharedBytes, function) == 0 &&
      api.cuDeviceGetAttribute(&most, kAttributeSharedBytes, device) == 0 &&
      shared > most) {
    return Status(StatusCode::Unsupported,
                  deviceName + ": kernel " + kernel.name + " needs " +
                      std::to_string(shared) +
                      " bytes of a workgroup's memory, the device has " +
                      std::to_string(most));
  }
  if (!api.cuFuncGetParamInfo) {
    return {};
  }
  size_t offset = 0, bytes = 0, count = 0;
  while (api.cuFuncGetParamInfo(function, count, &offset, &bytes) == 0) {
    if (bytes != sizeof(CudaAddress)) {
      return Status(StatusCode::CorruptFile,
                    where +
                        ": expected parameters that are pointers, found "
                        "one of " +
                        std::to_string(bytes) + " bytes");
    }
    ++count;
  }
  if (count != kernel.bindings) {
    return Status(StatusCode::CorruptFile,
                  where + ": expected a parameter for each of " +
                      std::to_string(kernel.bindings) + " bindings, found " +
                      std::to_string(count));
  }
  return {};
}

uint64_t CudaDevice::maxBufferBytes() const { return kLargestBuffer; }

Result<std::unique_ptr<gpu::Buffer>> CudaDevice::allocate(uint64_t bytes,
                                                          const char *purpose) {
  CurrentContext current(api, context);
  CudaAddress address = 0;
  CudaResult result = api.cuMemAlloc_v2(&address, bytes);
  if (result != 0) {
    return api.failure(
        result, deviceName + ": cannot allocate " + std::to_string(bytes) +
                    " bytes of the device's memory for " + purpose);
  }
  return std::unique_ptr<gpu::Buffer>(
      std::make_unique<CudaBuffer>(*this, address, bytes));
}

CudaBuffer::~CudaBuffer() {
  CurrentContext current(device.cuda(), device.handle());
  device.cuda().cuMemFree_v2(address);
}

Status CudaDevice::write(const gpu::Buffer &buffer, uint64_t offset,
                         const void *from, uint64_t bytes) {
  CurrentContext current(api, context);
  CudaResult result = api.cuMemcpyHtoDAsync_v2(
      CudaBuffer::at({&buffer, offset, bytes}), from, bytes, copies);
  if (result == 0) {
    result = api.cuStreamSynchronize(copies);
  }
  return result == 0 ? Status()
                     : api.failure(result, deviceName + ": a copy failed");
}

Status CudaDevice::read(const gpu::Buffer &buffer, uint64_t offset, void *to,
                        uint64_t bytes) {
  CurrentContext current(api, context);
  CudaResult result = api.cuMemcpyDtoHAsync_v2(
      to, CudaBuffer::at({&buffer, offset, bytes}), bytes, copies);
  if (result == 0) {
    result = api.cuStreamSynchronize(copies);
  }
  return result == 0 ? Status()
                     : api.failure(result, deviceName + ": a copy failed");
}
