// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a step costs the host: the CPU column, which is of the calling thread,
// for a program of as many launches as a small model has. On a device in
// software the other column is mostly the device's.

#include "runtime/drivers/Driver.h"
#include "test/Unit/GPU/Fixture.h"

#include <benchmark/benchmark.h>
#include <cstring>

using namespace umber;
using namespace umber::test;

namespace {

struct Packages : GpuFixture {
  Packages() { SetUp(); }
  ~Packages() override { TearDown(); }
  void TestBody() override {}

  std::shared_ptr<const Package> make(const std::string &device,
                                      int64_t launches) {
    bool isVulkan = device.rfind("vulkan", 0) == 0;
    std::string code = readKernels(isVulkan ? "kernels.spv" : "kernels.ptx");
    return makePackage(
        isVulkan ? "spirv1.3" : "ptx-sm_80", isVulkan ? code : code + '\0',
        [&](fbs::PackageT &p) {
          auto &all = p.targets[0]->programs[1]->dispatches;
          while (int64_t(all.size()) < launches) {
            all.insert(all.begin(), std::make_unique<fbs::DispatchT>(*all[0]));
          }
        });
  }
};

void decode(benchmark::State &bench, const Driver *driver) {
  Packages packages;
  auto model = driver->load(packages.make(driver->name(), bench.range(0)), {});
  if (!model.ok()) {
    bench.SkipWithError(model.status().message().c_str());
    return;
  }
  auto state = (*model)->createState(512);
  int32_t id = 1, position = 0;
  const float *logits = nullptr;
  for (auto _ : bench) {
    Status status = (*state)->run({&id, 1, position, 1}, &logits);
    if (!status.ok()) {
      bench.SkipWithError(status.message().c_str());
      return;
    }
    position = (position + 1) % 512;
  }
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  for (const Driver *driver : allDrivers()) {
    if (std::strchr(driver->name(), ':')) {
      benchmark::RegisterBenchmark(driver->name(), decode, driver)
          ->Arg(4)
          ->Arg(300)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
