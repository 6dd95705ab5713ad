// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/NPU/Driver/Fixture.h"

#include "runtime/adapter/Values.h"
#include "runtime/drivers/npu/driver/NpuDriver.h"
#include "test/Unit/NPU/IsaFixture.h"
#include "test/Unit/Package/TestPackage.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

using namespace umber;
using namespace umber::npu;

namespace {

/// Where the parts of Region::Adapters are.
constexpr uint64_t kScalesAt = 0, kAAt = 64, kAByColumnsAt = 192, kBAt = 320;
constexpr uint64_t kAdapterBytes = kBAt + 2 * kVocab * kRank;
constexpr uint64_t kLogitsAt = 64;

/// ROWS, and what is as large as they are, stand for a step's.
constexpr char kProgram[] = R"(
load at=[0x0] dram=io[0x0] bytes=IDBYTES
gather indices=[0x0] to=[0x100] table=tables[0x0] bytes=64 stride=64 count=ROWS limit=8
load @load1 at=[0x40] dram=adapters[0x0] bytes=16
fence queues=load0,load1
weights from=weights[0x0] slot=0 bits=16 storage_bits=16 rows=8 columns=16
fence queues=weights
mm a=f32[0x100, 64] slot=0 c=f32[0x400, 32] rows=ROWS columns=8 inner=16 first last
fence queues=matrix
weights from=adapters[0x40] slot=0 bits=16 storage_bits=16 rows=4 columns=16
fence queues=weights
mm a=f32[0x100, 64] slot=0 c=f32[0x600, 16] rows=ROWS columns=4 inner=16 first last
fence queues=matrix
ew op=mul a=f32[0x600, 16] d=f32[0x600, 16] b=f32[0x40, 16] spread=row rows=ROWS columns=4
fence queues=vector
weights from=adapters[0x140] slot=0 bits=16 storage_bits=16 rows=8 columns=4
fence queues=weights
mm a=f32[0x600, 16] slot=0 c=f32[0x400, 32] rows=ROWS columns=8 inner=4 first last adds
set to=r8 from=r1 multiplier=16
append a=f32[0x100, 64] to=cache[0x0+r8] bits=32 heads=1 columns=4 rows=r2 head_stride=16 stride_from=r3
fence queues=matrix,cache
load at=[0x800] dram=cache[0x0] bytes=16
fence queues=load0
ew op=add a=f32[0x400, 32] d=f32[0x400, 32] b=f32[0x800, 16] spread=row rows=ROWS columns=4
fence queues=vector
set to=r9 from=r2 multiplier=32
add to=r9 from=r4 multiplier=-32
store at=[0x400+r9] dram=io[0x40] bytes=32 rows=r4 row_stride=32 at_row_stride=32
fence queues=store
stop
)";

StepProgram makeStep(const std::string &name, int64_t rows) {
  std::string text = kProgram;
  for (auto [word, value] :
       {std::pair<std::string, int64_t>{"ROWS", rows}, {"IDBYTES", 4 * rows}}) {
    for (size_t at; (at = text.find(word)) != std::string::npos;) {
      text.replace(at, word.size(), std::to_string(value));
    }
  }
  StepProgram step;
  step.name = name;
  step.rows = rows;
  step.program = getProgram(text);
  step.logits = kLogitsAt;
  step.ioBytes = kLogitsAt + 4 * kVocab * static_cast<uint64_t>(rows);
  return step;
}

/// Multiples of 1/8, which are exact in F16; their products are in F32.
std::vector<float> someNumbers(size_t count, uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<float> numbers(count);
  for (float &number : numbers) {
    number = (float(random() % 33) - 16) / 8;
  }
  return numbers;
}

std::vector<float> embedding() { return someNumbers(kVocab * kHidden, 1); }
std::vector<float> output() { return someNumbers(kVocab * kHidden, 2); }

template <typename T>
std::vector<uint8_t> bytesOf(const std::vector<T> &values) {
  const auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
  return std::vector<uint8_t>(bytes, bytes + sizeof(T) * values.size());
}

