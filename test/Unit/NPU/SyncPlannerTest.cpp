// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs, with loops of any number of iterations, that are placed and
// synchronized: the checker finds nothing that is not ordered, waits that are
// all met, and semaphores that are 0 at the end.

#include "runtime/drivers/npu/isa/Checker.h"
#include "runtime/drivers/npu/isa/Verifier.h"
#include "targets/NPU/ProgramBuilder.h"
#include "test/Unit/NPU/Fixture.h"

#include <random>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr uint32_t kRows = 4;
constexpr uint32_t kColumns = 4;
constexpr uint32_t kRowBytes = 4 * kColumns;
constexpr uint64_t kTileBytes = kRows * kRowBytes;
constexpr Register kCount = kParameters;

class RandomBuilder {
public:
  RandomBuilder(const Config &config, unsigned seed)
      : builder(config), random(seed) {
    for (unsigned n = pick(3, 8); n > 0; --n) {
      // Some are pinned, and some larger than what is accessed of them.
      buffers.push_back(builder.addBuffer(pick(1, 3) * kTileBytes, "a buffer",
                                          pick(0, 5) == 0));
    }
    for (unsigned n = pick(1, 3); n > 0; --n) {
      objects.push_back(builder.addDramObject());
    }
  }

  Result<BuiltProgram> run() {
    for (unsigned part = pick(2, 6); part > 0; --part) {
      if (pick(0, 1) == 0) {
        addSteps(pick(1, 10));
        continue;
      }
      SetRegister set;
      set.to = kCount;
      set.addend = pick(0, 4);
      builder.add(Queue::System, set);
      Loop loop;
      loop.countFrom = kCount;
      builder.beginLoop(loop);
      addSteps(pick(1, 8));
      builder.endLoop();
    }
    return builder.finish();
  }

private:
  unsigned pick(unsigned least, unsigned most) {
    return std::uniform_int_distribution<unsigned>(least, most)(random);
  }
  Tile tile() {
    return {builder.at(buffers[pick(0, buffers.size() - 1)]), kRowBytes,
            DataType::F32};
  }
  /// Another place than `other`'s, which an operation reads.
  Tile tileBeside(Buffer &number) {
    Buffer buffer = number;
    while (buffer == number) {
      buffer = buffers[pick(0, buffers.size() - 1)];
    }
    number = buffer;
    return {builder.at(buffer), kRowBytes, DataType::F32};
  }
  void fill(Transfer &transfer, unsigned object) {
    transfer.scratchpad = tile().at;
    transfer.dram = {Region::Activations, object * kTileBytes, 0};
    transfer.bytes = kTileBytes;
  }

  void addSteps(unsigned count) {
    for (; count > 0; --count) {
      unsigned object = pick(0, objects.size() - 1);
      switch (pick(0, 4)) {
      case 0:
      case 1: {
        Load load;
        fill(load, object);
        builder.add(pick(0, 1) == 0 ? Queue::Load0 : Queue::Load1, load,
                    objects[object]);
        break;
      }
      case 2: {
        Store store;
        fill(store, object);
        builder.add(Queue::Store, store, objects[object]);
        break;
      }
      case 3: {
        Elementwise copy;
        copy.a = copy.d = tile();
        if (pick(0, 1) == 0) {
          Buffer number = UINT32_MAX;
          copy.a = tileBeside(number);
          copy.d = tileBeside(number);
        }
        copy.rows = kRows;
        copy.columns = kColumns;
        builder.add(Queue::Vector, copy);
        break;
      }
      default: {
        Buffer number = UINT32_MAX;
        MultiplyDynamic product;
        product.a = tileBeside(number);
        Buffer first = number;
        product.b = tileBeside(number);
        // Apart from both.
        Buffer c = number;
        while (c == number || c == first) {
          c = buffers[pick(0, buffers.size() - 1)];
        }
        product.c = {builder.at(c), kRowBytes, DataType::F32};
        product.rows = product.columns = product.inner = kColumns;
        product.adds = pick(0, 1) == 0;
        builder.add(Queue::Matrix, product);
      }
      }
    }
  }

  ProgramBuilder builder;
  std::mt19937 random;
  std::vector<Buffer> buffers;
  std::vector<DramObject> objects;
};

} // namespace

TEST(SyncPlanner, OrdersRandomPrograms) {
  Config config = getConfig("ane-a17-like");
  RegionSizes sizes;
  sizes.fill(1 << 20);
  size_t waits = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Result<BuiltProgram> built = RandomBuilder(config, seed).run();
    ASSERT_TRUE(built.ok())
        << "seed " << seed << ": " << built.status().message();
    Status legal = verify(built->program, config);
    ASSERT_TRUE(legal.ok()) << "seed " << seed << ": " << legal.message();
    Status checked = check(built->program, config, Registers(), sizes);
    ASSERT_TRUE(checked.ok()) << "seed " << seed << ": " << checked.message();
    for (const Instruction &instruction : built->program) {
      waits += instruction.wait[0].count;
    }
  }
  // They are programs in which queues depend on each other.
  EXPECT_GT(waits, 3000u);
}

TEST(SyncPlanner, IsNeededByRandomPrograms) {
  Config config = getConfig("ane-a17-like");
  RegionSizes sizes;
  sizes.fill(1 << 20);
  // Without the waits of any one queue nearly all programs have a race.
  unsigned races = 0, programs = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    Result<BuiltProgram> built = RandomBuilder(config, seed).run();
    ASSERT_TRUE(built.ok());
    for (Instruction &instruction : built->program) {
      instruction.wait[0] = instruction.wait[1] = instruction.signal = {};
    }
    ++programs;
    races += !check(built->program, config, Registers(), sizes).ok();
  }
  EXPECT_GT(races, programs / 2);
}
