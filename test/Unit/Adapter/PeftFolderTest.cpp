// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/Adapter/Fixture.h"

#include <cmath>
#include <filesystem>
#include <limits>

using namespace umber;
using namespace umber::test;

namespace {

class PeftFolderTest : public AdapterFixture {
protected:
  /// What is said of the folder with changed tensors, behind the weights' path.
  std::string
  refusal(const std::function<void(std::vector<Tensor> &)> &edit) const {
    std::vector<Tensor> tensors = peftTensors();
    edit(tensors);
    std::string message = error(writePeft(config(), tensors));
    std::string file = "/adapter_model.safetensors: ";
    EXPECT_EQ(message.rfind(file, 0), 0u) << message;
    return message.substr(std::min(file.size(), message.size()));
  }
};

const std::string kQuery = "base_model.model.model.layers.0.self_attn.q_proj.";

TEST_F(PeftFolderTest, Reads) {
  for (const char *dtype : {"F32", "F16", "BF16"}) {
    auto adapter = open(writePeft(config(), peftTensors(dtype)));
    EXPECT_EQ(adapter->name(), "peft");
    EXPECT_EQ(adapter->baseName(), "somebody/tiny");
    EXPECT_EQ(adapter->architecture(), "");
    EXPECT_EQ(adapter->baseHash(), 0u);
    EXPECT_EQ(adapter->rowOrder(), RowOrder::HuggingFace);
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
      EXPECT_EQ(pack("F32", unpack(pair.dtype, pair.a)), expected[2 * i].data);
      EXPECT_EQ(pack("F32", unpack(pair.dtype, pair.b)),
                expected[2 * i + 1].data);
    }
  }
}

TEST_F(PeftFolderTest, NameOfAFolderWithASlash) {
  EXPECT_EQ(open(writePeft(config(), peftTensors()) + "/")->name(), "peft");
}

