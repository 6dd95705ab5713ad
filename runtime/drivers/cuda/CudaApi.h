// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is used of the CUDA driver API, whose library comes with NVIDIA's driver
// and is looked for at run time. The declarations are those of its reference
// manual; names are the symbols', of which some have a version.

#ifndef UMBER_RUNTIME_DRIVERS_CUDA_CUDAAPI_H
#define UMBER_RUNTIME_DRIVERS_CUDA_CUDAAPI_H

#include "runtime/package/Status.h"

#include <cstddef>
#include <cstdint>

namespace umber::cuda {

using CudaResult = int; // 0: success
using CudaDeviceIndex = int;
using CudaAddress = uint64_t;
using CudaContext = struct CudaContextHandle *;
using CudaModule = struct CudaModuleHandle *;
using CudaFunction = struct CudaFunctionHandle *;
using CudaStream = struct CudaStreamHandle *;
using CudaEvent = struct CudaEventHandle *;
using CudaGraph = struct CudaGraphHandle *;
using CudaGraphExec = struct CudaGraphExecHandle *;

// Of the API's enumerations.
inline constexpr CudaResult kCudaOutOfMemory = 2;
inline constexpr int kAttributeMajor = 75, kAttributeMinor = 76;
inline constexpr int kAttributeSharedBytes = 8; // of a workgroup
inline constexpr int kFunctionMaxThreads = 0, kFunctionSharedBytes = 1;
inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr int kCaptureThreadLocal = 1;
inline constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6;

#define UMBER_CUDA_FUNCTIONS(X)                                                \
  X(cuInit, (unsigned))                                                        \
  X(cuGetErrorName, (CudaResult, const char **))                               \
  X(cuDeviceGetCount, (int *))                                                 \
  X(cuDeviceGet, (CudaDeviceIndex *, int))                                     \
  X(cuDeviceGetName, (char *, int, CudaDeviceIndex))                           \
  X(cuDeviceTotalMem_v2, (size_t *, CudaDeviceIndex))                          \
  X(cuDeviceGetAttribute, (int *, int, CudaDeviceIndex))                       \
  X(cuDevicePrimaryCtxRetain, (CudaContext *, CudaDeviceIndex))                \
  X(cuDevicePrimaryCtxRelease_v2, (CudaDeviceIndex))                           \
  X(cuCtxPushCurrent_v2, (CudaContext))                                        \
  X(cuCtxPopCurrent_v2, (CudaContext *))                                       \
  X(cuModuleLoadDataEx,                                                        \
    (CudaModule *, const void *, unsigned, int *, void **))                    \
  X(cuModuleUnload, (CudaModule))                                              \
  X(cuModuleGetFunction, (CudaFunction *, CudaModule, const char *))           \
  X(cuFuncGetAttribute, (int *, int, CudaFunction))                            \
  X(cuMemAlloc_v2, (CudaAddress *, size_t))                                    \
  X(cuMemFree_v2, (CudaAddress))                                               \
  X(cuMemAllocHost_v2, (void **, size_t))                                      \
  X(cuMemFreeHost, (void *))                                                   \
  X(cuMemcpyHtoDAsync_v2, (CudaAddress, const void *, size_t, CudaStream))     \
  X(cuMemcpyDtoHAsync_v2, (void *, CudaAddress, size_t, CudaStream))           \
  X(cuStreamCreate, (CudaStream *, unsigned))                                  \
  X(cuStreamDestroy_v2, (CudaStream))                                          \
  X(cuStreamSynchronize, (CudaStream))                                         \
  X(cuStreamBeginCapture_v2, (CudaStream, int))                                \
  X(cuStreamEndCapture, (CudaStream, CudaGraph *))                             \
  X(cuGraphInstantiateWithFlags,                                               \
    (CudaGraphExec *, CudaGraph, unsigned long long))                          \
  X(cuGraphLaunch, (CudaGraphExec, CudaStream))                                \
  X(cuGraphExecDestroy, (CudaGraphExec))                                       \
  X(cuGraphDestroy, (CudaGraph))                                               \
  X(cuLaunchKernel,                                                            \
    (CudaFunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, \
     unsigned, CudaStream, void **, void **))                                  \
  X(cuEventCreate, (CudaEvent *, unsigned))                                    \
  X(cuEventDestroy_v2, (CudaEvent))                                            \
  X(cuEventRecord, (CudaEvent, CudaStream))                                    \
  X(cuEventElapsedTime, (float *, CudaEvent, CudaEvent))

struct CudaApi {
#define UMBER_CUDA_MEMBER(NAME, PARAMETERS) CudaResult(*NAME) PARAMETERS;
  UMBER_CUDA_FUNCTIONS(UMBER_CUDA_MEMBER)
#undef UMBER_CUDA_MEMBER
  /// Since CUDA 12.4, else null: where a function's parameter is and its size.
  CudaResult (*cuFuncGetParamInfo)(CudaFunction, size_t, size_t *, size_t *);

  /// An error of `what`, such as "cuda:0: cannot load the kernels": OutOfMemory
  /// where it has to do with memory, else Internal, with CUDA's name for it.
  Status failure(CudaResult result, const std::string &what) const;
};

/// The library's functions, found and initialized when first asked for.
/// NotFound, with what is missing, if this machine has none, and Unsupported
/// for one that is too old.
const Result<CudaApi> &cudaApi();

/// Makes a context that of the calling thread as long as this lives.
class CurrentContext {
public:
  CurrentContext(const CudaApi &api, CudaContext context) : api(api) {
    api.cuCtxPushCurrent_v2(context);
  }
  ~CurrentContext() {
    CudaContext popped;
    api.cuCtxPopCurrent_v2(&popped);
  }
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;

private:
  const CudaApi &api;
};

} // namespace umber::cuda

#endif // UMBER_RUNTIME_DRIVERS_CUDA_CUDAAPI_H
