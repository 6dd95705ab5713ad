// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/CodeLibrary.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace umber;
using namespace umber::cpu;

namespace {

Status writeAll(int file, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(file, bytes, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return Status(StatusCode::OutOfMemory,
                    std::string("cannot copy the code segment to memory: ") +
                        std::strerror(errno));
    }
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return {};
}

Status corrupt(const std::string &what) {
  return Status(StatusCode::CorruptFile, "code segment: " + what);
}

} // namespace

Result<std::unique_ptr<CodeLibrary>>
CodeLibrary::load(const void *bytes, size_t size, const std::string &isa,
                  const std::vector<std::string> &kernelNames) {
  std::unique_ptr<CodeLibrary> code(new CodeLibrary);
  if (Status status = code->open(bytes, size); !status.ok()) {
    return status;
  }
  if (Status status = code->check(isa, kernelNames); !status.ok()) {
    return status;
  }
  return code;
}

CodeLibrary::~CodeLibrary() {
  if (handle) {
    dlclose(handle);
  }
  if (file >= 0) {
    close(file);
  }
}

Status CodeLibrary::open(const void *bytes, size_t size) {
  file = memfd_create("umber-code", MFD_CLOEXEC);
  if (file < 0) {
    return Status(StatusCode::IoError,
                  std::string("cannot make a memory file for the code: ") +
                      std::strerror(errno));
  }
  if (Status status = writeAll(file, static_cast<const char *>(bytes), size);
      !status.ok()) {
    return status;
  }
  std::string path = "/proc/self/fd/" + std::to_string(file);
  handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *reason = dlerror();
    return Status(StatusCode::Unsupported,
                  std::string("cannot load the code segment: ") +
                      (reason ? reason : "unknown reason"));
  }
  return {};
}

Status CodeLibrary::check(const std::string &isa,
                          const std::vector<std::string> &kernelNames) {
  auto query = reinterpret_cast<umber_library_query_fn>(
      dlsym(handle, UMBER_ABI_QUERY_SYMBOL));
  if (!query) {
    return corrupt("does not export " UMBER_ABI_QUERY_SYMBOL);
  }
  library = query(UMBER_ABI_VERSION);
  if (!library || library->abi_version != UMBER_ABI_VERSION) {
    return Status(StatusCode::Unsupported,
                  "code segment: does not speak version " +
                      std::to_string(UMBER_ABI_VERSION) +
                      " of the kernel ABI; compile the model again");
  }
  if (!library->isa || isa != library->isa) {
    return corrupt("is for " +
                   std::string(library->isa ? library->isa : "nothing") +
                   ", expected " + isa);
  }
  if (library->kernel_count != kernelNames.size()) {
    return corrupt("has " + std::to_string(library->kernel_count) +
                   " kernels, expected " + std::to_string(kernelNames.size()));
  }
  for (size_t i = 0; i < kernelNames.size(); ++i) {
    const char *name = library->kernel_names[i];
    if (!name || kernelNames[i] != name || !library->kernels[i]) {
      return corrupt("kernel " + std::to_string(i) + " is " +
                     (name ? name : "unnamed") + ", expected " +
                     kernelNames[i]);
    }
  }
  return {};
}
