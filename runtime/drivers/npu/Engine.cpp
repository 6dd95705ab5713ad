// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/Engine.h"

#include "runtime/drivers/npu/DramChannel.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr uint32_t kNone = UINT32_MAX;

Status invalid(size_t command, const std::string &message) {
  return Status(StatusCode::InvalidArgument,
                "command " + std::to_string(command) + ": " + message);
}

/// How long the parts of a work take that do not depend on what runs beside.
struct Parts {
  std::array<double, kBounds> cycles = {};

  Parts(const Config &config, const Work &work) {
    cycles[unsigned(Bound::Mac)] = work.arrayCycles;
    cycles[unsigned(Bound::Sram)] = work.scratchpadCycles;
    cycles[unsigned(Bound::Vpu)] = getVectorCycles(config, work);
    if (work.decodedWeights > 0) {
      cycles[unsigned(Bound::Lut)] =
          config.cycles(static_cast<double>(work.decodedWeights) /
                        config.decoder.weightsPerSecond);
    }
  }

  Bound longest() const {
    return static_cast<Bound>(std::max_element(cycles.begin(), cycles.end()) -
                              cycles.begin());
  }
  double longestCycles() const { return cycles[unsigned(longest())]; }
};

class Simulation {
public:
  Simulation(const Config &config, const std::vector<Command> &program)
      : config(config), program(program), channel(config),
        latency(config.cycles(config.dram.latencySeconds)) {}

  Result<ProgramTiming> run();

private:
  struct QueueState {
    std::vector<uint32_t> commands;
    size_t next = 0;
    size_t done = 0;
    /// What computes, or moves data.
    uint32_t current = kNone;
    /// If it computes.
    double currentEnd = kNever;
    /// What was issued to DRAM, and waits for its first byte or for `current`.
    uint32_t issued = kNone;
    double issuedReady = kNever;
    /// When the next could have started for all that this queue knows.
    double free = 0;

    bool isBusy() const { return current != kNone || issued != kNone; }
  };

  Status prepare();
  bool isDram(uint32_t index) const {
    return program[index].work.dramBytes() > 0;
  }
  /// The first cycle after the command's last word was fetched.
  double getFetched(uint32_t index) const {
    return dispatchTime +
           static_cast<double>(fetched[index + 1] - fetched[dispatchFrom]);
  }
  void dispatch();
  bool canStart(const QueueState &queue) const;
  void startAll();
  void start(unsigned queue);
  void move(unsigned queue);
  double getNextEvent() const;
  void advance(double until);
  Status completeAll();
  Status complete(unsigned queue, Bound bound);
  Status reportDeadlock() const;

  const Config &config;
  const std::vector<Command> &program;
  DramChannel channel;
  double latency;
  ProgramTiming timing;
  std::array<QueueState, kQueues> queues;
  std::array<unsigned, kSemaphores> semaphores = {};
  /// Words before each command.
  std::vector<uint64_t> fetched;
  /// Commands that have a fence, and how far each queue's list goes there.
  struct Fence {
    uint32_t command;
    std::array<uint32_t, kQueues> before;
  };
  std::vector<Fence> fences;
  size_t nextFence = 0;
  /// Commands from `dispatchFrom` up to the next fence are fetched from
  /// `dispatchTime` on.
  uint32_t dispatchFrom = 0;
  double dispatchTime = 0;
  double now = 0;
  unsigned running = 0;
  /// The integral of 1 / running, for the commands' static energy.
  double sharedTime = 0;
  size_t remaining = 0;
};

Status Simulation::prepare() {
  fetched.resize(program.size() + 1);
  std::array<uint32_t, kQueues> counts = {};
  for (size_t i = 0; i < program.size(); ++i) {
    const Command &command = program[i];
    unsigned queue = unsigned(command.queue);
    if (queue >= kQueues) {
      return invalid(i, "expected a queue below " + std::to_string(kQueues) +
                            ", found " + std::to_string(queue));
    }
    for (SemaphoreUse use :
         {command.wait[0], command.wait[1], command.signal}) {
      if (use.semaphore >= kSemaphores) {
        return invalid(i, "expected a semaphore below " +
                              std::to_string(kSemaphores) + ", found " +
                              std::to_string(use.semaphore));
      }
      if (use.count > kMostSignals) {
        return invalid(i, "expected a count of at most " +
                              std::to_string(kMostSignals) + ", found " +
                              std::to_string(use.count));
      }
    }
    if (command.work.decodedWeights > 0 &&
        config.decoder.weightsPerSecond == 0) {
      return invalid(i, "needs a palette decoder, and " + config.name +
                            " has none");
    }
    if (command.fence != 0) {
      fences.push_back({static_cast<uint32_t>(i), counts});
    }
    fetched[i + 1] = fetched[i] + command.words;
    queues[queue].commands.push_back(static_cast<uint32_t>(i));
    ++counts[queue];
  }
  timing.commands.resize(program.size());
  remaining = program.size();
  dispatchTime = config.cycles(config.dispatchSeconds);
  return {};
}

