// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every rule about what metadata may say, broken once.

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

fbs::TokenizerT &tokenizerOf(fbs::PackageT &p) { return *p.tokenizer; }
fbs::TargetT &targetOf(fbs::PackageT &p) { return *p.targets[0]; }
fbs::ParameterT &parameterOf(fbs::PackageT &p) {
  return *targetOf(p).parameters[1];
}
/// Makes the parameter an encoded matrix.
void encode(fbs::PackageT &p, uint64_t rows, uint64_t columns,
            const char *encoding, uint64_t size,
            const char *layout = "panel32quad4nibbles") {
  fbs::ParameterT &parameter = parameterOf(p);
  parameter.shape = {rows, columns};
  parameter.encoding = encoding;
  parameter.layout = layout;
  parameter.size = size;
}

fbs::ProgramT &programOf(fbs::PackageT &p) { return *targetOf(p).programs[0]; }
/// The second layer's.
fbs::DispatchT &dispatchOf(fbs::PackageT &p) {
  return *programOf(p).dispatches[2];
}

fbs::AdapterSiteT &siteOf(fbs::PackageT &p) { return *targetOf(p).sites[0]; }

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

const Violation kViolations[] = {
    // What adapters correct.
    {"SiteName", [](auto &p) { siteOf(p).name.clear(); },
     "target 0, site 0: expected a name, found none"},
    {"SiteSides", [](auto &p) { siteOf(p).outputs = 0; },
     "target 0, site 0: expected a matrix of 1 to 16777216 inputs and outputs, "
     "found 12 and 0"},
    {"SiteGain", [](auto &p) { siteOf(p).gain = 1; },
     "target 0, site 0: expected a gain from -1 to below 1, found 1"},
    {"GainSize", [](auto &p) { targetOf(p).gains[0]->values.pop_back(); },
     "target 0, site 0: expected a gain of 12 elements, found 11"},
    {"GainValues", [](auto &p) { targetOf(p).gains[0]->values.clear(); },
     "target 0, gain 0: expected values, found none"},
    {"InputRotation", [](auto &p) { siteOf(p).input_rotation = 8; },
     "target 0, site 0: expected rotations and heads that divide its sides, "
     "found 8, 8 and 4"},
    {"OutputRotation", [](auto &p) { siteOf(p).output_rotation = 3; },
     "target 0, site 0: expected rotations and heads that divide its sides, "
     "found 4, 3 and 4"},
    {"InterleavedHead", [](auto &p) { siteOf(p).interleaved_head = 1; },
     "target 0, site 0: expected rotations and heads that divide its sides, "
     "found 4, 8 and 1"},
    {"SiteBinding",
     [](auto &p) {
       dispatchOf(p).bindings[6] = {fbs::BindingKind_Adapters, 1, 0};
     },
     "target 0, program 0, dispatch 2, binding 6: expected a site below 1 and "
     "a "
     "number below the bindings', found 1 and 0"},
    {"SlotBinding",
     [](auto &p) {
       dispatchOf(p).bindings[6] = {fbs::BindingKind_Adapters, 0, 7};
     },
     "target 0, program 0, dispatch 2, binding 6: expected a site below 1 and "
     "a "
     "number below the bindings', found 0 and 7"},

    // The package.
    {"Kind", [](auto &p) { p.kind = fbs::PackageKind(9); },
     "package: expected a known kind, found 9"},
    {"NoModel",
     [](auto &p) {
       p.model.reset();
       p.tokenizer.reset();
     },
     "package: expected a model, found none"},
    {"NoCache", [](auto &p) { p.cache.reset(); },
     "package: expected a cache, found none"},

    // Segments.
    {"SegmentName", [](auto &p) { p.segments[1]->name.clear(); },
     "segment 1: expected a name, found none"},
    {"SegmentKind", [](auto &p) { p.segments[1]->kind = fbs::SegmentKind(4); },
     "segment 1: expected a known kind, found 4"},
    {"SegmentUnaligned", [](auto &p) { p.segments[1]->offset += 64; },
     "segment 1: expected a range that starts at a page"},
    {"SegmentOverHeader", [](auto &p) { p.segments[0]->offset = 0; },
     "segment 0: expected a range that starts at a page"},
    {"SegmentBehindEnd", [](auto &p) { p.segments[1]->offset = 1 << 20; },
     "segment 1: expected a range that starts at a page"},
    {"SegmentTooLong", [](auto &p) { p.segments[1]->size = 1 << 20; },
     "segment 1: expected a range that starts at a page"},
    {"SegmentWrapsAround",
     [](auto &p) { p.segments[1]->size = kHuge - p.segments[1]->offset + 1; },
     "segment 1: expected a range that starts at a page"},
    // The metadata comes right after the weights.
    {"SegmentOverMetadata", [](auto &p) { p.segments[1]->size += 128; },
     "segment 1: expected a range that starts at a page"},
    {"SegmentsOverlap", [](auto &p) { p.segments[0]->size = 2 * 4096 + 1; },
     "segments: expected none to overlap another, found one at offset 12288 "
     "and "
     "one before it that ends at 12289"},

    // The model and its cache.
    {"ModelName", [](auto &p) { p.model->name.clear(); },
     "model: expected a name, found none"},
    {"ModelArch", [](auto &p) { p.model->arch.clear(); },
     "model: expected an architecture, found none"},
    {"ModelNoVocab", [](auto &p) { p.model->vocab = 0; },
     "model: expected a vocabulary of 1 to 16777216, found 0"},
    {"ModelAbsurdVocab", [](auto &p) { p.model->vocab = 1u << 31; },
     "model: expected a vocabulary of 1 to 16777216, found 2147483648"},
    {"ModelLayers", [](auto &p) { p.model->layers = 1u << 31; },
     "model: expected at most 16384 layers, found 2147483648"},
    {"ModelNoContext", [](auto &p) { p.model->context_length = 0; },
     "model: expected a context length of 1 to 2^30, found 0"},
    {"ModelAbsurdContext", [](auto &p) { p.model->context_length = ~0u; },
     "model: expected a context length of 1 to 2^30, found 4294967295"},
    {"CacheLayers", [](auto &p) { p.cache->layers = 0; },
     "cache: expected layers, heads and head size of 1 to 16384, found 0, 1 "
     "and "
     "4"},
    {"CacheHeads", [](auto &p) { p.cache->kv_heads = ~0u; },
     "cache: expected layers, heads and head size of 1 to 16384"},
    {"CacheHeadSize", [](auto &p) { p.cache->head_dim = 0; },
     "cache: expected layers, heads and head size of 1 to 16384"},
    {"CacheType", [](auto &p) { p.cache->dtype = fbs::DType(77); },
     "cache: expected elements of type F32, F16, I8 or I4, found 77"},

    // The tokenizer.
    {"TokenizerWithoutModel",
     [](auto &p) {
       p.kind = fbs::PackageKind_Adapter;
       p.model.reset();
     },
     "tokenizer: expected a model that it belongs to, found none"},
    {"TokenizerName", [](auto &p) { tokenizerOf(p).model.clear(); },
     "tokenizer: expected a model name, found none"},
    {"TokenizerBytes", [](auto &p) { tokenizerOf(p).token_bytes.clear(); },
     "tokenizer: expected the tokens' bytes, found none"},
    {"TokenizerNoTokens", [](auto &p) { tokenizerOf(p).token_ends.clear(); },
     "tokenizer: expected 1 to the model's 5 tokens, found 0"},
    {"TokenizerTooManyTokens", [](auto &p) { p.model->vocab = 4; },
     "tokenizer: expected 1 to the model's 4 tokens, found 5"},
    {"TokenEndsDecrease", [](auto &p) { tokenizerOf(p).token_ends[2] = 1; },
     "tokenizer: expected tokens in order within their 10 bytes, found one "
     "that "
     "ends at 1"},
    {"TokenEndsOutside", [](auto &p) { tokenizerOf(p).token_ends[4] = 11; },
     "tokenizer: expected tokens in order within their 10 bytes, found one "
     "that "
     "ends at 11"},
    {"TokenTypes", [](auto &p) { tokenizerOf(p).token_types.pop_back(); },
     "tokenizer: expected a type for each of 5 tokens, found 4"},
    {"TokenScores", [](auto &p) { tokenizerOf(p).token_scores = {1.0f}; },
     "tokenizer: expected no score, or one for each of 5 tokens, found 1"},
    {"MergesOdd", [](auto &p) { tokenizerOf(p).merges.push_back(1); },
     "tokenizer: expected pairs of tokens to merge, found half a pair"},
    {"MergeOfNoToken", [](auto &p) { tokenizerOf(p).merges[1] = 5; },
     "tokenizer: expected merges of tokens below 5, found 5"},
    {"Bos", [](auto &p) { tokenizerOf(p).bos = 5; },
     "tokenizer: expected special tokens from -1 to below 5, found 5"},
    {"Eos", [](auto &p) { tokenizerOf(p).eos = -2; },
     "tokenizer: expected special tokens from -1 to below 5, found -2"},
    {"Eot", [](auto &p) { tokenizerOf(p).eot = 1 << 30; },
     "tokenizer: expected special tokens from -1 to below 5, found 1073741824"},
    {"Unk", [](auto &p) { tokenizerOf(p).unk = 6; },
     "tokenizer: expected special tokens from -1 to below 5, found 6"},
    {"Pad", [](auto &p) { tokenizerOf(p).pad = 7; },
     "tokenizer: expected special tokens from -1 to below 5, found 7"},
    {"EndOfGeneration",
     [](auto &p) { tokenizerOf(p).end_of_generation = {4, -1}; },
     "tokenizer: expected ends of generation from 0 to below 5, found -1"},

    // A target and its parts.
    {"TargetName", [](auto &p) { targetOf(p).name.clear(); },
     "target 0: expected a name, found none"},
    {"VariantIsa", [](auto &p) { targetOf(p).variants[0]->isa.clear(); },
     "target 0, variant 0: expected an instruction set, found none"},
    {"VariantSegment", [](auto &p) { targetOf(p).variants[0]->segment = 2; },
     "target 0, variant 0: expected a segment below 2, found 2"},
    {"VariantOfWeights", [](auto &p) { targetOf(p).variants[0]->segment = 1; },
     "target 0, variant 0: expected a code segment, found one of kind Weights"},
    {"ParameterName", [](auto &p) { parameterOf(p).name.clear(); },
     "target 0, parameter 1: expected a name, found none"},
    {"ParameterType", [](auto &p) { parameterOf(p).dtype = fbs::DType(6); },
     "target 0, parameter 1: expected a known element type, found 6"},
    {"ParameterSegment", [](auto &p) { parameterOf(p).segment = ~0u; },
     "target 0, parameter 1: expected a segment below 2, found 4294967295"},
    {"ParameterUnaligned", [](auto &p) { parameterOf(p).offset = 440; },
     "target 0, parameter 1: expected a range within its segment's 848 bytes, "
     "from a multiple of 64, found 400 bytes at offset 440"},
    {"ParameterBehindEnd", [](auto &p) { parameterOf(p).offset = 896; },
     "target 0, parameter 1: expected a range within its segment's 848 bytes"},
    {"ParameterTooLong", [](auto &p) { parameterOf(p).size = 401; },
     "target 0, parameter 1: expected a range within its segment's 848 bytes"},
    {"ParameterWrapsAround", [](auto &p) { parameterOf(p).size = kHuge - 447; },
     "target 0, parameter 1: expected a range within its segment's 848 bytes"},
    {"ParameterEmptyShape", [](auto &p) { parameterOf(p).shape = {5, 0}; },
     "target 0, parameter 1: expected a shape of 1 to 2^46 elements, found 0 "
     "as "
     "extent 1"},
    {"ParameterAbsurdShape",
     [](auto &p) { parameterOf(p).shape = {1u << 31, 1u << 31}; },
     "target 0, parameter 1: expected a shape of 1 to 2^46 elements, found "
     "2147483648 as extent 1"},
    {"EncodingLayout",
     [](auto &p) {
       encode(p, 12, 20, "palette<bits = 4, rows = 16>", 356, "panel32");
     },
     "target 0, parameter 1: expected the layout panel32quad4nibbles, "
     "tiles or rows with an encoding, found 'panel32'"},
    {"EncodingOfGpuLayout",
     [](auto &p) {
       targetOf(p).name = "gpu";
       encode(p, 12, 20, "palette<bits = 4, rows = 16>", 356);
     },
     "target 0, parameter 1: expected the layout lanes32block32 with an "
     "encoding, found 'panel32quad4nibbles'"},
    // A panel: two tables, scales in 16 bytes, and a block of 32 columns.
    {"EncodingOfGpuSize",
     [](auto &p) {
       targetOf(p).name = "gpu";
       encode(p, 12, 20, "palette<bits = 4, rows = 16>", 356, "lanes32block32");
     },
     "target 0, parameter 1: expected 560 bytes for its shape and encoding, "
     "found 356"},
    {"EncodingOfVector",
     [](auto &p) {
       encode(p, 12, 20, "palette<bits = 4, rows = 16>", 356);
       parameterOf(p).shape = {20};
     },
     "target 0, parameter 1: expected a matrix with an encoding, found rank 1"},
    {"EncodingTooShort",
     [](auto &p) { encode(p, 12, 20, "palette<bits = 4, rows = 16>", 355); },
     "target 0, parameter 1: expected 356 bytes for its shape and encoding, "
     "found 355"},
    {"EncodingTooLong",
     [](auto &p) { encode(p, 12, 20, "palette<bits = 4, rows = 16>", 357); },
     "target 0, parameter 1: expected 356 bytes for its shape and encoding, "
     "found 357"},
    {"EncodingMoreRows",
     [](auto &p) { encode(p, 33, 20, "palette<bits = 4, rows = 16>", 356); },
     "target 0, parameter 1: expected 712 bytes for its shape and encoding, "
     "found 356"},
    {"EncodingAbsurdShape",
     [](auto &p) {
       encode(p, 1, uint64_t(1) << 46, "palette<bits = 8, rows = 1, cols = 1>",
              356);
     },
     "target 0, parameter 1: expected 583216151744479232 bytes for its shape "
     "and encoding, found 356"},
    {"EncodingUnknown",
     [](auto &p) { encode(p, 12, 20, "zip<bits = 4>", 356); },
     "target 0, parameter 1: expected a palette or a quantized encoding, found "
     "'zip<bits = 4>'"},
    {"EncodingNoEnd",
     [](auto &p) { encode(p, 12, 20, "palette<bits = 4, rows = 16", 356); },
     "target 0, parameter 1: expected an encoding like palette<bits = 4, rows "
     "= "
     "16>, found 'palette<bits = 4, rows = 16'"},
    {"EncodingRubbishAfter",
     [](auto &p) { encode(p, 12, 20, "palette<bits = 4, rows = 16>>", 356); },
     "target 0, parameter 1: expected an encoding like"},
    {"EncodingTwice",
     [](auto &p) {
       encode(p, 12, 20, "palette<bits = 4, bits = 4, rows = 16>", 356);
     },
     "target 0, parameter 1: expected an encoding like"},
    {"EncodingWidth",
     [](auto &p) { encode(p, 12, 20, "palette<bits = 5, rows = 16>", 356); },
     "target 0, parameter 1: expected an encoding with 1, 2, 3, 4, 6 or 8 "
     "bits, "
     "found 'palette<bits = 5, rows = 16>'"},
    {"EncodingNoWidth",
     [](auto &p) { encode(p, 12, 20, "palette<rows = 16>", 356); },
     "target 0, parameter 1: expected an encoding with bits, found"},
    {"EncodingHeight",
     [](auto &p) { encode(p, 12, 20, "palette<bits = 4, rows = 0>", 356); },
     "target 0, parameter 1: expected an encoding with rows from 1 to "
     "1099511627776, found"},
    {"EncodingNegative",
     [](auto &p) { encode(p, 12, 20, "palette<bits = 4, rows = -16>", 356); },
     "target 0, parameter 1: expected an encoding with rows from 1 to"},
    {"EncodingHugeNumber",
     [](auto &p) {
       encode(p, 12, 20, "palette<bits = 4, rows = 99999999999999999999>", 356);
     },
     "target 0, parameter 1: expected an encoding with rows from 1 to"},
    {"EncodingColumns",
     [](auto &p) {
       encode(p, 12, 20, "palette<bits = 4, rows = 16, cols = 3>", 356);
     },
     "target 0, parameter 1: expected an encoding with cols that divides 20 "
     "columns, found"},
    {"EncodingGroup",
     [](auto &p) { encode(p, 12, 20, "quantized<bits = 8, group = 21>", 356); },
     "target 0, parameter 1: expected an encoding with group from 0 to 20, "
     "found"},
    {"EncodingScale",
     [](auto &p) {
       encode(p, 12, 20, "palette<bits = 4, rows = 16, scale = none>", 356);
     },
     "target 0, parameter 1: expected an encoding with a known scale, found"},
    {"EncodingScaleOfTables",
     [](auto &p) {
       encode(p, 12, 20, "palette<bits = 4, rows = 16, scale_cols = 4>", 356);
     },
     "target 0, parameter 1: expected an encoding with known fields, found"},
    {"EncodingUnknownField",
     [](auto &p) { encode(p, 12, 20, "quantized<bits = 8, rows = 16>", 356); },
     "target 0, parameter 1: expected an encoding with known fields, found"},
    {"ParameterTooShort", [](auto &p) { parameterOf(p).shape = {5, 21}; },
     "target 0, parameter 1: expected at least 420 bytes for its shape, found "
     "400"},

    // A program, its dispatches and their bindings.
    {"ProgramName", [](auto &p) { programOf(p).name.clear(); },
     "target 0, program 0: expected a name, found none"},
    {"ProgramNoTokens", [](auto &p) { programOf(p).max_tokens = 0; },
     "target 0, program 0: expected 1 to 65536 tokens, found 0"},
    {"ProgramAbsurdTokens", [](auto &p) { programOf(p).max_tokens = ~0u; },
     "target 0, program 0: expected 1 to 65536 tokens, found 4294967295"},
    {"ProgramArena", [](auto &p) { programOf(p).arena_bytes = kHuge; },
     "target 0, program 0: expected an arena and scratch of at most 2^46 "
     "bytes"},
    {"ProgramScratch", [](auto &p) { programOf(p).scratch_bytes = kHuge; },
     "target 0, program 0: expected an arena and scratch of at most 2^46 "
     "bytes"},
    {"DispatchName", [](auto &p) { dispatchOf(p).name.clear(); },
     "target 0, program 0, dispatch 2: expected a name, found none"},
    {"DispatchKernel", [](auto &p) { dispatchOf(p).kernel = 2; },
     "target 0, program 0, dispatch 2: expected a kernel below 2, found 2"},
    {"DispatchNoKernels", [](auto &p) { targetOf(p).kernels.clear(); },
     "target 0, program 0, dispatch 0: expected a kernel below 0, found 0"},
    {"DispatchLayer", [](auto &p) { dispatchOf(p).layer = 2; },
     "target 0, program 0, dispatch 2: expected a layer from -1 to below 2, "
     "found 2"},
    {"DispatchLayerNegative", [](auto &p) { dispatchOf(p).layer = -2; },
     "target 0, program 0, dispatch 2: expected a layer from -1 to below 2, "
     "found -2"},
    {"BindingKind",
     [](auto &p) { dispatchOf(p).bindings[0] = {fbs::BindingKind(10), 0, 0}; },
     "target 0, program 0, dispatch 2, binding 0: expected a known kind, found "
     "10"},
    {"BindingProducts",
     [](auto &p) {
       dispatchOf(p).bindings[6] = {fbs::BindingKind_Products, 1, 0};
     },
     "target 0, program 0, dispatch 2, binding 6: expected a site below 1"},
    {"GridOfNothing",
     [](auto &p) {
       dispatchOf(p).grid = std::make_unique<fbs::Grid>(1, 0, 1, 32);
     },
     "target 0, program 0, dispatch 2: expected a grid of 1 to 65535 "
     "workgroups along each axis, found 0"},
    {"GridTooLarge",
     [](auto &p) {
       dispatchOf(p).grid = std::make_unique<fbs::Grid>(65536, 1, 1, 32);
     },
     "target 0, program 0, dispatch 2: expected a grid of 1 to 65535 "
     "workgroups along each axis, found 65536"},
    {"GridThreads",
     [](auto &p) {
       dispatchOf(p).grid = std::make_unique<fbs::Grid>(1, 1, 1, 1025);
     },
     "target 0, program 0, dispatch 2: expected workgroups of 1 to 1024 "
     "threads, found 1025"},
    {"BindingParameter",
     [](auto &p) {
       dispatchOf(p).bindings[1] = {fbs::BindingKind_Parameter, 2, 0};
     },
     "target 0, program 0, dispatch 2, binding 1: expected a parameter below "
     "2, "
     "found 2"},
    {"BindingArenaOutside",
     [](auto &p) {
       dispatchOf(p).bindings[2] = {fbs::BindingKind_Arena, 0, 256};
     },
     "target 0, program 0, dispatch 2, binding 2: expected a multiple of 64 "
     "within the arena's 256 bytes, found 256"},
    {"BindingArenaUnaligned",
     [](auto &p) {
       dispatchOf(p).bindings[2] = {fbs::BindingKind_Arena, 0, 4};
     },
     "target 0, program 0, dispatch 2, binding 2: expected a multiple of 64 "
     "within the arena's 256 bytes, found 4"},
    {"BindingKeys",
     [](auto &p) { dispatchOf(p).bindings[3] = {fbs::BindingKind_Keys, 2, 0}; },
     "target 0, program 0, dispatch 2, binding 3: expected a layer below 2, "
     "found 2"},
    {"BindingValues",
     [](auto &p) {
       dispatchOf(p).bindings[4] = {fbs::BindingKind_Values, ~0u, 0};
     },
     "target 0, program 0, dispatch 2, binding 4: expected a layer below 2, "
     "found 4294967295"},
    // An adapter's programs are held to the same rules.
    {"AdapterWithoutCache",
     [](auto &p) {
       p.kind = fbs::PackageKind_Adapter;
       p.model.reset();
       p.tokenizer.reset();
       p.cache.reset();
     },
     "target 0, program 0, dispatch 0, binding 3: expected a layer below 0, "
     "found 0"},
};

