// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/AdapterPackage.h"
#include "runtime/package/Package.h"
#include "test/Unit/Adapter/Fixture.h"

#include <filesystem>
#include <limits>

using namespace umber;
using namespace umber::test;

namespace {

class AdapterPackageTest : public AdapterFixture {
protected:
  Status writeAs(const Adapter &adapter, const AdapterInfo &info) const {
    return writeAdapterPackage(info, adapter.pairs(), pathOf("a.umb"));
  }
  /// Writes an adapter and reads it again.
  std::shared_ptr<const Adapter> again(const Adapter &adapter) const {
    Status status = writeAs(adapter, adapter.info());
    EXPECT_TRUE(status.ok()) << status.message();
    return open(pathOf("a.umb"));
  }
  /// An adapter whose first A has this value, and the others small ones.
  std::shared_ptr<const Adapter> withValue(float value) const {
    std::vector<Tensor> tensors = peftTensors();
    tensors[0].data.replace(8, 4, pack("F32", {value}));
    return open(writePeft(config(), tensors));
  }
};

void expectSame(const Adapter &found, const Adapter &expected) {
  ASSERT_EQ(found.pairs().size(), expected.pairs().size());
  for (size_t i = 0; i < found.pairs().size(); ++i) {
    const AdapterPair &a = found.pairs()[i], &b = expected.pairs()[i];
    EXPECT_EQ(a.site, b.site);
    EXPECT_EQ(a.rank, b.rank);
    EXPECT_EQ(a.inputs, b.inputs);
    EXPECT_EQ(a.outputs, b.outputs);
    EXPECT_EQ(a.scale, b.scale);
    EXPECT_EQ(unpack(a.dtype, a.a), unpack(b.dtype, b.a));
    EXPECT_EQ(unpack(a.dtype, a.b), unpack(b.dtype, b.b));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.a.data) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.b.data) % 64, 0u);
  }
}

TEST_F(AdapterPackageTest, KeepsAnAdapter) {
  auto from = open(writePeft(config(), peftTensors("BF16")));
  AdapterInfo info = from->info();
  info.name = "other";
  info.baseHash = 0x123456789abcdef0;
  ASSERT_TRUE(writeAs(*from, info).ok());
  auto adapter = open(pathOf("a.umb"));
  expectSame(*adapter, *from);
  EXPECT_EQ(adapter->pairs()[0].dtype, fbs::DType_BF16);
  EXPECT_EQ(adapter->name(), "other");
  EXPECT_EQ(adapter->baseName(), "somebody/tiny");
  EXPECT_EQ(adapter->architecture(), "");
  EXPECT_EQ(adapter->baseHash(), 0x123456789abcdef0u);
  EXPECT_EQ(adapter->rowOrder(), RowOrder::HuggingFace);
  std::string bytes = read(pathOf("a.umb"));
  expectSame(*again(*adapter), *from);
  ASSERT_TRUE(writeAs(*adapter, adapter->info()).ok());
  EXPECT_EQ(read(pathOf("a.umb")), bytes);
}

TEST_F(AdapterPackageTest, KeepsWhatGgufSays) {
  auto from = open(write("a.gguf", gguf("F16").build()));
  auto adapter = again(*from);
  expectSame(*adapter, *from);
  EXPECT_EQ(adapter->pairs()[0].dtype, fbs::DType_F16);
  EXPECT_EQ(adapter->name(), "A tiny one");
  EXPECT_EQ(adapter->baseName(), "Tiny");
  EXPECT_EQ(adapter->architecture(), "llama");
  EXPECT_EQ(adapter->rowOrder(), RowOrder::GGUF);
}

TEST_F(AdapterPackageTest, RoundsToF16) {
  // A tie, to even; the largest that does not become infinite; and one that
  // is nothing in F16.
  const std::pair<float, float> kValues[] = {{1.0f + 0x1p-11f, 1.0f},
                                             {1.0f + 0x3p-11f, 1.0f + 0x1p-9f},
                                             {65519.996f, 65504.0f},
                                             {1e-8f, 0.0f}};
  for (const auto &[value, rounded] : kValues) {
    auto adapter = again(*withValue(value));
    const AdapterPair &pair = adapter->pairs()[0];
    EXPECT_EQ(pair.dtype, fbs::DType_F16);
    EXPECT_EQ(unpack(pair.dtype, pair.a)[2], rounded);
  }
}

TEST_F(AdapterPackageTest, RoundsAPairToBF16WhereF16Overflows) {
  auto adapter = again(*withValue(65520.0f));
  EXPECT_EQ(adapter->pairs()[0].dtype, fbs::DType_BF16);
  EXPECT_EQ(unpack(fbs::DType_BF16, adapter->pairs()[0].a)[2], 65536.0f);
  EXPECT_EQ(unpack(fbs::DType_BF16, adapter->pairs()[0].b)[0], -22.0f);
  EXPECT_EQ(adapter->pairs()[1].dtype, fbs::DType_F16);
}

TEST_F(AdapterPackageTest, RefusesWhatBF16CannotHold) {
  auto adapter = withValue(std::numeric_limits<float>::max());
  Status status = writeAs(*adapter, adapter->info());
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_EQ(status.message(), "site 'blk.0.attn_q': expected values that fit "
                              "in BF16, found a larger one");
  EXPECT_FALSE(std::filesystem::exists(pathOf("a.umb")));
}

TEST_F(AdapterPackageTest, RefusesWhatIsNotFinite) {
  auto from = open(writePeft(config(), peftTensors("F16")));
  std::vector<AdapterPair> pairs = from->pairs();
  std::string values = pack("F16", unpack(pairs[1].dtype, pairs[1].b));
  values[2 * 4 + 1] = '\x7c'; // An infinity or NaN, whatever the low byte.
  pairs[1].b = {reinterpret_cast<const uint8_t *>(values.data()),
                values.size()};
  ASSERT_TRUE(writeAdapterPackage(from->info(), pairs, pathOf("a.umb")).ok());
  EXPECT_EQ(error(pathOf("a.umb")),
            ": tensor 'blk.0.ffn_down.b': expected finite values, found an "
            "infinity or NaN at [2, 0]");
}

TEST_F(AdapterPackageTest, RefusesDamage) {
  again(*open(writePeft(config(), peftTensors())));
  std::string bytes = read(pathOf("a.umb"));
  bytes[4096] ^= 1; // The first matrix's first byte.
  EXPECT_NE(error(write("a.umb", bytes))
                .find(": segment 'adapter.weights': expected hash "),
            std::string::npos);
}

} // namespace