void Simulation::dispatch() {
  while (nextFence < fences.size()) {
    const Fence &fence = fences[nextFence];
    for (unsigned q = 0; q < kQueues; ++q) {
      if ((program[fence.command].fence >> q & 1) != 0 &&
          queues[q].done < fence.before[q]) {
        return;
      }
    }
    // The commands before the fence may not have been fetched yet.
    dispatchTime = fence.command == 0
                       ? dispatchTime
                       : std::max(now, getFetched(fence.command - 1));
    dispatchFrom = fence.command;
    ++nextFence;
  }
}

bool Simulation::canStart(const QueueState &queue) const {
  if (queue.next == queue.commands.size() || queue.issued != kNone) {
    return false;
  }
  uint32_t index = queue.commands[queue.next];
  if (nextFence < fences.size() && index >= fences[nextFence].command) {
    return false;
  }
  if (queue.current != kNone && !(isDram(index) && isDram(queue.current))) {
    return false;
  }
  const Command &command = program[index];
  const SemaphoreUse &first = command.wait[0], &second = command.wait[1];
  if (first.semaphore == second.semaphore) {
    return semaphores[first.semaphore] >=
           unsigned(first.count) + unsigned(second.count);
  }
  return semaphores[first.semaphore] >= first.count &&
         semaphores[second.semaphore] >= second.count;
}

void Simulation::startAll() {
  for (bool changed = true; changed;) {
    changed = false;
    for (unsigned q = 0; q < kQueues; ++q) {
      QueueState &queue = queues[q];
      if (canStart(queue) && getFetched(queue.commands[queue.next]) <= now) {
        start(q);
        changed = true;
      }
    }
  }
}

void Simulation::start(unsigned q) {
  QueueState &queue = queues[q];
  uint32_t index = queue.commands[queue.next++];
  const Command &command = program[index];
  for (const SemaphoreUse &wait : command.wait) {
    semaphores[wait.semaphore] -= wait.count;
  }
  CommandTiming &times = timing.commands[index];
  times.start = now;
  // How long it waited, until the end is known.
  times.end = now - std::max(queue.free, getFetched(index));
  times.energy.idle = -sharedTime;
  ++running;
  if (isDram(index)) {
    queue.issued = index;
    queue.issuedReady = now + latency;
    move(q);
    return;
  }
  queue.current = index;
  // A cycle to issue it.
  queue.currentEnd =
      now + std::max(1.0, Parts(config, command.work).longestCycles());
}

/// Lets what was issued move its data, if it is its turn.
void Simulation::move(unsigned q) {
  QueueState &queue = queues[q];
  if (queue.issued == kNone || queue.current != kNone ||
      queue.issuedReady > now) {
    return;
  }
  queue.current = queue.issued;
  queue.currentEnd = kNever;
  queue.issued = kNone;
  queue.issuedReady = kNever;
  queue.free = now;
  const Work &work = program[queue.current].work;
  double cycles = Parts(config, work).longestCycles();
  double bytes = static_cast<double>(channel.getMovedBytes(work));
  channel.start(q, work, bytes / std::max(1.0, cycles));
}

double Simulation::getNextEvent() const {
  double next = kNever;
  for (unsigned q = 0; q < kQueues; ++q) {
    const QueueState &queue = queues[q];
    if (queue.current == kNone) {
      next = std::min(next, queue.issuedReady);
    } else if (queue.currentEnd != kNever) {
      next = std::min(next, queue.currentEnd);
    } else {
      next = std::min(next, now + channel.getRemainingCycles(q));
    }
    if (canStart(queue)) {
      next = std::min(next, getFetched(queue.commands[queue.next]));
    }
  }
  return next;
}

void Simulation::advance(double until) {
  double cycles = until - now;
  channel.advance(cycles);
  bool moves = channel.activeCount() > 0;
  timing.dramIdle += moves ? 0 : cycles;
  timing.resourceBusy[unsigned(Bound::Dram)] +=
      moves && !channel.isUnderused() ? cycles : 0;
  for (unsigned q = 0; q < kQueues; ++q) {
    timing.queueBusy[q] += queues[q].isBusy() ? cycles : 0;
  }
  if (running > 0) {
    sharedTime += cycles / running;
  } else {
    timing.resourceBusy[unsigned(Bound::Sync)] += cycles;
  }
  now = until;
}

