// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packages that are wrong on purpose.

#include "test/Unit/NPU/Driver/Fixture.h"
#include "test/Unit/NPU/IsaFixture.h"

#include <random>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr char kT[] = "target npu:ane-a17-like: ";

TEST_F(DriverFixture, PartsThatAreMissingAreRefused) {
  expectRefused(StatusCode::CorruptFile,
                std::string(kT) +
                    "expected a segment npu:ane-a17-like.programs, found none",
                [](Parts &parts) { parts.segmentPrefix = "npu:x"; });
  expectRefused(StatusCode::CorruptFile,
                std::string(kT) +
                    "segment npu:ane-a17-like.weights: expected 255 bytes, as "
                    "its programs say, found 256",
                [](Parts &parts) { --parts.programs.weightBytes; });
  expectRefused(StatusCode::CorruptFile,
                std::string(kT) +
                    "segment npu:ane-a17-like.tables: expected 512 bytes, as "
                    "its programs say, found 511",
                [](Parts &parts) { parts.tables.pop_back(); });
  expectRefused(StatusCode::CorruptFile,
                std::string(kT) + "steps: expected at least one, found none",
                [](Parts &parts) { parts.programs.steps.clear(); });
  expectRefused(StatusCode::Unsupported,
                std::string(kT) +
                    "expected weights, found a model of shapes, which can only "
                    "be timed (umber-sim --timing-only)",
                [](Parts &parts) { parts.hasImages = false; });
}

TEST_F(DriverFixture, AnotherEnginesDescriptionIsRefused) {
  expectRefused(StatusCode::CorruptFile,
                std::string(kT) + "description: expected the target's name, "
                                  "npu:ane-a17-like, found ane-a17-likf",
                [](Parts &parts) {
                  std::string &text = parts.programs.description;
                  text.replace(text.find("ane-a17-like"), 12, "ane-a17-likf");
                });
  auto model =
      tryLoad([](Parts &parts) { parts.programs.description.resize(300); });
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.status().code(), StatusCode::CorruptFile);
  EXPECT_EQ(model.status().message().rfind(std::string(kT) + "description", 0),
            0u)
      << model.status().message();
}

TEST_F(DriverFixture, ProgramsOfAnotherModelAreRefused) {
  expectRefused(StatusCode::CorruptFile,
                std::string(kT) +
                    "programs: expected the model's 64 positions, found 65",
                [](Parts &parts) { parts.programs.contextLength = 65; });
  expectRefused(StatusCode::Unsupported,
                std::string(kT) +
                    "cache: expected elements of 8, 16 or 32 bits, found 4",
                [](Parts &parts) { parts.meta.cache->dtype = fbs::DType_I4; });
}

TEST_F(DriverFixture, LogitsAreWithinTheirRegion) {
  auto refused = [&](const char *rest, auto edit) {
    expectRefused(StatusCode::CorruptFile,
                  std::string(kT) +
                      "program prefill: expected tokens, logits behind them at "
                      "a multiple of 4, and " +
                      rest,
                  [edit](Parts &parts) { edit(parts.programs.steps[0]); });
  };
  refused("160 bytes for both, found logits at 64 of 159 bytes",
          [](StepProgram &step) { --step.ioBytes; });
  refused("164 bytes for both, found logits at 68 of 160 bytes",
          [](StepProgram &step) { step.logits = 68; });
  refused("104 bytes for both, found logits at 8 of 160 bytes",
          [](StepProgram &step) { step.logits = 8; });
  refused("158 bytes for both, found logits at 62 of 160 bytes",
          [](StepProgram &step) { step.logits = 62; });
}

TEST_F(DriverFixture, SitesAreTheTargets) {
  auto refused = [&](const std::string &message, const Edit &edit) {
    expectRefused(StatusCode::CorruptFile, kT + message, edit);
  };
  refused("sites: expected the target's 1, found 2", [](Parts &parts) {
    parts.programs.sites.push_back(parts.programs.sites[0]);
  });
  std::string another = "site 0: expected l0.attn.q of 16 inputs, 8 outputs "
                        "and rank 4, found another";
  for (auto edit : std::vector<void (*)(SiteLayout &)>{
           [](SiteLayout &site) { site.name = "l0.attn.k"; },
           [](SiteLayout &site) { site.a.rows = 3; },
           [](SiteLayout &site) { site.aByColumns.columns = 15; },
           [](SiteLayout &site) { site.b.rows = 7; },
           [](SiteLayout &site) { site.b.columns = 3; }}) {
    refused(another, [edit](Parts &parts) { edit(parts.programs.sites[0]); });
  }
  refused("adapter_scales: expected an end within 384 bytes, found 385",
          [](Parts &parts) { parts.programs.adapterScales = 369; });
}

