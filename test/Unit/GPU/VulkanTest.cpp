// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Vulkan driver on any device that is here; in tests that is usually Mesa's
// software device.

#include "runtime/drivers/vulkan/VulkanDriver.h"
#include "test/Unit/GPU/Fixture.h"

#include <cstdlib>
#include <cstring>

using namespace umber;
using namespace umber::test;

namespace {

constexpr const char *kIsa = "spirv1.3";

/// With memory that the host sees, where the device has such, and without.
class VulkanTest : public GpuFixture,
                   public testing::WithParamInterface<const char *> {
protected:
  void SetUp() override {
    Result<std::vector<const Driver *>> drivers = vulkanDrivers();
    if (!drivers.ok()) {
      GTEST_SKIP() << drivers.status().message();
    }
    driver = drivers->front();
    ::setenv("UMBER_VULKAN_MEMORY", GetParam(), 1);
    GpuFixture::SetUp();
    package = makePackage(kIsa, readKernels(UMBER_TEST_SPIRV));
    ASSERT_TRUE(package);
    Result<std::unique_ptr<DeviceModel>> loaded = driver->load(package, {});
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    model = std::move(*loaded);
  }

  void TearDown() override {
    model.reset();
    ::unsetenv("UMBER_VULKAN_MEMORY");
    GpuFixture::TearDown();
  }

  const Driver *driver = nullptr;
  std::shared_ptr<const Package> package;
  std::unique_ptr<DeviceModel> model;
};

TEST_P(VulkanTest, RunsSteps) { expectStepsAsReference(*model); }
TEST_P(VulkanTest, SavesAndRestores) { expectSavedAsReference(*model); }
TEST_P(VulkanTest, StacksAdapters) {
  expectAdaptersAsReference(*model, *package);
}
TEST_P(VulkanTest, RunsBatches) { expectBatchesAsReference(*model); }
TEST_P(VulkanTest, IsUsedByManyThreads) { expectThreadsAsReference(*model); }
TEST_P(VulkanTest, MeasuresDispatches) { expectProfile(*model); }

TEST_P(VulkanTest, TellsWhatItIs) {
  Result<DeviceDescription> found = driver->describe();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->name, "vulkan:0");
  EXPECT_NE(found->description.find(", Vulkan 1."), std::string::npos)
      << found->description;
  EXPECT_EQ(model->isa(), kIsa);
}

TEST_P(VulkanTest, RefusesWhatDoesNotFit) {
  Result<std::unique_ptr<DeviceState>> huge = model->createState(INT32_MAX);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.status().message().rfind("vulkan:0: a layer's keys of", 0), 0u)
      << huge.status().message();
  LoadOptions options;
  options.adapterBits = 8;
  Result<std::unique_ptr<DeviceModel>> bits = driver->load(package, options);
  ASSERT_FALSE(bits.ok());
  EXPECT_EQ(bits.status().code(), StatusCode::InvalidArgument);
  options = {};
  options.isa = "spirv9";
  Result<std::unique_ptr<DeviceModel>> isa = driver->load(package, options);
  ASSERT_FALSE(isa.ok());
  EXPECT_EQ(isa.status().message(),
            "target gpu: has no code of instruction set spirv9 for vulkan:0; "
            "there is code for: spirv1.3");
}

TEST_P(VulkanTest, TellsOfTooLittleMemory) {
  // Each layer's cache is small enough, all together are terabytes.
  auto large =
      makePackage(kIsa, readKernels(UMBER_TEST_SPIRV), [](fbs::PackageT &p) {
        p.model->layers = p.cache->layers = 1 << 14;
      });
  Result<std::unique_ptr<DeviceModel>> loaded = driver->load(large, {});
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  Result<std::unique_ptr<DeviceState>> state = (*loaded)->createState(1 << 22);
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.status().code(), StatusCode::OutOfMemory);
  EXPECT_EQ(state.status().message().rfind("vulkan:0: cannot allocate ", 0), 0u)
      << state.status().message();
  EXPECT_NE(state.status().message().find("for the key/value cache: "),
            std::string::npos)
      << state.status().message();
  // What failed has left nothing behind.
  EXPECT_TRUE((*loaded)->createState(100).ok());
}

INSTANTIATE_TEST_SUITE_P(Memory, VulkanTest, testing::Values("", "staged"),
                         [](const auto &info) {
                           return *info.param ? "Staged" : "Mapped";
                         });