MatrixLayout matrixAt(uint64_t offset, int64_t rows, int64_t columns) {
  MatrixLayout matrix;
  matrix.region = Region::Adapters;
  matrix.elements = offset;
  matrix.rows = matrix.tileRows = rows;
  matrix.columns = matrix.tileColumns = columns;
  return matrix;
}

} // namespace

void DriverFixture::SetUp() {
  directory = testing::TempDir() + "umber-npu-driver-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
}

void DriverFixture::TearDown() { std::filesystem::remove_all(directory); }

Parts DriverFixture::makeParts() {
  Parts parts;
  ProgramFile &programs = parts.programs;
  programs.model = "tiny";
  programs.device = "ane-a17-like";
  for (const NamedConfig &named : kNamedConfigs) {
    if (named.name == programs.device) {
      programs.description = named.text;
    }
  }
  programs.contextLength = 64;
  std::vector<uint16_t> rounded(kVocab * kHidden);
  roundAllToF16(output().data(), rounded.data(), rounded.size());
  parts.weights = bytesOf(rounded);
  parts.tables = bytesOf(embedding());
  programs.weightBytes = parts.weights.size();
  programs.tableBytes = parts.tables.size();
  programs.adapterRank = kRank;
  programs.adapterBytes = kAdapterBytes;
  programs.adapterScales = kScalesAt;
  programs.sites.push_back({"l0.attn.q", matrixAt(kAAt, kRank, kHidden),
                            matrixAt(kAByColumnsAt, kRank, kHidden),
                            matrixAt(kBAt, kVocab, kRank)});
  programs.steps = {makeStep("prefill", kRows), makeStep("decode", 1)};

  fbs::PackageT &meta = parts.meta;
  meta.kind = fbs::PackageKind_Model;
  meta.producer = "a test";
  meta.model = std::make_unique<fbs::ModelInfoT>();
  meta.model->name = "tiny";
  meta.model->arch = "llama";
  meta.model->layers = 1;
  meta.model->context_length = 64;
  meta.model->vocab = kVocab;
  meta.cache = std::make_unique<fbs::CacheInfoT>();
  meta.cache->layers = 1;
  meta.cache->kv_heads = 1;
  meta.cache->head_dim = kCached;
  meta.cache->dtype = fbs::DType_F32;
  auto target = std::make_unique<fbs::TargetT>();
  target->name = kTarget;
  auto site = std::make_unique<fbs::AdapterSiteT>();
  site->name = "l0.attn.q";
  site->inputs = kHidden;
  site->outputs = kVocab;
  target->sites.push_back(std::move(site));
  meta.targets.push_back(std::move(target));
  return parts;
}

std::shared_ptr<Package> DriverFixture::makePackage(const Edit &edit) {
  Parts parts = makeParts();
  if (edit) {
    edit(parts);
  }
  if (parts.encoded.empty()) {
    auto encoded = writeProgramFile(parts.programs);
    EXPECT_TRUE(encoded.ok()) << encoded.status().message();
    parts.encoded = std::move(*encoded);
  }
  std::string path = directory + "/a.umb";
  std::vector<test::TestSegment> segments = {{fbs::SegmentKind_CommandStream,
                                              parts.segmentPrefix + ".programs",
                                              parts.encoded}};
  if (parts.hasImages) {
    segments.push_back({fbs::SegmentKind_Weights,
                        parts.segmentPrefix + ".weights", parts.weights});
    segments.push_back({fbs::SegmentKind_Tables,
                        parts.segmentPrefix + ".tables", parts.tables});
  }
  test::writeTestPackage(path, segments, std::move(parts.meta));
  auto package = Package::open(path);
  EXPECT_TRUE(package.ok()) << package.status().message();
  return package.ok() ? *package : nullptr;
}

