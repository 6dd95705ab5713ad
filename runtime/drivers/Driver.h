// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime asks of a device. A new device copies runtime/drivers/null,
// fills it in until runtime/cts passes, and adds itself to Drivers.cpp.
//
//   Driver       a kind of device in this build; knows whether it is here
//   DeviceModel  a package made ready for it: immutable, used by many threads
//   DeviceState  one session's cache and buffers: used by one thread at a time
//
// The runtime's core checks everything that it can before it calls a driver:
// token ids are in range, positions fit, steps are no larger than maxTokens.

#ifndef UMBER_RUNTIME_DRIVERS_DRIVER_H
#define UMBER_RUNTIME_DRIVERS_DRIVER_H

#include "runtime/drivers/Candidate.h"
#include "runtime/package/Status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace umber {

class FittedAdapter;
class Package;

namespace fbs {
struct Package;
struct Target;
} // namespace fbs

/// One run of a program: `tokens` rows of activations at once.
struct Step {
  /// Token ids, `tokens` of them, each in [0, vocab).
  const int32_t *ids;
  /// 1 ... DeviceModel::maxTokens().
  int32_t tokens;
  /// How many tokens came before these. The cache holds exactly their keys and
  /// values; what it holds from here on is stale and gets overwritten.
  int32_t position;
  /// How many of the last rows need logits: 0 ... tokens.
  int32_t outputs;
};

class DeviceState;

/// A token that is appended to one of several sequences in one step.
struct BatchRow {
  DeviceState *state;
  int32_t id;       ///< in [0, vocab)
  int32_t position; ///< as Step::position, in that state
};

/// Time spent in one dispatch of one program, summed over steps.
struct DispatchProfile {
  const char *program;
  const char *name;
  int32_t layer; // -1 outside the layers
  uint64_t runs;
  uint64_t nanoseconds;
  uint64_t weightBytes;
  uint64_t flopsPerToken;
  // In all runs:
  uint64_t weightBytesRead;
  uint64_t cacheBytesRead;
  uint64_t integerOps;
  uint64_t floatOps;
};

/// One dispatch as one worker ran it; times are of CLOCK_MONOTONIC.
struct TraceEvent {
  size_t dispatch; // its row of the profile
  int32_t worker;
  int32_t tokens;
  int32_t position;
  uint64_t beginNanoseconds;
  uint64_t endNanoseconds;
};

/// An adapter's matrices made ready for a device.
class DeviceAdapter {
public:
  virtual ~DeviceAdapter() = default;
  /// Of memory that it takes.
  virtual uint64_t bytes() const = 0;
  /// Of a value of its matrices.
  virtual int bits() const = 0;
};

/// What a session adds to its model: scale times an adapter.
struct ActiveAdapter {
  std::shared_ptr<const DeviceAdapter> adapter;
  float scale;
};

class DeviceState {
public:
  virtual ~DeviceState() = default;

  /// Runs one step and, if it has outputs, points `logits` to [outputs][vocab]
  /// f32 that stay valid until the next call. A step that fails leaves the
  /// cache of earlier positions intact.
  virtual Status run(const Step &step, const float **logits) = 0;
  /// Runs one step with outputs and points `rows` to [outputs][candidates()] of
  /// the model's, of which each row's first `count`, 1 ... candidates(), are
  /// there: the first of its logits in the order of IsBefore. They stay valid
  /// until the next call. Only of a model that selects some.
  virtual Status runForCandidates(const Step &step, int32_t count,
                                  const Candidate **rows) {
    return Status(StatusCode::Unsupported, "the device selects no candidates");
  }
  /// run() as a part of a batch, counted in the profile and the trace of its
  /// first state, if those are on. Of a device that measures nothing, run().
  virtual Status runInBatch(const Step &step, DeviceState &first,
                            const float **logits) {
    return run(step, logits);
  }

  /// Makes these active for all later steps. Only those that the model has
  /// made, and none for a device without. A call that fails changes nothing.
  virtual Status setAdapters(std::vector<ActiveAdapter> adapters) { return {}; }

  /// What the first `positions` tokens left in the cache, as bytes that say the
  /// same in every state of the model, whatever its capacity: for saving a
  /// session. `positions` is at most the capacity; `out` and `in` have
  /// cacheBytes(positions) bytes.
  virtual uint64_t cacheBytes(int32_t positions) const = 0;
  virtual Status readCache(int32_t positions, void *out) const = 0;
  virtual Status writeCache(int32_t positions, const void *in) = 0;

