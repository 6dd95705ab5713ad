// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/QueueSchedule.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr uint64_t kMostStepsAhead = 100'000'000;

void join(QueueClock &clock, const QueueClock &other) {
  for (unsigned queue = 0; queue < kQueues; ++queue) {
    clock[queue] = std::max(clock[queue], other[queue]);
  }
}

bool isSingle(uint8_t queues) { return (queues & (queues - 1)) == 0; }

} // namespace

//===----------------------------------------------------------------------===//
// QueueProgress
//===----------------------------------------------------------------------===//

const ScheduledCommand *QueueProgress::next(unsigned queue) const {
  const std::vector<ScheduledCommand> &list = commands->queues[queue];
  return counts[queue] < list.size() ? &list[counts[queue]] : nullptr;
}

uint64_t QueueProgress::held(unsigned semaphore) const {
  uint64_t units = 0;
  for (uint64_t count : signals[semaphore]) {
    units += count;
  }
  return units - takes[semaphore];
}

bool QueueProgress::canStart(unsigned queue) const {
  const ScheduledCommand *command = next(queue);
  if (!command || command->fences > fencesPassed) {
    return false;
  }
  SemaphoreUse first = command->wait[0], second = command->wait[1];
  if (first.semaphore == second.semaphore) {
    return held(first.semaphore) >= uint64_t(first.count) + second.count;
  }
  return held(first.semaphore) >= first.count &&
         held(second.semaphore) >= second.count;
}

void QueueProgress::step(unsigned queue) {
  const ScheduledCommand &command = *next(queue);
  for (SemaphoreUse wait : command.wait) {
    takes[wait.semaphore] += wait.count;
  }
  signals[command.signal.semaphore][queue] += command.signal.count;
  ++counts[queue];
  passFences();
}

bool QueueProgress::isDone() const {
  for (unsigned queue = 0; queue < kQueues; ++queue) {
    if (next(queue)) {
      return false;
    }
  }
  return true;
}

