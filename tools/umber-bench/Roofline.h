// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How near a model's kernels come to what the machine can do (Williams,
// Waterman, Patterson: Roofline, CACM 2009).

#ifndef UMBER_TOOLS_UMBER_BENCH_ROOFLINE_H
#define UMBER_TOOLS_UMBER_BENCH_ROOFLINE_H

#include "tools/common/KernelProfile.h"
#include "tools/umber-bench/Bandwidth.h"
#include "tools/umber-bench/Measure.h"
#include "tools/umber-bench/Peak.h"

#include <memory>

namespace umber::tools {

/// What a machine can do at most, with so many threads.
struct Bounds {
  double bytesPerSecond = 0;
  Peak peak;
};

/// The shortest that so much work can take, in seconds.
struct BoundTime {
  double memory = 0;     ///< all bytes, at the memory's bandwidth
  double arithmetic = 0; ///< all multiplications and additions, at the peak's

  double seconds() const { return memory > arithmetic ? memory : arithmetic; }
  /// "memory", "arithmetic", or empty if there is no work.
  const char *name() const;
};
BoundTime getBound(const KernelProfile &work, const Bounds &bounds);

/// A test and where its time went.
struct Roofline {
  /// All repetitions, as without profiling.
  Measurement test;
  /// Of the repetition whose time is the median.
  double seconds = 0;
  std::vector<KernelProfile> kernels;
  /// Of the machine while all of a model's tests ran.
  std::shared_ptr<const Bounds> bounds;

  /// The whole test: all kernels' work, in `seconds`.
  KernelProfile total() const;
  /// Which part of the memory's bandwidth the whole test used.
  double memoryShare() const;
};

/// Measures bounds and rooflines of one model: bounds before and after each
/// repetition, so that all see the same machine.
class RooflineMeter {
public:
  /// ToolError if the model's device does not profile its kernels.
  /// `byLayer`: the same kernel of all layers is not one.
  RooflineMeter(const umber_model *model, bool byLayer);

  Roofline measure(Measurement test, int32_t repetitions);

private:
  void measureBounds();

  const umber_model *model;
  bool byLayer;
  MemoryReader memory;
  PeakMeter arithmetic;
  std::shared_ptr<Bounds> bounds = std::make_shared<Bounds>();
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_ROOFLINE_H
