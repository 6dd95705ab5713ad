// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/GPU/Fixture.h"

#include "test/Unit/Package/TestPackage.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace umber;
using namespace umber::test;

namespace {

std::unique_ptr<fbs::ParameterT>
makeParameter(const std::string &name, uint64_t elements, uint64_t offset) {
  auto parameter = std::make_unique<fbs::ParameterT>();
  parameter->name = name;
  parameter->dtype = fbs::DType_I32;
  parameter->shape = {elements};
  parameter->layout = "row";
  parameter->segment = 1;
  parameter->offset = offset;
  parameter->size = elements * sizeof(uint32_t);
  return parameter;
}

std::unique_ptr<fbs::DispatchT> makeDispatch(uint32_t kernel, uint32_t x,
                                             std::vector<fbs::Binding> all) {
  const char *names[] = {"embed", "remember", "multiply", "project"};
  auto dispatch = std::make_unique<fbs::DispatchT>();
  dispatch->name = names[kernel];
  dispatch->kernel = kernel;
  dispatch->bindings = std::move(all);
  dispatch->grid = std::make_unique<fbs::Grid>(x, 1, 1, 4);
  return dispatch;
}

std::unique_ptr<fbs::ProgramT> makeProgram(const std::string &name,
                                           uint32_t tokens) {
  constexpr uint64_t kRows = 64; // in the arena, not at its begin
  using K = fbs::BindingKind;
  auto program = std::make_unique<fbs::ProgramT>();
  program->name = name;
  program->max_tokens = tokens;
  program->arena_bytes = kRows + uint64_t(tokens) * kInputs * 4;
  auto &all = program->dispatches;
  fbs::Binding step(K::BindingKind_Step, 0, 0),
      ids(K::BindingKind_TokenIds, 0, 0), rows(K::BindingKind_Arena, 0, kRows),
      keys(K::BindingKind_Keys, 0, 0), values(K::BindingKind_Values, 0, 0),
      logits(K::BindingKind_Logits, 0, 0),
      adapters(K::BindingKind_Adapters, 0, 0),
      products(K::BindingKind_Products, 0, 0),
      embed(K::BindingKind_Parameter, 0, 0),
      project(K::BindingKind_Parameter, 1, 0);
  all.push_back(makeDispatch(0, tokens, {step, ids, embed, rows}));
  all.push_back(makeDispatch(1, 1, {step, rows, keys, values}));
  all.back()->layer = 0;
  all.back()->flops_per_position = 6;
  all.push_back(makeDispatch(2, tokens, {step, rows, adapters, products}));
  all.back()->with_previous = true;
  all.push_back(makeDispatch(
      3, tokens, {step, keys, project, adapters, products, logits}));
  all.back()->of_outputs = true;
  all.back()->weight_bytes = sizeof kProject;
  all.back()->flops_per_token = 2 * kVocab;
  return program;
}

fbs::PackageT makeMetadata(const std::string &isa) {
  fbs::PackageT package;
  package.model = std::make_unique<fbs::ModelInfoT>();
  package.model->name = "tiny";
  package.model->arch = "llama";
  package.model->layers = 1;
  package.model->context_length = 512;
  package.model->vocab = kVocab;
  package.cache = std::make_unique<fbs::CacheInfoT>();
  package.cache->layers = 1;
  package.cache->kv_heads = kHeads;
  package.cache->head_dim = kRowBytes;
  package.cache->dtype = fbs::DType_I8;
  auto target = std::make_unique<fbs::TargetT>();
  target->name = "gpu";
  target->kernels = {"embed", "remember", "multiply", "project"};
  auto variant = std::make_unique<fbs::CodeVariantT>();
  variant->isa = isa;
  variant->segment = 0;
  target->variants.push_back(std::move(variant));
  target->parameters.push_back(makeParameter("embed", kInputs, 0));
  target->parameters.push_back(makeParameter("project", kVocab, 64));
  // As compilers write them, in no order of their width.
  target->programs.push_back(makeProgram("prefill", kMaxTokens));
  target->programs.push_back(makeProgram("decode", 1));
  auto site = std::make_unique<fbs::AdapterSiteT>();
  site->name = "output";
  site->inputs = kInputs;
  site->outputs = kVocab;
  target->sites.push_back(std::move(site));
  package.targets.push_back(std::move(target));
  return package;
}

} // namespace

