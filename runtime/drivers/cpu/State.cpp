// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/State.h"

#include <algorithm>
#include <chrono>
#include <cstring>

using namespace umber;
using namespace umber::cpu;

namespace {

uint64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch() /
         std::chrono::nanoseconds(1);
}

Status assign(HostMemory &memory, uint64_t bytes, const char *purpose) {
  Result<HostMemory> allocated = HostMemory::allocate(bytes, purpose);
  if (!allocated.ok()) {
    return allocated.status();
  }
  memory = std::move(*allocated);
  return {};
}

void meetTeam(void *team) { static_cast<Team *>(team)->meet(); }

} // namespace

Result<std::unique_ptr<DeviceState>> State::create(const Plan &plan, Team &team,
                                                   LargePages &pages,
                                                   int32_t capacity) {
  std::unique_ptr<State> state(new State(plan, team, pages));
  if (Status status = state->allocate(capacity); !status.ok()) {
    return status;
  }
  state->bind();
  return std::unique_ptr<DeviceState>(std::move(state));
}

Status State::allocate(int32_t capacity) {
  Result<Cache> created = Cache::create(plan.cache, capacity);
  if (!created.ok()) {
    return created.status();
  }
  cache = std::move(*created);

  uint64_t arenaBytes = 0, scratchBytes = 0;
  for (const PlannedProgram &program : plan.programs) {
    arenaBytes = std::max(arenaBytes, program.arenaBytes);
    scratchBytes = std::max(scratchBytes, program.scratchBytes);
  }
  // Whole pages, so that no two workers write to the same cache line or page.
  scratchStride = (scratchBytes + 4095) / 4096 * 4096;
  uint64_t allScratch, logitBytes;
  if (__builtin_mul_overflow(scratchStride, uint64_t(team.size()),
                             &allScratch) ||
      __builtin_mul_overflow(uint64_t(plan.maxTokens()) * sizeof(float),
                             uint64_t(plan.vocab), &logitBytes)) {
    return Status(StatusCode::OutOfMemory,
                  "the session's buffers are larger than the address space");
  }
  if (Status status = assign(arena, arenaBytes, "activations"); !status.ok()) {
    return status;
  }
  if (Status status = assign(scratch, allScratch, "scratch memory");
      !status.ok()) {
    return status;
  }
  if (Status status = assign(ids, uint64_t(plan.maxTokens()) * sizeof(int32_t),
                             "token ids");
      !status.ok()) {
    return status;
  }
  if (Status status = assign(logits, logitBytes, "logits"); !status.ok()) {
    return status;
  }
  size_t widest = plan.maxTokens();
  rows.positions.resize(widest);
  rows.sequences.resize(widest);
  rows.capacities.resize(widest);
  rows.caches.resize(2 * size_t(plan.cache.layers) * widest);
  setSequence(0, *this);
  return {};
}

void State::setSequence(int32_t sequence, const State &state) {
  rows.capacities[sequence] = state.cache.capacity();
  for (uint32_t layer = 0; layer < plan.cache.layers; ++layer) {
    cachesOf(layer, false)[sequence] = state.cache.keys(layer);
    cachesOf(layer, true)[sequence] = state.cache.values(layer);
  }
}

void State::bind() {
  programs.reserve(plan.programs.size());
  size_t rows = 0;
  for (const PlannedProgram &planned : plan.programs) {
    Program program{&planned, {}, {}, rows};
    rows += planned.dispatches.size();
    for (const PlannedDispatch &dispatch : planned.dispatches) {
      program.dispatches.push_back(
          {dispatch.kernel, &dispatch, program.pointers.size()});
      for (const PlannedBinding &binding : dispatch.bindings) {
        program.pointers.push_back(resolve(binding));
      }
    }
    programs.push_back(std::move(program));
  }
  bindAdapters();
}

void State::bindAdapters() {
  std::vector<void **> pointers;
  for (Program &program : programs) {
    size_t at = 0;
    for (const PlannedDispatch &dispatch : program.plan->dispatches) {
      for (const PlannedBinding &binding : dispatch.bindings) {
        if (binding.place == PlannedBinding::Place::Adapters) {
          active.addBinding(binding.site, binding.slot);
          pointers.push_back(&program.pointers[at]);
        }
        ++at;
      }
    }
  }
  for (size_t i = 0; i < pointers.size(); ++i) {
    *pointers[i] = active.binding(i);
  }
}

void *State::resolve(const PlannedBinding &binding) {
  switch (binding.place) {
  case PlannedBinding::Place::Fixed:
    // Mapped read-only: a kernel that writes to a parameter faults.
    return const_cast<void *>(binding.address);
  case PlannedBinding::Place::Arena:
    return arena.data() + binding.offset;
  case PlannedBinding::Place::Keys:
    return cachesOf(binding.layer, false);
  case PlannedBinding::Place::Values:
    return cachesOf(binding.layer, true);
  case PlannedBinding::Place::TokenIds:
    return ids.data();
  case PlannedBinding::Place::Logits:
    return logits.data();
  case PlannedBinding::Place::Adapters:
    break; // bindAdapters
  }
  return nullptr;
}

State::Program &State::programFor(int32_t tokens) {
  // Narrowest first, and a step is never wider than the last.
  for (Program &program : programs) {
    if (program.plan->maxTokens >= tokens) {
      return program;
    }
  }
  return programs.back();
}