void QueueProgress::passFences() {
  for (; fencesPassed < commands->fences.size(); ++fencesPassed) {
    const Fence &fence = commands->fences[fencesPassed];
    for (unsigned queue = 0; queue < kQueues; ++queue) {
      if ((fence.queues >> queue & 1) != 0 &&
          counts[queue] < fence.before[queue]) {
        return;
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// QueueSchedule
//===----------------------------------------------------------------------===//

QueueSchedule::QueueSchedule(const QueueProgress::Commands &commands)
    : commands(commands), state(commands) {
  for (unsigned queue = 0; queue < kQueues; ++queue) {
    for (const ScheduledCommand &command : commands.queues[queue]) {
      if (command.signal.count > 0) {
        signallers[command.signal.semaphore] |= 1 << queue;
      }
      for (SemaphoreUse wait : command.wait) {
        if (wait.count > 0) {
          takers[wait.semaphore] = static_cast<uint8_t>(queue);
        }
      }
    }
  }
  // Fences that wait for nothing are passed already.
  fenceClocks.resize(state.fences());
}

bool QueueSchedule::waitsForSeveral(unsigned queue) const {
  for (SemaphoreUse wait : state.next(queue)->wait) {
    if (wait.count > 0 && !isSingle(signallers[wait.semaphore])) {
      return true;
    }
  }
  return false;
}

Result<QueueProgress> QueueSchedule::runAhead(unsigned queue) {
  QueueProgress ahead = state;
  for (bool moved = true; moved;) {
    moved = false;
    for (unsigned other = 0; other < kQueues; ++other) {
      while (other != queue && ahead.canStart(other)) {
        ahead.step(other);
        moved = true;
        if (++stepsAhead > kMostStepsAhead) {
          return Status(StatusCode::Unsupported,
                        "expected semaphores that several queues signal to be "
                        "taken often enough to be followed, found that queues "
                        "run ahead too far");
        }
      }
    }
  }
  return ahead;
}

Status QueueSchedule::order(unsigned queue, Step &step) {
  const ScheduledCommand &command = *state.next(queue);
  step.command = {static_cast<uint8_t>(queue), state.done(queue) + 1};
  step.before = clocks[queue];
  if (command.fences > 0) {
    join(step.before, fenceClocks[command.fences - 1]);
  }
  std::optional<QueueProgress> ahead;
  if (waitsForSeveral(queue)) {
    Result<QueueProgress> result = runAhead(queue);
    if (!result.ok()) {
      return result.status();
    }
    ahead = *result;
  }
  std::array<uint64_t, 2> taken = {};
  for (unsigned i = 0; i < 2; ++i) {
    SemaphoreUse wait = command.wait[i];
    if (wait.count == 0) {
      continue;
    }
    unsigned s = wait.semaphore;
    taken[i] = state.taken(s) + wait.count;
    if (i == 1 && command.wait[0].semaphore == s) {
      taken[i] += command.wait[0].count;
    }
    bool isSeveral = !isSingle(signallers[s]);
    if (isSeveral && ahead->held(s) > step.most) {
      step.semaphore = s;
      step.most = ahead->held(s);
    }
    for (unsigned signaller = 0; signaller < kQueues; ++signaller) {
      if ((signallers[s] >> signaller & 1) == 0) {
        continue;
      }
      uint64_t others = 0;
      for (unsigned other = 0; isSeveral && other < kQueues; ++other) {
        others += other == signaller ? 0 : ahead->signalled(s, other);
      }
      if (taken[i] <= others) {
        continue;
      }
      uint64_t needed = taken[i] - others;
      std::deque<Signal> &list = signals[s][signaller];
      while (list.front().units < needed) {
        list.pop_front();
      }
      join(step.before, list.front().clock);
    }
    if (!isSeveral) {
      takes[s].push_back({step.command.position, taken[i]});
    }
  }
  return {};
}

void QueueSchedule::complete(unsigned queue, Step &step) {
  SemaphoreUse signal = state.next(queue)->signal;
  uint32_t passed = state.fences();
  state.step(queue);
  clocks[queue] = step.before;
  clocks[queue][queue] = step.command.position;
  for (; passed < state.fences(); ++passed) {
    QueueClock clock = passed == 0 ? QueueClock() : fenceClocks[passed - 1];
    for (unsigned other = 0; other < kQueues; ++other) {
      // Later commands of these queues do not start before it is passed.
      if ((commands.fences[passed].queues >> other & 1) != 0) {
        join(clock, clocks[other]);
      }
    }
    fenceClocks.push_back(clock);
  }
  if (signal.count == 0) {
    return;
  }
  unsigned s = signal.semaphore;
  uint64_t units = state.signalled(s, queue);
  signals[s][queue].push_back({units, clocks[queue]});
  if (!isSingle(signallers[s])) {
    return;
  }
  // What the taker took before this command is done for sure.
  uint32_t position =
      takers[s] == queue ? step.command.position : step.before[takers[s]];
  std::deque<Take> &list = takes[s];
  for (; !list.empty() && list.front().position <= position; list.pop_front()) {
    surelyTaken[s] = list.front().units;
  }
  if (units - surelyTaken[s] > step.most) {
    step.semaphore = s;
    step.most = units - surelyTaken[s];
  }
}

Result<std::optional<QueueSchedule::Step>> QueueSchedule::next() {
  // What several queues signal is waited for last, so that there is little that
  // others can do ahead of it.
  for (bool takesSeveral : {false, true}) {
    for (unsigned queue = 0; queue < kQueues; ++queue) {
      if (!state.canStart(queue) || waitsForSeveral(queue) != takesSeveral) {
        continue;
      }
      Step step;
      Status status = order(queue, step);
      if (!status.ok()) {
        return status;
      }
      complete(queue, step);
      return std::optional<Step>(step);
    }
  }
  return std::optional<Step>();
}
