// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/SyncPlanner.h"

#include <algorithm>
#include <array>
#include <map>

namespace umber::npu {

namespace {

/// A point in the order of all instructions, carriers included; 0: none.
using Position = uint64_t;
using Clock = std::array<Position, kQueues>;

/// Room between instructions for those that only carry semaphores.
constexpr Position kSpacing = 2 * kQueues;

/// Who used an object last.
struct Uses {
  Clock reads = {};
  Clock writes = {};

  void absorb(const Uses &other) {
    for (unsigned q = 0; q < kQueues; ++q) {
      reads[q] = std::max(reads[q], other.reads[q]);
      writes[q] = std::max(writes[q], other.writes[q]);
    }
  }
};

/// What one queue's instruction at a position waits for, or signals: the other
/// queue.
struct Edges {
  std::vector<unsigned> waits;
  std::vector<unsigned> signals;
};

/// Follows instructions one after another, and finds where they have to wait.
class Follower {
public:
  explicit Follower(size_t objects) : uses(objects) {}

  /// What an instruction of `queue` has to wait for, by queue.
  Clock getNeeds(unsigned queue, const std::vector<Access> &accesses) const {
    Clock needs = {};
    for (const Access &access : accesses) {
      const Uses &object = uses[access.object];
      for (unsigned q = 0; q < kQueues; ++q) {
        if (q != queue) {
          needs[q] = std::max(needs[q], object.writes[q]);
          if (access.writes) {
            needs[q] = std::max(needs[q], object.reads[q]);
          }
        }
      }
    }
    return needs;
  }

  /// The needs that nothing known implies. They are known from then on.
  /// `found(queue, position)`.
  template <typename Found>
  void wait(unsigned queue, const Clock &needs, Found found) {
    for (unsigned q = 0; q < kQueues; ++q) {
      // What another of them implies need not be waited for.
      bool implied = needs[q] <= known[queue][q];
      for (unsigned other = 0; other < kQueues && !implied; ++other) {
        implied = other != q && needs[other] > known[queue][other] &&
                  clocks.at(needs[other])[q] >= needs[q];
      }
      if (!implied) {
        waited.push_back({q, needs[q]});
      }
    }
    for (auto [q, position] : waited) {
      found(q, position);
      const Clock &clock = clocks.at(position);
      for (unsigned p = 0; p < kQueues; ++p) {
        known[queue][p] = std::max(known[queue][p], clock[p]);
      }
    }
    waited.clear();
  }

  /// An instruction runs.
  void pass(unsigned queue, const std::vector<Access> &accesses,
            Position position) {
    known[queue][queue] = position;
    clocks[position] = known[queue];
    for (const Access &access : accesses) {
      Uses &object = uses[access.object];
      (access.writes ? object.writes : object.reads)[queue] = position;
    }
  }

  std::vector<Uses> uses;
  /// Of each queue, how far it knows the others to be.
  std::array<Clock, kQueues> known = {};
  std::map<Position, Clock> clocks;

private:
  std::vector<std::pair<unsigned, Position>> waited;
};

class Planner {
public:
  Planner(std::vector<SyncStep> steps,
          const std::vector<std::vector<uint32_t>> &overlaps)
      : steps(std::move(steps)), overlaps(overlaps), follower(overlaps.size()),
        isMet(overlaps.size()) {}

  Result<Program> run(uint32_t *semaphores);

private:
  static unsigned queueOf(const SyncStep &step) {
    return unsigned(step.instruction.queue);
  }
  Position positionOf(size_t step) const { return (step + 1) * kSpacing; }
  /// The place for a queue's carrier before, or after, a step.
  Position before(size_t step, unsigned queue) const {
    return positionOf(step) - kQueues + queue;
  }
  Position after(size_t step, unsigned queue) const {
    return positionOf(step) + 1 + queue;
  }
  void meet(const std::vector<Access> &accesses);
  void connect(unsigned from, Position at, unsigned to, Position waiting) {
    edges[at].signals.push_back(to);
    edges[waiting].waits.push_back(from);
    lastSignal[from][to] = std::max(lastSignal[from][to], at);
  }
  /// Waits are met in the order of signals, and a loop's may be any number. So
  /// who still has to wait for what was before a loop that it waits in waits
  /// for its end.
  void passLoops(unsigned queue, Clock &needs) const {
    for (unsigned from = 0; from < kQueues; ++from) {
      if (needs[from] > follower.known[queue][from]) {
        needs[from] = std::max(needs[from], loopEnd[from][queue]);
      }
    }
  }
  void planStep(size_t step);
  Status planLoop(size_t begin, size_t end);
  Result<Program> write(uint32_t *semaphores);