  /// Measuring of dispatches; a device that cannot returns no rows.
  virtual void setProfiling(bool on) {}
  virtual size_t profileCount() const { return 0; }
  virtual DispatchProfile profile(size_t index) const { return {}; }

  /// Recording of up to `capacity` events, from nothing; 0 stops and forgets.
  /// A device that cannot records none.
  virtual Status setTracing(size_t capacity) { return {}; }
  virtual size_t traceCount() const { return 0; }
  virtual uint64_t traceDropped() const { return 0; }
  virtual TraceEvent traceEvent(size_t index) const { return {}; }
};

class DeviceModel {
public:
  virtual ~DeviceModel() = default;

  /// The most rows that one step can take.
  virtual int32_t maxTokens() const = 0;
  virtual int32_t threads() const = 0;
  /// The instruction set in use; empty where a device has none.
  virtual const std::string &isa() const = 0;
  /// Whether steps take a simulator's time, not the device's.
  virtual bool isSimulated() const { return false; }
  /// Bytes of all parameters that the device reads.
  virtual uint64_t weightBytes() const = 0;
  /// How many candidates of a row the device selects itself; 0: it gives all
  /// logits, and nothing else.
  virtual int32_t candidates() const { return 0; }
  /// Names the meaning of DeviceState's cache bytes. Devices that name the same
  /// layout can restore each other's sessions.
  virtual const char *cacheLayout() const = 0;

  /// The target whose sites adapters can correct, null for a device without.
  virtual const fbs::Target *adapterTarget() const { return nullptr; }
  /// Makes an adapter that fits that target ready. Any thread may, whatever
  /// others do with the model.
  virtual Result<std::shared_ptr<const DeviceAdapter>>
  loadAdapter(const FittedAdapter &adapter) const {
    return Status(StatusCode::Unsupported, "the device takes no adapters");
  }

  /// A state with room for `capacity` >= 1 positions. The model outlives it.
  virtual Result<std::unique_ptr<DeviceState>>
  createState(int32_t capacity) const = 0;

  /// Runs one step whose `count` rows, 1 ... maxTokens(), are each the next
  /// token of another of this model's states. If `logits` is not null, it has
  /// `count` elements, which are pointed to each state's [vocab] f32: bit for
  /// bit what run() gives for a step of that token alone, and as long valid. A
  /// step that fails leaves the caches of earlier positions intact. Unless a
  /// device knows better, rows run one after the other. A device that
  /// multiplies by its weights makes all rows' products at once, which is what
  /// batches are for.
  virtual Status runBatch(const BatchRow *rows, int32_t count,
                          const float **logits) const;
};

struct DeviceDescription {
  std::string name;        // what users pass as --device
  std::string description; // one line for people
  int32_t defaultThreads = 1;
};

/// UMBER_WEIGHTS_... of umber.h.
enum class WeightsMemory : int32_t { Best = 0, Mapped = 1, Copied = 2 };

struct LoadOptions {
  std::string variant; // of the device, see findDriver; empty: none named
  int32_t threads = 0; // 0: the device's default
  WeightsMemory weights = WeightsMemory::Best;
  std::string isa;         // empty: the best that the machine runs
  int32_t adapterBits = 0; // of a value of an adapter: 8, 16 or 0, either
};

class Driver {
public:
  virtual ~Driver() = default;
  virtual const char *name() const = 0;
  /// Whether it is several devices, of which LoadOptions::variant names one.
  virtual bool hasVariants() const { return false; }
  /// NotFound if this machine has no such device.
  virtual Result<DeviceDescription> describe() const = 0;
  /// Makes a verified package ready. The model keeps the package alive.
  virtual Result<std::unique_ptr<DeviceModel>>
  load(std::shared_ptr<const Package> package,
       const LoadOptions &options) const = 0;
};

/// The drivers of this build, the default one first; they live forever.
std::vector<const Driver *> allDrivers();

/// A device as users name it: `cpu`, or `npu:ENGINE`.
struct FoundDriver {
  const Driver *driver;
  std::string variant; ///< behind the colon, if there is one
};

/// The driver of that name (or the default one, if empty). NotFound, with the
/// names there are; InvalidArgument for a variant where there are none.
Result<FoundDriver> findDriver(const std::string &name);

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_DRIVER_H
