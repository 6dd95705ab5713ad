// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packages that tests make by hand.

#ifndef UMBER_TEST_UNIT_PACKAGE_TESTPACKAGE_H
#define UMBER_TEST_UNIT_PACKAGE_TESTPACKAGE_H

#include "runtime/package/umb_generated.h"

#include <functional>
#include <string>
#include <vector>

namespace umber::test {

struct TestSegment {
  fbs::SegmentKind kind;
  std::string name;
  std::vector<uint8_t> bytes;
};

/// Writes a package of these segments, which are added to `meta`; then `edit`
/// may change all that it says. What fails, fails the test.
void writeTestPackage(
    const std::string &path, const std::vector<TestSegment> &segments,
    fbs::PackageT meta,
    const std::function<void(fbs::PackageT &)> &edit = nullptr);

} // namespace umber::test

#endif // UMBER_TEST_UNIT_PACKAGE_TESTPACKAGE_H