  std::vector<SyncStep> steps;
  const std::vector<std::vector<uint32_t>> &overlaps;
  Follower follower;
  /// Whether an object was used yet.
  std::vector<bool> isMet;
  std::map<Position, Edges> edges;
  /// By who signals and who waits: the last signal so far, a loop's at its end;
  /// and the end of the last loop that has any.
  std::array<Clock, kQueues> lastSignal = {};
  std::array<Clock, kQueues> loopEnd = {};
};

/// What is used for the first time takes the place of others.
void Planner::meet(const std::vector<Access> &accesses) {
  for (const Access &access : accesses) {
    if (!isMet[access.object]) {
      isMet[access.object] = true;
      for (uint32_t other : overlaps[access.object]) {
        follower.uses[access.object].absorb(follower.uses[other]);
      }
    }
  }
}

void Planner::planStep(size_t step) {
  const SyncStep &s = steps[step];
  unsigned queue = queueOf(s);
  meet(s.accesses);
  Clock needs = follower.getNeeds(queue, s.accesses);
  passLoops(queue, needs);
  follower.wait(queue, needs, [&](unsigned from, Position at) {
    connect(from, at, queue, positionOf(step));
  });
  follower.pass(queue, s.accesses, positionOf(step));
}

/// A loop's iterations all do the same, so they wait for the same: what an
/// iteration in the middle has to. What the first one would wait for in an
/// iteration before it is signalled ahead of the loop, as early as the order of
/// signals allows, so that nobody waits for what comes before the loop without
/// need; and what the last one signals to a next one is taken away behind it.
Status Planner::planLoop(size_t begin, size_t end) {
  std::array<bool, kQueues> isUsed = {};
  std::array<Clock, kQueues> needs = {};
  for (size_t s = begin + 1; s < end; ++s) {
    if (steps[s].accesses.empty()) {
      continue;
    }
    unsigned queue = queueOf(steps[s]);
    isUsed[queue] = true;
    meet(steps[s].accesses);
    Clock clock = follower.getNeeds(queue, steps[s].accesses);
    for (unsigned q = 0; q < kQueues; ++q) {
      needs[queue][q] = std::max(needs[queue][q], clock[q]);
    }
  }
  for (unsigned queue = 0; queue < kQueues; ++queue) {
    passLoops(queue, needs[queue]);
    follower.wait(queue, needs[queue], [&](unsigned from, Position at) {
      connect(from, at, queue, before(begin, queue));
    });
    if (isUsed[queue]) {
      follower.pass(queue, {}, before(begin, queue));
    }
  }

  // The same loop on its own, three times.
  struct Wait {
    unsigned from, to;
    /// Steps from the loop's begin; how many iterations ago.
    size_t signaller, waiter;
    size_t distance;
    bool operator==(const Wait &o) const {
      return from == o.from && to == o.to && signaller == o.signaller &&
             waiter == o.waiter && distance == o.distance;
    }
  };
  size_t length = end - begin;
  Follower inside(overlaps.size());
  std::array<std::vector<Wait>, 3> waits;
  for (size_t turn = 0; turn < waits.size(); ++turn) {
    for (size_t s = begin + 1; s < end; ++s) {
      if (steps[s].accesses.empty()) {
        continue;
      }
      unsigned queue = queueOf(steps[s]);
      Position position = turn * length + (s - begin);
      inside.wait(queue, inside.getNeeds(queue, steps[s].accesses),
                  [&](unsigned from, Position at) {
                    waits[turn].push_back({from, queue, at % length, s - begin,
                                           turn - at / length});
                  });
      inside.pass(queue, steps[s].accesses, position);
    }
  }
  if (!(waits[1] == waits[2])) {
    return Status(StatusCode::Internal,
                  "a loop's iterations do not wait for the same");
  }
  for (const Wait &wait : waits[1]) {
    if (wait.distance != 0) {
      Position last = lastSignal[wait.from][wait.to];
      edges[last == 0 ? before(0, wait.from) : last].signals.push_back(wait.to);
      edges[after(end, wait.to)].waits.push_back(wait.from);
    }
  }
  for (const Wait &wait : waits[1]) {
    connect(wait.from, positionOf(begin + wait.signaller), wait.to,
            positionOf(begin + wait.waiter));
    lastSignal[wait.from][wait.to] = after(end, wait.from);
    loopEnd[wait.from][wait.to] = after(end, wait.from);
  }
  // Later on, a queue's part in the loop is over at its carrier behind it.
  for (size_t s = begin + 1; s < end; ++s) {
    unsigned queue = queueOf(steps[s]);
    if (!steps[s].accesses.empty()) {
      follower.pass(queue, steps[s].accesses, after(end, queue));
    }
  }
  return {};
}

Result<Program> Planner::write(uint32_t *semaphores) {
  std::map<std::pair<unsigned, unsigned>, uint8_t> numbers;
  bool fits = true;
  auto numberOf = [&](unsigned from, unsigned to) {
    auto [it, isNew] = numbers.insert({{from, to}, uint8_t(numbers.size())});
    fits &= it->second < kSemaphores;
    return SemaphoreUse{it->second, 1};
  };
  Program program;
  uint32_t operationId = 0;
  auto carry = [&](unsigned queue) -> Instruction & {
    Instruction &instruction = program.emplace_back();
    instruction.operationId = operationId;
    instruction.queue = Queue(queue);
    instruction.operation = Mark();
    return instruction;
  };
  // Waits that an instruction has no room for come before it, signals after.
  auto writeWith = [&](unsigned queue, const Edges &all,
                       Instruction *instruction) {
    size_t room = instruction ? 2 : 0;
    size_t w = 0;
    while (all.waits.size() - w > room) {
      Instruction &carrier = carry(queue);
      for (unsigned i = 0; i < 2 && all.waits.size() - w > room; ++i, ++w) {
        carrier.wait[i] = numberOf(all.waits[w], queue);
      }
    }
    size_t s = 0;
    if (instruction) {
      for (unsigned i = 0; w < all.waits.size(); ++i, ++w) {
        instruction->wait[i] = numberOf(all.waits[w], queue);
      }
      if (!all.signals.empty()) {
        instruction->signal = numberOf(queue, all.signals[s++]);
      }
      program.push_back(std::move(*instruction));
    }
    for (; s < all.signals.size(); ++s) {
      carry(queue).signal = numberOf(queue, all.signals[s]);
    }
  };
  for (size_t step = 0; step < steps.size(); ++step) {
    operationId = steps[step].instruction.operationId;
    for (unsigned q = 0; q < kQueues; ++q) {
      if (auto it = edges.find(before(step, q)); it != edges.end()) {
        writeWith(q, it->second, nullptr);
      }
    }
    writeWith(queueOf(steps[step]), edges[positionOf(step)],
              &steps[step].instruction);
    for (unsigned q = 0; q < kQueues; ++q) {
      if (auto it = edges.find(after(step, q)); it != edges.end()) {
        writeWith(q, it->second, nullptr);
      }
    }
  }
  if (!fits) {
    return Status(StatusCode::Unsupported,
                  "expected at most " + std::to_string(kSemaphores) +
                      " pairs of queues that wait for each other, found " +
                      std::to_string(numbers.size()));
  }
  if (semaphores) {
    *semaphores = static_cast<uint32_t>(numbers.size());
  }
  return program;
}

Result<Program> Planner::run(uint32_t *semaphores) {
  for (size_t step = 0; step < steps.size(); ++step) {
    const Operation &operation = steps[step].instruction.operation;
    if (!std::holds_alternative<Loop>(operation)) {
      if (!steps[step].accesses.empty()) {
        planStep(step);
      }
      continue;
    }
    size_t end = step + 1;
    while (!std::holds_alternative<EndLoop>(steps[end].instruction.operation)) {
      if (std::holds_alternative<Loop>(steps[end].instruction.operation)) {
        return Status(StatusCode::Internal, "loops in loops are not planned");
      }
      ++end;
    }
    Status status = planLoop(step, end);
    if (!status.ok()) {
      return status;
    }
    step = end;
  }
  return write(semaphores);
}

} // namespace

Result<Program> synchronize(std::vector<SyncStep> steps,
                            const std::vector<std::vector<uint32_t>> &overlaps,
                            uint32_t *semaphores) {
  return Planner(std::move(steps), overlaps).run(semaphores);
}

} // namespace umber::npu
