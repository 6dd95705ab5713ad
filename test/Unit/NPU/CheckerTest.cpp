// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs of programs with and without races and deadlocks.

#include "runtime/drivers/npu/isa/Checker.h"
#include "test/Unit/NPU/IsaFixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

constexpr uint64_t kRegionBytes = 1 << 20;

Registers getRegisters() {
  Registers registers = {};
  registers[kPosition] = 10;
  registers[kTokens] = 4;
  registers[kCapacity] = 64;
  return registers;
}

Status checkProgram(const Program &program,
                    const std::string &device = "ane-a17-like") {
  RegionSizes sizes;
  sizes.fill(kRegionBytes);
  return check(program, getConfig(device), getRegisters(), sizes);
}

/// Empty, or what check() says.
std::string checkText(const std::string &text) {
  return checkProgram(getProgram(text + "stop\n")).message();
}

/// A load of 256 bytes, and a vector operation that reads or writes them.
std::string load(const std::string &more) {
  return "load at=[0x0] dram=activations[0x0] bytes=256 " + more + "\n";
}
std::string read(const std::string &more) {
  return "ew op=copy a=f32[0x0, 64] d=f32[0x1000, 64] rows=4 columns=16 " +
         more + "\n";
}

TEST(Checker, AcceptsWhatIsOrdered) {
  EXPECT_EQ(checkText(load("signal(1,1)") + read("wait(1,1)")), "");
  EXPECT_EQ(checkText(load("") + "fence queues=load0\n" + read("")), "");
  // By way of a third queue.
  EXPECT_EQ(checkText(load("signal(1,1)") +
                      "store wait(1,1) signal(2,1) at=[0x100] "
                      "dram=io[0x0] bytes=1\n" +
                      read("wait(2,1)")),
            "");
  // Two queues that both read; one queue that writes twice.
  EXPECT_EQ(checkText("store at=[0x0] dram=io[0x0] bytes=64\n" + read("")), "");
  EXPECT_EQ(checkText(load("") + load("")), "");
}

TEST(Checker, FindsRaces) {
  EXPECT_EQ(checkText(load("") + read("")),
            "instruction 1 (ew): a: expected an order with instruction 0 "
            "(load), which writes there, found none; both access scratchpad "
            "0x0 to 0x100 (fetches 1 and 0)");
  // The fence is for another queue.
  EXPECT_NE(checkText(load("") + "fence queues=load1\n" + read("")), "");
  // The order is that of the first load.
  EXPECT_EQ(checkText(load("signal(1,1)") + load("") + read("wait(1,1)")),
            "instruction 2 (ew): a: expected an order with instruction 1 "
            "(load), which writes there, found none; both access scratchpad "
            "0x0 to 0x100 (fetches 2 and 1)");
  // Written while it is read.
  EXPECT_EQ(checkText(load("signal(1,1)") + read("wait(1,1)") + load("")),
            "instruction 1 (ew): a: expected an order with instruction 2 "
            "(load), which writes there, found none; both access scratchpad "
            "0x0 to 0x100 (fetches 1 and 2)");
  // In DRAM.
  EXPECT_EQ(checkText("store at=[0x0] dram=cache[0x100] bytes=16\n"
                      "load at=[0x100] dram=cache[0x10f] bytes=1\n"),
            "instruction 0 (store): dram: expected an order with instruction 1 "
            "(load), which reads there, found none; both access cache 0x10f to "
            "0x110 (fetches 0 and 1)");
}

TEST(Checker, FindsAReadThatIsOvertaken) {
  std::string text = checkText(
      "ew signal(1,1) op=copy a=f32[0x0, 64] d=f32[0x1000, 64] rows=4 "
      "columns=16\n"
      "store at=[0x0] dram=io[0x0] bytes=256\n"
      "load wait(1,1) at=[0x40] dram=activations[0x0] bytes=256\n");
  EXPECT_TRUE(text.find("expected an order with") != std::string::npos) << text;
  EXPECT_TRUE(text.find("scratchpad 0x40 to 0x100") != std::string::npos)
      << text;
}

