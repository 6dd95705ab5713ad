// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/SoftCuda/Fixture.h"

using namespace umber;
using namespace umber::cuda;
using namespace umber::test;

void SoftCudaTest::SetUp() {
  const Result<CudaApi> &found = cudaApi();
  ASSERT_TRUE(found.ok()) << found.status().message();
  api = &*found;
  char name[64] = "";
  ASSERT_EQ(api->cuDeviceGetName(name, sizeof name, 0), 0);
  ASSERT_STREQ(name, "Umber software device");
  CudaContext context = nullptr;
  ASSERT_EQ(api->cuDevicePrimaryCtxRetain(&context, 0), 0);
  ASSERT_EQ(api->cuCtxPushCurrent_v2(context), 0);
  ASSERT_EQ(api->cuStreamCreate(&stream, kStreamNonBlocking), 0);
}

void SoftCudaTest::TearDown() {
  CudaContext popped = nullptr;
  EXPECT_EQ(api->cuCtxPopCurrent_v2(&popped), 0);
  EXPECT_EQ(api->cuDevicePrimaryCtxRelease_v2(0), 0);
}

std::string SoftCudaTest::kernel(const std::string &body) {
  return R"(.version 7.4
.target sm_80
.address_size 64
.visible .entry k(.param .u64 in, .param .u64 out)
{
  .reg .pred %p<10>;
  .reg .b16 %h<10>;
  .reg .b32 %r<40>;
  .reg .b64 %rd<10>;
  ld.param.u64 %rd1, [in];
  ld.param.u64 %rd2, [out];
  mov.u32 %r0, %tid.x;
)" + body +
         "\n}\n";
}

CudaResult SoftCudaTest::load(const std::string &text, std::string *message) {
  char log[256] = "";
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  CudaResult result =
      api->cuModuleLoadDataEx(&module, text.c_str(), 2, options, values);
  if (message) {
    *message = log;
  }
  return result;
}

CudaResult SoftCudaTest::run(const std::string &body,
                             const std::vector<uint32_t> &in,
                             std::vector<uint32_t> &out, unsigned threads) {
  std::string message;
  EXPECT_EQ(load(kernel(body), &message), 0) << message;
  if (!message.empty()) {
    return -1;
  }
  CudaFunction function = nullptr;
  EXPECT_EQ(api->cuModuleGetFunction(&function, module, "k"), 0);
  CudaAddress addresses[2] = {};
  size_t bytes[2] = {4 * in.size(), 4 * out.size()};
  for (int i : {0, 1}) {
    EXPECT_EQ(api->cuMemAlloc_v2(&addresses[i], bytes[i]), 0);
  }
  EXPECT_EQ(
      api->cuMemcpyHtoDAsync_v2(addresses[0], in.data(), bytes[0], stream), 0);
  void *parameters[] = {&addresses[0], &addresses[1]};
  CudaResult result = api->cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, 0,
                                          stream, parameters, nullptr);
  if (result == 0) {
    result =
        api->cuMemcpyDtoHAsync_v2(out.data(), addresses[1], bytes[1], stream);
  }
  return result != 0 ? result : api->cuStreamSynchronize(stream);
}
