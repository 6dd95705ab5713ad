// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The libraries of microkernels, one per instruction set, that
// UMBER_TEST_KERNEL_LIBRARIES names.

#ifndef UMBER_TEST_UNIT_TARGETS_KERNELLIBRARY_H
#define UMBER_TEST_UNIT_TARGETS_KERNELLIBRARY_H

#include "runtime/drivers/cpu/InstructionSets.h"
#include "test/Unit/Targets/KernelTable.h"
#include <dlfcn.h>
#include <string>

namespace umber {

struct KernelLibrary {
  const char *isa, *path;

  /// Null, and dlerror() says why, if it cannot be opened.
  const KernelTable *open() const {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return handle ? static_cast<const KernelTable *>(
                        dlsym(handle, "umber_test_kernels"))
                  : nullptr;
  }
};

inline const KernelLibrary kKernelLibraries[] = {UMBER_TEST_KERNEL_LIBRARIES};

/// Calls `use(isa, table)` for each library that this processor runs.
template <typename Use>
void forKernels(Use use) {
  for (const KernelLibrary &library : kKernelLibraries) {
    if (cpu::checkInstructionSet(library.isa).ok()) {
      use(std::string(library.isa), library.open());
    }
  }
}

} // namespace umber

#endif // UMBER_TEST_UNIT_TARGETS_KERNELLIBRARY_H