std::vector<float> Reference::add(int32_t id) {
  uint32_t rows[kInputs];
  for (int32_t i = 0; i < kInputs; ++i) {
    rows[i] = (uint32_t(id) + 1) * kEmbed[i] & 0xff;
  }
  Entry entry;
  for (int32_t head = 0; head < kHeads; ++head) {
    uint32_t digest = 7 + uint32_t(head);
    if (!cache.empty()) {
      uint32_t last = cache.back().digest[head];
      digest = last * 31 + (last >> 8 & 0xff) * 7 + (last >> 12 & 0x3fff) * 5 +
               last * 13;
    }
    for (uint32_t row : rows) {
      digest = digest * 31 + row;
    }
    entry.digest[head] = digest;
  }
  cache.push_back(entry);
  std::vector<float> logits(kVocab);
  for (int32_t v = 0; v < kVocab; ++v) {
    float sum =
        float(((entry.digest[0] >> 8) + uint32_t(v) * kProject[v]) & 0xffff);
    for (const ReferencePair &pair : active) {
      for (int32_t r = 0; r < pair.rank; ++r) {
        float product = 0;
        for (int32_t i = 0; i < kInputs; ++i) {
          product += pair.a[r * kInputs + i] * float(rows[i]);
        }
        sum += pair.b[v * pair.rank + r] * product * pair.scale;
      }
    }
    logits[v] = sum;
  }
  return logits;
}

std::vector<uint8_t> Reference::saved() const {
  std::vector<uint8_t> bytes;
  auto append = [&](uint64_t value, int count) {
    for (int i = 0; i < count; ++i) {
      bytes.push_back(uint8_t(value >> 8 * i));
    }
  };
  auto forAll = [&](auto action) {
    for (int32_t head = 0; head < kHeads; ++head) {
      for (const Entry &entry : cache) {
        action(entry.digest[head]);
      }
    }
  };
  forAll([&](uint32_t digest) {
    append(digest, 4);
    append(digest >> 8, 1);
  });
  forAll([&](uint32_t digest) { append(digest >> 12 & 0x3fff, 2); });
  forAll([&](uint32_t digest) {
    append(digest * 13, 4);
    append(1, 1);
  });
  return bytes;
}

void GpuFixture::SetUp() {
  std::string name = testing::TempDir() + "umber-gpu-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  directory = name;
}

void GpuFixture::TearDown() { std::filesystem::remove_all(directory); }

std::string GpuFixture::readKernels(const std::string &path) {
  const char *folder = std::getenv("UMBER_TEST_KERNELS");
  std::filesystem::path place(path);
  std::ifstream stream(folder ? folder / place.filename() : place,
                       std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::shared_ptr<const Package> GpuFixture::makePackage(const std::string &isa,
                                                       const std::string &code,
                                                       const Edit &edit) {
  static int count = 0;
  std::string path = directory + "/" + std::to_string(count++) + ".umb";
  std::vector<uint8_t> weights(64 + sizeof kProject);
  std::memcpy(weights.data(), kEmbed, sizeof kEmbed);
  std::memcpy(weights.data() + 64, kProject, sizeof kProject);
  writeTestPackage(
      path,
      {{fbs::SegmentKind_Code, "gpu.code", {code.begin(), code.end()}},
       {fbs::SegmentKind_Weights, "gpu.weights", weights}},
      makeMetadata(isa), edit);
  auto opened = Package::open(path);
  if (!opened.ok()) {
    ADD_FAILURE() << opened.status().message();
    return nullptr;
  }
  return *opened;
}

FittedAdapter GpuFixture::fit(const Package &package,
                              const ReferencePair &pair) {
  auto values = std::make_shared<ReferencePair>(pair);
  AdapterPair stored;
  stored.site = "output";
  stored.dtype = fbs::DType_F32;
  stored.rank = pair.rank;
  stored.inputs = kInputs;
  stored.outputs = kVocab;
  stored.a = {reinterpret_cast<const uint8_t *>(values->a.data()),
              values->a.size() * sizeof(float)};
  stored.b = {reinterpret_cast<const uint8_t *>(values->b.data()),
              values->b.size() * sizeof(float)};
  stored.scale = pair.scale;
  auto adapter = std::make_shared<const Adapter>(
      AdapterInfo{}, std::vector<AdapterPair>{stored}, values);
  return FittedAdapter::recovery(adapter, *package.meta().targets()->Get(0));
}
