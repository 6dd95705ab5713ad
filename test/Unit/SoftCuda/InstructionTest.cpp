// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What instructions give, by the PTX ISA's definitions of them.

#include "test/Unit/SoftCuda/Fixture.h"

#include <cstring>

using namespace umber::test;

namespace {

/// `text` of a, b, c in %r1 to %r3 leaves its result in %r4.
struct Case {
  const char *text;
  uint32_t a, b, c, expected;
};

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

class InstructionTest : public SoftCudaTest {
protected:
  void expect(const std::vector<Case> &cases) {
    for (const Case &one : cases) {
      std::vector<uint32_t> out(32);
      ASSERT_EQ(run(std::string("ld.global.v4.u32 {%r1, %r2, %r3, %r5}, "
                                "[%rd1];\n") +
                        one.text + R"(
                    mul.wide.u32 %rd3, %r0, 4;
                    add.s64 %rd4, %rd2, %rd3;
                    st.global.b32 [%rd4], %r4;
                    ret;)",
                    {one.a, one.b, one.c, 0}, out),
                0)
          << one.text;
      EXPECT_EQ(out, std::vector<uint32_t>(32, one.expected)) << one.text;
    }
  }
};

TEST_F(InstructionTest, Integers) {
  expect({
      {"add.s32 %r4, %r1, %r2;", 0xffffffff, 2, 0, 1},
      {"mul.hi.u32 %r4, %r1, %r2;", 0x80000000, 6, 0, 3},
      {"mul.hi.s32 %r4, %r1, %r2;", 0x80000000, 6, 0, 0xfffffffd},
      {"mad.lo.s32 %r4, %r1, %r2, %r3;", 7, 0xffffffff, 5, 0xfffffffe},
      {"min.s32 %r4, %r1, %r2;", 0xffffffff, 1, 0, 0xffffffff},
      {"min.u32 %r4, %r1, %r2;", 0xffffffff, 1, 0, 1},
      {"div.s32 %r4, %r1, %r2;", 0xfffffff9, 2, 0, 0xfffffffd},
      {"rem.u32 %r4, %r1, %r2;", 17, 5, 0, 2},
      {"dp4a.s32.s32 %r4, %r1, %r2, %r3;", 0x807f01ff, 0x80017f02, 10,
       uint32_t(10 + 128 * 128 + 127 + 127 - 2)},
      {"dp4a.u32.s32 %r4, %r1, %r2, %r3;", 0x000000ff, 0x000000ff, 0,
       uint32_t(-255)},
      {"mul.wide.s32 %rd5, %r1, %r2; mov.b64 {%r3, %r4}, %rd5;", 0xffffffff, 2,
       0, 0xffffffff},
  });
}

TEST_F(InstructionTest, Bits) {
  expect({
      {"shl.b32 %r4, %r1, %r2;", 1, 32, 0, 0},
      {"shl.b32 %r4, %r1, %r2;", 3, 31, 0, 0x80000000},
      {"shr.s32 %r4, %r1, %r2;", 0x80000000, 99, 0, 0xffffffff},
      {"shr.u32 %r4, %r1, %r2;", 0x80000000, 31, 0, 1},
      {"shf.l.wrap.b32 %r4, %r1, %r2, %r3;", 0x80000001, 0x12345678, 36,
       0x23456788},
      {"shf.r.clamp.b32 %r4, %r1, %r2, %r3;", 1, 0xabcd, 40, 0xabcd},
      {"bfe.u32 %r4, %r1, %r2, %r3;", 0xabcd1234, 8, 8, 0x12},
      {"bfe.s32 %r4, %r1, %r2, %r3;", 0x00008000, 8, 8, 0xffffff80},
      {"bfe.s32 %r4, %r1, %r2, %r3;", 0x80000000, 28, 8, 0xfffffff8},
      {"bfe.u32 %r4, %r1, %r2, %r3;", 0xffffffff, 4, 0, 0},
      {"bfi.b32 %r4, %r1, %r2, 8, 4;", 0xff, 0x12345678, 0, 0x12345f78},
      {"prmt.b32 %r4, %r1, %r2, 0x5410;", 0x44332211, 0x88776655, 0,
       0x66552211},
      {"prmt.b32 %r4, %r1, %r2, 0xf0;", 0x11, 0x88000000, 0, 0x1111ff11},
      {"lop3.b32 %r4, %r1, %r2, %r3, 0x96;", 0xf0f0, 0xff00, 0xaaaa, 0xa55a},
      {"brev.b32 %r4, %r1;", 1, 0, 0, 0x80000000},
      {"clz.b32 %r4, %r1;", 0x00010000, 0, 0, 15},
      {"popc.b32 %r4, %r1;", 0xf0f0, 0, 0, 8},
  });
}

