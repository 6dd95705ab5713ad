// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which programs are legal on an engine.

#include "runtime/drivers/npu/isa/Verifier.h"
#include "test/Unit/NPU/IsaFixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

/// Empty, or what verify() says.
std::string verifyText(const std::string &text,
                       const std::string &device = "ane-a17-like") {
  Config config = getConfig(device);
  return verify(getProgram(text), config).message();
}

/// Of one instruction, without its number and name.
std::string verifyOne(const std::string &text,
                      const std::string &device = "ane-a17-like") {
  std::string message = verifyText(text + "\nstop\n", device);
  size_t colon = message.find("): ");
  return colon == std::string::npos ? message : message.substr(colon + 3);
}

// One of each, as a compiler would write them.
constexpr const char *kLegal =
    "mark mark=1\n"
    "set to=r9 from=r2 multiplier=1 divisor=16\n"
    "loop count=r9 r10+=1024\n"
    "  load at=[0x0] dram=activations[0x0+r10] bytes=64 rows=16 "
    "row_stride=64 at_row_stride=64 signal(1,1)\n"
    "  add to=r11 from=r2 multiplier=-1\n"
    "end\n"
    "gather @load1 indices=[0x1000] to=[0x1100] table=weights[0x0] bytes=100 "
    "stride=112 count=r2 limit=1000\n"
    "table from=tables[0x0] slot=3 count=2 entries=16 type=i8\n"
    "weights from=weights[0x0] slot=1 palette bits=4 storage_bits=4 rows=32 "
    "columns=64 table=3 rows_per_table=16\n"
    "weights from=weights[0x0] bits=16 storage_bits=16 rows=32 columns=64\n"
    "mm wait(1,1) a=i8[0x2000, 64] slot=1 c=f32[0x4000, 128] rows=16 "
    "columns=32 inner=64 first group=32 scales=f32[0x3000, 16]\n"
    "mm a=i8[0x2000, 64] slot=1 c=f32[0x4000, 128] rows=16 columns=32 "
    "inner=50 last adds group=32 scales=f32[0x3000, 16]\n"
    "mmd a=f32[0x2000, 64] b=i8[0x4000, 16] transposed c=f32[0x5000, 64] "
    "rows=4 columns=16 inner=16 scaled scales=[0x6000]\n"
    "ew op=add a=f32[0x0, 64] d=f32[0x0, 64] rows=4 columns=16 spread=full "
    "b=f32[0x400, 64]\n"
    "ew op=copy a=i32[0x0, 64] d=f16[0x400, 64] rows=4 columns=16\n"
    "ew op=silu a=f32[0x0, 64] d=f32[0x0, 64] rows=4 columns=16\n"
    "reduce op=argmax a=f32[0x0, 64] d=i32[0x400, 16] rows=4 columns=16\n"
    "norm a=f32[0x0, 128] d=f32[0x400, 128] rows=2 columns=16 heads=2 "
    "epsilon=1e-05 scaled gain=[0x800]\n"
    "quant a=f32[0x0, 64] d=i8[0x400, 16] scales=f32[0x800, 16] rows=4 "
    "columns=16 group=8\n"
    "dequant a=i8[0x400, 16] scales=f16[0x800, 16] d=f32[0x0, 64] rows=4 "
    "columns=16 group=8\n"
    "rotate a=f32[0x0, 128] d=f32[0x0, 128] table=f32[0x400, 64] rows=2 "
    "columns=16 heads=2\n"
    "softmax a=f32[0x0, 64] d=f32[0x0, 64] state=f32[0x400, 16] "
    "factors=f32[0x800, 16] rows=4 columns=16 first_key=0+r9\n"
    "append a=f32[0x0, 64] to=cache[0x0] heads=2 columns=8 rows=r2 "
    "stride_from=r3 head_stride=8 scales=cache[0x10000] scale_head_stride=2\n"
    "store at=[0x0] dram=io[0x0] bytes=64\n"
    "fence queues=store\n"
    "stop\n";

TEST(Verifier, AcceptsWhatIsLegal) { EXPECT_EQ(verifyText(kLegal), ""); }

