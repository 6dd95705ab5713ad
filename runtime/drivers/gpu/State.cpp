// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/State.h"

#include "runtime/drivers/gpu/Work.h"

#include <algorithm>
#include <chrono>
#include <cstring>

using namespace umber;
using namespace umber::gpu;

namespace {

// Of a StepWords.
constexpr uint64_t kStepBytes = 8 * sizeof(uint32_t);
constexpr uint64_t kIdsOffset = kRangeAlignment;
static_assert(kStepBytes <= kIdsOffset, "the words come before the ids");

uint64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch() /
         std::chrono::nanoseconds(1);
}

} // namespace

Result<std::unique_ptr<DeviceState>> State::create(const Shared &shared,
                                                   int32_t capacity) {
  std::unique_ptr<State> state(new State(shared));
  if (Status status = state->allocate(capacity); !status.ok()) {
    return status;
  }
  state->addRows();
  if (Status status = state->setAdapters({}); !status.ok()) {
    return status;
  }
  return std::unique_ptr<DeviceState>(std::move(state));
}

Status State::allocate(int32_t capacity) {
  const Plan &plan = shared.plan;
  Device &device = shared.device;
  Result<Cache> created = Cache::create(device, plan.cache, capacity);
  if (!created.ok()) {
    return created.status();
  }
  cache = std::move(*created);
  uint64_t arenaBytes = kRangeAlignment;
  for (const PlannedProgram &program : plan.programs) {
    arenaBytes = std::max(arenaBytes, alignRange(program.arenaBytes));
  }
  uint64_t inputBytes =
      kIdsOffset + alignRange(uint64_t(plan.maxTokens()) * sizeof(int32_t));
  // Both factors have been verified to be small.
  uint64_t logitBytes = uint64_t(plan.maxTokens()) * plan.vocab * sizeof(float);
  if (logitBytes > device.maxRangeBytes()) {
    return Status(StatusCode::Unsupported,
                  device.name() + ": the logits of " +
                      std::to_string(plan.maxTokens()) + " tokens have " +
                      std::to_string(logitBytes) + " bytes, more than the " +
                      std::to_string(device.maxRangeBytes()) +
                      " that the device lets a kernel see");
  }
  uint64_t candidateBytes =
      uint64_t(plan.maxTokens()) * plan.candidates * sizeof(Candidate);
  struct Wanted {
    std::unique_ptr<Buffer> &buffer;
    uint64_t bytes;
    const char *purpose;
  };
  for (const Wanted &wanted :
       {Wanted{arena, arenaBytes, "activations"},
        Wanted{input, inputBytes, "token ids"},
        Wanted{logits, alignRange(logitBytes), "logits"},
        Wanted{candidates, alignRange(candidateBytes), "candidates"}}) {
    if (wanted.bytes == 0) {
      continue;
    }
    Result<std::unique_ptr<Buffer>> buffer =
        device.allocate(wanted.bytes, wanted.purpose);
    if (!buffer.ok()) {
      return buffer.status();
    }
    wanted.buffer = std::move(*buffer);
  }
  inputWords.resize(inputBytes / sizeof(uint32_t));
  Result<std::unique_ptr<Stream>> made =
      device.createStream(inputBytes, std::max(logitBytes, candidateBytes));
  if (!made.ok()) {
    return made.status();
  }
  stream = std::move(*made);
  return {};
}

void State::addRows() {
  for (const PlannedProgram &program : shared.plan.programs) {
    programs.push_back({&program, rows.size(), nullptr, nullptr});
    for (const PlannedDispatch &dispatch : program.dispatches) {
      DispatchProfile row = {};
      row.program = program.name.c_str();
      row.name = dispatch.name.c_str();
      row.layer = dispatch.layer;
      row.weightBytes = dispatch.weightBytes;
      row.flopsPerToken = dispatch.flopsPerToken;
      rows.push_back(row);
    }
  }
}

void State::setProfiling(bool on) {
  profiling = on;
  if (on) {
    rows.clear();
    std::vector<Program> recorded = std::move(programs);
    programs.clear();
    addRows();
    for (size_t i = 0; i < programs.size(); ++i) {
      programs[i].plain = std::move(recorded[i].plain);
      programs[i].timed = std::move(recorded[i].timed);
    }
  }
}

Status State::setTracing(size_t capacity) {
  tracing = false;
  if (capacity == 0) {
    trace = Trace();
    return {};
  }
  size_t fewest = SIZE_MAX;
  for (const Program &program : programs) {
    fewest = std::min(fewest, program.plan->dispatches.size());
  }
  Result<Trace> created = Trace::create(capacity, 1, fewest);
  if (!created.ok()) {
    return created.status();
  }
  trace = std::move(*created);
  tracing = true;
  return {};
}

uint64_t State::productBytes(const Stack &stack) const {
  return alignRange(std::max<uint64_t>(uint64_t(shared.plan.maxTokens()) *
                                           stack.largestRank * sizeof(float),
                                       1));
}

Status State::setAdapters(std::vector<ActiveAdapter> adapters) {
  Result<std::shared_ptr<const Stack>> made = shared.stacks.get(adapters);
  if (!made.ok()) {
    return made.status();
  }
  if (*made == stack) {
    return {};
  }
  uint64_t bytes =
      std::max(shared.plan.productSlots, 1u) * productBytes(**made);
  if (!products || products->size() < bytes) {
    Result<std::unique_ptr<Buffer>> buffer =
        shared.device.allocate(bytes, "adapters' ranks");
    if (!buffer.ok()) {
      return buffer.status();
    }
    products = std::move(*buffer);
  }
  stack = std::move(*made);
  for (Program &program : programs) {
    program.plain.reset();
    program.timed.reset();
  }
  return {};
}

