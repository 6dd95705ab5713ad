// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/CodeLibrary.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

using namespace umber;
using namespace umber::cpu;

namespace {

using Loaded = Result<std::unique_ptr<CodeLibrary>>;

std::string readLibrary(const char *path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

Loaded load(const std::string &bytes, const std::string &isa = "test-isa",
            const std::vector<std::string> &kernels = {"mark", "other"}) {
  return CodeLibrary::load(bytes.data(), bytes.size(), isa, kernels);
}

int32_t markOf(const CodeLibrary &library) {
  int32_t mark = 0;
  void *bindings[] = {&mark};
  umber_kernel_args args = {};
  args.bindings = bindings;
  library.kernel(0)(&args);
  return mark;
}

void expectFails(const Loaded &loaded, StatusCode code,
                 const std::string &words) {
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().code(), code);
  EXPECT_NE(loaded.status().message().find(words), std::string::npos)
      << loaded.status().message();
}

TEST(CodeLibrary, KernelsRunInTheOrderOfTheirNames) {
  Loaded library = load(readLibrary(UMBER_TEST_KERNELS_7));
  ASSERT_TRUE(library.ok()) << library.status().message();
  EXPECT_EQ(markOf(**library), 7);
}

TEST(CodeLibrary, LibrariesDoNotGetMixedUp) {
  // The loader goes by the path, which a closed memory file would leave to the
  // next one.
  std::string seven = readLibrary(UMBER_TEST_KERNELS_7);
  std::string eight = readLibrary(UMBER_TEST_KERNELS_8);
  for (int round = 0; round < 3; ++round) {
    Loaded a = load(seven), b = load(eight), c = load(seven);
    ASSERT_TRUE(a.ok() && b.ok() && c.ok());
    EXPECT_EQ(markOf(**a), 7);
    EXPECT_EQ(markOf(**b), 8);
    (*a).reset();
    Loaded d = load(eight);
    ASSERT_TRUE(d.ok());
    EXPECT_EQ(markOf(**d), 8);
    EXPECT_EQ(markOf(**c), 7);
  }
}

TEST(CodeLibrary, MustAgreeWithThePackage) {
  std::string bytes = readLibrary(UMBER_TEST_KERNELS_7);
  expectFails(load(bytes, "other-isa"), StatusCode::CorruptFile,
              "code segment: is for test-isa, expected other-isa");
  expectFails(load(bytes, "test-isa", {"mark"}), StatusCode::CorruptFile,
              "code segment: has 2 kernels, expected 1");
  expectFails(load(bytes, "test-isa", {"mark", "third"}),
              StatusCode::CorruptFile,
              "code segment: kernel 1 is other, expected third");
}

TEST(CodeLibrary, MustSpeakThisAbi) {
  expectFails(
      load(readLibrary(UMBER_TEST_KERNELS_OTHER_ABI)), StatusCode::Unsupported,
      "version " + std::to_string(UMBER_ABI_VERSION) + " of the kernel ABI");
  expectFails(load(readLibrary(UMBER_TEST_KERNELS_NO_QUERY)),
              StatusCode::CorruptFile, "does not export umber_library_query");
}

TEST(CodeLibrary, MustBeALibrary) {
  std::string bytes = readLibrary(UMBER_TEST_KERNELS_7);
  for (const std::string &broken :
       {std::string(), std::string("not a library at all"),
        bytes.substr(0, 40)}) {
    expectFails(load(broken), StatusCode::Unsupported,
                "cannot load the code segment: ");
  }
  // Another machine's.
  std::string foreign = bytes;
  foreign[18] = static_cast<char>(0xF3); // RISC-V
  expectFails(load(foreign), StatusCode::Unsupported,
              "cannot load the code segment: ");
}

} // namespace