Result<std::unique_ptr<DeviceModel>>
DriverFixture::tryLoad(const Edit &edit, LoadOptions options) {
  if (options.threads == 0) {
    options.threads = 1;
  }
  return NpuDriver().load(makePackage(edit), options);
}

std::unique_ptr<DeviceModel> DriverFixture::load(const Edit &edit) {
  auto model = tryLoad(edit);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(*model) : nullptr;
}

void DriverFixture::expectRefused(StatusCode code, const std::string &message,
                                  const Edit &edit, LoadOptions options) {
  auto model = tryLoad(edit, options);
  ASSERT_FALSE(model.ok()) << message;
  EXPECT_EQ(model.status().code(), code) << message;
  EXPECT_EQ(model.status().message(), message);
}

std::unique_ptr<DeviceState> DriverFixture::open(const DeviceModel &model,
                                                 int32_t capacity) {
  auto state = model.createState(capacity);
  EXPECT_TRUE(state.ok()) << state.status().message();
  return state.ok() ? std::move(*state) : nullptr;
}

std::vector<float> DriverFixture::run(DeviceState &state,
                                      std::vector<int32_t> ids,
                                      int32_t position, int32_t outputs) {
  const float *logits = nullptr;
  Status status =
      state.run({ids.data(), int32_t(ids.size()), position, outputs}, &logits);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? std::vector<float>(logits, logits + outputs * kVocab)
                     : std::vector<float>();
}

DriverFixture::Correction
DriverFixture::makeCorrection(int64_t rank, float scale, uint32_t seed) {
  return {rank, scale, someNumbers(rank * kHidden, seed),
          someNumbers(kVocab * rank, seed + 100)};
}

Result<std::shared_ptr<const DeviceAdapter>>
DriverFixture::tryLoadAdapter(const DeviceModel &model,
                              const Correction &correction) {
  auto bytes = [](const std::vector<float> &values) {
    return Bytes{reinterpret_cast<const uint8_t *>(values.data()),
                 sizeof(float) * values.size()};
  };
  AdapterPair pair;
  pair.site = "l0.attn.q";
  pair.dtype = fbs::DType_F32;
  pair.rank = correction.rank;
  pair.inputs = kHidden;
  pair.outputs = kVocab;
  pair.a = bytes(correction.a);
  pair.b = bytes(correction.b);
  pair.scale = correction.scale;
  auto adapter = std::make_shared<const Adapter>(
      AdapterInfo(), std::vector<AdapterPair>{pair}, nullptr);
  return model.loadAdapter(
      FittedAdapter::recovery(adapter, *model.adapterTarget()));
}

std::shared_ptr<const DeviceAdapter>
DriverFixture::loadAdapter(const DeviceModel &model,
                           const Correction &correction) {
  auto adapter = tryLoadAdapter(model, correction);
  EXPECT_TRUE(adapter.ok()) << adapter.status().message();
  return adapter.ok() ? *adapter : nullptr;
}

std::vector<float> DriverFixture::expectedLogits(
    int32_t first, int32_t id,
    const std::vector<std::pair<Correction, float>> &active) {
  std::vector<float> embeddings = embedding(), weights = output(), logits;
  const float *x = &embeddings[id * kHidden];
  for (int64_t o = 0; o < kVocab; ++o) {
    float sum = 0;
    for (int64_t i = 0; i < kHidden; ++i) {
      sum = std::fma(x[i], weights[o * kHidden + i], sum);
    }
    float added = 0;
    for (const auto &[correction, scale] : active) {
      for (int64_t r = 0; r < correction.rank; ++r) {
        float product = 0;
        for (int64_t i = 0; i < kHidden; ++i) {
          product = std::fma(x[i], correction.a[r * kHidden + i], product);
        }
        added = std::fma(product * (scale * correction.scale),
                         correction.b[o * correction.rank + r], added);
      }
    }
    float history = o < kCached ? embeddings[first * kHidden + o] : 0.0f;
    logits.push_back(sum + added + history);
  }
  return logits;
}
