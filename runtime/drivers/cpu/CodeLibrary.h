// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package's code segment, loaded: the kernels it exports.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_CODELIBRARY_H
#define UMBER_RUNTIME_DRIVERS_CPU_CODELIBRARY_H

#include "runtime/package/Status.h"
#include "umber/umber_abi.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace umber::cpu {

/// A shared object that was loaded from memory, and stays loaded while this
/// lives. Loading runs code: a package deserves the trust that a program does.
class CodeLibrary {
public:
  /// Loads `size` bytes of shared object and checks what it exports against
  /// the package: this ABI version, `isa`, and `kernelNames` in this order.
  /// CorruptFile if they do not agree, Unsupported for another ABI version or a
  /// file that the dynamic loader refuses.
  static Result<std::unique_ptr<CodeLibrary>>
  load(const void *bytes, size_t size, const std::string &isa,
       const std::vector<std::string> &kernelNames);
  ~CodeLibrary();
  CodeLibrary(const CodeLibrary &) = delete;
  CodeLibrary &operator=(const CodeLibrary &) = delete;

  /// In the order of `kernelNames`.
  umber_kernel_fn kernel(size_t index) const { return library->kernels[index]; }

private:
  CodeLibrary() = default;
  Status open(const void *bytes, size_t size);
  Status check(const std::string &isa,
               const std::vector<std::string> &kernelNames);

  // Kept open: the loader knows a library by its path, which holds this number,
  // and would take another for the same if the number were reused.
  int file = -1;
  void *handle = nullptr;
  const umber_library *library = nullptr;
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_CODELIBRARY_H
