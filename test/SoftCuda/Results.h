// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Results of the CUDA driver API, as its reference manual numbers them.

#ifndef UMBER_TEST_SOFTCUDA_RESULTS_H
#define UMBER_TEST_SOFTCUDA_RESULTS_H

namespace umber::softcuda {

constexpr int kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2,
              kNotInitialized = 3, kInvalidDevice = 101, kInvalidContext = 201,
              kInvalidPtx = 218, kUnsupportedPtxVersion = 222,
              kInvalidHandle = 400, kNotFound = 500, kNotReady = 600,
              kIllegalAddress = 700, kLaunchOutOfResources = 701,
              kLaunchTimeout = 702, kMisalignedAddress = 716,
              kLaunchFailed = 719, kCaptureUnsupported = 900;

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_RESULTS_H
