// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small adapters in every form, right or wrong.

#ifndef UMBER_TEST_UNIT_ADAPTER_FIXTURE_H
#define UMBER_TEST_UNIT_ADAPTER_FIXTURE_H

#include "runtime/adapter/Adapter.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace umber::test {

using Json = nlohmann::ordered_json;

/// A tensor of a file, whatever it says of itself.
struct Tensor {
  std::string name;
  std::string dtype; ///< as safetensors calls it
  std::vector<uint64_t> shape;
  std::string data;
};

/// Values as F32, F16 or BF16; they have to be exact in the type.
std::string pack(const std::string &dtype, const std::vector<float> &values);
/// The values of a matrix.
std::vector<float> unpack(fbs::DType dtype, Bytes data);

/// A safetensors file, with changes to its header.
std::string safetensors(const std::vector<Tensor> &tensors,
                        const std::function<void(Json &)> &edit = nullptr);
/// The same of a header's text.
std::string safetensors(const std::string &header, const std::string &data);

/// A GGUF file of which everything can be chosen.
class GgufBytes {
public:
  uint32_t version = 3;
  uint32_t alignment = 32; ///< what the file keeps to
  std::vector<std::pair<std::string, std::string>> keys; ///< type and value
  std::vector<Tensor> tensors; ///< shapes outermost first

  GgufBytes &text(const std::string &key, const std::string &value);
  GgufBytes &f32(const std::string &key, float value);
  GgufBytes &u32(const std::string &key, uint32_t value);
  /// An array of strings.
  GgufBytes &strings(const std::string &key,
                     const std::vector<std::string> &values);
  GgufBytes &drop(const std::string &key);
  std::string build() const;
};

class AdapterFixture : public testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;

  /// The configuration of the tensors below: rank 2, alpha 3.
  static Json config();
  /// Pairs for attn_q and ffn_down of layers 0 and 2, with 3 inputs and 5
  /// outputs, the values all different.
  static std::vector<Tensor> peftTensors(const std::string &dtype = "F32");
  /// The same as a GGUF file.
  static GgufBytes gguf(const std::string &dtype = "F32");

  std::string pathOf(const std::string &name) const {
    return directory + "/" + name;
  }
  std::string write(const std::string &name, const std::string &bytes) const;
  std::string writePeft(const Json &config, const std::string &weights) const;
  std::string writePeft(const Json &config,
                        const std::vector<Tensor> &tensors) const;
  static std::string read(const std::string &path);

  /// The adapter, which has to be a good one.
  static std::shared_ptr<const Adapter> open(const std::string &path);
  /// What is said of it behind its path, or nothing if it is taken.
  static std::string error(const std::string &path);

  std::string directory;
};

} // namespace umber::test

#endif // UMBER_TEST_UNIT_ADAPTER_FIXTURE_H
