// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/Adapter/Fixture.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace umber;
using namespace umber::test;

namespace {

template <typename T>
std::string bytesOf(T value) {
  return std::string(reinterpret_cast<const char *>(&value), sizeof value);
}

std::string ggufString(const std::string &text) {
  return bytesOf(uint64_t(text.size())) + text;
}

uint16_t halfOf(float value) {
  _Float16 half = _Float16(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

float floatOf(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, sizeof half);
  return float(half);
}

template <typename T>
T at(Bytes data, size_t i) {
  T value;
  std::memcpy(&value, data.data + i * sizeof value, sizeof value);
  return value;
}

} // namespace

std::string umber::test::pack(const std::string &dtype,
                              const std::vector<float> &values) {
  std::string bytes;
  for (float value : values) {
    std::string f32 = bytesOf(value);
    bytes += dtype == "F32"   ? f32
             : dtype == "F16" ? bytesOf(halfOf(value))
                              : f32.substr(2);
  }
  return bytes;
}

std::vector<float> umber::test::unpack(fbs::DType dtype, Bytes data) {
  std::vector<float> values(data.size / (dtype == fbs::DType_F32 ? 4 : 2));
  for (size_t i = 0; i < values.size(); ++i) {
    if (dtype == fbs::DType_F32) {
      values[i] = at<float>(data, i);
    } else if (dtype == fbs::DType_F16) {
      values[i] = floatOf(at<uint16_t>(data, i));
    } else {
      uint32_t bits = uint32_t(at<uint16_t>(data, i)) << 16;
      std::memcpy(&values[i], &bits, sizeof bits);
    }
  }
  return values;
}

std::string umber::test::safetensors(const std::string &header,
                                     const std::string &data) {
  return bytesOf(uint64_t(header.size())) + header + data;
}

std::string umber::test::safetensors(const std::vector<Tensor> &tensors,
                                     const std::function<void(Json &)> &edit) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const Tensor &tensor : tensors) {
    size_t end = data.size() + tensor.data.size();
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {data.size(), end}}};
    data += tensor.data;
  }
  if (edit) {
    edit(header);
  }
  return safetensors(header.dump(), data);
}

GgufBytes &GgufBytes::text(const std::string &key, const std::string &value) {
  keys.emplace_back(key, bytesOf(uint32_t(8)) + ggufString(value));
  return *this;
}

GgufBytes &GgufBytes::f32(const std::string &key, float value) {
  keys.emplace_back(key, bytesOf(uint32_t(6)) + bytesOf(value));
  return *this;
}

GgufBytes &GgufBytes::u32(const std::string &key, uint32_t value) {
  keys.emplace_back(key, bytesOf(uint32_t(4)) + bytesOf(value));
  return *this;
}

GgufBytes &GgufBytes::strings(const std::string &key,
                              const std::vector<std::string> &values) {
  std::string bytes = bytesOf(uint32_t(9)) + bytesOf(uint32_t(8)) +
                      bytesOf(uint64_t(values.size()));
  for (const std::string &value : values) {
    bytes += ggufString(value);
  }
  keys.emplace_back(key, bytes);
  return *this;
}

GgufBytes &GgufBytes::drop(const std::string &key) {
  keys.erase(std::remove_if(keys.begin(), keys.end(),
                            [&](auto &entry) { return entry.first == key; }),
             keys.end());
  return *this;
}

std::string GgufBytes::build() const {
  std::string file = "GGUF" + bytesOf(version) +
                     bytesOf(uint64_t(tensors.size())) +
                     bytesOf(uint64_t(keys.size()));
  for (const auto &[key, value] : keys) {
    file += ggufString(key) + value;
  }
  auto fill = [&](std::string &bytes) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  };
  std::string data;
  for (const Tensor &tensor : tensors) {
    file += ggufString(tensor.name) + bytesOf(uint32_t(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;) {
      file += bytesOf(tensor.shape[i]);
    }
    uint32_t type = tensor.dtype == "F32"    ? 0
                    : tensor.dtype == "F16"  ? 1
                    : tensor.dtype == "BF16" ? 30
                                             : 8;
    file += bytesOf(type) + bytesOf(uint64_t(data.size()));
    data += tensor.data;
    fill(data);
  }
  fill(file);
  return file + data;
}