TEST_F(InstructionTest, Floats) {
  const uint32_t nan = 0x7fc00000;
  expect({
      {"fma.rn.f32 %r4, %r1, %r2, %r3;", bitsOf(1 + 0x1p-12f),
       bitsOf(1 + 0x1p-12f), bitsOf(-1), bitsOf(0x1p-11f + 0x1p-24f)},
      {"mul.rn.f32 %r4, %r1, %r2; add.rn.f32 %r4, %r4, %r3;",
       bitsOf(1 + 0x1p-12f), bitsOf(1 + 0x1p-12f), bitsOf(-1),
       bitsOf(0x1p-11f)},
      {"max.f32 %r4, %r1, %r2;", nan, bitsOf(3), 0, bitsOf(3)},
      {"max.NaN.f32 %r4, %r1, %r2;", nan, bitsOf(3), 0, 0x7fffffff},
      {"max.f32 %r4, %r1, %r2;", 0x80000000, 0, 0, 0},
      {"min.f32 %r4, %r1, %r2;", 0, 0x80000000, 0, 0x80000000},
      {"setp.lt.f32 %p1, %r1, %r2; selp.b32 %r4, 1, 2, %p1;", nan, bitsOf(1), 0,
       2},
      {"setp.ltu.f32 %p1, %r1, %r2; selp.b32 %r4, 1, 2, %p1;", nan, bitsOf(1),
       0, 1},
      {"setp.ne.u32 %p2, %r0, %r0; setp.gt.and.s32 %p1, %r1, %r2, !%p2;"
       "selp.b32 %r4, 1, 2, %p1;",
       1, 0xffffffff, 0, 1},
  });
}

TEST_F(InstructionTest, Conversions) {
  expect({
      {"cvt.rzi.s32.f32 %r4, %r1;", bitsOf(-2.9f), 0, 0, uint32_t(-2)},
      {"cvt.rzi.s32.f32 %r4, %r1;", bitsOf(3e10f), 0, 0, 0x7fffffff},
      {"cvt.rzi.u32.f32 %r4, %r1;", bitsOf(-5), 0, 0, 0},
      {"cvt.rzi.s32.f32 %r4, %r1;", 0x7fc00000, 0, 0, 0},
      {"cvt.rni.f32.f32 %r4, %r1;", bitsOf(2.5f), 0, 0, bitsOf(2)},
      {"cvt.rpi.s32.f32 %r4, %r1;", bitsOf(2.1f), 0, 0, 3},
      {"cvt.rn.f32.s32 %r4, %r1;", 0xffffffff, 0, 0, bitsOf(-1)},
      {"cvt.rn.f32.u32 %r4, %r1;", 0xffffffff, 0, 0, bitsOf(4294967296.0f)},
      {"cvt.s32.s8 %r4, %r1;", 0x1280, 0, 0, 0xffffff80},
      {"cvt.u32.u8 %r4, %r1;", 0x1280, 0, 0, 0x80},
      {"cvt.rn.f16.f32 %h1, %r1; cvt.u32.u16 %r4, %h1;", bitsOf(1 + 0x1p-11f),
       0, 0, 0x3c00},
      {"cvt.rn.bf16.f32 %h1, %r1; cvt.u32.u16 %r4, %h1;", 0x3f808001, 0, 0,
       0x3f81},
      {"cvt.u16.u32 %h1, %r1; cvt.f32.f16 %r4, %h1;", 0xc000, 0, 0, bitsOf(-2)},
      {"cvt.rn.f16x2.f32 %r4, %r1, %r2;", bitsOf(1), bitsOf(-2), 0, 0x3c00c000},
      {"mov.b32 {%h1, %h2}, %r1; mov.b32 %r4, {%h2, %h1};", 0x12345678, 0, 0,
       0x56781234},
  });
}