TEST(Checker, TellsInterleavedRowsApart) {
  // Two queues write the left and the right half of the same rows.
  std::string left = "load at=[0x0] dram=activations[0x0] bytes=64 rows=16 "
                     "row_stride=64 at_row_stride=128 ";
  EXPECT_EQ(checkText(left + "\nload @load1 at=[0x40] dram=activations[0x0] "
                             "bytes=64 rows=16 row_stride=64 "
                             "at_row_stride=128\n"),
            "");
  EXPECT_EQ(checkText(left + "\nload @load1 at=[0x430] dram=activations[0x0] "
                             "bytes=64 rows=2 row_stride=64 "
                             "at_row_stride=128\n"),
            "instruction 1 (load): at: expected an order with instruction 0 "
            "(load), which writes there, found none; both access scratchpad "
            "0x430 to 0x440 (fetches 1 and 0)");
  // Planes of rows, and strides backwards, in DRAM.
  std::string planes = "store at=[0x0] dram=cache[0x1000] bytes=32 rows=2 "
                       "row_stride=-64 at_row_stride=32 planes=3 "
                       "plane_stride=256 at_plane_stride=64\n";
  auto at = [&](const std::string &address) {
    return checkText(planes + "load at=[0x2000] dram=cache[" + address +
                     "] bytes=32\n");
  };
  EXPECT_EQ(at("0x0fa0"), "");
  EXPECT_NE(at("0x0fdf"), "");
  EXPECT_EQ(at("0x0fe0"), "");
  EXPECT_EQ(at("0x1020"), "");
  EXPECT_NE(at("0x1100"), "");
  EXPECT_NE(at("0x11c0"), "");
  EXPECT_EQ(at("0x1240"), "");
}

// The usual double buffering: a queue fills one of two halves while another
// reads the other.
std::string getPipeline(int free, const std::string &more = "") {
  std::string text = "set to=r9 addend=" + std::to_string(free) + "\n";
  // The reader gives the halves away before it begins.
  for (int i = 0; i < free; ++i) {
    text += "ew signal(2,1) op=copy a=f32[0x8000, 16] d=f32[0x8100, 16] "
            "rows=1 columns=1\n";
  }
  return text +
         "loop count=50\n"
         "  load wait(2,1) signal(1,1) at=[0x0] dram=activations[0x0] "
         "bytes=256 " +
         more +
         "\n"
         "  load wait(2,1) signal(1,1) at=[0x100] dram=activations[0x0] "
         "bytes=256\n"
         "  ew wait(1,1) signal(2,1) op=copy a=f32[0x0, 64] "
         "d=f32[0x1000, 64] rows=4 columns=16\n"
         "  ew wait(1,1) signal(2,1) op=copy a=f32[0x100, 64] "
         "d=f32[0x1000, 64] rows=4 columns=16\n"
         "end\n" +
         "loop count=r9\n"
         "  load wait(2,1) at=[0x8000] dram=activations[0x0] bytes=16\n"
         "end\n";
}

TEST(Checker, FollowsCountingSemaphores) {
  EXPECT_EQ(checkText(getPipeline(1)), "");
  EXPECT_EQ(checkText(getPipeline(2)), "");
  // With three the loads run one half too far ahead.
  std::string text = checkText(getPipeline(3));
  EXPECT_TRUE(text.find("expected an order with") != std::string::npos) << text;
  text = checkText(getPipeline(0));
  EXPECT_EQ(text, "instruction 2 (load): wait: expected semaphore 2 to reach "
                  "1, found that it stays 0 (fetch 2)");
}

TEST(Checker, CountsOnNoQueueOfSeveralThatSignal) {
  std::string other = "load @load1 signal(1,1) at=[0x2000] "
                      "dram=activations[0x0] bytes=16\n";
  // Both have to be there.
  EXPECT_EQ(checkText(load("signal(1,1)") + other + read("wait(1,2)")), "");
  // Either may be.
  std::string text = checkText(load("signal(1,1)") + other + read("wait(1,1)") +
                               read("wait(1,1)"));
  EXPECT_TRUE(text.find("expected an order with instruction 0 (load)") !=
              std::string::npos)
      << text;
  // The other queue cannot signal twice before, as it waits for the reader.
  std::string again = "load @load1 wait(2,1) signal(1,1) at=[0x2000] "
                      "dram=activations[0x0] bytes=16\n";
  EXPECT_EQ(checkText(load("signal(1,1)") + other + again +
                      read("wait(1,2) signal(2,1)") + read("wait(1,1)")),
            "");
  // Without that wait it can.
  EXPECT_NE(checkText(load("signal(1,1)") + other + other + read("wait(1,2)") +
                      read("wait(1,1)")),
            "");
}