void AdapterFixture::SetUp() {
  std::string name = testing::TempDir() + "umber-adapter-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  directory = name;
}

void AdapterFixture::TearDown() { std::filesystem::remove_all(directory); }

Json AdapterFixture::config() {
  return {{"peft_type", "LORA"},
          {"base_model_name_or_path", "somebody/tiny"},
          {"r", 2},
          {"lora_alpha", 3},
          {"target_modules", {"q_proj", "down_proj"}},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"init_lora_weights", true},
          {"use_dora", false},
          {"modules_to_save", nullptr}};
}

std::vector<Tensor> AdapterFixture::peftTensors(const std::string &dtype) {
  std::vector<Tensor> tensors;
  float next = 0.0f;
  auto add = [&](const std::string &name, uint64_t rows, uint64_t columns) {
    std::vector<float> values(rows * columns);
    for (float &value : values) {
      value = next - 25.0f; // Exact in any type.
      next += 0.5f;
    }
    tensors.push_back({name, dtype, {rows, columns}, pack(dtype, values)});
  };
  for (const char *module :
       {"model.layers.0.self_attn.q_proj", "model.layers.0.mlp.down_proj",
        "model.layers.2.self_attn.q_proj", "model.layers.2.mlp.down_proj"}) {
    std::string name = std::string("base_model.model.") + module;
    add(name + ".lora_A.weight", 2, 3);
    add(name + ".lora_B.weight", 5, 2);
  }
  return tensors;
}

GgufBytes AdapterFixture::gguf(const std::string &dtype) {
  GgufBytes file;
  file.text("general.architecture", "llama")
      .text("general.type", "adapter")
      .text("adapter.type", "lora")
      .text("general.name", "A tiny one")
      .text("general.base_model.0.name", "Tiny")
      .f32("adapter.lora.alpha", 3.0f)
      .u32("general.quantization_version", 2)
      .strings("general.tags", {"lora", "", "x"});
  file.tensors = peftTensors(dtype);
  const char *names[] = {"blk.0.attn_q", "blk.0.ffn_down", "blk.2.attn_q",
                         "blk.2.ffn_down"};
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    file.tensors[i].name = std::string(names[i / 2]) +
                           (i % 2 ? ".weight.lora_b" : ".weight.lora_a");
  }
  return file;
}

std::string AdapterFixture::write(const std::string &name,
                                  const std::string &bytes) const {
  std::string path = pathOf(name);
  // A new file: an open one is mapped, and must not be changed.
  std::filesystem::remove(path);
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  EXPECT_TRUE(stream.flush());
  return path;
}

std::string AdapterFixture::writePeft(const Json &config,
                                      const std::string &weights) const {
  std::filesystem::create_directories(pathOf("peft"));
  write("peft/adapter_config.json", config.dump());
  write("peft/adapter_model.safetensors", weights);
  return pathOf("peft");
}

std::string
AdapterFixture::writePeft(const Json &config,
                          const std::vector<Tensor> &tensors) const {
  return writePeft(config, safetensors(tensors));
}

std::string AdapterFixture::read(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::shared_ptr<const Adapter> AdapterFixture::open(const std::string &path) {
  auto adapter = Adapter::open(path);
  if (!adapter.ok()) {
    ADD_FAILURE() << adapter.status().message();
    return std::make_shared<const Adapter>(AdapterInfo(),
                                           std::vector<AdapterPair>(), nullptr);
  }
  return *adapter;
}

std::string AdapterFixture::error(const std::string &path) {
  auto adapter = Adapter::open(path);
  if (adapter.ok()) {
    return "";
  }
  std::string message = adapter.status().message();
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_EQ(message.rfind(path, 0), 0u) << message;
  return message.substr(std::min(path.size(), message.size()));
}
