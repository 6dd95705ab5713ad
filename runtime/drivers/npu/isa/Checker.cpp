// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/isa/Checker.h"

#include "runtime/drivers/npu/isa/Fields.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/isa/QueueSchedule.h"
#include "runtime/drivers/npu/isa/SlotContents.h"
#include "runtime/drivers/npu/isa/Verifier.h"

#include <cinttypes>
#include <cstdio>

using namespace umber;
using namespace umber::npu;

namespace {

std::string getHex(int64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%" PRIx64, static_cast<uint64_t>(value));
  return text;
}

class Check {
public:
  Check(const Program &program, const Config &config, const RegionSizes &sizes)
      : program(program), config(config), sizes(sizes) {}

  Finding run(const Registers &registers);

private:
  /// An instruction that was sent to a queue.
  struct Sent {
    Instruction instruction;
    uint32_t index;
    uint64_t order;
  };

  Finding expand(const Registers &registers);
  Finding checkBounds(uint32_t index,
                      const std::vector<Access> &accesses) const;
  int64_t getSize(const Access &access) const;
  Finding followQueues();
  Finding add(const QueueSchedule::Step &step);
  Finding reportRace(const QueueSchedule::Step &step, const Access &access,
                     const RaceDetector::Race &race) const;
  Finding reportDeadlock(const QueueProgress &progress) const;

  const Sent &get(QueuePosition command) const {
    return sent[command.queue][command.position - 1];
  }
  static Finding fail(uint32_t index, const std::string &message) {
    return {StatusCode::InvalidArgument, message, index, {}};
  }
  static Finding fail(const Status &status) {
    return {status.code(), status.message(), {}, {}};
  }

