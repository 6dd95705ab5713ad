// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of PTX text on the software device.

#ifndef UMBER_TEST_UNIT_SOFTCUDA_FIXTURE_H
#define UMBER_TEST_UNIT_SOFTCUDA_FIXTURE_H

#include "runtime/drivers/cuda/CudaApi.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace umber::test {

class SoftCudaTest : public testing::Test {
protected:
  void SetUp() override;
  /// Ends the context, and with it what a launch has broken.
  void TearDown() override;

  /// A kernel "k" with the parameters "in" and "out", which %rd1 and %rd2 are,
  /// and %r0, the number of the thread. Registers are %p0 to %p9, %h0 to %h9 of
  /// 16 bits, %r0 to %r39 and %rd0 to %rd9.
  static std::string kernel(const std::string &body);

  /// The API's result; `message` has what it says of an error.
  cuda::CudaResult load(const std::string &text,
                        std::string *message = nullptr);

  /// Runs the kernel in one block; in and out are words, and out as many as it
  /// has before. The API's result, from whichever call.
  cuda::CudaResult run(const std::string &body, const std::vector<uint32_t> &in,
                       std::vector<uint32_t> &out, unsigned threads = 32);

  const cuda::CudaApi *api = nullptr;
  cuda::CudaModule module = nullptr;
  cuda::CudaStream stream = nullptr;
};

} // namespace umber::test

#endif // UMBER_TEST_UNIT_SOFTCUDA_FIXTURE_H
