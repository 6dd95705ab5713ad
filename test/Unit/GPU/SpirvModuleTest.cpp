// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is read of SPIR-V modules before a device sees them, whatever is wrong
// with them.

#include "runtime/drivers/vulkan/SpirvModule.h"
#include "test/Unit/GPU/Fixture.h"

#include <cstring>
#include <random>

using namespace umber;
using namespace umber::vulkan;
using namespace umber::test;

namespace {

class SpirvModuleTest : public GpuFixture {
protected:
  void SetUp() override {
    GpuFixture::SetUp();
    std::string bytes = readKernels(UMBER_TEST_SPIRV);
    words.resize(bytes.size() / sizeof words[0]);
    std::memcpy(words.data(), bytes.data(), bytes.size());
  }

  static Result<SpirvModule> parse(const std::vector<uint32_t> &words) {
    return parseSpirv({reinterpret_cast<const uint8_t *>(words.data()),
                       words.size() * sizeof words[0]});
  }

  std::vector<uint32_t> words;
};

TEST_F(SpirvModuleTest, KnowsEntryPoints) {
  Result<SpirvModule> module = parse(words);
  ASSERT_TRUE(module.ok()) << module.status().message();
  const std::map<std::string, uint32_t> bindings = {
      {"embed", 4}, {"remember", 4}, {"multiply", 4}, {"project", 6}};
  ASSERT_EQ(module->entries.size(), bindings.size());
  for (const auto &[name, entry] : module->entries) {
    ASSERT_EQ(bindings.count(name), 1u) << name;
    EXPECT_EQ(entry.bindings, bindings.at(name)) << name;
    EXPECT_EQ(entry.workgroupBytes, name == "multiply" ? 4001 * 4u : 0u);
    EXPECT_EQ(entry.threads[0], 4u);
    EXPECT_EQ(entry.threads[1] * entry.threads[2], 1u);
    EXPECT_EQ(entry.readsTexels(), name == "embed") << name;
  }
  const SpirvEntry &embed = module->entries.at("embed");
  EXPECT_EQ(embed.texels[kWordTexels - 1], std::set<uint32_t>{2});
  EXPECT_EQ(embed.texels[kVectorTexels - 1], std::set<uint32_t>{1});
}

TEST_F(SpirvModuleTest, RefusesTexelsWithoutASet) {
  // The decoration of the only variable in the last set.
  constexpr uint32_t kDecorate = 71, kDescriptorSet = 34;
  for (size_t at = 5; at < words.size(); at += words[at] >> 16) {
    if ((words[at] & 0xffff) == kDecorate && words[at + 2] == kDescriptorSet &&
        words[at + 3] == kVectorTexels) {
      words[at + 3] = 1 + kTexelSets;
    }
  }
  Result<SpirvModule> module = parse(words);
  ASSERT_FALSE(module.ok());
  EXPECT_EQ(module.status().message(),
            "the SPIR-V module has a texel buffer without a binding in "
            "descriptor sets 1 and 2");
}

TEST_F(SpirvModuleTest, ExtractsWhatAnEntryPointNeeds) {
  Result<SpirvModule> module = parse(words);
  ASSERT_TRUE(module.ok());
  for (const auto &[name, entry] : module->entries) {
    std::vector<uint32_t> part = module->extract(name);
    EXPECT_LT(part.size(), words.size());
    Result<SpirvModule> alone = parse(part);
    ASSERT_TRUE(alone.ok()) << alone.status().message();
    ASSERT_EQ(alone->entries.size(), 1u);
    EXPECT_EQ(alone->entries.at(name).bindings, entry.bindings);
    EXPECT_EQ(alone->entries.at(name).workgroupBytes, entry.workgroupBytes);
    EXPECT_EQ(alone->entries.at(name).readsTexels(), entry.readsTexels());
    EXPECT_EQ(alone->entries.at(name).threads[0], 4u);
    EXPECT_EQ(alone->functions.size(),
              module->reachableFrom(entry.function).size());
    EXPECT_EQ(alone->capabilities, module->capabilities);
    EXPECT_LT(alone->variables.size(), module->variables.size());
    // Once more, nothing is left to leave out.
    EXPECT_EQ(alone->extract(name), part);
  }
}

/// With any words changed, it is refused in one line, or read without leaving
/// its bounds, which sanitizers see.
TEST_F(SpirvModuleTest, SurvivesDamage) {
  std::minstd_rand random(1);
  int refused = 0;
  constexpr int kTries = 4000;
  for (int i = 0; i < kTries; ++i) {
    std::vector<uint32_t> damaged = words;
    if (i % 4 == 0) {
      damaged.resize(random() % (damaged.size() + 1));
    }
    for (uint32_t change = 0; change < 1 + random() % 3; ++change) {
      if (damaged.empty()) {
        break;
      }
      uint32_t &word = damaged[random() % damaged.size()];
      switch (random() % 4) {
      case 0:
        word = uint32_t(random()) * 2;
        break;
      case 1:
        word ^= 1u << random() % 32;
        break;
      case 2:
        word = words[random() % words.size()];
        break;
      default:
        word = 0;
        break;
      }
    }
    Result<SpirvModule> module = parse(damaged);
    if (!module.ok()) {
      ++refused;
      EXPECT_EQ(module.status().message().find('\n'), std::string::npos);
      continue;
    }
    for (const auto &[name, entry] : module->entries) {
      EXPECT_LE(module->extract(name).size(), damaged.size());
    }
  }
  EXPECT_GT(refused, kTries / 4);
  EXPECT_LT(refused, kTries);
}

TEST_F(SpirvModuleTest, RefusesFunctionsInFunctions) {
  // From the first function on, with the second one before its end.
  constexpr uint32_t kFunction = 54, kFunctionEnd = 56;
  for (size_t at = 5; at < words.size(); at += words[at] >> 16) {
    if ((words[at] & 0xffff) == kFunctionEnd) {
      words.erase(words.begin() + at);
      break;
    }
  }
  Result<SpirvModule> nested = parse(words);
  ASSERT_FALSE(nested.ok());
  EXPECT_EQ(nested.status().message(),
            "the SPIR-V module has a function within another, or one without "
            "an id");
  for (size_t at = 5; at < words.size(); at += words[at] >> 16) {
    if ((words[at] & 0xffff) == kFunction) {
      words[at + 2] = 0;
      break;
    }
  }
  EXPECT_FALSE(parse(words).ok());
}

} // namespace
