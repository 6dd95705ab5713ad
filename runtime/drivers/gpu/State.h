// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One session on a GPU: its buffers, and the replay of programs on them.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_STATE_H
#define UMBER_RUNTIME_DRIVERS_GPU_STATE_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/Trace.h"
#include "runtime/drivers/gpu/Adapters.h"
#include "runtime/drivers/gpu/Cache.h"
#include "runtime/drivers/gpu/Plan.h"
#include "runtime/drivers/gpu/Weights.h"

namespace umber::gpu {

/// What the sessions of a model share.
struct Shared {
  Device &device;
  const Plan &plan;
  const Weights &weights;
  Stacks &stacks;
};

/// Programs are recorded when they first run, and again only after the active
/// adapters have changed; a step writes its words and ids, and nothing else.
class State : public DeviceState {
public:
  /// What `shared` refers to outlives the state.
  static Result<std::unique_ptr<DeviceState>> create(const Shared &shared,
                                                     int32_t capacity);

  Status run(const Step &step, const float **logits) override {
    return runInBatch(step, *this, logits);
  }
  Status runForCandidates(const Step &step, int32_t count,
                          const Candidate **rows) override;
  Status runInBatch(const Step &step, DeviceState &first,
                    const float **logits) override;
  Status setAdapters(std::vector<ActiveAdapter> adapters) override;
  uint64_t cacheBytes(int32_t positions) const override {
    return shared.plan.cache.savedBytes(positions);
  }
  Status readCache(int32_t positions, void *out) const override {
    return cache.save(shared.device, positions, static_cast<char *>(out));
  }
  Status writeCache(int32_t positions, const void *in) override {
    return cache.restore(shared.device, positions,
                         static_cast<const char *>(in));
  }
  void setProfiling(bool on) override;
  size_t profileCount() const override { return rows.size(); }
  DispatchProfile profile(size_t index) const override { return rows[index]; }
  Status setTracing(size_t capacity) override;
  size_t traceCount() const override { return trace.count(); }
  uint64_t traceDropped() const override { return trace.dropped(); }
  TraceEvent traceEvent(size_t index) const override {
    return trace.event(index);
  }

private:
  /// Runs a step, `selected` of whose rows get candidates, reads the result and
  /// counts it in what `counting` measures.
  Status run(const Step &step, int32_t selected, const Range &result,
             State &counting, const void **read);

  struct Program {
    const PlannedProgram *plan;
    size_t firstRow; // of the profile
    std::unique_ptr<Recording> plain, timed;
  };

  explicit State(const Shared &shared) : shared(shared) {}
  Status allocate(int32_t capacity);
  void addRows();
  size_t programFor(int32_t tokens) const;
  Result<Recording *> recordingOf(Program &program, bool isTimed);
  Range resolve(const fbs::Binding &binding,
                const PlannedProgram &program) const;
  void fillInput(const Step &step, int32_t selected);
  /// Adds a step to the profile and the trace: what each of its launches took,
  /// and when the host saw it begin and end.
  void count(const Step &step, const Program &program,
             const std::vector<uint64_t> &times, uint64_t begin, uint64_t end);
  /// Of one slot for this stack.
  uint64_t productBytes(const Stack &stack) const;

  Shared shared;
  std::unique_ptr<Stream> stream;
  Cache cache;
  std::unique_ptr<Buffer> arena; // shared by programs: each starts from the ids
  std::unique_ptr<Buffer> input; // a StepWords and, behind it, the ids
  std::unique_ptr<Buffer> logits;
  std::unique_ptr<Buffer> candidates; // null if the programs select none
  std::unique_ptr<Buffer> products;
  std::shared_ptr<const Stack> stack;
  std::vector<uint32_t> inputWords;
  std::vector<Program> programs; // as in the plan
  std::vector<DispatchProfile> rows;
  bool profiling = false, tracing = false;
  Trace trace;
};

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_STATE_H