TEST_F(DriverFixture, IllegalProgramsAreRefused) {
  auto refused = [&](StatusCode code, const std::string &program,
                     const std::string &message) {
    expectRefused(code,
                  std::string(kT) + "program decode: instruction 0 " + message,
                  [&](Parts &parts) {
                    parts.programs.steps[1].program = getProgram(program);
                  });
  };
  // An engine with a larger scratchpad could run it.
  refused(StatusCode::Unsupported,
          "load at=[0x200000] dram=io[0x0] bytes=4\nstop",
          "(load): at: expected an end within the 2097152 bytes of the "
          "scratchpad, found 2097156");
  for (const char *region : {"weights", "adapters"}) {
    refused(StatusCode::CorruptFile,
            std::string("store at=[0x0] dram=") + region +
                "[0x0] bytes=16\nstop",
            std::string("(store): dram: expected a region that can be written "
                        "(cache, activations or io), found ") +
                region);
  }
}

/// What a program does when it runs depends on registers, and so is found then.
TEST_F(DriverFixture, ProgramsThatLeaveTheirRegionsEndWithAnError) {
  auto fails = [&](const std::string &program, const std::string &message) {
    auto model = load([&](Parts &parts) {
      parts.programs.steps[1].program = getProgram(program);
    });
    ASSERT_TRUE(model);
    auto state = open(*model);
    const float *logits = nullptr;
    int32_t id = 1;
    Status status = state->run({&id, 1, 5, 1}, &logits);
    EXPECT_EQ(status.code(), StatusCode::CorruptFile);
    EXPECT_NE(status.message().find(message), std::string::npos)
        << status.message();
    EXPECT_EQ(logits, nullptr);
    // Wider steps are as they were.
    EXPECT_EQ(run(*state, {2, 3}, 0), expectedLogits(2, 3));
  };
  std::string where = std::string(kT) + "program decode: instruction ";
  fails("set to=r8 from=r1 multiplier=100\n"
        "load at=[0x0] dram=tables[0x10+r8] bytes=16\nstop",
        where + "1 (load): ");
  fails("set to=r8 from=r1 multiplier=100\n"
        "store at=[0x0] dram=cache[0x3000+r8] bytes=16000\nstop",
        where + "1 (store): ");
  fails("load at=[0x0] dram=code[0x0] bytes=16\nstop", where + "0 (load): ");
  fails("loop count=1048575\nloop count=1048575\nmark mark=1\nend\nend\nstop",
        "expected at most ");
}

TEST_F(DriverFixture, BytesThatWereChangedAreRefusedOrHarmless) {
  Parts parts = makeParts();
  std::vector<uint8_t> good = *writeProgramFile(parts.programs);
  std::minstd_rand random(1);
  int refused = 0, ran = 0;
  for (int i = 0; i < UMBER_TEST_DAMAGED_PACKAGES; ++i) {
    std::vector<uint8_t> bytes = good;
    for (int changes = 1 + int(random() % 3); changes > 0; --changes) {
      bytes[random() % bytes.size()] = uint8_t(random() >> 8);
    }
    auto model = tryLoad([&](Parts &parts) { parts.encoded = bytes; });
    if (!model.ok()) {
      EXPECT_EQ(model.status().message().find('\n'), std::string::npos)
          << model.status().message();
      ++refused;
      continue;
    }
    auto state = open(**model);
    if (!state) {
      continue;
    }
    const float *logits = nullptr;
    int32_t ids[] = {1, 2, 3};
    for (int32_t tokens : {1, 3}) {
      Status status = state->run({ids, tokens, 0, tokens}, &logits);
      ran += status.ok();
    }
  }
  EXPECT_GT(refused, 10);
  EXPECT_GT(ran, 10);
}

TEST_F(DriverFixture, CborThatWouldTakeAllMemoryIsRefused) {
  auto refused = [&](const std::vector<uint8_t> &bytes) {
    auto model = tryLoad([&](Parts &parts) { parts.encoded = bytes; });
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.status().code(), StatusCode::CorruptFile);
  };
  // Arrays of arrays, and one of 2^62 elements.
  refused(std::vector<uint8_t>(1 << 20, 0x81));
  refused({0xa1, 0x61, 'a', 0x9b, 0x40, 0, 0, 0, 0, 0, 0, 0, 1});
}

} // namespace
