// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Import/Architecture.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"

using namespace llvm;
using mlir::umber::Activation;
using mlir::umber::RotaryStyle;

namespace umber {

static constexpr Architecture kArchitectures[] = {
    // GGUF stores Llama's queries and keys permuted, so that pairs are
    // adjacent.
    {"llama", RotaryStyle::Interleaved, Activation::SiLU,
     /*queryKeyNorm=*/false, /*normOffset=*/false, /*scaleEmbedding=*/false},
    {"qwen2", RotaryStyle::Half, Activation::SiLU,
     /*queryKeyNorm=*/false, /*normOffset=*/false, /*scaleEmbedding=*/false},
    {"qwen3", RotaryStyle::Half, Activation::SiLU,
     /*queryKeyNorm=*/true, /*normOffset=*/false, /*scaleEmbedding=*/false},
};

ArrayRef<Architecture> getArchitectures() { return kArchitectures; }

Expected<const Architecture *> findArchitecture(StringRef name) {
  for (const Architecture &architecture : kArchitectures) {
    if (architecture.name == name) {
      return &architecture;
    }
  }
  std::string known = join(map_range(kArchitectures,
                                     [](const Architecture &architecture) {
                                       return architecture.name.str();
                                     }),
                           ", ");
  return createStringError(inconvertibleErrorCode(),
                           "architecture " + gguf::quote(name) +
                               " is not supported; supported are " + known);
}

Error verifyConfig(const ModelConfig &config) {
  auto fail = [](const Twine &message) {
    return createStringError(inconvertibleErrorCode(), message);
  };
  struct Bound {
    StringLiteral what;
    int64_t value, most;
  };
  // Far above any model there is; low enough that products stay below 2^63.
  const Bound bounds[] = {{"layers", config.layers, 1 << 14},
                          {"hidden size", config.hidden, 1 << 20},
                          {"heads", config.heads, 1 << 14},
                          {"key/value heads", config.kvHeads, 1 << 14},
                          {"head size", config.headDim, 1 << 14},
                          {"feed-forward size", config.feedForward, 1 << 22},
                          {"vocabulary", config.vocab, 1 << 24},
                          {"context length", config.contextLength, 1 << 30}};
  for (const Bound &bound : bounds) {
    if (bound.value < 1 || bound.value > bound.most) {
      return fail(bound.what + ": expected 1 to " + Twine(bound.most) +
                  ", found " + Twine(bound.value));
    }
  }
  if (config.heads % config.kvHeads != 0) {
    return fail("heads: expected a multiple of the " + Twine(config.kvHeads) +
                " key/value heads, found " + Twine(config.heads));
  }
  if (config.ropeDims < 2 || config.ropeDims % 2 != 0 ||
      config.ropeDims > config.headDim) {
    return fail(
        "rotated dims: expected an even number from 2 to the head size " +
        Twine(config.headDim) + ", found " + Twine(config.ropeDims));
  }
  if (!(config.ropeBase > 1.0 && config.ropeBase < 1e30)) {
    return fail("rotary base: expected more than 1, found " +
                Twine(std::to_string(config.ropeBase)));
  }
  if (!(config.normEps >= 0.0 && config.normEps < 1.0)) {
    return fail("norm epsilon: expected 0 to 1, found " +
                Twine(std::to_string(config.normEps)));
  }
  return Error::success();
}

std::vector<ParamSpec> getLayerParams(const Architecture &architecture,
                                      const ModelConfig &config) {
  int64_t hidden = config.hidden, feedForward = config.feedForward;
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;
  std::vector<ParamSpec> specs = {
      {"attn_norm", "attn_norm.weight", hidden, 0, true},
      {"attn.q", "attn_q.weight", queries, hidden, true},
      {"attn.q_bias", "attn_q.bias", queries, 0, false},
      {"attn.k", "attn_k.weight", keys, hidden, true},
      {"attn.k_bias", "attn_k.bias", keys, 0, false},
      {"attn.v", "attn_v.weight", keys, hidden, true},
      {"attn.v_bias", "attn_v.bias", keys, 0, false},
      {"attn.o", "attn_output.weight", hidden, queries, true},
      {"attn.o_bias", "attn_output.bias", hidden, 0, false},
      {"ffn_norm", "ffn_norm.weight", hidden, 0, true},
      {"ffn.gate", "ffn_gate.weight", feedForward, hidden, true},
      {"ffn.up", "ffn_up.weight", feedForward, hidden, true},
      {"ffn.down", "ffn_down.weight", hidden, feedForward, true}};
  if (architecture.queryKeyNorm) {
    specs.push_back(
        {"attn.q_norm", "attn_q_norm.weight", config.headDim, 0, true});
    specs.push_back(
        {"attn.k_norm", "attn_k_norm.weight", config.headDim, 0, true});
  }
  return specs;
}

std::vector<ParamSpec> getModelParams(const Architecture &architecture,
                                      const ModelConfig &config) {
  return {{"embed", "token_embd.weight", config.vocab, config.hidden, true},
          {"final_norm", "output_norm.weight", config.hidden, 0, true},
          // Without it the embedding is the output head too.
          {"output", "output.weight", config.vocab, config.hidden, false},
          {"rope_factors", "rope_freqs.weight", config.ropeDims / 2, 0, false}};
}

} // namespace umber