Status State::run(const Step &step, const float **out) {
  std::memcpy(ids.data(), step.ids, step.tokens * sizeof(int32_t));
  for (int32_t row = 0; row < step.tokens; ++row) {
    rows.positions[row] = int64_t(step.position) + row;
    rows.sequences[row] = 0;
  }
  active.setOwn();
  replay(step.tokens, step.outputs, step.tokens == 1);
  *out = reinterpret_cast<const float *>(logits.data());
  return {};
}

Status State::runBatch(const BatchRow *batch, int32_t count,
                       const float **out) {
  State &lead = *static_cast<State *>(batch->state);
  std::vector<const ActiveAdapters *> adapters;
  for (int32_t row = 0; row < count; ++row) {
    adapters.push_back(&static_cast<State *>(batch[row].state)->active);
  }
  if (Status status = lead.active.setRows(adapters); !status.ok()) {
    return status;
  }
  auto *ids = reinterpret_cast<int32_t *>(lead.ids.data());
  for (int32_t row = 0; row < count; ++row) {
    ids[row] = batch[row].id;
    lead.rows.positions[row] = batch[row].position;
    lead.rows.sequences[row] = row;
    if (row > 0) {
      lead.setSequence(row, *static_cast<const State *>(batch[row].state));
    }
  }
  lead.replay(count, out ? count : 0, true);
  // Each state's caller may keep its logits while others go on.
  size_t bytes = size_t(lead.plan.vocab) * sizeof(float);
  for (int32_t row = 0; out && row < count; ++row) {
    State &state = *static_cast<State *>(batch[row].state);
    if (row > 0) {
      std::memcpy(state.logits.data(), lead.logits.data() + row * bytes, bytes);
    }
    out[row] = reinterpret_cast<const float *>(state.logits.data());
  }
  return {};
}

void State::replay(int32_t tokens, int32_t outputs, bool isGenerated) {
  Replay replay = {};
  replay.state = this;
  replay.program = &programFor(tokens);
  replay.movesWeights = isGenerated;
  replay.args.tokens = tokens;
  replay.args.positions = rows.positions.data();
  replay.args.sequences = rows.sequences.data();
  replay.args.outputs = outputs;
  replay.args.capacities = rows.capacities.data();
  replay.args.workers = team.size();
  replay.args.scratch_stride = int64_t(scratchStride);
  replay.args.barrier = meetTeam;
  replay.args.barrier_state = &team;
  replay.spans =
      trace.begin(replay.program->firstRow, replay.program->dispatches.size(),
                  tokens, static_cast<int32_t>(rows.positions[0]));
  team.run(work, &replay);
}

void State::work(void *context, int worker) {
  const Replay &replay = *static_cast<Replay *>(context);
  State &state = *replay.state;
  Program &program = *replay.program;
  umber_kernel_args args = replay.args;
  args.worker = worker;
  args.scratch = state.scratch.data() + worker * state.scratchStride;
  bool profiled = state.profiling && worker == 0;
  Trace::Span *span = replay.spans;
  if (span) {
    span += worker * program.dispatches.size();
  }
  if (replay.movesWeights) {
    state.pages.moveNext();
  }
  uint64_t begin = profiled || span ? now() : 0;
  for (Dispatch &dispatch : program.dispatches) {
    args.bindings = program.pointers.data() + dispatch.firstBinding;
    dispatch.kernel(&args);
    if (span) {
      *span++ = {begin, now()};
    }
    state.team.meet();
    if (profiled || span) {
      uint64_t end = now();
      if (profiled) {
        state.count(dispatch, args, end - begin);
      }
      begin = end;
    }
  }
}

void State::count(Dispatch &dispatch, const umber_kernel_args &args,
                  uint64_t nanoseconds) {
  ++dispatch.runs;
  dispatch.nanoseconds += nanoseconds;
  dispatch.work += getWork(*dispatch.plan, plan.cache, args);
}

uint64_t State::cacheBytes(int32_t positions) const {
  return cache.packedBytes(positions);
}

Status State::readCache(int32_t positions, void *out) const {
  cache.pack(positions, static_cast<char *>(out));
  return {};
}

Status State::writeCache(int32_t positions, const void *in) {
  cache.unpack(positions, static_cast<const char *>(in));
  return {};
}

void State::setProfiling(bool on) {
  profiling = on;
  if (!on) {
    return;
  }
  for (Program &program : programs) {
    for (Dispatch &dispatch : program.dispatches) {
      dispatch.runs = dispatch.nanoseconds = 0;
      dispatch.work = {};
    }
  }
}

size_t State::profileCount() const {
  size_t count = 0;
  for (const Program &program : programs) {
    count += program.dispatches.size();
  }
  return count;
}

DispatchProfile State::profile(size_t index) const {
  for (const Program &program : programs) {
    if (index < program.dispatches.size()) {
      const Dispatch &dispatch = program.dispatches[index];
      const Work &work = dispatch.work;
      return {program.plan->name.c_str(),
              dispatch.plan->name.c_str(),
              dispatch.plan->layer,
              dispatch.runs,
              dispatch.nanoseconds,
              dispatch.plan->weightBytes,
              dispatch.plan->flopsPerToken,
              work.weightBytes,
              work.cacheBytes,
              work.integerOps,
              work.floatOps};
    }
    index -= program.dispatches.size();
  }
  return {};
}

Status State::setTracing(size_t capacity) {
  if (capacity == 0) {
    trace = Trace();
    return {};
  }
  size_t fewest = programs.front().dispatches.size();
  for (const Program &program : programs) {
    fewest = std::min(fewest, program.dispatches.size());
  }
  Result<Trace> created = Trace::create(capacity, team.size(), fewest);
  if (!created.ok()) {
    return created.status();
  }
  trace = std::move(*created);
  return {};
}
