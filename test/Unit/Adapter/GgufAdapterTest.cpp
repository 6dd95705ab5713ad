// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/Adapter/Fixture.h"

#include <cstring>
#include <limits>

using namespace umber;
using namespace umber::test;

namespace {

class GgufAdapterTest : public AdapterFixture {
protected:
  std::string error(const GgufBytes &file) const {
    return AdapterFixture::error(write("a.gguf", file.build()));
  }
  std::string refusal(const std::function<void(GgufBytes &)> &edit) const {
    GgufBytes file = gguf();
    edit(file);
    return error(file);
  }
  std::shared_ptr<const Adapter> open(const GgufBytes &file) const {
    return AdapterFixture::open(write("a.gguf", file.build()));
  }
};

TEST_F(GgufAdapterTest, Reads) {
  for (uint32_t version : {2, 3}) {
    for (const char *dtype : {"F32", "F16", "BF16"}) {
      GgufBytes file = gguf(dtype);
      file.version = version;
      auto adapter = open(file);
      EXPECT_EQ(adapter->name(), "A tiny one");
      EXPECT_EQ(adapter->baseName(), "Tiny");
      EXPECT_EQ(adapter->architecture(), "llama");
      EXPECT_EQ(adapter->baseHash(), 0u);
      EXPECT_EQ(adapter->rowOrder(), RowOrder::GGUF);
      const char *sites[] = {"blk.0.attn_q", "blk.0.ffn_down", "blk.2.attn_q",
                             "blk.2.ffn_down"};
      ASSERT_EQ(adapter->pairs().size(), 4u);
      std::vector<Tensor> expected = peftTensors("F32");
      for (size_t i = 0; i < 4; ++i) {
        const AdapterPair &pair = adapter->pairs()[i];
        EXPECT_EQ(pair.site, sites[i]);
        EXPECT_STREQ(fbs::EnumNameDType(pair.dtype), dtype);
        EXPECT_EQ(pair.rank, 2);
        EXPECT_EQ(pair.inputs, 3);
        EXPECT_EQ(pair.outputs, 5);
        EXPECT_EQ(pair.scale, 1.5f);
        EXPECT_EQ(pack("F32", unpack(pair.dtype, pair.a)),
                  expected[2 * i].data);
        EXPECT_EQ(pack("F32", unpack(pair.dtype, pair.b)),
                  expected[2 * i + 1].data);
      }
    }
  }
}

TEST_F(GgufAdapterTest, Names) {
  GgufBytes file = gguf();
  file.drop("general.name").drop("general.base_model.0.name");
  auto adapter = open(file);
  EXPECT_EQ(adapter->name(), "a.gguf");
  EXPECT_EQ(adapter->baseName(), "");
}

TEST_F(GgufAdapterTest, ScaleWithoutAlpha) {
  GgufBytes file = gguf();
  file.drop("adapter.lora.alpha").f32("adapter.lora.alpha", 0.0f);
  EXPECT_EQ(open(file)->pairs()[0].scale, 1.0f);
}

TEST_F(GgufAdapterTest, OtherAlignment) {
  GgufBytes file = gguf();
  file.alignment = 8;
  file.u32("general.alignment", 8);
  EXPECT_EQ(open(file)->pairs().size(), 4u);
}

/// GGML leaves out A's outermost dimension when it is 1.
TEST_F(GgufAdapterTest, RankOne) {
  GgufBytes file = gguf();
  file.tensors.resize(2);
  file.tensors[0].shape = {6};
  file.tensors[1].shape = {10, 1};
  auto adapter = open(file);
  ASSERT_EQ(adapter->pairs().size(), 1u);
  EXPECT_EQ(adapter->pairs()[0].rank, 1);
  EXPECT_EQ(adapter->pairs()[0].inputs, 6);
  EXPECT_EQ(adapter->pairs()[0].outputs, 10);
  EXPECT_EQ(adapter->pairs()[0].scale, 3.0f);
}

TEST_F(GgufAdapterTest, RefusesOtherFiles) {
  EXPECT_EQ(refusal([](auto &f) { f.version = 1; }),
            ": version: expected 2 or 3, found 1");
  EXPECT_EQ(refusal([](auto &f) { f.version = 0x03000000; }),
            ": version: expected a little-endian file, found a big-endian one");
  EXPECT_EQ(refusal([](auto &f) {
              f.drop("general.type").text("general.type", "model");
            }),
            ": key 'general.type': expected 'adapter', found 'model'");
  EXPECT_EQ(refusal([](auto &f) { f.drop("general.type"); }),
            ": key 'general.type': expected 'adapter', found none");
  EXPECT_EQ(refusal([](auto &f) {
              f.drop("adapter.type").text("adapter.type", "dora");
            }),
            ": key 'adapter.type': expected 'lora', found 'dora'");
  EXPECT_EQ(
      refusal([](auto &f) { f.drop("adapter.type").u32("adapter.type", 3); }),
      ": key 'adapter.type': expected 'lora', found none");
  EXPECT_EQ(refusal([](auto &f) { f.drop("general.architecture"); }),
            ": key 'general.architecture': expected a name, found none");
  EXPECT_EQ(refusal([](auto &f) {
              f.strings("adapter.alora.invocation_tokens", {});
            }),
            ": key 'adapter.alora.invocation_tokens': expected none, found an "
            "adapter that certain tokens turn on, which is not supported");
}

TEST_F(GgufAdapterTest, RefusesOtherAlpha) {
  auto with = [&](const std::function<void(GgufBytes &)> &edit) {
    return refusal([&](auto &f) { edit(f.drop("adapter.lora.alpha")); });
  };
  EXPECT_EQ(with([](auto &) {}),
            ": key 'adapter.lora.alpha': expected a float, found none");
  EXPECT_EQ(with([](auto &f) { f.u32("adapter.lora.alpha", 3); }),
            ": key 'adapter.lora.alpha': expected a float, found none");
  for (float value : {std::numeric_limits<float>::quiet_NaN(),
                      std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(with([&](auto &f) { f.f32("adapter.lora.alpha", value); }),
              ": key 'adapter.lora.alpha': expected a finite number, found an "
              "infinity or NaN");
  }
}

TEST_F(GgufAdapterTest, RefusesOtherKeys) {
  EXPECT_EQ(refusal([](auto &f) { f.u32("general.type", 1); }),
            ": key 'general.type': expected every key once, found it twice");
  EXPECT_EQ(refusal([](auto &f) { f.u32("", 1); }),
            ": key 8: expected a name, found none");
  EXPECT_EQ(refusal([](auto &f) {
              f.keys.emplace_back("x", std::string("\x0d\0\0\0", 4));
            }),
            ": key 'x': expected a value type of 0 to 12, found 13");
  // An array of arrays, and one of many elements.
  EXPECT_EQ(refusal([](auto &f) {
              f.keys.emplace_back("x", std::string("\x09\0\0\0\x09\0\0\0", 8) +
                                           std::string(8, 0));
            }),
            ": key 'x': expected an array of numbers, bools or strings, found "
            "element type 9");
  EXPECT_NE(refusal([](auto &f) {
              f.keys.emplace_back("x", std::string("\x09\0\0\0\0\0\0\0", 8) +
                                           std::string(8, '\xff'));
            }).find(": key 'x': expected at most "),
            std::string::npos);
  for (uint32_t alignment : {0u, 3u, 1u << 21}) {
    EXPECT_EQ(refusal([&](auto &f) { f.u32("general.alignment", alignment); }),
              ": key 'general.alignment': expected a power of two up to "
              "1048576, found " +
                  std::to_string(alignment));
  }
  EXPECT_EQ(refusal([](auto &f) { f.f32("general.alignment", 32); }),
            ": key 'general.alignment': expected a 32-bit unsigned integer, "
            "found another type");
}

TEST_F(GgufAdapterTest, RefusesOtherTensors) {
  const std::pair<const char *, const char *> kNames[] = {
      {"blk.0.attn_norm.weight", "found another tensor, which is not supp"},
      {"blk.0.attn_q.lora_a", "found another tensor"},
      {"blk.0.attn_q.weight", "found another tensor"},
      {"lora_a", "found another tensor"},
      {"token_embd.weight.lora_a", "found 'token_embd', which is not supp"},
      {"output.weight.lora_a", "found 'output', which is not supported"},
      {"blk.0.ffn_gate_exps.weight.lora_a", "found 'blk.0.ffn_gate_exps'"},
      {"blk.x.attn_q.weight.lora_a", "found 'blk.x.attn_q'"},
      {"blk.00.attn_q.weight.lora_a", "found 'blk.00.attn_q'"},
      {"blk.0attn_q.weight.lora_a", "found 'blk.0attn_q'"},
      {"blk.0.attn_q.weight.lora_b", "expected every tensor once, found it"},
      {"", "tensor 0: expected a name, found none"},
  };
  for (const auto &[name, expected] : kNames) {
    std::string message =
        refusal([&, name = name](auto &f) { f.tensors[0].name = name; });
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  }
}

TEST_F(GgufAdapterTest, RefusesMatricesThatDoNotFit) {
  std::string where = ": tensor 'blk.0.attn_q.weight.lora_a': expected ";
  EXPECT_EQ(refusal([](auto &f) { f.tensors[0].dtype = "Q8_0"; }),
            where + "type F32, F16 or BF16, found GGML's number 8, which is "
                    "not supported");
  EXPECT_EQ(refusal([](auto &f) { f.tensors[0].shape = {2, 3, 1}; }),
            where + "a matrix, found 3 dimensions");
  EXPECT_EQ(refusal([](auto &f) { f.tensors[0].shape = {}; }),
            where + "1 to 4 dimensions, found 0");
  EXPECT_EQ(refusal([](auto &f) { f.tensors[0].shape = {0, 3}; }),
            where + "a positive size that fits in 63 bits with the others, "
                    "found 0");
  EXPECT_EQ(
      refusal([](auto &f) { f.tensors[0].shape = {1ull << 32, 1ull << 32}; }),
      where + "a positive size that fits in 63 bits with the others, "
              "found 4294967296");
  EXPECT_NE(refusal([](auto &f) {
              f.tensors[0].shape = {1ull << 31, 1ull << 31};
            }).find(where + "4611686018427387904 elements within the "),
            std::string::npos);
  // The next one is 32 bytes further.
  EXPECT_EQ(refusal([](auto &f) { f.tensors[0].shape = {2, 5}; }),
            ": tensor 'blk.0.attn_q.weight.lora_b': expected tensors to be "
            "apart, found it to overlap 'blk.0.attn_q.weight.lora_a'");
  EXPECT_EQ(refusal([](auto &f) { f.tensors[1].shape = {2, 5}; }),
            ": tensor 'blk.0.attn_q.weight.lora_b': expected as many columns "
            "as 'blk.0.attn_q.weight.lora_a' has rows, 2, found the shape "
            "[2, 5]");
  EXPECT_EQ(refusal([](auto &f) { f.tensors.erase(f.tensors.begin()); }),
            ": tensor 'blk.0.attn_q.weight.lora_b': expected both matrices of "
            "the pair, found no A");
  EXPECT_EQ(refusal([](auto &f) { f.tensors.clear(); }),
            ": tensors: expected the matrices of an adapter, found none");
}

TEST_F(GgufAdapterTest, RefusesWhatIsNotFinite) {
  EXPECT_EQ(refusal([](auto &f) {
              f.tensors[0].data.replace(
                  20, 4, pack("F32", {std::numeric_limits<float>::infinity()}));
            }),
            ": tensor 'blk.0.attn_q.weight.lora_a': expected finite values, "
            "found an infinity or NaN at [1, 2]");
}

/// Counts, lengths and offsets that a file of this size cannot have.
TEST_F(GgufAdapterTest, RefusesHugeNumbers) {
  std::string good = gguf().build();
  auto with = [&](size_t at, uint64_t value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return AdapterFixture::error(write("a.gguf", bytes));
  };
  EXPECT_NE(with(8, ~0ull).find(": tensor count: expected at most "),
            std::string::npos);
  EXPECT_NE(with(16, ~0ull).find(": key count: expected at most "),
            std::string::npos);
  EXPECT_NE(with(24, ~0ull - 7).find(": key 0: expected at most "),
            std::string::npos);
  size_t entry = good.find("blk.0.attn_q.weight.lora_a");
  size_t offset = entry + 26 + 4 + 16 + 4;
  EXPECT_EQ(with(offset, 8), ": tensor 'blk.0.attn_q.weight.lora_a': expected "
                             "an offset that is a multiple of 32, found 8");
  EXPECT_NE(with(offset, ~0ull - 31)
                .find(": tensor 'blk.0.attn_q.weight.lora_a': expected 6 "
                      "elements within the "),
            std::string::npos);
}

} // namespace
