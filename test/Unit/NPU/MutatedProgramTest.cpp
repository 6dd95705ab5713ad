// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Binaries with bits that are wrong: each is refused, or runs within its
// memory. Sanitizers see what these tests cannot.

#include "runtime/drivers/npu/isa/Encoding.h"
#include "runtime/drivers/npu/sim/Executor.h"
#include "test/Unit/NPU/Fixture.h"
#include "test/Unit/NPU/RandomOperations.h"
#include "test/Unit/NPU/RandomProgram.h"

using namespace umber;
using namespace umber::npu;

namespace {

constexpr uint64_t kBinaries = UMBER_TEST_RANDOM_PROGRAMS;
/// Loops may go on for long.
constexpr uint64_t kMostFetched = 1000;

/// Some bits, bytes or numbers of the instructions.
void mutate(RandomNumbers &numbers, std::vector<uint8_t> &bytes) {
  for (int64_t i = 0, count = numbers.get(1, 4); i < count; ++i) {
    auto at = size_t(numbers.get(kWordBytes, int64_t(bytes.size()) - 1));
    switch (numbers.get(0, 2)) {
    case 0:
      bytes[at] = uint8_t(bytes[at] ^ 1 << numbers.get(0, 7));
      break;
    case 1:
      bytes[at] = uint8_t(numbers.get(0, 255));
      break;
    default:
      bytes[at] = numbers.pick<uint8_t>({0, 0xff, 0x80, 0x7f});
    }
  }
}

// Bits of addresses, sizes, strides and types are most of a binary, so that
// many of these run for a while, and most stop at an operand.
TEST(MutatedPrograms, AreRefusedOrRun) {
  Workers workers;
  size_t run = 0, refused = 0, timed = 0;
  for (uint64_t seed = 0; seed < kBinaries; ++seed) {
    Config config = getSmallMachine(seed);
    RandomProgram made = makeRandomProgram(seed, config);
    Result<std::vector<uint8_t>> bytes = encode(made.program);
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    RandomNumbers numbers(seed);
    mutate(numbers, *bytes);
    Result<Program> program = decode({bytes->data(), bytes->size()});
    if (!program.ok()) {
      ++refused;
      continue;
    }
    Machine machine(config);
    machine.scratchpad = made.scratchpad;
    Machine shadow(config, false);
    std::array<std::vector<uint8_t>, kRegions> before = made.regions;
    for (unsigned r = 0; r < kRegions; ++r) {
      machine.regions[r] = {made.regions[r].data(), made.regions[r].size(),
                            Region(r) == Region::Io};
      shadow.regions[r] = {nullptr, made.regions[r].size(),
                           Region(r) == Region::Io};
    }
    Status status =
        execute(machine, workers, *program, made.registers, kMostFetched);
    ++(status.ok() ? run : refused);
    for (Region region :
         {Region::Weights, Region::Adapters, Region::Tables, Region::Io}) {
      ASSERT_EQ(made.regions[unsigned(region)], before[unsigned(region)])
          << "seed " << seed;
    }
    Result<Trace> traced =
        trace(shadow, workers, *program, made.registers, kMostFetched);
    // Only what depends on data differs.
    EXPECT_TRUE(traced.ok() || !status.ok()) << "seed " << seed;
    timed += traced.ok();
  }
  EXPECT_GT(run, kBinaries / 20);
  EXPECT_GT(refused, kBinaries / 4);
  EXPECT_GT(timed, kBinaries / 50);
}

} // namespace
