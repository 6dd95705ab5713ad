// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA driver, where there is a device; where there is none, what it says.

#include "runtime/drivers/cuda/CudaDriver.h"
#include "test/Unit/GPU/Fixture.h"

using namespace umber;
using namespace umber::test;

namespace {

constexpr const char *kIsa = "ptx-sm_80";

/// PTX as packages have it.
std::string withZero(std::string text) { return text + '\0'; }

class CudaTest : public GpuFixture {
protected:
  void SetUp() override {
    Result<std::vector<const Driver *>> drivers = cudaDrivers();
    if (!drivers.ok()) {
      GTEST_SKIP() << drivers.status().message();
    }
    driver = drivers->front();
    GpuFixture::SetUp();
    package = makePackage(kIsa, withZero(readKernels(UMBER_TEST_PTX)));
    ASSERT_TRUE(package);
    Result<std::unique_ptr<DeviceModel>> loaded = driver->load(package, {});
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    model = std::move(*loaded);
  }

  /// Expects that this is refused in a line that begins with `message`.
  void expectRefused(const std::string &isa, const std::string &code,
                     const Edit &edit, StatusCode status,
                     const std::string &message) {
    auto wrong = makePackage(isa, code, edit);
    ASSERT_TRUE(wrong);
    Result<std::unique_ptr<DeviceModel>> loaded = driver->load(wrong, {});
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.status().code(), status);
    EXPECT_EQ(loaded.status().message().rfind(message, 0), 0u)
        << loaded.status().message();
    EXPECT_EQ(loaded.status().message().find('\n'), std::string::npos);
  }

  const Driver *driver = nullptr;
  std::shared_ptr<const Package> package;
  std::unique_ptr<DeviceModel> model;
};

TEST_F(CudaTest, RunsSteps) { expectStepsAsReference(*model); }
TEST_F(CudaTest, SavesAndRestores) { expectSavedAsReference(*model); }
TEST_F(CudaTest, StacksAdapters) {
  expectAdaptersAsReference(*model, *package);
}
TEST_F(CudaTest, RunsBatches) { expectBatchesAsReference(*model); }
TEST_F(CudaTest, IsUsedByManyThreads) { expectThreadsAsReference(*model); }
TEST_F(CudaTest, MeasuresDispatches) { expectProfile(*model); }

TEST_F(CudaTest, TellsWhatItIs) {
  Result<DeviceDescription> found = driver->describe();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->name, "cuda:0");
  EXPECT_NE(found->description.find(", sm_"), std::string::npos);
  // More than any device has: 100 GB in each of many layers.
  auto large = makePackage(
      kIsa, withZero(readKernels(UMBER_TEST_PTX)),
      [](fbs::PackageT &p) { p.model->layers = p.cache->layers = 1 << 14; });
  Result<std::unique_ptr<DeviceModel>> many = driver->load(large, {});
  ASSERT_TRUE(many.ok()) << many.status().message();
  Result<std::unique_ptr<DeviceState>> huge = (*many)->createState(INT32_MAX);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.status().code(), StatusCode::OutOfMemory);
}

TEST_F(CudaTest, RefusesWhatItCannotRun) {
  std::string code = readKernels(UMBER_TEST_PTX);
  expectRefused(kIsa, code, nullptr, StatusCode::CorruptFile,
                "target gpu: expected PTX that ends with a zero");
  expectRefused("ptx-sm_999", withZero(code), nullptr, StatusCode::NotFound,
                "target gpu: has no code for cuda:0; there is code for: "
                "ptx-sm_999");
  expectRefused(kIsa, withZero("not PTX"), nullptr, StatusCode::Internal,
                "cuda:0: cannot compile the kernels: CUDA_ERROR_");
  expectRefused(
      kIsa, withZero(code),
      [](fbs::PackageT &p) { p.targets[0]->kernels[3] = "nothing"; },
      StatusCode::CorruptFile,
      "target gpu: kernel nothing: the PTX has no such entry");
}

/// What is not here is said in one line, whatever it is.
TEST(CudaAbsenceTest, IsTold) {
  Result<std::vector<const Driver *>> drivers = cudaDrivers();
  if (drivers.ok()) {
    EXPECT_FALSE(drivers->empty());
    return;
  }
  EXPECT_EQ(drivers.status().code(), StatusCode::NotFound);
  EXPECT_EQ(drivers.status().message().rfind("cuda: ", 0), 0u);
  EXPECT_EQ(drivers.status().message().find('\n'), std::string::npos);
}

} // namespace
