// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/PeftConfig.h"
#include "test/Unit/Adapter/Fixture.h"

#include <cmath>

using namespace umber;
using namespace umber::test;

namespace {

std::string moduleOf(int layer, const char *name) {
  return "model.layers." + std::to_string(layer) + "." + name;
}

class PeftConfigTest : public AdapterFixture {
protected:
  static Result<PeftConfig> parse(const std::string &text) {
    return PeftConfig::parse(
        {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
  }
  static Result<PeftConfig> parse(const Json &json) {
    return parse(json.dump());
  }
  /// The configuration with one key more, which has to be a good one.
  static PeftConfig with(const Json &changes) {
    Json json = config();
    json.update(changes);
    auto parsed = parse(json);
    EXPECT_TRUE(parsed.ok()) << parsed.status().message();
    return std::move(*parsed);
  }
  static std::string refusal(const char *key, const Json &value,
                             StatusCode code) {
    Json json = config();
    json[key] = value;
    auto parsed = parse(json);
    if (parsed.ok()) {
      return "";
    }
    EXPECT_EQ(parsed.status().code(), code) << parsed.status().message();
    return parsed.status().message();
  }
};

TEST_F(PeftConfigTest, RanksAndScales) {
  PeftConfig config = with({{"r", 8},
                            {"lora_alpha", 12.5},
                            {"rank_pattern",
                             {{"layers.1.self_attn.k_proj", 4},
                              {"k_proj", 2},
                              {".*\\.mlp\\.(up|gate)_proj", 16}}},
                            {"alpha_pattern", {{"k_proj", 3}}}});
  EXPECT_EQ(config.rank(moduleOf(0, "self_attn.q_proj")), 8);
  EXPECT_EQ(config.scale(moduleOf(0, "self_attn.q_proj")), 12.5f / 8);
  // The first that fits.
  EXPECT_EQ(config.rank(moduleOf(1, "self_attn.k_proj")), 4);
  EXPECT_EQ(config.scale(moduleOf(1, "self_attn.k_proj")), 0.75f);
  EXPECT_EQ(config.rank(moduleOf(11, "self_attn.k_proj")), 2);
  EXPECT_EQ(config.scale(moduleOf(11, "self_attn.k_proj")), 1.5f);
  EXPECT_EQ(config.rank(moduleOf(5, "mlp.gate_proj")), 16);
  EXPECT_EQ(config.rank(moduleOf(5, "mlp.down_proj")), 8);
  EXPECT_EQ(config.baseName(), "somebody/tiny");
}

TEST_F(PeftConfigTest, RankStabilized) {
  PeftConfig config = with({{"r", 3}, {"lora_alpha", 5}, {"use_rslora", true}});
  EXPECT_EQ(config.scale(moduleOf(0, "self_attn.q_proj")),
            float(5.0 / std::sqrt(3.0)));
}

TEST_F(PeftConfigTest, TargetModules) {
  PeftConfig list = with({{"target_modules", {"q_proj", "mlp.up_proj"}}});
  EXPECT_TRUE(list.targets(moduleOf(3, "self_attn.q_proj")));
  EXPECT_TRUE(list.targets(moduleOf(3, "mlp.up_proj")));
  EXPECT_FALSE(list.targets(moduleOf(3, "mlp.down_proj")));
  // A suffix ends at a dot.
  EXPECT_FALSE(with({{"target_modules", {"proj"}}})
                   .targets(moduleOf(3, "self_attn.q_proj")));
  EXPECT_TRUE(with({{"target_modules", {moduleOf(3, "self_attn.q_proj")}}})
                  .targets(moduleOf(3, "self_attn.q_proj")));
  EXPECT_FALSE(with({{"target_modules", Json::array()}})
                   .targets(moduleOf(3, "self_attn.q_proj")));

  PeftConfig pattern = with({{"target_modules", ".*\\.[12]\\..*_proj"}});
  EXPECT_TRUE(pattern.targets(moduleOf(2, "mlp.up_proj")));
  EXPECT_FALSE(pattern.targets(moduleOf(3, "mlp.up_proj")));
  EXPECT_FALSE(pattern.targets(moduleOf(12, "mlp.up_proj")));
  // All of the name has to match.
  EXPECT_FALSE(
      with({{"target_modules", "model"}}).targets(moduleOf(2, "mlp.up_proj")));

  PeftConfig all = with({{"target_modules", "All-Linear"}});
  EXPECT_TRUE(all.targets(moduleOf(2, "mlp.up_proj")));
}

TEST_F(PeftConfigTest, ExcludedModules) {
  PeftConfig list = with(
      {{"target_modules", "all-linear"}, {"exclude_modules", {"up_proj"}}});
  EXPECT_FALSE(list.targets(moduleOf(2, "mlp.up_proj")));
  EXPECT_TRUE(list.targets(moduleOf(2, "mlp.down_proj")));
  PeftConfig pattern = with({{"exclude_modules", ".*layers\\.0\\..*"}});
  EXPECT_FALSE(pattern.targets(moduleOf(0, "mlp.down_proj")));
  EXPECT_TRUE(pattern.targets(moduleOf(2, "mlp.down_proj")));
  EXPECT_TRUE(with({{"exclude_modules", nullptr}})
                  .targets(moduleOf(2, "mlp.down_proj")));
}

TEST_F(PeftConfigTest, Layers) {
  std::string zero = moduleOf(0, "mlp.down_proj");
  std::string second = moduleOf(2, "mlp.down_proj");
  PeftConfig list = with({{"layers_to_transform", {1, 2}}});
  EXPECT_FALSE(list.targets(zero));
  EXPECT_TRUE(list.targets(second));
  PeftConfig one = with({{"layers_to_transform", 0}});
  EXPECT_TRUE(one.targets(zero));
  EXPECT_FALSE(one.targets(second));
  EXPECT_TRUE(with({{"layers_to_transform", Json::array()}}).targets(second));
  EXPECT_TRUE(with({{"layers_to_transform", 2}, {"layers_pattern", "layers"}})
                  .targets(second));
  EXPECT_TRUE(
      with({{"layers_to_transform", 2}, {"layers_pattern", {"h", "layers"}}})
          .targets(second));
  EXPECT_FALSE(with({{"layers_to_transform", 2}, {"layers_pattern", "h"}})
                   .targets(second));
}

TEST_F(PeftConfigTest, RefusesWhatIsNotSupportedByName) {
  const std::pair<const char *, Json> kValues[] = {
      {"peft_type", "LOHA"},
      {"peft_type", nullptr},
      {"use_dora", true},
      {"lora_bias", true},
      {"fan_in_fan_out", true},
      {"bias", "all"},
      {"bias", "lora_only"},
      {"modules_to_save", {"lm_head"}},
      {"layer_replication", {{0, 4}, {2, 5}}},
      {"target_parameters", {"mlp.experts.gate_up_proj"}},
      {"trainable_token_indices", {1, 2}},
      {"trainable_token_indices", {{"embed_tokens", {1}}}},
      {"alora_invocation_tokens", {5}},
      {"use_qalora", true},
      {"use_bdlora", {{"nblocks", 2}}},
      {"arrow_config", {{"top_k", 2}}},
      {"kasa_config", {{"beta", 1.0}}},
      {"monteclora_config", {{"num_samples", 2}}},
      {"init_lora_weights", "pissa"},
      {"init_lora_weights", "pissa_niter_4"},
      {"init_lora_weights", "olora"},
      {"init_lora_weights", "corda"},
      {"init_lora_weights", "loftq"},
      {"init_lora_weights", "lora_ga"},
  };
  for (const auto &[key, value] : kValues) {
    std::string message = refusal(key, value, StatusCode::Unsupported);
    EXPECT_EQ(message.rfind("'" + std::string(key) + "': expected ", 0), 0u)
        << key << value << message;
    EXPECT_NE(message.find("not supported"), std::string::npos) << message;
  }
}

TEST_F(PeftConfigTest, TakesWhatIsForTraining) {
  for (const char *init : {"gaussian", "eva", "orthogonal"}) {
    with({{"init_lora_weights", init}});
  }
  with({{"init_lora_weights", false},
        {"lora_dropout", 0.1},
        {"task_type", "CAUSAL_LM"},
        {"revision", nullptr},
        {"eva_config", {{"rho", 2.0}}},
        {"loftq_config", Json::object()},
        {"layer_replication", nullptr},
        {"modules_to_save", Json::array()},
        {"rank_pattern", nullptr},
        {"a_key_of_tomorrow", {{"x", {1, 2}}}}});
}

TEST_F(PeftConfigTest, RefusesWhatIsWrong) {
  const std::tuple<const char *, Json, const char *> kValues[] = {
      {"r", 0, "'r': expected an integer from 1 to 2^20, found '0'"},
      {"r", -8, "'r': expected an integer from 1 to 2^20, found '-8'"},
      {"r", 8.0, "'r': expected an integer from 1 to 2^20, found '8.0'"},
      {"r", true, "'r': expected an integer from 1 to 2^20, found 'true'"},
      {"r", nullptr, "'r': expected an integer from 1 to 2^20, found 'null'"},
      {"r", 1 << 21, "'r': expected an integer from 1 to 2^20"},
      {"r", ~0ull, "'r': expected an integer from 1 to 2^20"},
      {"lora_alpha", "8", "'lora_alpha': expected a number, found '\"8\"'"},
      {"lora_alpha", nullptr, "'lora_alpha': expected a number"},
      {"use_rslora", 1, "'use_rslora': expected true or false, found '1'"},
      {"base_model_name_or_path", 1,
       "'base_model_name_or_path': expected a string, found '1'"},
      {"rank_pattern", {1}, "'rank_pattern': expected an object, found an arr"},
      {"rank_pattern",
       {{"a", 0}},
       "'rank_pattern': expected integers from 1 to 2^20, found '0'"},
      {"rank_pattern",
       {{"a(", 2}},
       "'rank_pattern', 'a(': expected a regular expression with a ')'"},
      {"alpha_pattern",
       {{"a", "b"}},
       "'alpha_pattern': expected numbers, found '\"b\"'"},
      {"alpha_pattern", {{"[", 1}}, "'alpha_pattern', '[': expected a regular"},
      {"target_modules", nullptr,
       "'target_modules': expected a list of modules, or a pattern, found "
       "'null'"},
      {"target_modules", {1}, "'target_modules': expected a list of modules"},
      {"target_modules", "(?i)x", "'target_modules', '(?i)x': expected a reg"},
      {"exclude_modules", 3, "'exclude_modules': expected a list of modules"},
      {"layers_to_transform", -1,
       "'layers_to_transform': expected a layer's number"},
      {"layers_to_transform",
       {1, "2"},
       "'layers_to_transform': expected a layer's number"},
  };
  for (const auto &[key, value, expected] : kValues) {
    std::string message = refusal(key, value, StatusCode::CorruptFile);
    EXPECT_EQ(message.rfind(expected, 0), 0u) << key << value << message;
    EXPECT_NE(message.find(", found "), std::string::npos) << message;
  }
  Json json = config();
  json["layers_to_transform"] = {1};
  json["target_modules"] = "all-linear";
  EXPECT_FALSE(parse(json).ok());
  json["target_modules"] = {"q_proj"};
  json["layers_pattern"] = {1};
  EXPECT_FALSE(parse(json).ok());
  json["layers_pattern"] = "(";
  EXPECT_FALSE(parse(json).ok());
}

TEST_F(PeftConfigTest, RefusesWhatIsNoConfiguration) {
  auto message = [](const std::string &text) {
    auto parsed = parse(text);
    return parsed.ok() ? "" : parsed.status().message();
  };
  EXPECT_EQ(message(""), "JSON: expected valid text, found an error at byte 1");
  EXPECT_EQ(message("[]"), "JSON: expected an object, found array");
  EXPECT_EQ(message("{\"r\":1,\"r\":2}"),
            "JSON: expected every key once, found 'r' twice");
  EXPECT_EQ(message("{\"a\":" + std::string(50, '[') + "}"),
            "JSON: expected values that nest 16 deep at most, found deeper "
            "ones");
  EXPECT_EQ(message(std::string(300000, ' ')),
            "expected at most 262144 bytes, found 300000");
  EXPECT_EQ(message("{}"), "'peft_type': expected \"LORA\", found 'null', "
                           "which is not supported");
}

} // namespace
