// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cuda/CudaDriver.h"

#include "runtime/drivers/cuda/CudaDevice.h"
#include "runtime/drivers/gpu/GpuDriver.h"

#include <charconv>
#include <string_view>

using namespace umber;
using namespace umber::cuda;

namespace {

/// What CUDA calls the compute capability: 90 of an H100.
int architectureOf(const CudaApi &api, CudaDeviceIndex device) {
  int major = 0, minor = 0;
  api.cuDeviceGetAttribute(&major, kAttributeMajor, device);
  api.cuDeviceGetAttribute(&minor, kAttributeMinor, device);
  return 10 * major + minor;
}

/// Whether a device of this architecture runs code for "ptx-sm_80" and the
/// like: that for it or for one before it.
bool isCodeFor(const std::string &isa, int architecture) {
  constexpr std::string_view kPrefix = "ptx-sm_";
  if (isa.rfind(kPrefix, 0) != 0) {
    return false;
  }
  int wanted = 0;
  const char *begin = isa.data() + kPrefix.size(),
             *end = isa.data() + isa.size();
  auto [rest, error] = std::from_chars(begin, end, wanted);
  return error == std::errc() && rest == end && wanted <= architecture;
}

class CudaBackend : public gpu::Backend {
public:
  const char *prefix() const override { return "cuda:"; }

  Result<size_t> count() const override {
    const Result<CudaApi> &api = cudaApi();
    if (!api.ok()) {
      return api.status();
    }
    int devices = 0;
    if (CudaResult result = (*api).cuDeviceGetCount(&devices); result != 0) {
      return (*api).failure(result, "cuda: cannot list the devices");
    }
    if (devices <= 0) {
      return Status(StatusCode::NotFound,
                    "cuda: this machine has a CUDA driver but no device");
    }
    return size_t(devices);
  }

  // What follows is asked of devices that count() has seen.

  Result<std::string> describe(size_t index,
                               const std::string &name) const override {
    const CudaApi &api = *cudaApi();
    CudaDeviceIndex device = 0;
    char text[256] = "";
    size_t bytes = 0;
    CudaResult result = api.cuDeviceGet(&device, int(index));
    if (result == 0) {
      result = api.cuDeviceGetName(text, sizeof text, device);
    }
    if (result == 0) {
      result = api.cuDeviceTotalMem_v2(&bytes, device);
    }
    if (result != 0) {
      return api.failure(result, name + ": the device does not answer");
    }
    return std::string(text) + ", sm_" +
           std::to_string(architectureOf(api, device)) + ", " +
           std::to_string(bytes >> 20) + " MiB";
  }

  bool takes(size_t index, const std::string &isa) const override {
    const CudaApi &api = *cudaApi();
    CudaDeviceIndex device = 0;
    return api.cuDeviceGet(&device, int(index)) == 0 &&
           isCodeFor(isa, architectureOf(api, device));
  }

  Result<std::unique_ptr<gpu::Device>>
  open(size_t index, const std::string &name,
       const gpu::Plan &plan) const override {
    return CudaDevice::open(*cudaApi(), int(index), name, plan);
  }
};

} // namespace

Result<std::vector<const Driver *>> umber::cudaDrivers() {
  static const CudaBackend backend;
  static const gpu::DriverList drivers(backend);
  return drivers.get();
}
