// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Low-rank adapters on the CPU: their matrices as kernels read them, and which
// of them are active for a session's rows.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_ADAPTERS_H
#define UMBER_RUNTIME_DRIVERS_CPU_ADAPTERS_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/HostMemory.h"
#include "runtime/drivers/cpu/Plan.h"
#include "umber/umber_abi.h"

#include <algorithm>

namespace umber::cpu {

/// An adapter's matrices as kernels read them: see umber_low_rank. Immutable.
class PackedAdapter : public DeviceAdapter {
public:
  /// Packs an adapter, with several threads, in `bits` a value, 8 or 16; in 16
  /// also if it has values that 8 bits cannot hold (packAdapter).
  /// OutOfMemory.
  static Result<std::shared_ptr<const DeviceAdapter>>
  create(const Plan &plan, const FittedAdapter &adapter, int bits);

  /// Of a site; its rank is 0 where the adapter has none.
  const umber_low_rank &at(uint32_t site) const { return sites[site]; }
  int64_t largestRank() const { return largest; }
  uint64_t bytes() const override { return memory.size(); }
  int bits() const override { return width; }

private:
  std::vector<umber_low_rank> sites; // rows and columns are unset
  int64_t largest = 0;
  int width = 0; // in bits
  HostMemory memory;
};

/// What kernels are told of the active adapters: a umber_adapter_site for every
/// binding of one in a state's programs.
class ActiveAdapters {
public:
  /// Kernels of programs of up to `maxTokens` rows may have `slots` sites each.
  ActiveAdapters(int32_t maxTokens, uint32_t slots)
      : maxTokens(maxTokens), slots(slots) {}

  /// Adds the site of a binding, of which it is number `slot` in its kernel.
  void addBinding(uint32_t site, uint32_t slot);
  /// All have been added: their addresses, in that order, no longer change.
  umber_adapter_site *binding(size_t index) { return &bindings[index].abi; }

  /// Makes these active for all rows. A call that fails changes nothing.
  /// OutOfMemory.
  Status set(std::vector<ActiveAdapter> adapters);

  /// For the next step, row i has the adapters of rows[i]. OutOfMemory.
  Status setRows(const std::vector<const ActiveAdapters *> &rows);
  /// For the next step, all rows have this state's own.
  void setOwn();

private:
  /// When a kernel comes to it, none of it is in the processor's caches: what
  /// it needs first is all together.
  struct alignas(128) Binding {
    umber_adapter_site abi = {};
    umber_low_rank single; ///< used instead of `adapters` if there is one
    std::vector<umber_low_rank> adapters;
    uint32_t site, slot;
  };

  /// Of a site's products: of each row or, of a single row, each of two
  /// workers.
  int64_t productRows() const { return std::max(maxTokens, 2); }
  static int64_t width(const std::vector<ActiveAdapter> &adapters);
  Status reserve(int64_t width);
  bool areSame(const ActiveAdapters &other) const;
  /// Appends this state's adapters of a site for some rows.
  void append(uint32_t site, int64_t firstRow, int64_t rows,
              std::vector<umber_low_rank> &to) const;
  void publish(Binding &binding);

  int32_t maxTokens;
  uint32_t slots;
  std::vector<Binding> bindings;
  std::vector<ActiveAdapter> active;
  bool isOwn = true;
  // [slots][productRows()][stride] f32: products with A.
  HostMemory products;
  int64_t stride = 0;
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_ADAPTERS_H