TEST(Checker, FindsWaitsThatAreNeverMet) {
  EXPECT_EQ(
      checkText(load("wait(1,1) signal(2,1)") + read("wait(2,1) signal(1,1)")),
      "instruction 0 (load): wait: expected semaphore 1 to reach 1, "
      "found that it stays 0 (fetch 0)");
  EXPECT_EQ(checkText(load("signal(2,1)") + read("wait(2,1) wait(2,1)")),
            "instruction 1 (ew): wait: expected semaphore 2 to reach the sum "
            "of both, found that it stays 1 (fetch 1)");
  // What would signal is behind a fence for what waits.
  EXPECT_EQ(checkText(read("wait(1,1)") + "fence queues=vector\n" +
                      load("signal(1,1)")),
            "instruction 0 (ew): wait: expected semaphore 1 to reach 1, found "
            "that it stays 0 (fetch 0)");
}

TEST(Checker, FindsSemaphoresThatOverflow) {
  auto run = [](const std::string &loads, const std::string &loop) {
    return checkText("loop count=" + loads +
                     "\nload signal(1,1) at=[0x4000] dram=activations[0x0] "
                     "bytes=16\nend\n" +
                     loop);
  };
  std::string reads = "loop count=63\n" + read("wait(1,1)") + "end\n";
  EXPECT_EQ(run("63", reads), "");
  EXPECT_EQ(run("64", reads + read("wait(1,1)")),
            "instruction 1 (load): semaphore 1: expected at most 63, found "
            "that it can reach 64 (fetch 127)");
  // Two queues, which together signal too often.
  std::string both = "loop count=32\n"
                     "load signal(1,1) at=[0x4000] dram=activations[0x0] "
                     "bytes=16\n"
                     "load @load1 signal(1,1) at=[0x2000] "
                     "dram=activations[0x0] bytes=16\nend\n";
  EXPECT_EQ(checkText(both + "loop count=32\n" + read("wait(1,2)") + "end\n"),
            "instruction 5 (ew): semaphore 1: expected at most 63, found that "
            "it can reach 64 (fetch 98)");
}

TEST(Checker, FindsSemaphoresThatAreNotZeroAtTheEnd) {
  EXPECT_EQ(checkText(load("signal(1,2)") + read("wait(1,1)")),
            "semaphore 1: expected 0 at the end of the program, found 1");
}

TEST(Checker, FindsAccessesOutOfBounds) {
  EXPECT_EQ(checkText("loop count=5 r9+=262144\n"
                      "load at=[0x0] dram=cache[0x0+r9] bytes=16\nend\n"),
            "instruction 1 (load): dram: expected cache below 0x100000, found "
            "0x100000 to 0x100010");
  EXPECT_EQ(checkText("load at=[0x0] dram=cache[0x0] bytes=16 rows=2 "
                      "row_stride=-1 at_row_stride=16\n"),
            "instruction 0 (load): dram: expected cache below 0x100000, found "
            "-0x1 to 0x10");
  EXPECT_EQ(checkText("loop count=2 r9+=2097152\n"
                      "load at=[0x0+r9] dram=cache[0x0] bytes=16\nend\n"),
            "instruction 1 (load): at: expected scratchpad below 0x200000, "
            "found 0x200000 to 0x200010");
  EXPECT_EQ(checkText("append a=f32[0x0, 64] to=cache[0xffff0] bits=32 "
                      "columns=8 rows=r2\n"),
            "instruction 0 (append): to: expected cache below 0x100000, found "
            "0xffff0 to 0x100070");
}

