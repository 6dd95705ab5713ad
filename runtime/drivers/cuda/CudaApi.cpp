// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cuda/CudaApi.h"

#include <dlfcn.h>

using namespace umber;
using namespace umber::cuda;

static Result<CudaApi> findApi() {
  // Never closed: devices are used until the process ends.
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return Status(StatusCode::NotFound,
                  "cuda: this machine has no CUDA driver, libcuda.so.1");
  }
  CudaApi api = {};
  const char *missing = nullptr;
  auto find = [&](auto &function, const char *name) {
    using Function = std::remove_reference_t<decltype(function)>;
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
  };
#define UMBER_CUDA_FIND(NAME, PARAMETERS)                                      \
  if (!find(api.NAME, #NAME)) {                                                \
    missing = #NAME;                                                           \
  }
  UMBER_CUDA_FUNCTIONS(UMBER_CUDA_FIND)
#undef UMBER_CUDA_FIND
  find(api.cuFuncGetParamInfo, "cuFuncGetParamInfo");
  if (missing) {
    return Status(StatusCode::Unsupported,
                  std::string("cuda: the CUDA driver is too old: it has no ") +
                      missing);
  }
  if (CudaResult result = api.cuInit(0); result != 0) {
    Status status = api.failure(result, "cuda: the driver does not start");
    return Status(StatusCode::NotFound, status.message());
  }
  return api;
}

Status CudaApi::failure(CudaResult result, const std::string &what) const {
  const char *name = nullptr;
  if (cuGetErrorName(result, &name) != 0 || !name) {
    name = "an unknown error";
  }
  return Status(result == kCudaOutOfMemory ? StatusCode::OutOfMemory
                                           : StatusCode::Internal,
                what + ": " + name);
}

const Result<CudaApi> &umber::cuda::cudaApi() {
  static const Result<CudaApi> api = findApi();
  return api;
}