TEST_F(PeftFolderTest, EveryModule) {
  const std::pair<const char *, const char *> kModules[] = {
      {"self_attn.q_proj", "attn_q"}, {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"}, {"self_attn.o_proj", "attn_output"},
      {"mlp.gate_proj", "ffn_gate"},  {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  Json config = this->config();
  config["target_modules"] = "all-linear";
  for (const auto &[module, site] : kModules) {
    std::vector<Tensor> tensors = peftTensors();
    tensors.resize(2);
    std::string prefix =
        std::string("base_model.model.model.layers.10.") + module;
    tensors[0].name = prefix + ".lora_A.weight";
    tensors[1].name = prefix + ".lora_B.weight";
    auto adapter = open(writePeft(config, tensors));
    ASSERT_EQ(adapter->pairs().size(), 1u);
    EXPECT_EQ(adapter->pairs()[0].site, std::string("blk.10.") + site);
  }
}

TEST_F(PeftFolderTest, NamedAdapter) {
  std::vector<Tensor> tensors = peftTensors();
  for (Tensor &tensor : tensors) {
    tensor.name.insert(tensor.name.size() - 7, ".default");
  }
  EXPECT_EQ(open(writePeft(config(), tensors))->pairs().size(), 4u);
  tensors[7].name.replace(tensors[7].name.find("default"), 7, "other");
  EXPECT_NE(error(writePeft(config(), tensors))
                .find("expected the tensors of one adapter, 'default', found "
                      "one of 'other'"),
            std::string::npos);
}

TEST_F(PeftFolderTest, RanksOfTheirOwn) {
  Json config = this->config();
  config["rank_pattern"] = {{"layers.2.self_attn.q_proj", 1}};
  config["alpha_pattern"] = {{"down_proj", 7}};
  config["use_rslora"] = true;
  std::vector<Tensor> tensors = peftTensors();
  tensors[4].shape = {1, 6};
  tensors[5].shape = {10, 1};
  auto adapter = open(writePeft(config, tensors));
  ASSERT_EQ(adapter->pairs().size(), 4u);
  EXPECT_EQ(adapter->pairs()[0].scale, float(3 / std::sqrt(2.0)));
  EXPECT_EQ(adapter->pairs()[1].scale, float(7 / std::sqrt(2.0)));
  EXPECT_EQ(adapter->pairs()[2].rank, 1);
  EXPECT_EQ(adapter->pairs()[2].inputs, 6);
  EXPECT_EQ(adapter->pairs()[2].outputs, 10);
  EXPECT_EQ(adapter->pairs()[2].scale, 3.0f);
}

TEST_F(PeftFolderTest, RefusesOtherTensors) {
  const std::pair<std::string, const char *> kNames[] = {
      {kQuery + "lora_magnitude_vector", "found a magnitude of DoRA, which is "
                                         "not supported"},
      {kQuery + "lora_magnitude_vector.weight", "found a magnitude of DoRA"},
      {"base_model.model.model.embed_tokens.lora_embedding_A",
       "found one for an embedding, which is not supported"},
      {kQuery + "lora_B.bias", "found a bias, which is not supported"},
      {kQuery + "base_layer.weight", "found another tensor, which is not"},
      {"base_model.model.lm_head.weight", "found another tensor"},
      {"model.layers.0.self_attn.q_proj.lora_A.weight", "found another tensor"},
      {kQuery + "lora_A", "found another tensor"},
      {kQuery + "lora_A..weight", "found another tensor"},
      {kQuery + "lora_A.a.b.weight", "found another tensor"},
      {kQuery + "lora_Aweight", "found another tensor"},
      {"", "found another tensor"},
      {"a\nb", "tensor 'a?b': expected"},
      {"base_model.model.lm_head.lora_A.weight",
       "found the module 'lm_head', which is not supported"},
      {"base_model.model.model.layers.0.mlp.experts.3.up_proj.lora_A.weight",
       "found the module 'model.layers.0.mlp.experts.3.up_proj', which is not "
       "supported"},
      {"base_model.model.model.layers.00.self_attn.q_proj.lora_A.weight",
       "found the module"},
      {"base_model.model.model.layers..self_attn.q_proj.lora_A.weight",
       "found the module"},
      {"base_model.model.model.layers.99999999999999999999.self_attn.q_proj."
       "lora_A.weight",
       "found the module"},
      {"base_model.model.model.layers.-1.self_attn.q_proj.lora_A.weight",
       "found the module"},
      {"base_model.model.model.layers.1", "found another tensor"},
  };
  for (const auto &[name, expected] : kNames) {
    std::string message =
        refusal([&, &name = name](auto &t) { t[0].name = name; });
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  }
}

TEST_F(PeftFolderTest, RefusesModulesThatAreNotTargeted) {
  EXPECT_EQ(
      refusal([](auto &t) {
        t[0].name =
            "base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight";
      }),
      "tensor 'base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight'"
      ": expected a module that the configuration targets, found "
      "'model.layers.0.self_attn.k_proj'");
  Json config = this->config();
  config["layers_to_transform"] = {0, 1};
  EXPECT_NE(error(writePeft(config, peftTensors()))
                .find("expected a module that the configuration targets, found "
                      "'model.layers.2.self_attn.q_proj'"),
            std::string::npos);
}

TEST_F(PeftFolderTest, RefusesMatricesThatDoNotFit) {
  EXPECT_EQ(refusal([](auto &t) { t.erase(t.begin() + 1); }),
            "tensor '" + kQuery +
                "lora_A.weight': expected both matrices of the pair, found no "
                "B");
  EXPECT_EQ(refusal([](auto &t) { t.erase(t.begin()); }),
            "tensor '" + kQuery +
                "lora_B.weight': expected both matrices of the pair, found no "
                "A");
  EXPECT_EQ(refusal([](auto &t) { t[1].shape = {2, 5}; }),
            "tensor '" + kQuery +
                "lora_B.weight': expected as many columns as "
                "'" +
                kQuery + "lora_A.weight' has rows, 2, found the shape [2, 5]");
  EXPECT_EQ(refusal([](auto &t) {
              t[0].shape = {3, 2};
              t[1].shape = {5, 3};
              t[1].data.resize(60);
            }),
            "tensor '" + kQuery +
                "lora_A.weight': expected the "
                "configuration's rank 2, found 3 rows");
  EXPECT_EQ(refusal([](auto &t) { t[0].shape = {6}; }),
            "tensor '" + kQuery +
                "lora_A.weight': expected a matrix with "
                "elements, found 1 dimensions and 24 bytes");
  EXPECT_EQ(refusal([](auto &t) {
              t[0].shape = {2, 0};
              t[0].data = "";
            }),
            "tensor '" + kQuery +
                "lora_A.weight': expected a matrix with "
                "elements, found 2 dimensions and 0 bytes");
  EXPECT_EQ(refusal([](auto &t) {
              t[0].dtype = "F16";
              t[0].data.resize(12);
            }),
            "tensor '" + kQuery + "lora_B.weight': expected the type of '" +
                kQuery + "lora_A.weight', F16, found F32");
  EXPECT_EQ(refusal([](auto &t) {
              t[0].dtype = "F64";
              t[0].data.resize(48);
            }),
            "tensor '" + kQuery +
                "lora_A.weight': expected dtype F32, F16 or BF16, found F64");
  EXPECT_EQ(refusal([](auto &t) { t.clear(); }),
            "tensors: expected the matrices of an adapter, found none");
}

TEST_F(PeftFolderTest, RefusesWhatIsNotFinite) {
  const float kValues[] = {std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity()};
  for (const char *dtype : {"F32", "F16", "BF16"}) {
    for (float value : kValues) {
      std::vector<Tensor> tensors = peftTensors(dtype);
      std::string bytes = pack(dtype, {value});
      tensors[3].data.replace(7 * bytes.size(), bytes.size(), bytes);
      EXPECT_NE(error(writePeft(config(), tensors))
                    .find("layers.0.mlp.down_proj.lora_B.weight': expected "
                          "finite values, found an infinity or NaN at [3, 1]"),
                std::string::npos);
    }
  }
  Json config = this->config();
  config["lora_alpha"] = 1e300;
  EXPECT_NE(error(writePeft(config, peftTensors()))
                .find("expected a finite scale, found alpha too large"),
            std::string::npos);
}

TEST_F(PeftFolderTest, RefusesWithoutFiles) {
  std::string folder = writePeft(config(), peftTensors());
  std::filesystem::remove(folder + "/adapter_model.safetensors");
  EXPECT_EQ(Adapter::open(folder).status().code(), StatusCode::NotFound);
  EXPECT_EQ(error(folder),
            "/adapter_model.safetensors: No such file or directory");
  std::filesystem::remove(folder + "/adapter_config.json");
  EXPECT_EQ(error(folder), "/adapter_config.json: No such file or directory");
  EXPECT_EQ(error(pathOf("none")), ": No such file or directory");
  EXPECT_EQ(error(write("text", "hello")),
            ": expected a PEFT folder, a GGUF file or an adapter package, "
            "found other bytes at the file's start");
  EXPECT_EQ(error(write("text", "")),
            ": expected a PEFT folder, a GGUF file or an adapter package, "
            "found other bytes at the file's start");
}

TEST_F(PeftFolderTest, RefusalsOfTheConfigurationNameItsFile) {
  Json config = this->config();
  config["use_dora"] = true;
  EXPECT_EQ(error(writePeft(config, peftTensors())),
            "/adapter_config.json: 'use_dora': expected none, found 'true', "
            "which is not supported");
}

} // namespace
