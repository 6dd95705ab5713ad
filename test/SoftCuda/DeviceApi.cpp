// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver API's devices, contexts, modules and memory.

#include "test/SoftCuda/State.h"
#include "test/SoftCuda/Syntax.h"
#include "test/SoftCuda/Warp.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace umber::softcuda;
using namespace umber::cuda;

namespace {

constexpr const char *kName = "Umber software device";
constexpr size_t kHostAlignment = 4096;

// The one context that there is.
const CudaContext kContext = reinterpret_cast<CudaContext>(uintptr_t(0x100));
thread_local std::vector<CudaContext> currentContexts;

/// Calls the function with the state locked, once the API is initialized.
CudaResult initialized(const std::function<CudaResult(State &)> &function) {
  State &state = State::get();
  std::lock_guard<std::mutex> lock(state.mutex);
  return state.isInitialized ? function(state) : kNotInitialized;
}

struct ErrorName {
  CudaResult result;
  const char *name;
};
constexpr ErrorName kErrorNames[] = {
    {kSuccess, "CUDA_SUCCESS"},
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
    {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED"},
    {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT"},
    {kInvalidPtx, "CUDA_ERROR_INVALID_PTX"},
    {kUnsupportedPtxVersion, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
    {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
    {kNotFound, "CUDA_ERROR_NOT_FOUND"},
    {kNotReady, "CUDA_ERROR_NOT_READY"},
    {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS"},
    {kLaunchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},
    {kLaunchTimeout, "CUDA_ERROR_LAUNCH_TIMEOUT"},
    {kMisalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS"},
    {kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED"},
    {kCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
};

} // namespace

CudaResult
umber::softcuda::inContext(const std::function<CudaResult(State &)> &function) {
  return initialized([&](State &state) {
    if (currentContexts.empty() || state.users == 0) {
      return kInvalidContext;
    }
    return state.failure != kSuccess ? state.failure : function(state);
  });
}

namespace umber::cuda {

CudaResult cuInit(unsigned flags) {
  State &state = State::get();
  std::lock_guard<std::mutex> lock(state.mutex);
  state.isInitialized = true;
  return flags == 0 ? kSuccess : kInvalidValue;
}

CudaResult cuGetErrorName(CudaResult result, const char **name) {
  for (const ErrorName &known : kErrorNames) {
    if (known.result == result) {
      *name = known.name;
      return kSuccess;
    }
  }
  *name = nullptr;
  return kInvalidValue;
}

CudaResult cuDeviceGetCount(int *count) {
  return initialized([&](State &) {
    *count = 1;
    return kSuccess;
  });
}

CudaResult cuDeviceGet(CudaDeviceIndex *device, int index) {
  return initialized([&](State &) {
    *device = index;
    return index == 0 ? kSuccess : kInvalidDevice;
  });
}

CudaResult cuDeviceGetName(char *name, int bytes, CudaDeviceIndex device) {
  return initialized([&](State &) {
    std::snprintf(name, size_t(bytes), "%s", kName);
    return device == 0 ? kSuccess : kInvalidDevice;
  });
}

CudaResult cuDeviceTotalMem_v2(size_t *bytes, CudaDeviceIndex device) {
  return initialized([&](State &) {
    *bytes = GlobalMemory::kTotalBytes;
    return device == 0 ? kSuccess : kInvalidDevice;
  });
}

CudaResult cuDeviceGetAttribute(int *value, int attribute,
                                CudaDeviceIndex device) {
  return initialized([&](State &) {
    if (device != 0) {
      return kInvalidDevice;
    }
    switch (attribute) {
    case kAttributeMajor:
      *value = int(kArchitecture / 10);
      return kSuccess;
    case kAttributeMinor:
      *value = int(kArchitecture % 10);
      return kSuccess;
    }
    return kInvalidValue;
  });
}

CudaResult cuDevicePrimaryCtxRetain(CudaContext *context,
                                    CudaDeviceIndex device) {
  return initialized([&](State &state) {
    if (device != 0) {
      return kInvalidDevice;
    }
    ++state.users;
    *context = kContext;
    return kSuccess;
  });
}

CudaResult cuDevicePrimaryCtxRelease_v2(CudaDeviceIndex device) {
  return initialized([&](State &state) {
    if (device != 0 || state.users == 0) {
      return kInvalidContext;
    }
    if (--state.users == 0) {
      state.reset();
    }
    return kSuccess;
  });
}

CudaResult cuCtxPushCurrent_v2(CudaContext context) {
  return initialized([&](State &state) {
    if (context != kContext || state.users == 0) {
      return kInvalidContext;
    }
    currentContexts.push_back(context);
    return kSuccess;
  });
}

CudaResult cuCtxPopCurrent_v2(CudaContext *context) {
  if (currentContexts.empty()) {
    return kInvalidContext;
  }
  *context = currentContexts.back();
  currentContexts.pop_back();
  return kSuccess;
}

CudaResult cuModuleLoadDataEx(CudaModule *module, const void *image,
                              unsigned count, int *options, void **values) {
  char *log = nullptr;
  size_t logBytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == kJitErrorLog) {
      log = static_cast<char *>(values[i]);
    } else if (options[i] == kJitErrorLogBytes) {
      logBytes = reinterpret_cast<size_t>(values[i]);
    }
  }
  auto fail = [&](CudaResult result, const char *what) {
    if (log && logBytes > 0) {
      std::snprintf(log, logBytes, "soft-cuda: %s", what);
    }
    return result;
  };
  return inContext([&](State &state) {
    try {
      auto loaded = loadModule(static_cast<const char *>(image), state.memory);
      *module = state.makeHandle<CudaModule>();
      state.modules[*module] = std::move(loaded);
      return kSuccess;
    } catch (const PtxError &error) {
      return fail(kInvalidPtx, error.what());
    } catch (const Fault &fault) {
      return fail(fault.result, fault.what());
    }
  });
}

CudaResult cuModuleUnload(CudaModule module) {
  return inContext([&](State &state) {
    state.drainAll();
    return state.modules.erase(module) ? state.failure : kInvalidHandle;
  });
}

CudaResult cuModuleGetFunction(CudaFunction *function, CudaModule module,
                               const char *name) {
  return inContext([&](State &state) {
    auto found = state.modules.find(module);
    if (found == state.modules.end()) {
      return kInvalidHandle;
    }
    for (Kernel &kernel : found->second->kernels) {
      if (kernel.name == name) {
        *function = reinterpret_cast<CudaFunction>(&kernel);
        return kSuccess;
      }
    }
    return kNotFound;
  });
}

CudaResult cuFuncGetAttribute(int *value, int attribute,
                              CudaFunction function) {
  return inContext([&](State &state) {
    const Kernel *kernel = state.kernelOf(function);
    if (!kernel || attribute != kFunctionMaxThreads) {
      return kernel ? kInvalidValue : kInvalidHandle;
    }
    const uint32_t *most = kernel->maxThreads;
    *value = most[0] ? int(most[0] * most[1] * most[2]) : int(kMostThreads);
    return kSuccess;
  });
}

extern "C" CudaResult cuFuncGetParamInfo(CudaFunction function, size_t index,
                                         size_t *offset, size_t *bytes) {
  return inContext([&](State &state) {
    const Kernel *kernel = state.kernelOf(function);
    if (!kernel || index >= kernel->parameters.size()) {
      return kernel ? kInvalidValue : kInvalidHandle;
    }
    *offset = kernel->parameters[index].offset;
    *bytes = kernel->parameters[index].bytes;
    return kSuccess;
  });
}

CudaResult cuMemAlloc_v2(CudaAddress *address, size_t bytes) {
  return inContext([&](State &state) {
    if (bytes == 0) {
      return kInvalidValue;
    }
    *address = state.memory.allocate(bytes);
    return *address ? kSuccess : kOutOfMemory;
  });
}

CudaResult cuMemFree_v2(CudaAddress address) {
  return inContext([&](State &state) {
    state.drainAll();
    return state.memory.free(address) ? state.failure : kInvalidValue;
  });
}

CudaResult cuMemAllocHost_v2(void **memory, size_t bytes) {
  return inContext([&](State &state) {
    size_t rounded = (bytes + kHostAlignment - 1) & -kHostAlignment;
    *memory = bytes ? std::aligned_alloc(kHostAlignment, rounded) : nullptr;
    if (!*memory) {
      return bytes ? kOutOfMemory : kInvalidValue;
    }
    std::memset(*memory, 0xff, bytes);
    state.pinned[*memory] = bytes;
    return kSuccess;
  });
}

CudaResult cuMemFreeHost(void *memory) {
  return inContext([&](State &state) {
    state.drainAll();
    if (state.pinned.erase(memory) == 0) {
      return kInvalidValue;
    }
    std::free(memory);
    return state.failure;
  });
}

} // namespace umber::cuda