/// A package that asks for something wrong, and what is said of it.
struct Wrong {
  const char *name;
  std::function<void(fbs::PackageT &)> edit;
  std::function<void(std::string &)> editCode;
  StatusCode code;
  const char *message;
};

fbs::TargetT &targetOf(fbs::PackageT &package) { return *package.targets[0]; }
fbs::DispatchT &dispatchOf(fbs::PackageT &package, size_t index) {
  return *targetOf(package).programs[0]->dispatches[index];
}

void setWord(std::string &code, size_t index, uint32_t value) {
  code.replace(index * 4, 4, reinterpret_cast<const char *>(&value), 4);
}

/// In each place where a word is so.
void replaceWord(std::string &code, uint32_t from, uint32_t to) {
  for (size_t i = 0; i < code.size() / 4; ++i) {
    if (std::memcmp(code.data() + 4 * i, &from, 4) == 0) {
      setWord(code, i, to);
    }
  }
}

const Wrong kWrong[] = {
    {"NoTarget", [](auto &p) { targetOf(p).name = "cpu"; }, nullptr,
     StatusCode::NotFound, "has no target gpu; there is: cpu"},
    {"NoCode", [](auto &p) { targetOf(p).variants[0]->isa = "ptx-sm_80"; },
     nullptr, StatusCode::NotFound,
     "target gpu: has no code for vulkan:0; there is code for: ptx-sm_80"},
    {"NoPrograms", [](auto &p) { targetOf(p).programs.clear(); }, nullptr,
     StatusCode::CorruptFile, "target gpu: has no programs"},
    {"NoGrid", [](auto &p) { dispatchOf(p, 1).grid.reset(); }, nullptr,
     StatusCode::CorruptFile,
     "target gpu: program prefill, dispatch 1: expected a grid, found none"},
    {"NoBindings", [](auto &p) { dispatchOf(p, 2).bindings.clear(); }, nullptr,
     StatusCode::CorruptFile,
     "target gpu: program prefill, dispatch 2 has no bindings"},
    {"FewerBindingsElsewhere",
     [](auto &p) { dispatchOf(p, 0).bindings.pop_back(); }, nullptr,
     StatusCode::CorruptFile,
     "target gpu: program decode, dispatch 0: expected 3 bindings and 4 "
     "threads, as kernel embed has elsewhere, found 4 and 4"},
    {"FewerBindingsThanCode",
     [](auto &p) {
       for (auto &program : targetOf(p).programs) {
         program->dispatches[0]->bindings.pop_back();
       }
     },
     nullptr, StatusCode::CorruptFile,
     "target gpu: kernel embed: expected bindings below 3, which its "
     "dispatches have, found 3"},
    {"OtherThreads",
     [](auto &p) {
       for (auto &program : targetOf(p).programs) {
         *program->dispatches[1]->grid = fbs::Grid(1, 1, 1, 8);
       }
     },
     nullptr, StatusCode::CorruptFile,
     "target gpu: kernel remember: expected workgroups of 8x1x1 threads, as "
     "its dispatches have, found 4x1x1"},
    {"UnknownEntryPoint", [](auto &p) { targetOf(p).kernels[3] = "nothing"; },
     nullptr, StatusCode::CorruptFile,
     "target gpu: kernel nothing: the SPIR-V module has no such entry point"},
    {"NoLogits",
     [](auto &p) { targetOf(p).programs[0]->dispatches.pop_back(); }, nullptr,
     StatusCode::CorruptFile,
     "target gpu: program prefill does not make logits from token ids"},
    {"CandidatesOfOneProgram",
     [](auto &p) { targetOf(p).programs[1]->candidates = 3; }, nullptr,
     StatusCode::CorruptFile,
     "target gpu: program decode: expected as many candidates as other "
     "programs have, at most 10, found 3"},
    {"MoreCandidatesThanTokens",
     [](auto &p) { targetOf(p).programs[0]->candidates = 11; }, nullptr,
     StatusCode::CorruptFile,
     "target gpu: program prefill: expected as many candidates as other "
     "programs have, at most 10, found 11"},
    {"CandidatesWithoutBinding",
     [](auto &p) { targetOf(p).programs[0]->candidates = 3; }, nullptr,
     StatusCode::CorruptFile,
     "target gpu: program prefill: expected a binding for candidates, found "
     "none"},
    {"BindingWithoutCandidates",
     [](auto &p) {
       dispatchOf(p, 2).bindings[3] = {fbs::BindingKind_Candidates, 0, 0};
     },
     nullptr, StatusCode::CorruptFile,
     "target gpu: program prefill: expected no binding for candidates, of "
     "which it has none, found one"},
    {"HalfAWord", nullptr, [](auto &code) { code.pop_back(); },
     StatusCode::CorruptFile, "target gpu: the SPIR-V module has "},
    {"Magic", nullptr, [](auto &code) { setWord(code, 0, 7); },
     StatusCode::CorruptFile,
     "target gpu: the SPIR-V module does not begin with the magic number"},
    {"Version", nullptr, [](auto &code) { setWord(code, 1, 0x10500); },
     StatusCode::Unsupported,
     "target gpu: the SPIR-V module is of version 1.5, expected at most 1.3"},
    {"Truncated", nullptr, [](auto &code) { code.resize(code.size() - 4); },
     StatusCode::CorruptFile,
     "target gpu: the SPIR-V module ends within a function"},
    {"EmptyInstruction", nullptr, [](auto &code) { setWord(code, 5, 17); },
     StatusCode::CorruptFile,
     "target gpu: the SPIR-V module has an instruction of 0 words at word 5"},
    {"WorkgroupMemory", nullptr,
     [](auto &code) { replaceWord(code, 4001, 1 << 28); },
     StatusCode::Unsupported,
     "vulkan:0: kernel multiply needs 1073741824 bytes of a workgroup's "
     "memory, "
     "the device has "},
    {"EndlessWorkgroupMemory", nullptr,
     [](auto &code) { replaceWord(code, 4001, UINT32_MAX); },
     StatusCode::Unsupported,
     "vulkan:0: kernel multiply needs 17179869180 bytes of a workgroup's "
     "memory, the device has "},
    {"Capability", nullptr, [](auto &code) { setWord(code, 6, 5); },
     StatusCode::Unsupported,
     "the SPIR-V module needs capability 5, which this driver does not know"},
};