TEST(Verifier, ChecksTheFormOfAProgram) {
  EXPECT_EQ(verifyText(""),
            "expected a stop at the end of the program, found none");
  EXPECT_EQ(verifyText("mark\n"),
            "expected a stop at the end of the program, found none");
  EXPECT_EQ(verifyText("stop\nstop\n"),
            "instruction 0 (stop): expected it at the end only, found "
            "instructions behind it");
  EXPECT_EQ(verifyText("loop\nstop\n"),
            "instruction 0 (loop): expected an end, found none");
  EXPECT_EQ(verifyText("end\nstop\n"),
            "instruction 0 (end): expected a loop before it, found none");
  EXPECT_EQ(verifyText("loop\nloop\nloop\nloop\nloop\n"),
            "instruction 4 (loop): expected loops at most 4 deep, found one "
            "more");
  EXPECT_EQ(verifyOne("set from=r1"), "to: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("fence @vector"), "queue: expected system, found vector");
  EXPECT_EQ(verifyOne("mark @vector wait(1,1)"), "");
  EXPECT_EQ(verifyOne("load @store bytes=1"),
            "queue: expected load0, found store");
  EXPECT_EQ(verifyOne("fence wait(1,1)"),
            "expected no semaphores of the system queue, found some");
  EXPECT_EQ(verifyText("load bytes=16 wait(1,1)\n"
                       "load @load1 bytes=16 wait(1,1)\nstop\n"),
            "instruction 1 (load): semaphore 1: expected waits of one queue, "
            "found load0 and load1");
}

TEST(Verifier, ChecksRangesOfProgramsThatWereNotDecoded) {
  Program program = getProgram("mm\nstop\n");
  std::get<Multiply>(program[0].operation).rows = 1 << 16;
  EXPECT_EQ(verify(program, getConfig("ane-a17-like")).message(),
            "instruction 0 (mm): rows: expected 0 to 65535, found 65536");
}

TEST(Verifier, ChecksTransfers) {
  EXPECT_EQ(verifyOne("load"), "bytes: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("load bytes=1 rows=0"),
            "rows: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("load bytes=1 planes=0"),
            "planes: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("gather bytes=16 stride=16 limit=9"),
            "count: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("load bytes=20 rows=2 at_row_stride=16"),
            "at_row_stride: expected at least 20, found 16");
  EXPECT_EQ(verifyOne("store bytes=20 rows=r2 row_stride=-19 dram=io[0x0]"),
            "row_stride: expected at least 20, found 19");
  EXPECT_EQ(verifyOne("store bytes=1 dram=weights[0x0]"),
            "dram: expected a region that can be written (cache, activations "
            "or io), found weights");
  EXPECT_EQ(verifyOne("load bytes=16 at=[0x1ffff0]"), "");
  EXPECT_EQ(verifyOne("load bytes=17 at=[0x1ffff0]"),
            "at: expected an end within the 2097152 bytes of the scratchpad, "
            "found 2097153");
  // What a register adds is not known, but the size is.
  EXPECT_EQ(verifyOne("load bytes=17 at=[0x1ffff0+r9]"), "");
  EXPECT_EQ(verifyOne("load bytes=1048575 rows=3 at_row_stride=1048576 "
                      "at=[0x0+r9]"),
            "at: expected an end within the 2097152 bytes of the scratchpad, "
            "found 3145727");
  EXPECT_EQ(verifyOne("gather bytes=8 stride=16 count=4"),
            "limit: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("gather bytes=17 stride=16 count=4 limit=9"),
            "stride: expected at least 17, found 16");
  EXPECT_EQ(verifyOne("gather bytes=16 stride=16 count=4 limit=9"),
            "to: expected it apart from indices, found an overlap");
}

TEST(Verifier, ChecksWeights) {
  EXPECT_EQ(verifyOne("table slot=63 count=2 entries=16"),
            "slot and count: expected 1 to 64, found 65");
  EXPECT_EQ(verifyOne("table entries=16 type=f32"),
            "type: expected i8 or f16, found f32");
  EXPECT_EQ(verifyOne("table entries=16", "edge-npu"),
            "edge-npu decodes no palettes (decoder.weights_per_s is 0)");
  std::string sizes = " rows=16 columns=16";
  std::string palette = "weights palette rows_per_table=8" + sizes;
  EXPECT_EQ(verifyOne("weights bits=8 rows=1"),
            "columns: expected at least 1, found 0");
  EXPECT_EQ(verifyOne(palette + " bits=5"),
            "bits: expected one of 1, 2, 3, 4, 6, 8, found 5");
  EXPECT_EQ(verifyOne(palette + " bits=3 storage_bits=3"),
            "storage_bits: expected 4, found 3");
  EXPECT_EQ(verifyOne(palette + " bits=3 storage_bits=4 table=63"),
            "table and its successors: expected 1 to 64, found 65");
  EXPECT_EQ(verifyOne("weights palette bits=4 storage_bits=4" + sizes),
            "rows_per_table: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("weights bits=4 storage_bits=4" + sizes),
            "bits: expected one of 8, 16, found 4");
}

TEST(Verifier, ChecksKernelSlots) {
  KernelBufferConfig buffer = getConfig("ane-a17-like").kernelBuffer;
  std::string slots = std::to_string(buffer.slots);
  EXPECT_EQ(verifyOne("weights rows=16 columns=16 slot=" + slots),
            "slot: expected one below the " + slots +
                " of kernel_buffer.slots of ane-a17-like, found " + slots);
  int64_t bytes = buffer.bytes / buffer.slots, columns = 512;
  int64_t rows = bytes / columns;
  auto weights = [&](int64_t rows) {
    return "weights rows=" + std::to_string(rows) +
           " columns=" + std::to_string(columns);
  };
  EXPECT_EQ(verifyOne(weights(rows)), "");
  EXPECT_EQ(verifyOne(weights(rows + 1)),
            "rows x columns in bytes: expected at most the " +
                std::to_string(bytes) + " of a kernel slot of ane-a17-like, " +
                "found " + std::to_string((rows + 1) * columns));
}

TEST(Verifier, ChecksProducts) {
  std::string mm = "mm first last rows=4 columns=8 inner=16 a=f16[0x0, 32] "
                   "c=f16[0x100, 16] ";
  EXPECT_EQ(verifyOne(mm), "");
  EXPECT_EQ(verifyOne("mm first last columns=8 inner=16"),
            "rows: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("mm first last rows=4 columns=8 a=f16[0x0, 0]"),
            "inner: expected at least 1, found 0");
  std::string shape = "mm first last rows=4 columns=8 inner=16 ";
  EXPECT_EQ(verifyOne(shape + "a=i32[0x0, 64]"),
            "a: expected i8 or f16 or f32, found i32");
  EXPECT_EQ(verifyOne(shape + "a=f16[0x0, 32] c=i8[0x100, 16]"),
            "c: expected f16 or f32, found i8");
  EXPECT_EQ(verifyOne(shape + "a=i8[0x0, 16] c=f32[0x100, 32]"),
            "group: expected at least 1, found 0");
  EXPECT_EQ(verifyOne(shape + "a=i8[0x0, 16] c=f32[0x100, 32] group=16 "
                              "scales=f16[0x200, 16]"),
            "scales: expected f32, found f16");
  EXPECT_EQ(verifyOne(shape + "a=f16[0x0, 32] c=f32[0x40, 32]"),
            "c: expected it apart from a, found an overlap");
  // Columns of one matrix, which interleave with the others.
  EXPECT_EQ(verifyOne(shape + "a=f16[0x0, 64] c=f32[0x20, 64]"), "");
  EXPECT_EQ(verifyOne(shape + "a=f16[0x0, 32] c=f32[0x100, 16]"),
            "c: expected a stride of at least a row's 32 bytes, found 16");
  EXPECT_EQ(verifyOne(mm, "gemmini-8x8"),
            "slot: expected one below the 0 of kernel_buffer.slots of "
            "gemmini-8x8, found 0");
  std::string mmd = "mmd rows=4 columns=8 inner=16 ";
  EXPECT_EQ(verifyOne(mmd + "a=i8[0x0, 16]"),
            "a: expected f16 or f32, found i8");
  EXPECT_EQ(verifyOne(mmd + "a=f32[0x0, 64] b=f32[0x400, 32] c=f16[0x800, 16]"),
            "c: expected f32, found f16");
  EXPECT_EQ(verifyOne(mmd + "a=f32[0x0, 64] b=f32[0x400, 32] c=f32[0x800, 32] "
                            "scaled"),
            "b: expected i8 or f16, found f32");
}

TEST(Verifier, FollowsAProductsParts) {
  auto part = [](const std::string &more) {
    return "mm a=i8[0x0, 64] scales=f32[0x1000, 16] c=f32[0x2000, 128] "
           "inner=64 group=32 " +
           more + "\n";
  };
  std::string size = "rows=16 columns=32 ";
  std::string first = part(size + "first"), middle = part(size),
              last = part(size + "last"), stop = "stop\n";
  EXPECT_EQ(verifyText(first + middle + last + first + last + stop), "");
  EXPECT_EQ(verifyText(first + "loop count=3\n" + middle + "end\n" + last +
                       "loop\n" + first + last + "end\n" + stop),
            "");
  EXPECT_EQ(verifyText(middle + stop),
            "instruction 0 (mm): expected a first part before, found none");
  EXPECT_EQ(verifyText(first + first + stop),
            "instruction 1 (mm): expected a later part of the unfinished "
            "product, found a first part while there is one of 16 x 32 of i8");
  EXPECT_EQ(verifyText(first + part("rows=16 columns=16 last") + stop),
            "instruction 1 (mm): expected a part of the unfinished product, "
            "one of 16 x 32 of i8, found one of 16 x 16 of i8");
  EXPECT_EQ(verifyText(first + stop), "instruction 1 (stop): expected no "
                                      "unfinished product, found one of 16 x "
                                      "32 of i8");
  EXPECT_EQ(verifyText("loop count=3\n" + first + "end\n" + last + stop),
            "instruction 2 (end): expected the same unfinished product as "
            "where the loop begins, none, found one of 16 x 32 of i8");
  EXPECT_EQ(verifyText(first +
                       "mmd rows=1 columns=1 inner=1 a=f32[0x0, 16] "
                       "b=f32[0x10, 16] c=f32[0x20, 16]\n" +
                       last + stop),
            "instruction 1 (mmd): expected the last part of a product before, "
            "found one of 16 x 32 of i8 unfinished");
  EXPECT_EQ(verifyText("mm a=i8[0x0, 64] scales=f32[0x1000, 16] "
                       "c=f32[0x2000, 128] inner=33 group=32 first rows=1 "
                       "columns=1\n"),
            "instruction 0 (mm): inner: expected whole groups of 32, as it is "
            "no last part, found 33");
  EXPECT_EQ(verifyText(part("rows=128 columns=257 first")),
            "instruction 0 (mm): rows x columns sums in bytes: expected at "
            "most the 131072 of scratchpad.accumulator_bytes of ane-a17-like, "
            "found 131584");
}

TEST(Verifier, ChecksVectorOperations) {
  EXPECT_EQ(verifyOne("ew op=add rows=1 columns=1"),
            "spread: expected one that is not none of add, found none");
  EXPECT_EQ(verifyOne("ew op=copy rows=1 columns=1 spread=immediate"),
            "spread: expected none of copy, found immediate");
  EXPECT_EQ(verifyOne("ew op=max rows=1 columns=1 spread=immediate "
                      "a=i8[0x0, 16]"),
            "a: expected f16 or f32, found i8");
  EXPECT_EQ(verifyOne("ew op=mul rows=2 columns=8 spread=immediate "
                      "a=f32[0x0, 32] d=f32[0x10, 32]"),
            "d: expected it apart from a, or the same tile, found an overlap");
  EXPECT_EQ(verifyOne("ew op=mul rows=2 columns=8 spread=immediate "
                      "a=f32[0x0, 32] d=f16[0x0, 32]"),
            "d: expected it apart from a, or the same tile, found an overlap");
  EXPECT_EQ(verifyOne("reduce op=sum rows=1 columns=4 d=i32[0x40, 16]"),
            "d: expected f32, found i32");
  EXPECT_EQ(verifyOne("reduce op=argmax rows=1 columns=4 d=f32[0x40, 16]"),
            "d: expected i32, found f32");
  EXPECT_EQ(verifyOne("norm rows=1 columns=4 epsilon=-1 d=f32[0x40, 16]"),
            "epsilon: expected at least 0, found -1.000000");
  EXPECT_EQ(verifyOne("norm rows=1 columns=4 heads=0"),
            "heads: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("quant rows=1 columns=4 group=4 bits=9"),
            "bits: expected 2 to 8, found 9");
  EXPECT_EQ(verifyOne("quant rows=1 columns=4 d=i8[0x40, 16]"),
            "group: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("dequant rows=1 columns=4 group=4"),
            "a: expected i8, found f32");
  EXPECT_EQ(verifyOne("rotate rows=1 columns=5"),
            "columns: expected an even number, found 5");
  EXPECT_EQ(verifyOne("softmax rows=1 columns=4 rows_per_token=0"),
            "rows_per_token: expected at least 1, found 0");
  EXPECT_EQ(verifyOne("softmax rows=1 columns=4 state=f16[0x40, 16]"),
            "state: expected f32, found f16");
  EXPECT_EQ(verifyOne("append heads=1 rows=1 columns=4 bits=5"),
            "bits: expected one of 4, 8, 16, 32, found 5");
  EXPECT_EQ(verifyOne("append heads=1 rows=1 columns=5 bits=4"),
            "columns: expected an even number, found 5");
  EXPECT_EQ(verifyOne("append heads=1 rows=1 columns=4 to=adapters[0x0]"),
            "to: expected a region that can be written (cache, activations or "
            "io), found adapters");
}

} // namespace
