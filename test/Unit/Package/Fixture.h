// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small package with everything in it that metadata can hold, and its file's
// bytes to damage.

#ifndef UMBER_TEST_UNIT_PACKAGE_FIXTURE_H
#define UMBER_TEST_UNIT_PACKAGE_FIXTURE_H

#include "runtime/package/Format.h"
#include "runtime/package/Package.h"
#include "runtime/package/PackageWriter.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace umber::test {

class PackageFixture : public testing::Test {
protected:
  using Edit = std::function<void(fbs::PackageT &)>;

  void SetUp() override;
  void TearDown() override;

  std::string pathOf(const std::string &name) const {
    return directory + "/" + name;
  }
  std::vector<std::string> filesInDirectory() const;

  /// Writes the package, its metadata changed by `edit`.
  void writePackage(const std::string &path, const Edit &edit = nullptr);

  /// Writes the package and expects that opening it fails with one line that
  /// begins with its path and `message`, and says what was found.
  void expectRefused(const Edit &edit, const std::string &message);

  static std::vector<uint8_t> readFile(const std::string &path);
  static void writeFile(const std::string &path,
                        const std::vector<uint8_t> &bytes);

  static PackageHeader headerOf(const std::vector<uint8_t> &file);
  /// Makes the header's hash that of the metadata, as an attacker would.
  static void sealMetadata(std::vector<uint8_t> &file);

  std::string directory;
  /// What the two segments hold: code, then weights.
  std::vector<uint8_t> code, weights;
};

} // namespace umber::test

#endif // UMBER_TEST_UNIT_PACKAGE_FIXTURE_H