void PrintTo(const Wrong &wrong, std::ostream *stream) {
  *stream << wrong.name;
}

class VulkanRefusesTest : public GpuFixture,
                          public testing::WithParamInterface<Wrong> {};

TEST_P(VulkanRefusesTest, InOneLine) {
  Result<std::vector<const Driver *>> drivers = vulkanDrivers();
  if (!drivers.ok()) {
    GTEST_SKIP() << drivers.status().message();
  }
  std::string code = readKernels(UMBER_TEST_SPIRV);
  if (GetParam().editCode) {
    GetParam().editCode(code);
  }
  auto package = makePackage(kIsa, code, GetParam().edit);
  ASSERT_TRUE(package);
  Result<std::unique_ptr<DeviceModel>> loaded =
      drivers->front()->load(package, {});
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().code(), GetParam().code);
  EXPECT_EQ(loaded.status().message().rfind(GetParam().message, 0), 0u)
      << loaded.status().message();
}

INSTANTIATE_TEST_SUITE_P(Packages, VulkanRefusesTest, testing::ValuesIn(kWrong),
                         [](const auto &info) { return info.param.name; });

using VulkanFeatureTest = GpuFixture;

/// Of all that a module can ask for, clustered operations are what devices lack
/// most often.
TEST_F(VulkanFeatureTest, IsToldWhereItIsMissing) {
  Result<std::vector<const Driver *>> drivers = vulkanDrivers();
  if (!drivers.ok()) {
    GTEST_SKIP() << drivers.status().message();
  }
  std::string code = readKernels(UMBER_TEST_SPIRV);
  setWord(code, 6, 67);
  auto package = makePackage(kIsa, code);
  ASSERT_TRUE(package);
  Result<std::unique_ptr<DeviceModel>> loaded =
      drivers->front()->load(package, {});
  if (loaded.ok()) {
    GTEST_SKIP() << "the device has them";
  }
  EXPECT_EQ(loaded.status().code(), StatusCode::Unsupported);
  EXPECT_EQ(loaded.status().message(), "vulkan:0: the device has no clustered "
                                       "operations of subgroups");
}

} // namespace