void PrintTo(const Violation &violation, std::ostream *stream) {
  *stream << violation.name;
}

class PackageVerifyTest : public PackageFixture,
                          public testing::WithParamInterface<Violation> {};

TEST_P(PackageVerifyTest, Refuses) {
  expectRefused(GetParam().edit, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Rules, PackageVerifyTest,
                         testing::ValuesIn(kViolations),
                         [](const auto &info) { return info.param.name; });

using PackageAcceptTest = PackageFixture;

TEST_F(PackageAcceptTest, PaddedVocabulary) {
  writePackage(pathOf("a.umb"), [](auto &p) { p.model->vocab = 8; });
  auto package = Package::open(pathOf("a.umb"));
  EXPECT_TRUE(package.ok()) << package.status().message();
}

TEST_F(PackageAcceptTest, Encodings) {
  const std::pair<const char *, uint64_t> encodings[] = {
      {"palette<bits = 4, rows = 16>", 5 * 64 + 2 * 16 + 2 * 2},
      {"palette<bits = 1, rows = 8, cols = 10, scale = row, scale_cols = 5>",
       5 * 16 + 4 * 2 * 2 + 32 * 4 * 2},
      {"palette<bits = 2, rows = 64>", 5 * 32 + 4 + 2}};
  for (const auto &entry : encodings) {
    writePackage(pathOf("a.umb"), [&](auto &p) {
      encode(p, 12, 20, entry.first, entry.second);
    });
    auto package = Package::open(pathOf("a.umb"));
    EXPECT_TRUE(package.ok()) << package.status().message();
  }
}

TEST_F(PackageAcceptTest, QuantizedRows) {
  writePackage(pathOf("a.umb"), [](auto &p) {
    encode(p, 12, 8, "quantized<bits = 8, group = 0>", 2 * 128 + 32 * 2);
  });
  auto package = Package::open(pathOf("a.umb"));
  EXPECT_TRUE(package.ok()) << package.status().message();
}

TEST_F(PackageAcceptTest, WithoutTokenizer) {
  writePackage(pathOf("a.umb"), [](auto &p) { p.tokenizer.reset(); });
  auto package = Package::open(pathOf("a.umb"));
  EXPECT_TRUE(package.ok()) << package.status().message();
}

} // namespace
