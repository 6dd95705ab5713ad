// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs as text.

#include "runtime/drivers/npu/isa/Assembly.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "test/Unit/NPU/RandomInstruction.h"

#include <gtest/gtest.h>

using namespace umber;
using namespace umber::npu;

namespace {

Program assembleAll(const std::string &text) {
  Result<Program> program = assemble(text);
  EXPECT_TRUE(program.ok()) << program.status().message();
  return program.ok() ? *program : Program();
}

std::string getFailure(const std::string &text) {
  return assemble(text).status().message();
}

std::vector<uint8_t> encodeAll(const Program &program) {
  Result<std::vector<uint8_t>> bytes = encode(program);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? *bytes : std::vector<uint8_t>();
}

constexpr const char *kText =
    "mark mark=7\n"
    "set to=r9 from=r2 multiplier=1 addend=127 divisor=128\n"
    "add to=r9 from=r9 multiplier=-2\n"
    "loop count=26 r10+=4096 r11+=-16\n"
    "  loop count=r9 r12+=64\n"
    "    load @load1 wait(1,1) signal(2,1) at=[0x400+r10] "
    "dram=cache[0x10000+r12] bytes=96 rows=r2 row_stride=96 "
    "at_row_stride=112 plane_stride=64+r3\n"
    "    mm wait(3,1) wait(4,1) signal(5,1) id=17 a=i8[0x400+r3, 1536] slot=1 "
    "c=f32[0x2000, 6144] rows=16 columns=512 inner=1536 first last "
    "group=1536 scales=f32[0x100, 16]\n"
    "  end\n"
    "  mm wait(0,0) wait(4,1) a=f16[0x0, 0] c=f32[0x0, 0] rows=1 adds\n"
    "  ew op=silu a=f32[0x0, 64] d=f16[0x40, 32] rows=4 columns=16 "
    "spread=immediate immediate=0.1\n"
    "  softmax a=f32[0x0, 0] d=f32[0x0, 0] state=f32[0x0, 0] "
    "factors=f32[0x0, 0] rows=3 columns=9 rows_per_token=3 first_query=0+r1 "
    "first_key=-64+r12 first\n"
    "end\n"
    "fence queues=load0,store,vector\n"
    "stop\n";

TEST(Assembly, RoundTripsText) {
  EXPECT_EQ(disassemble(assembleAll(kText)), kText);
}

TEST(Assembly, MeansWhatItSays) {
  Program program = assembleAll(kText);
  ASSERT_EQ(program.size(), 14u);
  const auto &loop = std::get<Loop>(program[3].operation);
  EXPECT_EQ(loop.count, 26u);
  EXPECT_EQ(loop.increments[1].to, 11);
  EXPECT_EQ(loop.increments[1].by, -16);
  const auto &load = std::get<Load>(program[5].operation);
  EXPECT_EQ(program[5].queue, Queue::Load1);
  EXPECT_EQ(load.rowsFrom, 2);
  EXPECT_EQ(load.rows, 1u);
  EXPECT_EQ(load.planes, 1u);
  EXPECT_EQ(load.planeStride, 64);
  EXPECT_EQ(load.planeStrideFrom, 3);
  EXPECT_EQ(load.dram.region, Region::Cache);
  const auto &mm = std::get<Multiply>(program[6].operation);
  EXPECT_EQ(program[6].operationId, 17u);
  EXPECT_EQ(mm.a.at.offset, 0x400u);
  EXPECT_EQ(mm.a.at.base, 3);
  EXPECT_EQ(mm.a.stride, 1536u);
  EXPECT_TRUE(mm.isFirst && mm.isLast && !mm.adds);
  const auto &second = std::get<Multiply>(program[8].operation);
  EXPECT_FALSE(second.isFirst || second.isLast);
  EXPECT_EQ(program[8].wait[1].semaphore, 4);
  EXPECT_EQ(program[8].wait[0].count, 0);
  EXPECT_EQ(std::get<Elementwise>(program[9].operation).immediate, 0.1f);
  EXPECT_EQ(std::get<SoftmaxStep>(program[10].operation).firstKey, -64);
  EXPECT_EQ(std::get<Fence>(program[12].operation).queues, 0x4a);
}

TEST(Assembly, RoundTripsEveryField) {
  std::mt19937_64 random(2);
  Program program;
  for (size_t operation = 0; operation < kOperations; ++operation) {
    for (int i = 0; i < 300; ++i) {
      program.push_back(makeRandomInstruction(operation, random));
    }
  }
  std::string text = disassemble(program);
  Program again = assembleAll(text);
  EXPECT_EQ(encodeAll(again), encodeAll(program));
  EXPECT_EQ(disassemble(again), text);
}

TEST(Assembly, TakesFreeForm) {
  EXPECT_EQ(disassemble(assembleAll("# a program\n\n\tmm  last inner=0x10 "
                                    "a=f32[0x10,16]#tail\r\nstop\r\n")),
            "mm a=f32[0x10, 16] c=f32[0x0, 0] inner=16 last\nstop\n");
}

TEST(Assembly, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(getFailure("stop\n  mn rows=1\n"),
            "2:3: expected an instruction, found 'mn'");
  EXPECT_EQ(getFailure("mm rows=x"),
            "1:9: expected a number of at most 65535, found 'x'");
  EXPECT_EQ(getFailure("mm rows=65536"),
            "1:9: expected a number of at most 65535, found '65536'");
  EXPECT_EQ(getFailure("mm rows=12x"),
            "1:11: expected the end of the value, found 'x'");
  EXPECT_EQ(getFailure("mm rows="),
            "1:9: expected a number of at most 65535, found the end");
  EXPECT_EQ(getFailure("mm row=1"),
            "1:4: expected a field of mm, found 'row=1'");
  EXPECT_EQ(getFailure("mm rows=1 rows=2"),
            "1:11: expected 'rows' once, found 'rows=2'");
  EXPECT_EQ(getFailure("mm first first"),
            "1:10: expected 'first' once, found 'first'");
  EXPECT_EQ(getFailure("mm a=f64[0x0, 16]"),
            "1:6: expected i8, i32, f16 or f32, found 'f64[0x0,'");
  EXPECT_EQ(getFailure("mm a=f32[0x8, 16]"),
            "1:10: expected a multiple of 16, found '0x8,'");
  EXPECT_EQ(getFailure("mm a=f32[0x10+r64, 16]"),
            "1:16: expected a number of at most 63, found '64,'");
  EXPECT_EQ(getFailure("mm a=f32[0x10+4, 16]"),
            "1:15: expected a register, found '4,'");
  EXPECT_EQ(getFailure("mm a=f32[0x10 16]"),
            "1:14: expected ',', found the end");
  EXPECT_EQ(getFailure("mm @queue"),
            "1:5: expected system, load0, load1, store, weights, matrix, "
            "vector or cache, found 'queue'");
  EXPECT_EQ(getFailure("mm wait(32,1)"),
            "1:9: expected a number of at most 31, found '32,1)'");
  EXPECT_EQ(getFailure("mm wait(1,64)"),
            "1:11: expected a number of at most 63, found '64)'");
  EXPECT_EQ(getFailure("mm wait(1,1) wait(2,1) wait(3,1)"),
            "1:24: expected at most 2 wait, found 'wait(3,1)'");
  EXPECT_EQ(getFailure("add to=r1 multiplier=140737488355328"),
            "1:22: expected a number of -140737488355327 to 140737488355327, "
            "found '140737488355328'");
  EXPECT_EQ(getFailure("ew immediate=much"),
            "1:14: expected a number, found 'much'");
  EXPECT_EQ(getFailure("ew immediate=nan"),
            "1:1: immediate: expected a finite number, found nan");
  EXPECT_EQ(getFailure("loop r1+=1 r2+=2 r3+=3 r4+=4 r5+=5"),
            "1:30: expected at most 4 increments, found 'r5+=5'");
  EXPECT_EQ(getFailure("set to=r1 divisor=0"),
            "1:19: expected a number of at least 1, found '0'");
  EXPECT_EQ(getFailure("table slot=1"),
            "1:1: entries: expected 1 to 256, found 0");
}

TEST(Assembly, TakesAnyBytes) {
  std::mt19937_64 random(3);
  std::string text = kText;
  int read = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string mutant = text;
    for (uint64_t n = random() % 4 + 1; n > 0; --n) {
      size_t at = random() % mutant.size();
      switch (random() % 3) {
      case 0:
        mutant[at] = static_cast<char>(random());
        break;
      case 1:
        mutant.erase(at, random() % 8);
        break;
      default:
        mutant.insert(at, mutant.substr(random() % mutant.size(), 8));
      }
    }
    Result<Program> program = assemble(mutant);
    if (program.ok()) {
      std::string again = disassemble(*program);
      EXPECT_EQ(disassemble(assembleAll(again)), again);
      ++read;
    }
  }
  EXPECT_GT(read, 100);
}

} // namespace
