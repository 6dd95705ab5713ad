// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-bench/Roofline.h"

#include <algorithm>
#include <numeric>

using namespace umber::tools;

const char *BoundTime::name() const {
  if (seconds() <= 0) {
    return "";
  }
  return memory > arithmetic ? "memory" : "arithmetic";
}

BoundTime umber::tools::getBound(const KernelProfile &work,
                                 const Bounds &bounds) {
  auto atMost = [](uint64_t amount, double speed) {
    return speed > 0 ? static_cast<double>(amount) / speed : 0;
  };
  // Integers and floating-point numbers share the units that multiply.
  return {atMost(work.bytes(), bounds.bytesPerSecond),
          atMost(work.integerOps, bounds.peak.integerOps) +
              atMost(work.floatOps, bounds.peak.floatOps)};
}

KernelProfile Roofline::total() const {
  KernelProfile sum;
  sum.name = "total";
  sum.nanoseconds = static_cast<uint64_t>(seconds * 1e9);
  for (const KernelProfile &kernel : kernels) {
    sum.runs += kernel.runs;
    sum.weightBytes += kernel.weightBytes;
    sum.cacheBytes += kernel.cacheBytes;
    sum.integerOps += kernel.integerOps;
    sum.floatOps += kernel.floatOps;
  }
  return sum;
}

double Roofline::memoryShare() const {
  return static_cast<double>(total().bytes()) / seconds /
         bounds->bytesPerSecond;
}

RooflineMeter::RooflineMeter(const umber_model *model, bool byLayer)
    : model(model), byLayer(byLayer), memory(modelInfo(model).threads),
      arithmetic(modelInfo(model).isa, modelInfo(model).threads) {
  if (umber_session_profile_count(createSession(model, 1).get()) == 0) {
    throw ToolError("the device " + std::string(modelInfo(model).device) +
                    " does not measure its kernels");
  }
}

void RooflineMeter::measureBounds() {
  memory.measure();
  arithmetic.measure();
  *bounds = {memory.bytesPerSecond(), arithmetic.peak()};
}

Roofline RooflineMeter::measure(Measurement test, int32_t repetitions) {
  TestRun runs(model, test);
  std::vector<std::vector<KernelProfile>> profiles;
  runs.prepare();
  runs.run();
  measureBounds();
  for (int32_t i = 0; i < repetitions; ++i) {
    runs.prepare();
    for (umber_session *session : runs.all()) {
      umber_session_set_profiling(session, 1);
    }
    test.seconds.push_back(runs.run());
    profiles.push_back(byLayer ? profileLayers(runs.all())
                               : profileKernels(runs.all()));
    measureBounds();
  }
  std::vector<size_t> order(profiles.size());
  std::iota(order.begin(), order.end(), 0);
  auto median = order.begin() + order.size() / 2;
  std::nth_element(order.begin(), median, order.end(), [&](size_t a, size_t b) {
    return test.seconds[a] < test.seconds[b];
  });
  Roofline roofline;
  roofline.test = test;
  roofline.seconds = test.seconds[*median];
  roofline.kernels = profiles[*median];
  roofline.bounds = bounds;
  return roofline;
}
