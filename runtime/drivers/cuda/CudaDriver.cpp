// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cuda/CudaDriver.h"

#include "runtime/drivers/cuda/CudaDevice.h"
#include "runtime/drivers/gpu/Model.h"
#include "runtime/package/Package.h"

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
bool takes(const std::string &isa, int architecture) {
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

} // namespace

Result<size_t> CudaDriver::count() {
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

Result<DeviceDescription> CudaDriver::describe() const {
  Result<size_t> devices = count();
  if (!devices.ok()) {
    return devices.status();
  }
  if (index >= *devices) {
    return Status(StatusCode::NotFound,
                  "no device is called " + deviceName +
                      "; CUDA devices here: " + std::to_string(*devices));
  }
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
    return api.failure(result, deviceName + ": the device does not answer");
  }
  return DeviceDescription{deviceName,
                           std::string(text) + ", sm_" +
                               std::to_string(architectureOf(api, device)) +
                               ", " + std::to_string(bytes >> 20) + " MiB",
                           1};
}

Result<std::unique_ptr<DeviceModel>>
CudaDriver::load(std::shared_ptr<const Package> package,
                 const LoadOptions &options) const {
  Result<DeviceDescription> present = describe();
  if (!present.ok()) {
    return present.status();
  }
  if (Status status = gpu::checkOptions(options, deviceName); !status.ok()) {
    return status;
  }
  const CudaApi &api = *cudaApi();
  CudaDeviceIndex device = 0;
  api.cuDeviceGet(&device, int(index));
  int architecture = architectureOf(api, device);
  Result<gpu::Plan> plan = gpu::makePlan(
      *package, options.isa, deviceName,
      [&](const std::string &isa) { return takes(isa, architecture); });
  if (!plan.ok()) {
    return plan.status();
  }
  Result<std::unique_ptr<gpu::Device>> opened =
      CudaDevice::open(api, int(index), deviceName, *plan);
  if (!opened.ok()) {
    return opened.status();
  }
  return gpu::createModel(std::move(package), std::move(*plan),
                          std::move(*opened));
}
