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

/// In 8 bits, with scales.
void quantize(fbs::PackageT &p) {
  pairOf(p).dtype = fbs::DType_I8;
  pairOf(p).a_scales = 512;
  pairOf(p).b_scales = 576;
}

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
     "adapter, pair 1: expected elements of type F16, BF16 or I8, found 0"},
    {"I4", [](auto &p) { pairOf(p).dtype = fbs::DType_I4; },
     "adapter, pair 1: expected elements of type F16, BF16 or I8, found 4"},
    {"UnknownType", [](auto &p) { pairOf(p).dtype = fbs::DType(200); },
     "adapter, pair 1: expected elements of type F16, BF16 or I8, found 200"},
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
    {"OverlapsItself", [](auto &p) { pairOf(p).b_offset = 256; },
     "adapter, pair 1, B: expected bytes of its own, found another's at offset "
     "256"},
    {"OverlapsAnEarlierPair", [](auto &p) { pairOf(p).a_offset = 192; },
     "adapter, pair 1, A: expected bytes of its own, found another's at offset "
     "192"},
    {"OverlapsALaterBeginning", [](auto &p) { pairOf(p).a_offset = 64; },
     "adapter, pair 1, A: expected bytes of its own, found another's at offset "
     "64"},
    {"ScalesOverlap",
     [](auto &p) {
       quantize(p);
       pairOf(p).b_scales = pairOf(p).a_scales;
     },
     "adapter, pair 1, B's scales: expected bytes of its own, found another's "
     "at offset 512"},
    {"ScalesUnaligned",
     [](auto &p) {
       quantize(p);
       pairOf(p).a_scales = 514;
     },
     "adapter, pair 1, A's scales: expected 4 bytes within its segment's 848, "
     "from a multiple of 64, found them at offset 514"},
    {"ScalesBehindEnd",
     [](auto &p) {
       quantize(p);
       pairOf(p).b_scales = 896;
     },
     "adapter, pair 1, B's scales: expected 4 bytes within its segment's 848"},
};

/// A correction of the target's only site, 8 x 12.
fbs::AdapterPairT &correctionOf(fbs::PackageT &p) {
  return *p.targets[0]->recovery[0];
}

const Violation kRecoveryViolations[] = {
    {"AbsentSite", [](auto &p) { correctionOf(p).site = "l0.attn.k"; },
     "target 0, correction 0: expected a site of the target, found another"},
    {"SiteOfGguf", [](auto &p) { correctionOf(p).site = "blk.0.attn_q"; },
     "target 0, correction 0: expected a site of the target, found another"},
    {"NoSite", [](auto &p) { correctionOf(p).site.clear(); },
     "target 0, correction 0: expected a site, found none"},
    {"SiteTwice",
     [](auto &p) {
       auto again = std::make_unique<fbs::AdapterPairT>(correctionOf(p));
       p.targets[0]->recovery.push_back(std::move(again));
     },
     "target 0, correction 1: expected one pair for a site, found another"},
    {"Inputs", [](auto &p) { correctionOf(p).inputs = 11; },
     "target 0, correction 0: expected its site's 12 inputs and 8 outputs, "
     "found 11 and 8"},
    {"Outputs", [](auto &p) { correctionOf(p).outputs = 9; },
     "target 0, correction 0: expected its site's 12 inputs and 8 outputs, "
     "found 12 and 9"},
    {"Rank", [](auto &p) { correctionOf(p).rank = kHuge; },
     "target 0, correction 0: expected matrices of 1 to 2^46 elements"},
    {"Type", [](auto &p) { correctionOf(p).dtype = fbs::DType_F32; },
     "target 0, correction 0: expected elements of type F16, BF16 or I8"},
    {"Scale",
     [](auto &p) {
       correctionOf(p).scale = std::numeric_limits<float>::quiet_NaN();
     },
     "target 0, correction 0: expected a finite scale, found"},
    {"ABehindEnd", [](auto &p) { correctionOf(p).a_offset = 832; },
     "target 0, correction 0, A: expected 36 bytes within its segment's 848"},
    {"BWrapsAround", [](auto &p) { correctionOf(p).b_offset = kHuge - 63; },
     "target 0, correction 0, B: expected 24 bytes within its segment's 848"},
    {"ScalesWrapAround", [](auto &p) { correctionOf(p).a_scales = kHuge - 63; },
     "target 0, correction 0, A's scales: expected 6 bytes within its "
     "segment's 848"},
    {"Overlap", [](auto &p) { correctionOf(p).b_scales = 64; },
     "target 0, correction 0, B's scales: expected bytes of its own"},
};

/// Gives the target a correction of rank 3 in 8 bits.
void makeCorrection(fbs::PackageT &p) {
  auto pair = std::make_unique<fbs::AdapterPairT>();
  pair->site = "l0.attn.q";
  pair->dtype = fbs::DType_I8;
  pair->rank = 3;
  pair->inputs = 12;
  pair->outputs = 8;
  pair->scale = 1.0f;
  pair->segment = 1;
  pair->a_offset = 0;
  pair->b_offset = 64;
  pair->a_scales = 128;
  pair->b_scales = 192;
  p.targets[0]->recovery.push_back(std::move(pair));
}

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

class PackageVerifyRecoveryTest
    : public PackageFixture,
      public testing::WithParamInterface<Violation> {};

TEST_P(PackageVerifyRecoveryTest, Refuses) {
  expectRefused(
      [](auto &p) {
        makeCorrection(p);
        GetParam().edit(p);
      },
      GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Rules, PackageVerifyRecoveryTest,
                         testing::ValuesIn(kRecoveryViolations),
                         [](const auto &info) { return info.param.name; });

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

TEST_F(PackageAcceptAdapterTest, InEightBits) {
  writePackage(pathOf("a.umb"), [](auto &p) {
    makeAdapter(p);
    quantize(p);
  });
  auto package = Package::open(pathOf("a.umb"));
  EXPECT_TRUE(package.ok()) << package.status().message();
}

TEST_F(PackageAcceptAdapterTest, AsCorrections) {
  writePackage(pathOf("a.umb"), makeCorrection);
  auto package = Package::open(pathOf("a.umb"));
  ASSERT_TRUE(package.ok()) << package.status().message();
  EXPECT_EQ((*package)->meta().targets()->Get(0)->recovery()->size(), 1u);
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
