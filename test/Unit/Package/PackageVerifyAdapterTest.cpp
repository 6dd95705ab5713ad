// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every rule about what an adapter's metadata may say, broken once.

#include "test/Unit/Package/Fixture.h"

#include <limits>

using namespace umber;
using namespace umber::test;

namespace {

struct Violation {
  const char *name;
  std::function<void(fbs::PackageT &)> edit;
  /// The message after the path.
  const char *message;
};

fbs::AdapterPairT &pairOf(fbs::PackageT &p) { return *p.adapter->pairs[1]; }

/// Makes the package an adapter with two pairs in the segment of weights.
void makeAdapter(fbs::PackageT &p) {
  p.kind = fbs::PackageKind_Adapter;
  p.model.reset();
  p.tokenizer.reset();
  p.cache.reset();
  p.targets.clear();
  p.adapter = std::make_unique<fbs::AdapterInfoT>();
  p.adapter->name = "tiny";
  for (uint64_t i = 0; i < 2; ++i) {
    auto pair = std::make_unique<fbs::AdapterPairT>();
    pair->site = i == 0 ? "blk.0.attn_q" : "blk.0.attn_k";
    pair->dtype = i == 0 ? fbs::DType_F16 : fbs::DType_BF16;
    pair->rank = 2;
    pair->inputs = 20;
    pair->outputs = 30;
    pair->scale = 0.5f;
    pair->segment = 1;
    pair->a_offset = i * 256;
    pair->b_offset = i * 256 + 128;
    p.adapter->pairs.push_back(std::move(pair));
  }
}

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

const Violation kViolations[] = {
    {"None", [](auto &p) { p.adapter.reset(); },
     "package: expected an adapter, found none"},
    {"Name", [](auto &p) { p.adapter->name.clear(); },
     "adapter: expected a name, found none"},
    {"RowOrder", [](auto &p) { p.adapter->row_order = fbs::RowOrder(2); },
     "adapter: expected a known order of rows, found 2"},
    {"NoPairs", [](auto &p) { p.adapter->pairs.clear(); },
     "adapter: expected pairs of matrices, found none"},
    {"Site", [](auto &p) { pairOf(p).site.clear(); },
     "adapter, pair 1: expected a site, found none"},
    {"SiteTwice", [](auto &p) { pairOf(p).site = "blk.0.attn_q"; },
     "adapter, pair 1: expected one pair for a site, found another"},
    {"F32", [](auto &p) { pairOf(p).dtype = fbs::DType_F32; },
     "adapter, pair 1: expected elements of type F16 or BF16, found 0"},
    {"I8", [](auto &p) { pairOf(p).dtype = fbs::DType_I8; },
     "adapter, pair 1: expected elements of type F16 or BF16, found 3"},
    {"UnknownType", [](auto &p) { pairOf(p).dtype = fbs::DType(200); },
     "adapter, pair 1: expected elements of type F16 or BF16, found 200"},
    {"NoRank", [](auto &p) { pairOf(p).rank = 0; },
     "adapter, pair 1: expected matrices of 1 to 2^46 elements, found rank 0, "
     "20 inputs and 30 outputs"},
    {"NoInputs", [](auto &p) { pairOf(p).inputs = 0; },
     "adapter, pair 1: expected matrices of 1 to 2^46 elements"},
    {"NoOutputs", [](auto &p) { pairOf(p).outputs = 0; },
     "adapter, pair 1: expected matrices of 1 to 2^46 elements"},
    {"AbsurdRank", [](auto &p) { pairOf(p).rank = kHuge; },
     "adapter, pair 1: expected matrices of 1 to 2^46 elements"},
    {"AbsurdInputs", [](auto &p) { pairOf(p).inputs = kHuge; },
     "adapter, pair 1: expected matrices of 1 to 2^46 elements"},
    {"AbsurdOutputs", [](auto &p) { pairOf(p).outputs = uint64_t(1) << 46; },
     "adapter, pair 1: expected matrices of 1 to 2^46 elements"},
    {"ScaleNaN",
     [](auto &p) { pairOf(p).scale = std::numeric_limits<float>::quiet_NaN(); },
     "adapter, pair 1: expected a finite scale, found"},
    {"ScaleInfinite",
     [](auto &p) { pairOf(p).scale = std::numeric_limits<float>::infinity(); },
     "adapter, pair 1: expected a finite scale, found"},
    {"Segment", [](auto &p) { pairOf(p).segment = 2; },
     "adapter, pair 1: expected a segment below 2, found 2"},
    {"SegmentOfCode", [](auto &p) { pairOf(p).segment = 0; },
     "adapter, pair 1: expected a segment of weights, found one of kind Code"},
    {"AUnaligned", [](auto &p) { pairOf(p).a_offset = 8; },
     "adapter, pair 1, A: expected 80 bytes within its segment's 848, from a "
     "multiple of 64, found them at offset 8"},
    {"ABehindEnd", [](auto &p) { pairOf(p).a_offset = 832; },
     "adapter, pair 1, A: expected 80 bytes within its segment's 848"},
    {"AWrapsAround", [](auto &p) { pairOf(p).a_offset = kHuge - 63; },
     "adapter, pair 1, A: expected 80 bytes within its segment's 848"},
    {"AWider", [](auto &p) { pairOf(p).inputs = 149; },
     "adapter, pair 1, A: expected 596 bytes within its segment's 848"},
    {"BUnaligned", [](auto &p) { pairOf(p).b_offset = 385; },
     "adapter, pair 1, B: expected 120 bytes within its segment's 848"},
    {"BBehindEnd", [](auto &p) { pairOf(p).b_offset = 768; },
     "adapter, pair 1, B: expected 120 bytes within its segment's 848"},
    {"BTaller", [](auto &p) { pairOf(p).outputs = 117; },
     "adapter, pair 1, B: expected 468 bytes within its segment's 848"},
};

void PrintTo(const Violation &violation, std::ostream *stream) {
  *stream << violation.name;
}

class PackageVerifyAdapterTest : public PackageFixture,
                                 public testing::WithParamInterface<Violation> {
};

TEST_P(PackageVerifyAdapterTest, Refuses) {
  expectRefused(
      [](auto &p) {
        makeAdapter(p);
        GetParam().edit(p);
      },
      GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Rules, PackageVerifyAdapterTest,
                         testing::ValuesIn(kViolations),
                         [](const auto &info) { return info.param.name; });

using PackageAcceptAdapterTest = PackageFixture;

TEST_F(PackageAcceptAdapterTest, WithoutModel) {
  writePackage(pathOf("a.umb"), makeAdapter);
  auto package = Package::open(pathOf("a.umb"));
  ASSERT_TRUE(package.ok()) << package.status().message();
  EXPECT_EQ((*package)->meta().adapter()->pairs()->size(), 2u);
}

/// What an adapter says is held to the rules wherever it stands.
TEST_F(PackageAcceptAdapterTest, BesideAModel) {
  auto write = [&](uint64_t rank) {
    writePackage(pathOf("a.umb"), [&](auto &p) {
      fbs::PackageT other;
      makeAdapter(other);
      p.adapter = std::move(other.adapter);
      pairOf(p).rank = rank;
    });
    return Package::open(pathOf("a.umb"));
  };
  EXPECT_TRUE(write(2).ok());
  EXPECT_FALSE(write(0).ok());
}

} // namespace
