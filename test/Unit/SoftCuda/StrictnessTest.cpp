// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the device refuses that others do wrong or differently.

#include "test/SoftCuda/Results.h"
#include "test/Unit/SoftCuda/Fixture.h"

using namespace umber::softcuda;
using namespace umber::test;

namespace {

class StrictnessTest : public SoftCudaTest {
protected:
  /// Expects that a launch of 64 threads fails, and says why on stderr.
  void expectFault(const std::string &body, int result,
                   const std::string &message) {
    std::vector<uint32_t> out(64);
    testing::internal::CaptureStderr();
    EXPECT_EQ(run(body, std::vector<uint32_t>(64), out, 64), result);
    std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find(message), std::string::npos) << said;
    EXPECT_NE(said.find("kernel k"), std::string::npos) << said;
    // What failed is of no use any more.
    EXPECT_EQ(api->cuStreamSynchronize(stream), result);
  }

  void expectRefused(const std::string &text, int result,
                     const std::string &message) {
    std::string said;
    EXPECT_EQ(load(text, &said), result);
    EXPECT_EQ(said, "soft-cuda: " + message);
  }
};

TEST_F(StrictnessTest, RefusesWhatItCannotRun) {
  expectRefused(kernel("frobnicate.b32 %r1, %r2;"), kInvalidPtx,
                "line 13: k: unknown opcode frobnicate.b32");
  expectRefused(kernel("add.rz.f32 %r1, %r2, %r3;"), kInvalidPtx,
                "line 13: k: unknown modifier .rz in add.rz.f32");
  expectRefused(kernel("add.s32 %r1, %r2, %rd3;"), kInvalidPtx,
                "line 13: k: %rd3 is of 64 bits, expected 32 in add.s32");
  expectRefused(kernel("bra NOWHERE;"), kInvalidPtx,
                "line 13: k: unknown label NOWHERE in bra");
  expectRefused(kernel("ld.param.u64 %rd3, [in+4];"), kInvalidPtx,
                "line 13: k: beyond the parameter in in ld.param.u64");
  expectRefused(".version 99.0\n.target sm_80\n", kUnsupportedPtxVersion,
                "PTX of version 99.0, newer than 8.0");
  expectRefused(".version 7.4\n.target sm_999\n", kInvalidPtx,
                "line 1: for sm_999, newer than sm_90");
  expectRefused(".version 7.4\n.target sm_80\n.entry k() {", kInvalidPtx,
                "line 3: k: the body has no end");
}

TEST_F(StrictnessTest, StopsAtAddressesOfNothing) {
  expectFault("ld.global.b32 %r1, [%rd1+256];", kIllegalAddress,
              "the access of 4 bytes at");
}

TEST_F(StrictnessTest, StopsAtMisalignedVectors) {
  expectFault("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1+8];",
              kMisalignedAddress, "is not aligned");
}

TEST_F(StrictnessTest, StopsBeyondSharedMemory) {
  expectFault(R"(.shared .align 4 .b8 s[64];
                 mov.u32 %r1, s;
                 mad.lo.u32 %r2, %r0, 4, %r1;
                 st.shared.b32 [%r2], %r0;)",
              kIllegalAddress, "is beyond the block's 64 bytes");
}

// Each thread writes a word and reads that of one in the other warp.
constexpr const char *kExchange = R"(
  .shared .align 4 .b8 s[256];
  mov.u32 %r1, s;
  mad.lo.u32 %r2, %r0, 4, %r1;
  st.shared.b32 [%r2], %r0;
  BARRIER
  xor.b32 %r3, %r0, 32;
  mad.lo.u32 %r4, %r3, 4, %r1;
  ld.shared.b32 %r5, [%r4];
  mul.wide.u32 %rd3, %r0, 4;
  add.s64 %rd4, %rd2, %rd3;
  st.global.b32 [%rd4], %r5;)";

TEST_F(StrictnessTest, SeesRaces) {
  std::string body = kExchange;
  size_t at = body.find("BARRIER");
  std::vector<uint32_t> out(64);
  std::string synchronized = body;
  synchronized.replace(at, 7, "bar.sync 0;");
  ASSERT_EQ(run(synchronized, {0}, out, 64), 0);
  EXPECT_EQ(out[0], 32u);
  EXPECT_EQ(out[63], 31u);
  body.replace(at, 7, "");
  expectFault(body, kLaunchFailed, "another warp has");
}

TEST_F(StrictnessTest, SeesWritesOverWhatOthersRead) {
  expectFault(R"(
    .shared .align 4 .b8 s[256];
    mov.u32 %r1, s;
    ld.shared.b32 %r2, [%r1];
    setp.eq.u32 %p1, %r0, 32;
    @%p1 st.shared.b32 [%r1], %r0;)",
              kLaunchFailed, "another warp has");
}

TEST_F(StrictnessTest, WantsAllAtBarriers) {
  expectFault(R"(setp.lt.u32 %p1, %r0, 32;
                 @%p1 bra DONE;
                 bar.sync 0;
               DONE:
                 ret;)",
              kLaunchFailed, "some warps wait at a barrier");
}

TEST_F(StrictnessTest, WantsWholeWarpsAtBarriers) {
  expectFault(R"(setp.lt.u32 %p1, %r0, 5;
                 @%p1 bra DONE;
                 bar.sync 0;
               DONE:
                 bar.sync 0;)",
              kLaunchFailed, "some threads of a warp are at a barrier");
}

TEST_F(StrictnessTest, WantsReadOnlyMemoryUnwritten) {
  expectFault(R"(st.global.b32 [%rd2], %r0;
                 ld.global.nc.b32 %r1, [%rd2];)",
              kLaunchFailed, "the read-only load of line");
}

TEST_F(StrictnessTest, HasUndefinedMemory) {
  std::vector<uint32_t> out(64);
  ASSERT_EQ(run(".shared .align 4 .b8 s[4]; ld.shared.b32 %r1, [s];"
                "st.global.b32 [%rd2], %r1;",
                {0}, out),
            0);
  EXPECT_EQ(out[0], 0xffffffffu);
  EXPECT_EQ(out[1], 0xffffffffu);
}

/// What was put into a stream is not done before somebody waits.
TEST_F(StrictnessTest, WorksWhenWaitedFor) {
  umber::cuda::CudaAddress address = 0;
  void *window = nullptr;
  ASSERT_EQ(api->cuMemAlloc_v2(&address, 4), 0);
  ASSERT_EQ(api->cuMemAllocHost_v2(&window, 8), 0);
  uint32_t *words = static_cast<uint32_t *>(window);
  words[0] = 1;
  words[1] = 0;
  ASSERT_EQ(api->cuMemcpyHtoDAsync_v2(address, words, 4, stream), 0);
  ASSERT_EQ(api->cuMemcpyDtoHAsync_v2(words + 1, address, 4, stream), 0);
  words[0] = 2;
  EXPECT_EQ(words[1], 0u);
  ASSERT_EQ(api->cuStreamSynchronize(stream), 0);
  EXPECT_EQ(words[1], 2u);
  EXPECT_EQ(api->cuMemFree_v2(address), 0);
  EXPECT_EQ(api->cuMemFree_v2(address), kInvalidValue);
  EXPECT_EQ(api->cuMemFreeHost(window), 0);
}

} // namespace
