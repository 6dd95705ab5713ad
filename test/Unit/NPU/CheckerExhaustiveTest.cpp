// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small random programs, of which every order in which queues can start and
// complete is tried: the checker finds the same races and deadlocks.

#include "runtime/drivers/npu/isa/Checker.h"
#include "test/Unit/NPU/IsaFixture.h"

#include <random>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr Queue kUsed[] = {Queue::Load0, Queue::Load1, Queue::Store,
                           Queue::Vector};
constexpr unsigned kUsedQueues = 4;
constexpr unsigned kPlaces = 3;

/// What a random program's instructions do, beside the program.
struct Model {
  struct Command {
    SemaphoreUse wait[2], signal;
    unsigned reads = 0, writes = 0; ///< a bit per place
    unsigned fences = 0;
  };
  struct Fence {
    unsigned queues = 0; ///< a bit per used queue
    size_t before[kUsedQueues] = {};
  };
  Program program;
  std::vector<Command> queues[kUsedQueues];
  std::vector<Fence> fences;
  bool hasSeveralSignallers = false;
};

class Maker {
public:
  explicit Maker(std::mt19937_64 &random) : random(random) {}

  Model make() {
    unsigned signallers[4] = {}, takers[4] = {};
    for (unsigned semaphore = 0; semaphore < 4; ++semaphore) {
      takers[semaphore] = pick(kUsedQueues);
      signallers[semaphore] = pick(kUsedQueues);
    }
    bool several = pick(2) == 0;
    // With the larger of these a few signals are too many.
    unsigned unit = pick(4) == 0 ? 25 : 1;
    unsigned used[4] = {};
    for (unsigned n = 4 + pick(7); n > 0; --n) {
      if (pick(10) == 0) {
        addFence();
        continue;
      }
      unsigned queue = pick(kUsedQueues);
      Model::Command command;
      unsigned waits = 0;
      for (unsigned semaphore = 0; semaphore < 4; ++semaphore) {
        if (takers[semaphore] == queue && waits < 2 && pick(2) == 0) {
          command.wait[waits++] = {
              static_cast<uint8_t>(semaphore),
              static_cast<uint8_t>(unit * (1 + pick(4) / 3))};
        }
        if ((several || signallers[semaphore] == queue) && pick(3) != 0) {
          command.signal = {static_cast<uint8_t>(semaphore),
                            static_cast<uint8_t>(unit * (1 + pick(4) / 3))};
        }
      }
      if (command.signal.count > 0) {
        used[command.signal.semaphore] |= 1 << queue;
      }
      addCommand(queue, command);
    }
    for (unsigned mask : used) {
      model.hasSeveralSignallers |= (mask & (mask - 1)) != 0;
    }
    model.program.push_back({Queue::System, {}, {}, Stop{}});
    return model;
  }

private:
  unsigned pick(unsigned count) { return unsigned(random() % count); }

  void addFence() {
    Model::Fence fence;
    Fence operation;
    for (unsigned queue = 0; queue < kUsedQueues; ++queue) {
      fence.before[queue] = model.queues[queue].size();
      if (pick(2) == 0) {
        fence.queues |= 1 << queue;
        operation.queues |= 1 << unsigned(kUsed[queue]);
      }
    }
    model.fences.push_back(fence);
    model.program.push_back({Queue::System, {}, {}, operation});
  }

  void addCommand(unsigned queue, Model::Command command) {
    unsigned from = pick(kPlaces), to = pick(kPlaces);
    auto at = [](unsigned place) { return ScratchpadAddress{64 * place, 0}; };
    Instruction instruction = {
        kUsed[queue], {command.wait[0], command.wait[1]}, command.signal, {}};
    if (kUsed[queue] == Queue::Vector) {
      Elementwise ew;
      ew.rows = 1;
      ew.columns = 16;
      ew.a = {at(from), 64, DataType::F32};
      ew.d = {at(to), 64, DataType::F32};
      instruction.operation = ew;
      command.reads = 1 << from;
      command.writes = 1 << to;
    } else if (kUsed[queue] == Queue::Store) {
      Store store;
      store.scratchpad = at(from);
      store.bytes = 64;
      instruction.operation = store;
      command.reads = 1 << from;
    } else {
      Load load;
      load.scratchpad = at(to);
      load.dram.region = Region::Weights;
      load.bytes = 64;
      instruction.operation = load;
      command.writes = 1 << to;
    }
    command.fences = unsigned(model.fences.size());
    model.queues[queue].push_back(command);
    model.program.push_back(instruction);
  }

  std::mt19937_64 &random;
  Model model;
};

/// Goes through all states: of each queue how many commands have completed, and
/// whether the next has started.
class Exploration {
public:
  explicit Exploration(const Model &model)
      : model(model), visited(size_t(1) << (5 * kUsedQueues)) {
    visit({});
  }

  bool hasRace = false;
  bool hasDeadlock = false;
  bool hasOverflow = false;

private:
  struct State {
    size_t done[kUsedQueues] = {};
    bool runs[kUsedQueues] = {};
  };