/// Lane i has a word of its own and what the shuffle brings it.
TEST_F(InstructionTest, Shuffles) {
  auto shuffled = [&](const std::string &text) {
    std::vector<uint32_t> out(32);
    EXPECT_EQ(run("add.u32 %r1, %r0, 100;\n" + text + R"(
                  mul.wide.u32 %rd3, %r0, 4;
                  add.s64 %rd4, %rd2, %rd3;
                  st.global.b32 [%rd4], %r4;
                  ret;)",
                  {0}, out),
              0);
    return out;
  };
  auto exchanged = shuffled("shfl.sync.bfly.b32 %r4, %r1, 5, 31, -1;");
  auto lower = shuffled("shfl.sync.down.b32 %r4|%p1, %r1, 8, 31, -1;"
                        "@!%p1 mov.b32 %r4, 7;");
  auto first = shuffled("shfl.sync.idx.b32 %r4, %r1, 2, 0x181f, -1;");
  auto votes = shuffled("setp.gt.u32 %p1, %r0, 29;"
                        "vote.sync.ballot.b32 %r4, %p1, -1;");
  auto sums = shuffled("redux.sync.add.s32 %r4, %r0, -1;");
  for (uint32_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(exchanged[lane], 100 + (lane ^ 5));
    EXPECT_EQ(lower[lane], lane < 24 ? 108 + lane : 7);
    EXPECT_EQ(first[lane], 102 + (lane & 24));
    EXPECT_EQ(votes[lane], 0xc0000000);
    EXPECT_EQ(sums[lane], 31u * 16);
  }
}

/// Lanes go round a loop as often as their numbers say, on ways that part in
/// it, and some end before.
TEST_F(InstructionTest, Branches) {
  std::vector<uint32_t> out(64, 0);
  ASSERT_EQ(run(R"(
    setp.eq.u32 %p1, %r0, 13;
    mul.wide.u32 %rd3, %r0, 4;
    add.s64 %rd4, %rd2, %rd3;
    st.global.b32 [%rd4], 1000;
    @%p1 ret;
    mov.b32 %r1, 0;
    mov.b32 %r2, 0;
    setp.eq.u32 %p2, %r0, 0;
    @%p2 bra DONE;
LOOP:
    and.b32 %r3, %r1, 1;
    setp.eq.u32 %p3, %r3, 0;
    @%p3 bra EVEN;
    add.u32 %r2, %r2, %r0;
    bra NEXT;
EVEN:
    add.u32 %r2, %r2, 1;
NEXT:
    add.u32 %r1, %r1, 1;
    setp.lt.u32 %p4, %r1, %r0;
    @%p4 bra LOOP;
DONE:
    bar.sync 0;
    // All meet here again, so that their votes count.
    activemask.b32 %r5;
    popc.b32 %r6, %r5;
    mad.lo.u32 %r2, %r6, 10000, %r2;
    st.global.b32 [%rd4], %r2;)",
                {0}, out, 64),
            0);
  for (uint32_t lane = 0; lane < 64; ++lane) {
    uint32_t expected = (lane + 1) / 2 + lane / 2 * lane;
    expected += 10000 * (lane < 32 ? 31 : 32);
    EXPECT_EQ(out[lane], lane == 13 ? 1000 : expected) << lane;
  }
}

} // namespace
