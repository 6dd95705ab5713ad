// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Binaries with bytes changed at random: each is refused in one line, or
// checked to the end.

#include "runtime/drivers/npu/isa/Checker.h"
#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/isa/Verifier.h"
#include "test/Unit/NPU/IsaFixture.h"
#include "test/Unit/NPU/RandomInstruction.h"

using namespace umber;
using namespace umber::npu;

namespace {

using Encoded = std::vector<uint8_t>;

/// Tiles of a product for 4 tokens, twice in a loop, and what is done with
/// them.
constexpr const char *kText =
    "set to=r9 from=r2 multiplier=1 divisor=16\n"
    "table from=tables[0x0] entries=16 count=2\n"
    "fence queues=weights\n"
    "loop count=2 r10+=4096\n"
    "  weights wait(5,0) signal(1,1) from=weights[0x1000] palette bits=4 "
    "storage_bits=4 rows=32 columns=64 rows_per_table=16\n"
    "  load signal(2,1) at=[0x0] dram=activations[0x0+r10] bytes=64 rows=r2 "
    "row_stride=64 at_row_stride=64\n"
    "  load @load1 signal(3,1) at=[0x400] dram=activations[0x400] bytes=4 "
    "rows=r2 row_stride=4 at_row_stride=16\n"
    "  mm wait(1,1) wait(2,1) signal(4,1) a=i8[0x0, 64] c=f32[0x2000, 128] "
    "rows=4 columns=32 inner=64 first last group=64 scales=f32[0x800, 16]\n"
    "  ew wait(3,1) wait(4,1) op=mul a=f32[0x2000, 128] "
    "d=f32[0x2000, 128] rows=4 columns=32 spread=column b=f32[0x400, 16]\n"
    "  softmax a=f32[0x2000, 128] d=f32[0x2000, 128] state=f32[0x3000, 16] "
    "factors=f32[0x3100, 16] rows=4 columns=32 first_query=0+r1\n"
    "  quant signal(7,1) a=f32[0x2000, 128] d=i8[0x4000, 32] "
    "scales=f32[0x4400, 16] rows=4 columns=32 group=16\n"
    "  append wait(7,1) signal(6,1) a=f32[0x2000, 128] to=cache[0x0+r10] "
    "heads=4 columns=8 "
    "rows=r2 stride_from=r3 head_stride=8 scales=cache[0x8000] "
    "scale_head_stride=2\n"
    "  store wait(6,1) at=[0x2000] dram=io[0x0+r10] bytes=128 rows=4 "
    "row_stride=128 at_row_stride=128\n"
    "  fence queues=load0,load1,store,weights,matrix,vector,cache\n"
    "end\n"
    "stop\n";

Status checkRun(const Program &program, const Config &config) {
  Registers registers = {};
  registers[kTokens] = 4;
  registers[kCapacity] = 64;
  RegionSizes sizes;
  sizes.fill(1 << 16);
  return check(program, config, registers, sizes);
}

TEST(Mutation, StartsFromALegalProgram) {
  Config config = getConfig("ane-a17-like");
  EXPECT_EQ(checkRun(getProgram(kText), config).message(), "");
}

TEST(Mutation, IsRefusedOrChecked) {
  Config config = getConfig("ane-a17-like");
  Result<Encoded> good = encode(getProgram(kText));
  ASSERT_TRUE(good.ok()) << good.status().message();
  std::mt19937_64 random(4);
  int decoded = 0, verified = 0, checked = 0;
  for (int i = 0; i < 10000; ++i) {
    Encoded bytes = *good;
    // In most, one bit: what decodes, and so gets further, is what is wanted.
    for (uint64_t n = random() % 4 == 0 ? random() % 8 : 1; n > 0; --n) {
      bytes[random() % bytes.size()] ^= 1 << random() % 8;
    }
    if (random() % 16 == 0) {
      bytes.resize(random() % bytes.size());
    }
    Result<Program> program = decode({bytes.data(), bytes.size()});
    if (!program.ok()) {
      EXPECT_EQ(program.status().code(), StatusCode::CorruptFile);
      EXPECT_EQ(program.status().message().find('\n'), std::string::npos);
      continue;
    }
    ++decoded;
    Result<Encoded> again = encode(*program);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(*again, bytes);
    verified += verify(*program, config).ok() ? 1 : 0;
    Status status = checkRun(*program, config);
    EXPECT_EQ(status.message().find('\n'), std::string::npos);
    checked += status.ok() ? 1 : 0;
  }
  EXPECT_GT(decoded, 3000);
  EXPECT_GT(verified, 1000);
  EXPECT_GT(checked, 100);
  EXPECT_LT(checked, verified);
}

// Fields of any value that can be encoded, in a program of the right form.
TEST(Mutation, TakesRandomFields) {
  Config config = getConfig("ane-a17-like");
  std::mt19937_64 random(5);
  for (int i = 0; i < 2000; ++i) {
    Program program = getProgram(kText);
    for (int n = 0; n < 2; ++n) {
      size_t at = random() % (program.size() - 1);
      if (std::holds_alternative<Loop>(program[at].operation)) {
        continue; // It would run for too long.
      }
      Instruction instruction =
          makeRandomInstruction(program[at].operation.index(), random);
      program[at].operation = instruction.operation;
    }
    EXPECT_EQ(checkRun(program, config).message().find('\n'),
              std::string::npos);
  }
}

} // namespace