TEST(Checker, KnowsWhatSlotsHold) {
  std::string table = "table slot=0 entries=16 type=i8\n";
  std::string weights = "weights signal(1,1) slot=1 palette bits=4 "
                        "storage_bits=4 rows=32 columns=64 table=0 "
                        "rows_per_table=32\n";
  auto mm = [](const std::string &a, int inner) {
    return "mm wait(1,1) a=" + a +
           " slot=1 c=f32[0x4000, 128] rows=16 columns=32 inner=" +
           std::to_string(inner) +
           " first last group=32 scales=f32[0x3000, 16]\n";
  };
  std::string a = "i8[0x2000, 64]";
  EXPECT_EQ(checkText(table + weights + mm(a, 64)), "");
  EXPECT_EQ(checkText(weights + mm(a, 64)),
            "instruction 0 (weights): table slot 0: expected a palette, found "
            "none");
  EXPECT_EQ(checkText("table slot=0 count=2 entries=16 type=i8\n"
                      "table slot=1 entries=16 type=f16\n"
                      "weights slot=1 palette bits=4 storage_bits=4 rows=32 "
                      "columns=64 rows_per_table=16\n"),
            "instruction 2 (weights): table slot 1: expected i8 as in the "
            "first, found f16");
  EXPECT_EQ(checkText(table + weights + mm(a, 60)),
            "instruction 2 (mm): kernel slot 1: expected weights of 32 x 60 of "
            "i8, found 32 x 64 of i8");
  EXPECT_EQ(
      checkText("table slot=0 entries=16 type=f16\n" + weights + mm(a, 64)),
      "instruction 2 (mm): kernel slot 1: expected weights of 32 x 64 of "
      "i8, found 32 x 64 of f16");
  EXPECT_EQ(checkText("table slot=0 entries=16 type=f16\n" + weights +
                      mm("f16[0x2000, 128]", 64)),
            "");
  EXPECT_EQ(checkText("mm slot=1 a=f16[0x2000, 128] c=f32[0x4000, 128] "
                      "rows=16 columns=32 inner=64 first last\n"),
            "instruction 0 (mm): kernel slot 1: expected weights of 32 x 64 of "
            "i8, found none");
  // The next weights are streamed while the product may still read these.
  std::string text =
      checkText(table + weights + mm(a, 64) + weights + mm(a, 64));
  EXPECT_TRUE(text.find("both access kernel slots 0x1 to 0x2") !=
              std::string::npos)
      << text;
}

TEST(Checker, VerifiesFirst) {
  EXPECT_EQ(checkText("load\n"),
            "instruction 0 (load): bytes: expected at least 1, found 0");
}

// Where an instruction has no room for a third wait.
TEST(Checker, TakesMarksOfOtherQueues) {
  EXPECT_EQ(
      checkText(load("signal(1,1)") + "mark @vector wait(1,1)\n" + read("")),
      "");
  EXPECT_EQ(checkText(load("signal(1,1)") +
                      "mark @store wait(1,1) signal(2,1)\n" +
                      read("wait(2,1)")),
            "");
}

// As many as a step of a large model has, of rows that interleave.
TEST(Checker, FollowsManyInstructions) {
  Program program = getProgram(
      "ew signal(2,1) op=copy a=f32[0x8000, 16] d=f32[0x8100, 16] rows=1 "
      "columns=1\n"
      "loop count=33000\n"
      "  load wait(2,1) signal(1,1) at=[0x0] dram=activations[0x0] bytes=64 "
      "rows=32 row_stride=64 at_row_stride=128\n"
      "  load @load1 wait(4,1) signal(3,1) at=[0x40] dram=activations[0x0] "
      "bytes=64 rows=32 row_stride=64 at_row_stride=128\n"
      "  ew wait(1,1) signal(2,1) op=copy a=f32[0x0, 128] d=f32[0x2000, 128] "
      "rows=32 columns=16\n"
      "  ew wait(3,1) signal(4,1) op=copy a=f32[0x40, 128] "
      "d=f32[0x2040, 128] rows=32 columns=16\n"
      "end\n"
      "load wait(2,1) at=[0x0] dram=activations[0x0] bytes=16\n"
      "load @load1 wait(4,1) at=[0x40] dram=activations[0x0] bytes=16\n"
      "stop\n");
  Program start = getProgram("ew signal(4,1) op=copy a=f32[0x8000, 16] "
                             "d=f32[0x8100, 16] rows=1 columns=1\n");
  program.insert(program.begin(), start[0]);
  EXPECT_EQ(checkProgram(program).message(), "");
}

} // namespace
