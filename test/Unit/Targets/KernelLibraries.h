// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The microkernels of every instruction set of this architecture, for tests
// with one of them as the parameter.

#ifndef UMBER_TEST_UNIT_TARGETS_KERNELLIBRARIES_H
#define UMBER_TEST_UNIT_TARGETS_KERNELLIBRARIES_H

#include "test/Unit/Targets/KernelLibrary.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <ostream>
#include <string>

namespace umber {

inline std::ostream &operator<<(std::ostream &os,
                                const KernelLibrary &library) {
  return os << library.isa;
}

inline std::string
getLibraryName(const testing::TestParamInfo<KernelLibrary> &info) {
  std::string name = info.param.isa;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// Skips the test, and says what is missing, where this processor does not run
/// the library.
inline void openOrSkip(const KernelLibrary &library,
                       const KernelTable *&table) {
  Status status = cpu::checkInstructionSet(library.isa);
  if (!status.ok()) {
    GTEST_SKIP() << status.message();
  }
  table = library.open();
  ASSERT_NE(table, nullptr) << dlerror();
}

} // namespace umber

#endif // UMBER_TEST_UNIT_TARGETS_KERNELLIBRARIES_H