Status Simulation::completeAll() {
  for (unsigned q = 0; q < kQueues; ++q) {
    QueueState &queue = queues[q];
    if (queue.current == kNone) {
      move(q);
      continue;
    }
    const Work &work = program[queue.current].work;
    Parts parts(config, work);
    Bound bound = parts.longest();
    double limited = parts.cycles[unsigned(bound)];
    if (queue.currentEnd == kNever) {
      if (!channel.isDone(q, now)) {
        continue;
      }
      DramChannel::Usage usage = channel.finish(q);
      limited = usage.limitedCycles;
      bound = 2 * limited > usage.cycles ? bound : Bound::Dram;
    } else if (queue.currentEnd > now) {
      continue;
    }
    if (bound != Bound::Dram) {
      timing.resourceBusy[unsigned(bound)] += limited;
    }
    Status status = complete(q, bound);
    if (!status.ok()) {
      return status;
    }
    move(q);
  }
  return {};
}

Status Simulation::complete(unsigned q, Bound bound) {
  QueueState &queue = queues[q];
  uint32_t index = queue.current;
  const Command &command = program[index];
  CommandTiming &times = timing.commands[index];
  double waited = times.end;
  times.end = now;
  times.bound = waited > times.end - times.start ? Bound::Sync : bound;
  double idle = config.energy.activeWatts *
                config.seconds(times.energy.idle + sharedTime);
  uint64_t moved = channel.getMovedBytes(command.work);
  times.energy = getEnergy(command.work, moved, config.energy);
  timing.energy += times.energy;
  times.energy.idle = idle;
  timing.dramBytes += moved;
  queue.current = kNone;
  queue.currentEnd = kNever;
  if (queue.issued == kNone) {
    queue.free = now;
  }
  ++queue.done;
  --running;
  --remaining;
  unsigned &semaphore = semaphores[command.signal.semaphore];
  semaphore += command.signal.count;
  if (semaphore > kMostSignals) {
    return invalid(index, "semaphore " +
                              std::to_string(command.signal.semaphore) +
                              " passes " + std::to_string(kMostSignals));
  }
  return {};
}

Status Simulation::reportDeadlock() const {
  uint32_t first = kNone;
  std::string text;
  for (unsigned q = 0; q < kQueues; ++q) {
    const QueueState &queue = queues[q];
    if (queue.next == queue.commands.size()) {
      continue;
    }
    uint32_t index = queue.commands[queue.next];
    first = std::min(first, index);
    text += (text.empty() ? "" : "; ") + std::string(getName(Queue(q))) +
            " at command " + std::to_string(index);
    if (nextFence < fences.size() && index >= fences[nextFence].command) {
      text += " behind the fence of command " +
              std::to_string(fences[nextFence].command);
      continue;
    }
    for (const SemaphoreUse &wait : program[index].wait) {
      if (semaphores[wait.semaphore] < wait.count) {
        text += " for semaphore " + std::to_string(wait.semaphore) +
                " to reach " + std::to_string(wait.count) + ", which is " +
                std::to_string(semaphores[wait.semaphore]);
      }
    }
  }
  return invalid(first, "waits for ever: " + text);
}

Result<ProgramTiming> Simulation::run() {
  Status status = prepare();
  while (status.ok() && remaining > 0) {
    dispatch();
    startAll();
    double next = getNextEvent();
    if (next == kNever) {
      status = reportDeadlock();
      break;
    }
    advance(next);
    status = completeAll();
  }
  if (!status.ok()) {
    return status;
  }
  timing.cycles = now;
  timing.energy.idle = config.energy.activeWatts * config.seconds(now);
  timing.bound = static_cast<Bound>(
      std::max_element(timing.resourceBusy.begin(), timing.resourceBusy.end()) -
      timing.resourceBusy.begin());
  return std::move(timing);
}

} // namespace

Result<ProgramTiming> npu::simulate(const Config &config,
                                    const std::vector<Command> &program) {
  return Simulation(config, program).run();
}

std::array<double, kBounds> npu::getResourceCycles(const Config &config,
                                                   const Work &work) {
  Parts parts(config, work);
  parts.cycles[unsigned(Bound::Dram)] = DramChannel(config).getCycles(work);
  return parts.cycles;
}

double npu::getVectorCycles(const Config &config, const Work &work) {
  if (work.vectorElements == 0) {
    return 0;
  }
  const VectorConfig &vector = config.vector;
  double lanes = static_cast<double>(vector.lanes);
  double rate = lanes * (work.vectorInputs > 1 ? vector.twoInputFactor : 1);
  double cycles = static_cast<double>(work.vectorElements) / rate;
  if (work.reduces) {
    cycles += std::ceil(std::log2(lanes));
  }
  return config.cycles(vector.startSeconds + cycles / config.vectorHz);
}

const char *npu::getName(Queue queue) {
  constexpr const char *kNames[] = {"system",  "load 0", "load 1", "store",
                                    "weights", "matrix", "vector", "cache"};
  return kNames[unsigned(queue)];
}

const char *npu::getName(Bound bound) {
  constexpr const char *kNames[] = {"mac",  "dram", "lut",
                                    "sram", "vpu",  "sync"};
  return kNames[unsigned(bound)];
}
