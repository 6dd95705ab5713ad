// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/Package/Fixture.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace umber;
using namespace umber::test;

namespace {

std::vector<uint8_t> someBytes(size_t count, uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t &byte : bytes) {
    byte = uint8_t(random() >> 8);
  }
  return bytes;
}

std::unique_ptr<fbs::TokenizerT> makeTokenizer() {
  auto tokenizer = std::make_unique<fbs::TokenizerT>();
  tokenizer->model = "gpt2";
  tokenizer->pre = "smollm";
  tokenizer->token_bytes = "ababc<end>";
  tokenizer->token_ends = {1, 2, 4, 5, 10}; // a b ab c <end>
  tokenizer->token_types = {1, 1, 1, 1, 3};
  tokenizer->merges = {0, 1};
  tokenizer->eos = 4;
  tokenizer->end_of_generation = {4};
  return tokenizer;
}

std::unique_ptr<fbs::TargetT> makeTarget() {
  auto target = std::make_unique<fbs::TargetT>();
  target->name = "cpu";
  target->kernels = {"embed", "layer"};
  auto variant = std::make_unique<fbs::CodeVariantT>();
  variant->isa = "x86-64-v3";
  variant->segment = 0;
  target->variants.push_back(std::move(variant));
  for (uint64_t i = 0; i < 2; ++i) {
    auto parameter = std::make_unique<fbs::ParameterT>();
    parameter->name = "p" + std::to_string(i);
    parameter->dtype = fbs::DType_F32;
    parameter->shape = {5, 20};
    parameter->layout = "row";
    parameter->segment = 1;
    parameter->offset = i * 448;
    parameter->size = 400;
    target->parameters.push_back(std::move(parameter));
  }
  auto program = std::make_unique<fbs::ProgramT>();
  program->name = "decode";
  program->max_tokens = 1;
  program->arena_bytes = 256;
  program->scratch_bytes = 64;
  for (int32_t layer = -1; layer < 2; ++layer) {
    auto dispatch = std::make_unique<fbs::DispatchT>();
    dispatch->name = layer < 0 ? "embed" : "layer";
    dispatch->kernel = layer < 0 ? 0 : 1;
    dispatch->layer = layer;
    uint32_t index = uint32_t(layer < 0 ? 0 : layer);
    dispatch->bindings = {{fbs::BindingKind_TokenIds, 0, 0},
                          {fbs::BindingKind_Parameter, index, 0},
                          {fbs::BindingKind_Arena, 0, 192},
                          {fbs::BindingKind_Keys, index, 0},
                          {fbs::BindingKind_Values, index, 0},
                          {fbs::BindingKind_Logits, 0, 0},
                          {fbs::BindingKind_Adapters, 0, 0}};
    program->dispatches.push_back(std::move(dispatch));
  }
  target->programs.push_back(std::move(program));
  auto gain = std::make_unique<fbs::GainT>();
  gain->values.assign(12, 1.5f);
  target->gains.push_back(std::move(gain));
  auto site = std::make_unique<fbs::AdapterSiteT>();
  site->name = "l0.attn.q";
  site->inputs = 12;
  site->outputs = 8;
  site->gain = 0;
  site->input_rotation = 4;
  site->output_rotation = 8;
  site->interleaved_head = 4;
  target->sites.push_back(std::move(site));
  return target;
}

/// All but the segments.
fbs::PackageT makeMetadata() {
  fbs::PackageT package;
  package.kind = fbs::PackageKind_Model;
  package.producer = "a test";
  package.model = std::make_unique<fbs::ModelInfoT>();
  package.model->name = "tiny";
  package.model->arch = "llama";
  package.model->layers = 2;
  package.model->context_length = 64;
  package.model->vocab = 5;
  package.tokenizer = makeTokenizer();
  package.cache = std::make_unique<fbs::CacheInfoT>();
  package.cache->layers = 2;
  package.cache->kv_heads = 1;
  package.cache->head_dim = 4;
  package.cache->dtype = fbs::DType_F16;
  package.targets.push_back(makeTarget());
  return package;
}

void expectOk(const Status &status) {
  ASSERT_TRUE(status.ok()) << status.message();
}

} // namespace

void PackageFixture::SetUp() {
  std::string name = testing::TempDir() + "umber-package-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  directory = name;
  code = someBytes(5000, 1);
  weights = someBytes(448 + 400, 2);
}

void PackageFixture::TearDown() { std::filesystem::remove_all(directory); }

std::vector<std::string> PackageFixture::filesInDirectory() const {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

void PackageFixture::writePackage(const std::string &path, const Edit &edit) {
  auto created = PackageWriter::create(path);
  ASSERT_TRUE(created.ok()) << created.status().message();
  PackageWriter &writer = **created;

  auto first = writer.beginSegment(fbs::SegmentKind_Code, "cpu.x86-64-v3");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, 0u);
  // In pieces, as a compiler writes.
  expectOk(writer.append(code.data(), 1));
  expectOk(writer.append(code.data() + 1, code.size() - 1));
  expectOk(writer.endSegment());

  auto second = writer.beginSegment(fbs::SegmentKind_Weights, "cpu.weights");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(*second, 1u);
  expectOk(writer.append(weights.data(), 400));
  std::fill(weights.begin() + 400, weights.begin() + 448, uint8_t(0));
  auto offset = writer.align(64);
  ASSERT_TRUE(offset.ok());
  EXPECT_EQ(*offset, 448u);
  expectOk(writer.append(weights.data() + 448, 400));
  expectOk(writer.endSegment());

  flatbuffers::FlatBufferBuilder builder;
  fbs::PackageT package = makeMetadata();
  auto segments = writer.describeSegments(builder);
  for (const fbs::Segment *segment :
       *flatbuffers::GetTemporaryPointer(builder, segments)) {
    package.segments.emplace_back(segment->UnPack());
  }
  if (edit) {
    edit(package);
  }
  builder.Clear();
  fbs::FinishPackageBuffer(builder, fbs::Package::Pack(builder, &package));
  expectOk(writer.finish(builder.GetBufferPointer(), builder.GetSize()));
}

void PackageFixture::expectRefused(const Edit &edit,
                                   const std::string &message) {
  std::string path = pathOf("a.umb");
  writePackage(path, edit);
  auto package = Package::open(path);
  ASSERT_FALSE(package.ok());
  EXPECT_EQ(package.status().code(), StatusCode::CorruptFile);
  EXPECT_EQ(package.status().message().rfind(path + ": " + message, 0), 0u)
      << package.status().message();
  EXPECT_NE(package.status().message().find(", found "), std::string::npos)
      << package.status().message();
}

std::vector<uint8_t> PackageFixture::readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(stream), {});
}

void PackageFixture::writeFile(const std::string &path,
                               const std::vector<uint8_t> &bytes) {
  // A new file: some file systems write a truncated one through to the disk.
  std::filesystem::remove(path);
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char *>(bytes.data()),
               std::streamsize(bytes.size()));
  ASSERT_TRUE(stream.flush());
}

PackageHeader PackageFixture::headerOf(const std::vector<uint8_t> &file) {
  PackageHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  return header;
}

void PackageFixture::sealMetadata(std::vector<uint8_t> &file) {
  PackageHeader header = headerOf(file);
  header.metadataHash =
      XXH3_64bits(file.data() + header.metadataOffset, header.metadataSize);
  std::memcpy(file.data(), &header, sizeof header);
}
