// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs as they are fetched.

#include "runtime/drivers/npu/isa/Expander.h"
#include "test/Unit/NPU/IsaFixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

/// What is fetched, without loops and registers; at the end what went wrong.
std::vector<std::string> fetch(const std::string &text,
                               const Registers &registers = {},
                               uint64_t most = 10000) {
  Program program = getProgram(text);
  Expander expander(program, registers, most);
  std::vector<std::string> lines;
  while (expander.next()) {
    const Instruction &instruction = expander.current();
    if (instruction.queue != Queue::System) {
      lines.push_back(disassemble(instruction));
    }
  }
  if (!expander.status().ok()) {
    lines.push_back(expander.status().message());
  }
  return lines;
}

std::string getLast(const std::string &text, const Registers &registers = {},
                    uint64_t most = 10000) {
  std::vector<std::string> lines = fetch(text, registers, most);
  return lines.empty() ? "" : lines.back();
}

using Lines = std::vector<std::string>;

TEST(Expander, AddsIncrementsAndTakesThemBack) {
  EXPECT_EQ(fetch("loop count=2 r9+=256\n"
                  "  loop count=3 r9+=16 r10+=-1\n"
                  "    load at=[0x100+r9] dram=io[0x8+r10] bytes=4\n"
                  "  end\n"
                  "end\n"
                  "load at=[0x0+r9]\n"
                  "stop\n",
                  {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4}),
            (Lines{"load at=[0x100] dram=io[0xc] bytes=4",
                   "load at=[0x110] dram=io[0xb] bytes=4",
                   "load at=[0x120] dram=io[0xa] bytes=4",
                   "load at=[0x200] dram=io[0xc] bytes=4",
                   "load at=[0x210] dram=io[0xb] bytes=4",
                   "load at=[0x220] dram=io[0xa] bytes=4",
                   "load at=[0x0] dram=activations[0x0]"}));
}

TEST(Expander, CountsWithRegisters) {
  Registers registers = {};
  registers[kTokens] = 130;
  EXPECT_EQ(fetch("set to=r9 from=r2 multiplier=1 divisor=128\n"
                  "loop count=r9\n"
                  "  mm first last\n"
                  "end\n"
                  "loop count=r10\n"
                  "  ew\n"
                  "end\n"
                  "stop\n",
                  registers),
            (Lines{"mm a=f32[0x0, 0] c=f32[0x0, 0] first last",
                   "mm a=f32[0x0, 0] c=f32[0x0, 0] first last"}));
}

TEST(Expander, ComputesRegisters) {
  Registers registers = {};
  registers[1] = 1000;
  // Round up; a limit; never below 0; a difference.
  EXPECT_EQ(fetch("set to=r9 from=r1 multiplier=3 addend=1 divisor=7 limit=0\n"
                  "load rows=r9\n"
                  "set to=r9 from=r1 multiplier=3 limit=12\n"
                  "load rows=r9\n"
                  "set to=r9 from=r1 multiplier=-3\n"
                  "load rows=r9\n"
                  "set to=r9 addend=5\n"
                  "add to=r9 from=r1 multiplier=2\n"
                  "load rows=r9\n"
                  "stop\n",
                  registers),
            (Lines{"load at=[0x0] dram=activations[0x0] rows=429",
                   "load at=[0x0] dram=activations[0x0] rows=12",
                   "load at=[0x0] dram=activations[0x0] rows=0",
                   "load at=[0x0] dram=activations[0x0] rows=2005"}));
}

TEST(Expander, PutsRegistersIntoEveryPlace) {
  Registers registers = {};
  registers[9] = 32;
  EXPECT_EQ(
      fetch("softmax a=f32[0x10+r9, 16] first_query=-1+r9 first_key=3+r9\n"
            "append rows=r9 stride_from=r9 head_stride=3 scale_head_stride=2\n"
            "load plane_stride=-4+r9 rows=7|r9\n"
            "gather count=r9 table=tables[0x1+r9]\n"
            "stop\n",
            registers),
      (Lines{"softmax a=f32[0x30, 16] d=f32[0x0, 0] state=f32[0x0, 0] "
             "factors=f32[0x0, 0] first_query=31 first_key=35",
             "append a=f32[0x0, 0] to=activations[0x0] rows=32 head_stride=96 "
             "scale_head_stride=64",
             "load at=[0x0] dram=activations[0x0] rows=32 plane_stride=28",
             "gather indices=[0x0] to=[0x0] table=tables[0x21] count=32"}));
}

TEST(Expander, SaysWhatCannotBeFetched) {
  EXPECT_EQ(getLast("mm"),
            "expected a stop at the end of the program, found none");
  EXPECT_EQ(getLast("loop count=2\nstop"),
            "instruction 0 (loop): expected an end, found none");
  EXPECT_EQ(getLast("stop\nend"),
            "instruction 1 (end): expected a loop before it, found none");
  EXPECT_EQ(getLast("loop\nloop\nloop\nloop\nloop\nend\nend\nend\nend\nend\n"),
            "instruction 4 (loop): expected loops at most 4 deep, found one "
            "more");
  EXPECT_EQ(getLast("loop count=100\nmm\nend\nstop", {}, 50),
            "instruction 2 (end): expected at most 50 instructions to be "
            "fetched, found more");
  Registers registers = {};
  registers[9] = -8;
  registers[10] = INT64_MAX;
  EXPECT_EQ(getLast("loop count=r9\nend\nstop", registers),
            "instruction 0 (loop): count: expected 0 to 1048575, found -8");
  EXPECT_EQ(getLast("mm a=f32[0x0+r9, 0]\nstop", registers),
            "instruction 0 (mm): a: expected 0 to 4294967295 with the "
            "register's value, found -8");
  EXPECT_EQ(getLast("mm a=f32[0x10+r9, 0]\nstop", registers),
            "instruction 0 (mm): a: expected a multiple of 16, found 8");
  EXPECT_EQ(getLast("load dram=io[0x0+r9]\nstop", registers),
            "instruction 0 (load): dram: expected 0 to 1099511627775 with the "
            "register's value, found -8");
  EXPECT_EQ(getLast("load rows=r10\nstop", registers),
            "instruction 0 (load): rows: expected 0 to 65535 with the "
            "register's value, found 9223372036854775807");
  EXPECT_EQ(getLast("append stride_from=r10 head_stride=2\nstop", registers),
            "instruction 0 (append): head_stride: expected 0 to 4294967295 "
            "with the register's value, found 9223372036854775807");
  EXPECT_EQ(getLast("add to=r10 from=r10 multiplier=1\nstop", registers),
            "instruction 0 (add): expected a result below 2^63 in magnitude, "
            "found more");
  EXPECT_EQ(getLast("set to=r11 from=r10 multiplier=2\nstop", registers),
            "instruction 0 (set): expected a result below 2^63, found more");
  EXPECT_EQ(getLast("loop count=2 r10+=1\nend\nstop", registers),
            "instruction 1 (end): expected a register below 2^63 in magnitude, "
            "found more");
  EXPECT_EQ(getLast("set from=r1\nstop"),
            "instruction 0 (set): expected a register of 1 to 63, found 0");
}

} // namespace