  const Program &program;
  const Config &config;
  const RegionSizes &sizes;
  std::array<std::vector<Sent>, kQueues> sent;
  QueueProgress::Commands commands;
  /// Of each fence, its instruction.
  std::vector<uint32_t> fenceIndices;
  RaceDetector races;
  std::optional<SlotContents> slots;
};

int64_t Check::getSize(const Access &access) const {
  switch (access.memory) {
  case Memory::Scratchpad:
    return config.scratchpad.bytes;
  case Memory::Dram:
    return static_cast<int64_t>(
        std::min(sizes[unsigned(access.region)], uint64_t(INT64_MAX)));
  case Memory::KernelSlots:
    return config.kernelBuffer.slots;
  case Memory::TableSlots:
    break;
  }
  return kTableSlots;
}

Finding Check::checkBounds(uint32_t index,
                           const std::vector<Access> &accesses) const {
  for (const Access &access : accesses) {
    int64_t size = getSize(access);
    if (access.first() < 0 || access.end() > size) {
      return fail(index, std::string(access.operand) + ": expected " +
                             getPlace(access) + " below " + getHex(size) +
                             ", found " +
                             (access.first() < 0 ? "-" + getHex(-access.first())
                                                 : getHex(access.first())) +
                             " to " + getHex(access.end()));
    }
  }
  return {};
}

Finding Check::expand(const Registers &registers) {
  Expander expander(program, registers, kMostChecked);
  while (expander.next()) {
    const Instruction &instruction = expander.current();
    if (const auto *fence = std::get_if<Fence>(&instruction.operation)) {
      QueueProgress::Fence one = {fence->queues, {}};
      for (unsigned queue = 0; queue < kQueues; ++queue) {
        one.before[queue] = static_cast<uint32_t>(sent[queue].size());
      }
      commands.fences.push_back(one);
      fenceIndices.push_back(expander.index());
    }
    if (instruction.queue == Queue::System) {
      continue;
    }
    Finding finding = checkBounds(expander.index(), getAccesses(instruction));
    if (!finding.ok()) {
      return finding;
    }
    unsigned queue = unsigned(instruction.queue);
    sent[queue].push_back({instruction, expander.index(), expander.order()});
    commands.queues[queue].push_back(
        {{instruction.wait[0], instruction.wait[1]},
         instruction.signal,
         static_cast<uint32_t>(commands.fences.size())});
  }
  return expander.finding();
}

Finding Check::reportRace(const QueueSchedule::Step &step, const Access &access,
                          const RaceDetector::Race &race) const {
  const Sent &one = get(step.command), &other = get(race.other);
  Finding finding = fail(
      one.index, std::string(access.operand) +
                     ": expected an order with instruction " +
                     std::to_string(other.index) + " (" +
                     getName(other.instruction.operation) + "), which " +
                     (race.isOtherWrite ? "writes" : "reads") +
                     " there, found none; both access " + getPlace(access) +
                     " " + getHex(race.begin) + " to " + getHex(race.end) +
                     " (fetches " + std::to_string(one.order) + " and " +
                     std::to_string(other.order) + ")");
  finding.other = other.index;
  return finding;
}

Finding Check::reportDeadlock(const QueueProgress &progress) const {
  for (unsigned queue = 0; queue < kQueues; ++queue) {
    const ScheduledCommand *command = progress.next(queue);
    // One that is behind a fence waits for what the others wait for.
    if (!command || command->fences > progress.fences()) {
      continue;
    }
    const Sent &one = sent[queue][progress.done(queue)];
    for (SemaphoreUse wait : command->wait) {
      uint64_t held = progress.held(wait.semaphore);
      if (held < wait.count) {
        return fail(one.index, "wait: expected semaphore " +
                                   std::to_string(wait.semaphore) +
                                   " to reach " + std::to_string(wait.count) +
                                   ", found that it stays " +
                                   std::to_string(held) + " (fetch " +
                                   std::to_string(one.order) + ")");
      }
    }
    return fail(one.index,
                "wait: expected semaphore " +
                    std::to_string(command->wait[0].semaphore) +
                    " to reach the sum of both, found that it stays " +
                    std::to_string(progress.held(command->wait[0].semaphore)) +
                    " (fetch " + std::to_string(one.order) + ")");
  }
  return fail(
      Status(StatusCode::Internal, "expected a queue that waits, found none"));
}

Finding Check::add(const QueueSchedule::Step &step) {
  const Sent &one = get(step.command);
  if (step.most > kMostSignals) {
    return fail(one.index,
                "semaphore " + std::to_string(step.semaphore) +
                    ": expected at most " + std::to_string(kMostSignals) +
                    ", found that it can reach " + std::to_string(step.most) +
                    " (fetch " + std::to_string(one.order) + ")");
  }
  for (const Access &access : getAccesses(one.instruction)) {
    std::optional<RaceDetector::Race> race =
        races.add(access, step.command, step.before);
    if (race) {
      return reportRace(step, access, *race);
    }
  }
  std::string error = slots->add(one.instruction);
  return error.empty() ? Finding() : fail(one.index, error);
}

Finding Check::followQueues() {
  QueueSchedule schedule(commands);
  while (true) {
    Result<std::optional<QueueSchedule::Step>> step = schedule.next();
    if (!step.ok()) {
      return fail(step.status());
    }
    if (!*step) {
      break;
    }
    Finding finding = add(**step);
    if (!finding.ok()) {
      return finding;
    }
  }
  const QueueProgress &progress = schedule.progress();
  if (!progress.isDone()) {
    return reportDeadlock(progress);
  }
  for (unsigned semaphore = 0; semaphore < kSemaphores; ++semaphore) {
    if (progress.held(semaphore) != 0) {
      return fail(Status(StatusCode::InvalidArgument,
                         "semaphore " + std::to_string(semaphore) +
                             ": expected 0 at the end of the program, found " +
                             std::to_string(progress.held(semaphore))));
    }
  }
  return {};
}

Finding Check::run(const Registers &registers) {
  Finding finding = findIllegal(program, config);
  if (!finding.ok()) {
    return finding;
  }
  slots.emplace(config);
  finding = expand(registers);
  return finding.ok() ? followQueues() : finding;
}

} // namespace

Finding npu::findConflict(const Program &program, const Config &config,
                          const Registers &registers,
                          const RegionSizes &sizes) {
  return Check(program, config, sizes).run(registers);
}

Status npu::check(const Program &program, const Config &config,
                  const Registers &registers, const RegionSizes &sizes) {
  return findConflict(program, config, registers, sizes).getStatus(program);
}
