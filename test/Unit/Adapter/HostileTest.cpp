// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that were cut or changed: refused in one line, or taken, but never more
// than that.

#include "runtime/adapter/AdapterPackage.h"
#include "test/Unit/Adapter/Fixture.h"

#include <filesystem>
#include <random>

using namespace umber;
using namespace umber::test;

namespace {

class HostileTest : public AdapterFixture {
protected:
  /// The file cut at every length. `at` is what is opened: the file, or the
  /// folder that it is in.
  void truncate(const std::string &file, const std::string &at) const {
    std::string bytes = read(pathOf(file));
    ASSERT_TRUE(Adapter::open(at).ok());
    for (size_t size = 0; size < bytes.size(); ++size) {
      write(file, bytes.substr(0, size));
      ASSERT_NE(error(at), "") << "cut at " << size;
    }
    write(file, bytes);
  }

  /// One byte changed; what is still taken must be safe to read.
  void flip(const std::string &file, const std::string &at) const {
    std::string bytes = read(pathOf(file));
    std::mt19937 random(1);
    for (size_t i = 0; i < bytes.size(); ++i) {
      std::string broken = bytes;
      broken[i] = char(broken[i] ^
                       (i % 2 ? 1 << random() % 8 : 1 + int(random() % 255)));
      write(file, broken);
      auto adapter = Adapter::open(at);
      if (!adapter.ok()) {
        EXPECT_EQ(error(at).find('\n'), std::string::npos);
        continue;
      }
      for (const AdapterPair &pair : (*adapter)->pairs()) {
        EXPECT_EQ(unpack(pair.dtype, pair.a).size(),
                  size_t(pair.rank * pair.inputs));
        EXPECT_EQ(unpack(pair.dtype, pair.b).size(),
                  size_t(pair.rank * pair.outputs));
      }
    }
    write(file, bytes);
  }

  void attack(const std::string &file, const std::string &at) const {
    truncate(file, at);
    flip(file, at);
  }
};

TEST_F(HostileTest, Safetensors) {
  std::vector<Tensor> tensors = peftTensors("F16");
  tensors.resize(4);
  std::string folder = writePeft(config(), tensors);
  attack("peft/adapter_model.safetensors", folder);
}

TEST_F(HostileTest, Config) {
  std::vector<Tensor> tensors = peftTensors("F16");
  tensors.resize(4);
  Json config = this->config();
  config["rank_pattern"] = {
      {".*layers\\.[0-9]{1,3}\\.(mlp|self_attn)\\..*", 2}};
  std::string folder = writePeft(config, tensors);
  attack("peft/adapter_config.json", folder);
}

TEST_F(HostileTest, Gguf) {
  GgufBytes file = gguf("BF16");
  file.tensors.resize(4);
  // Nothing but padding behind the last tensor.
  file.alignment = 4;
  file.u32("general.alignment", 4);
  std::string path = write("a.gguf", file.build());
  attack("a.gguf", path);
}

TEST_F(HostileTest, Package) {
  auto adapter = open(write("a.gguf", gguf("F16").build()));
  std::string path = pathOf("a.umb");
  ASSERT_TRUE(
      writeAdapterPackage(adapter->info(), adapter->pairs(), path).ok());
  attack("a.umb", path);
}

} // namespace