  int getHeld(const State &state, unsigned semaphore) const {
    int held = 0;
    for (unsigned queue = 0; queue < kUsedQueues; ++queue) {
      size_t started = state.done[queue] + (state.runs[queue] ? 1 : 0);
      for (size_t i = 0; i < started; ++i) {
        const Model::Command &command = model.queues[queue][i];
        for (SemaphoreUse wait : command.wait) {
          held -= wait.semaphore == semaphore ? wait.count : 0;
        }
        if (i < state.done[queue] && command.signal.semaphore == semaphore) {
          held += command.signal.count;
        }
      }
    }
    return held;
  }

  bool canStart(const State &state, unsigned queue) const {
    if (state.runs[queue] || state.done[queue] == model.queues[queue].size()) {
      return false;
    }
    const Model::Command &command = model.queues[queue][state.done[queue]];
    for (unsigned i = 0; i < command.fences; ++i) {
      const Model::Fence &fence = model.fences[i];
      for (unsigned other = 0; other < kUsedQueues; ++other) {
        if ((fence.queues >> other & 1) != 0 &&
            state.done[other] < fence.before[other]) {
          return false;
        }
      }
    }
    // The waits of a command are for different semaphores.
    for (SemaphoreUse wait : command.wait) {
      if (getHeld(state, wait.semaphore) < wait.count) {
        return false;
      }
    }
    return true;
  }

  void visit(const State &state) {
    size_t key = 0;
    for (unsigned queue = 0; queue < kUsedQueues; ++queue) {
      key = key << 5 | state.done[queue] << 1 | (state.runs[queue] ? 1 : 0);
    }
    if (visited[key]) {
      return;
    }
    visited[key] = true;
    findRace(state);
    for (unsigned semaphore = 0; semaphore < 4; ++semaphore) {
      hasOverflow |= getHeld(state, semaphore) > int(kMostSignals);
    }
    bool moves = false, isDone = true;
    for (unsigned queue = 0; queue < kUsedQueues; ++queue) {
      isDone &= state.done[queue] == model.queues[queue].size();
      if (!state.runs[queue] && !canStart(state, queue)) {
        continue;
      }
      State next = state;
      next.done[queue] += state.runs[queue] ? 1 : 0;
      next.runs[queue] = !state.runs[queue];
      visit(next);
      moves = true;
    }
    hasDeadlock |= !moves && !isDone;
  }

  void findRace(const State &state) {
    for (unsigned a = 0; a < kUsedQueues; ++a) {
      for (unsigned b = 0; b < a; ++b) {
        if (!state.runs[a] || !state.runs[b]) {
          continue;
        }
        const Model::Command &x = model.queues[a][state.done[a]];
        const Model::Command &y = model.queues[b][state.done[b]];
        hasRace |= (x.writes & (y.reads | y.writes)) != 0 ||
                   (y.writes & (x.reads | x.writes)) != 0;
      }
    }
  }

  const Model &model;
  std::vector<bool> visited;
};

TEST(CheckerExhaustive, FindsWhatTryingAllOrdersFinds) {
  Config config = getConfig("ane-a17-like");
  RegionSizes sizes;
  sizes.fill(1 << 16);
  std::mt19937_64 random(6);
  int races = 0, deadlocks = 0, overflows = 0, clean = 0, several = 0,
      extra = 0;
  for (int i = 0; i < 6000; ++i) {
    Model model = Maker(random).make();
    Exploration truth(model);
    std::string message = check(model.program, config, {}, sizes).message();
    bool saysRace = message.find("expected an order") != std::string::npos;
    bool saysDeadlock = message.find("wait: expected") != std::string::npos;
    bool saysOverflow = message.find("can reach") != std::string::npos;
    std::string text = message + "\n" + disassemble(model.program);
    several += model.hasSeveralSignallers ? 1 : 0;
    if (saysOverflow) {
      EXPECT_TRUE(truth.hasOverflow) << text;
    } else if (!model.hasSeveralSignallers) {
      EXPECT_EQ(saysRace, truth.hasRace) << text;
      EXPECT_TRUE(saysRace || !truth.hasOverflow) << text;
    } else {
      // What is not known is taken for a race, but none is missed.
      EXPECT_TRUE(saysRace || !truth.hasRace) << text;
      EXPECT_TRUE(!message.empty() || !truth.hasOverflow) << text;
      extra += saysRace && !truth.hasRace ? 1 : 0;
    }
    if (!saysRace && !saysOverflow) {
      EXPECT_EQ(saysDeadlock, truth.hasDeadlock) << text;
    }
    if (HasFailure()) {
      return;
    }
    races += saysRace ? 1 : 0;
    overflows += saysOverflow ? 1 : 0;
    deadlocks += saysDeadlock ? 1 : 0;
    clean += saysRace || saysDeadlock || saysOverflow ? 0 : 1;
  }
  EXPECT_GT(races, 300);
  EXPECT_GT(deadlocks, 300);
  EXPECT_GT(overflows, 50);
  EXPECT_GT(clean, 100);
  EXPECT_GT(several, 1000);
  EXPECT_LT(extra, several / 20);
}

} // namespace
