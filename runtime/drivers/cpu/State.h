// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One session on the CPU: its buffers, and the replay of dispatches on them.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_STATE_H
#define UMBER_RUNTIME_DRIVERS_CPU_STATE_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/Trace.h"
#include "runtime/drivers/cpu/Adapters.h"
#include "runtime/drivers/cpu/Cache.h"
#include "runtime/drivers/cpu/LargePages.h"
#include "runtime/drivers/cpu/Plan.h"
#include "runtime/drivers/cpu/Team.h"
#include "runtime/drivers/cpu/Work.h"

namespace umber::cpu {

/// A step is one parallel call: every worker walks the whole list of dispatches
/// and meets the others after each. All pointers are resolved when the state is
/// created; a step allocates nothing.
class State : public DeviceState {
public:
  /// `plan`, `team` and `pages`, which are the plan's weights', outlive the
  /// state.
  static Result<std::unique_ptr<DeviceState>>
  create(const Plan &plan, Team &team, LargePages &pages, int32_t capacity);

  Status run(const Step &step, const float **logits) override;
  /// DeviceModel::runBatch, in the buffers of the first row's state. All states
  /// are of one plan and team.
  static Status runBatch(const BatchRow *rows, int32_t count,
                         const float **logits);
  Status setAdapters(std::vector<ActiveAdapter> adapters) override {
    return active.set(std::move(adapters));
  }
  uint64_t cacheBytes(int32_t positions) const override;
  Status readCache(int32_t positions, void *out) const override;
  Status writeCache(int32_t positions, const void *in) override;
  void setProfiling(bool on) override;
  size_t profileCount() const override;
  DispatchProfile profile(size_t index) const override;
  Status setTracing(size_t capacity) override;
  size_t traceCount() const override { return trace.count(); }
  uint64_t traceDropped() const override { return trace.dropped(); }
  TraceEvent traceEvent(size_t index) const override {
    return trace.event(index);
  }

private:
  struct Dispatch {
    umber_kernel_fn kernel;
    const PlannedDispatch *plan;
    size_t firstBinding; // in the program's pointers
    uint64_t runs = 0;
    uint64_t nanoseconds = 0;
    Work work = {};
  };
  struct Program {
    const PlannedProgram *plan;
    std::vector<void *> pointers;
    std::vector<Dispatch> dispatches;
    size_t firstRow; // of the profile
  };
  /// What the workers of one step share.
  struct Replay {
    State *state;
    Program *program;
    umber_kernel_args args; // of worker 0
    Trace::Span *spans;     // of worker 0; null: not recorded
    bool movesWeights;      // each worker moves a page
  };

  State(const Plan &plan, Team &team, LargePages &pages)
      : plan(plan), team(team), pages(pages),
        active(plan.maxTokens(), plan.adapterSlots) {}
  /// What kernels are told of a step's rows and sequences, and where the
  /// programs' bindings of keys and values point to.
  struct Rows {
    std::vector<int64_t> positions, sequences; // of each row
    std::vector<int64_t> capacities;           // of each sequence
    /// [layers][keys, values][sequences], of which the first is this state.
    std::vector<void *> caches;
  };

  Status allocate(int32_t capacity);
  /// The addresses of a layer's keys or values in each sequence.
  void **cachesOf(uint32_t layer, bool values) {
    return rows.caches.data() + (2 * size_t(layer) + values) * plan.maxTokens();
  }
  /// Makes `state` sequence `sequence` of the next step.
  void setSequence(int32_t sequence, const State &state);
  void bind();
  void *resolve(const PlannedBinding &binding);
  void bindAdapters();
  Program &programFor(int32_t tokens);
  /// Runs the first `tokens` of `ids` and `rows`. When tokens are generated,
  /// workers move weights first: a prompt has someone wait for its first token.
  void replay(int32_t tokens, int32_t outputs, bool isGenerated);
  static void work(void *replay, int worker);
  /// Adds a run to the profile.
  void count(Dispatch &dispatch, const umber_kernel_args &args,
             uint64_t nanoseconds);

  const Plan &plan;
  Team &team;
  LargePages &pages;
  ActiveAdapters active;
  Cache cache;
  HostMemory arena; // shared by all programs: each starts from the ids
  HostMemory scratch;
  uint64_t scratchStride = 0;
  HostMemory ids;
  HostMemory logits;
  Rows rows;
  std::vector<Program> programs; // as in the plan
  bool profiling = false;
  Trace trace;
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_STATE_H