Range State::resolve(const fbs::Binding &binding,
                     const PlannedProgram &program) const {
  const Plan &plan = shared.plan;
  switch (binding.kind()) {
  case fbs::BindingKind_Parameter:
    return shared.weights.parameter(binding.index());
  case fbs::BindingKind_Arena:
    return {arena.get(), binding.offset(),
            std::min(alignRange(program.arenaBytes) - binding.offset(),
                     shared.device.maxRangeBytes())};
  case fbs::BindingKind_Keys:
    return cache.keys(binding.index());
  case fbs::BindingKind_Values:
    return cache.values(binding.index());
  case fbs::BindingKind_TokenIds:
    return {input.get(), kIdsOffset, input->size() - kIdsOffset};
  case fbs::BindingKind_Step:
    return {input.get(), 0, kStepBytes};
  case fbs::BindingKind_Logits:
    return {logits.get(), 0,
            uint64_t(program.maxTokens) * plan.vocab * sizeof(float)};
  case fbs::BindingKind_Candidates:
    return {candidates.get(), 0, candidates->size()};
  case fbs::BindingKind_Adapters:
    return stack->sites[binding.index()];
  case fbs::BindingKind_Products: {
    uint64_t bytes = productBytes(*stack);
    return {products.get(), binding.offset() * bytes, bytes};
  }
  }
  return {};
}

Result<Recording *> State::recordingOf(Program &program, bool isTimed) {
  std::unique_ptr<Recording> &recording =
      isTimed ? program.timed : program.plain;
  if (!recording) {
    std::vector<Launch> launches;
    for (const PlannedDispatch &dispatch : program.plan->dispatches) {
      const fbs::Grid &grid = dispatch.grid;
      Launch launch = {dispatch.kernel,
                       {grid.x(), grid.y(), grid.z()},
                       grid.threads(),
                       {},
                       dispatch.withPrevious};
      for (const fbs::Binding &binding : dispatch.bindings) {
        launch.bindings.push_back(resolve(binding, *program.plan));
      }
      launches.push_back(std::move(launch));
    }
    Result<std::unique_ptr<Recording>> made =
        stream->record(launches, {input.get(), 0, input->size()}, isTimed);
    if (!made.ok()) {
      return made.status();
    }
    recording = std::move(*made);
  }
  return recording.get();
}

size_t State::programFor(int32_t tokens) const {
  // Narrowest first, and a step is never wider than the last.
  for (size_t i = 0; i < programs.size(); ++i) {
    if (programs[i].plan->maxTokens >= tokens) {
      return i;
    }
  }
  return programs.size() - 1;
}

void State::fillInput(const Step &step, int32_t selected) {
  inputWords[0] = uint32_t(step.position);
  inputWords[1] = uint32_t(step.tokens);
  inputWords[2] = uint32_t(step.outputs);
  inputWords[3] = uint32_t(cache.capacity());
  inputWords[4] = uint32_t(step.tokens - step.outputs);
  inputWords[5] = uint32_t(selected);
  std::memcpy(inputWords.data() + kIdsOffset / sizeof(uint32_t), step.ids,
              step.tokens * sizeof(int32_t));
}

void State::count(const Step &step, const Program &program,
                  const std::vector<uint64_t> &times, uint64_t begin,
                  uint64_t end) {
  const std::vector<PlannedDispatch> &dispatches = program.plan->dispatches;
  for (size_t i = 0; profiling && i < dispatches.size(); ++i) {
    countRun(dispatches[i], shared.plan.cache, step, times[i],
             rows[program.firstRow + i]);
  }
  Trace::Span *span = tracing ? trace.begin(program.firstRow, dispatches.size(),
                                            step.tokens, step.position)
                              : nullptr;
  if (!span) {
    return;
  }
  // The device's clock is another: its launches, back to back, end when the
  // host sees that they have.
  uint64_t rest = 0;
  for (uint64_t nanoseconds : times) {
    rest += nanoseconds;
  }
  for (uint64_t nanoseconds : times) {
    span->begin = std::max(begin, end - std::min(rest, end));
    rest -= nanoseconds;
    span->end = std::max(begin, end - std::min(rest, end));
    ++span;
  }
}

Status State::runInBatch(const Step &step, DeviceState &first,
                         const float **rows) {
  Range result = {logits.get(), 0,
                  uint64_t(step.outputs) * shared.plan.vocab * sizeof(float)};
  const void *read = nullptr;
  Status status = run(step, 0, result, static_cast<State &>(first), &read);
  if (status.ok()) {
    *rows = static_cast<const float *>(read);
  }
  return status;
}

Status State::runForCandidates(const Step &step, int32_t count,
                               const Candidate **rows) {
  uint64_t last = uint64_t(step.outputs - 1) * shared.plan.candidates;
  Range result = {candidates.get(), 0, (last + count) * sizeof(Candidate)};
  const void *read = nullptr;
  Status status = run(step, step.outputs, result, *this, &read);
  if (status.ok()) {
    *rows = static_cast<const Candidate *>(read);
  }
  return status;
}

Status State::run(const Step &step, int32_t selected, const Range &result,
                  State &counting, const void **read) {
  Program &program = programs[programFor(step.tokens)];
  bool isTimed = counting.profiling || counting.tracing;
  Result<Recording *> recording = recordingOf(program, isTimed);
  if (!recording.ok()) {
    return recording.status();
  }
  fillInput(step, selected);
  uint64_t begin = isTimed ? now() : 0;
  Status status = stream->run(**recording, inputWords.data(), result, read);
  if (!status.ok() || !isTimed) {
    return status;
  }
  uint64_t end = now();
  std::vector<uint64_t> times(program.plan->dispatches.size());
  status = stream->readTimes(**recording, times);
  counting.count(step, program, times, begin, end);
  return status;
}
