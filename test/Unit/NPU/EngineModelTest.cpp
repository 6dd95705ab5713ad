// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packages for a neural engine whose hashes fit, but not what they say.

#include "runtime/drivers/npu/EngineModel.h"
#include "runtime/package/Package.h"
#include "test/Unit/Package/TestPackage.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>

using namespace umber;
using namespace umber::npu;

namespace {

/// What is written into a package, for tests to change.
struct Parts {
  fbs::PackageT package;
  ProgramFile programs;
  uint64_t weightBytes = 128;
  uint64_t tableBytes = 64;
  std::string programsName = "npu:ane-a17-like.programs";
};

SiteLayout makeSite() {
  SiteLayout site;
  site.name = "l0.attn.q";
  for (MatrixLayout *matrix : {&site.a, &site.aByColumns, &site.b}) {
    matrix->region = Region::Adapters;
    matrix->tileRows = matrix->tileColumns = 4;
  }
  site.a.rows = site.aByColumns.rows = site.b.columns = 2;
  site.a.columns = site.aByColumns.columns = 8;
  site.b.rows = 6;
  return site;
}

Parts makeParts() {
  Parts parts;
  fbs::PackageT &package = parts.package;
  package.kind = fbs::PackageKind_Model;
  package.model = std::make_unique<fbs::ModelInfoT>();
  package.model->name = package.model->arch = "tiny";
  package.model->layers = 1;
  package.model->context_length = 64;
  package.model->vocab = 5;
  package.cache = std::make_unique<fbs::CacheInfoT>();
  package.cache->layers = package.cache->kv_heads = 1;
  package.cache->head_dim = 8;
  package.cache->dtype = fbs::DType_I8;
  auto target = std::make_unique<fbs::TargetT>();
  target->name = "npu:ane-a17-like";
  auto site = std::make_unique<fbs::AdapterSiteT>();
  site->name = "l0.attn.q";
  site->inputs = 8;
  site->outputs = 6;
  target->sites.push_back(std::move(site));
  package.targets.push_back(std::move(target));

  ProgramFile &programs = parts.programs;
  programs.model = "tiny";
  programs.device = "ane-a17-like";
  for (const NamedConfig &named : kNamedConfigs) {
    if (named.name == programs.device) {
      programs.description = named.text;
    }
  }
  programs.contextLength = 64;
  programs.weightBytes = 128;
  programs.tableBytes = 64;
  programs.adapterRank = 2;
  programs.adapterBytes = 1024;
  programs.sites = {makeSite()};
  StepProgram step;
  step.name = "decode";
  step.program.resize(1);
  step.program[0].operation = Stop();
  step.logits = 64;
  step.ioBytes = 64 + 4 * 5;
  programs.steps = {step};
  return parts;
}

class EngineModelTest : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "umber-engine-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    path = folder + "/m.umb";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const std::function<void(Parts &)> &edit) {
    Parts parts = makeParts();
    edit(parts);
    auto bytes = writeProgramFile(parts.programs);
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    const std::string prefix = "npu:ane-a17-like";
    test::writeTestPackage(
        path,
        {{fbs::SegmentKind_CommandStream, parts.programsName, *bytes},
         {fbs::SegmentKind_Weights, prefix + ".weights",
          std::vector<uint8_t>(parts.weightBytes)},
         {fbs::SegmentKind_Tables, prefix + ".tables",
          std::vector<uint8_t>(parts.tableBytes)}},
        std::move(parts.package));
  }

  Result<EngineModel> read() {
    auto opened = Package::open(path);
    if (!opened.ok()) {
      return opened.status();
    }
    package = *opened;
    return readEngineModel(*package);
  }

  void expectRefused(const std::function<void(Parts &)> &edit,
                     const std::string &message) {
    write(edit);
    auto model = read();
    ASSERT_FALSE(model.ok()) << message;
    EXPECT_EQ(model.status().message().rfind(path + ": " + message, 0), 0u)
        << model.status().message();
    EXPECT_NE(model.status().message().find(", found "), std::string::npos)
        << model.status().message();
  }

  std::string folder, path;
  std::shared_ptr<Package> package;
};

TEST_F(EngineModelTest, ReadsWhatItHas) {
  write([](Parts &) {});
  auto model = read();
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ(model->config.name, "ane-a17-like");
  EXPECT_EQ(model->programs.sites.size(), 1u);
  ASSERT_TRUE(model->hasData());
  EXPECT_EQ(package->segment(*model->weights).size, 128u);
  EXPECT_EQ(package->segment(*model->tables).size, 64u);
}

TEST_F(EngineModelTest, RefusesWhatDoesNotFit) {
  expectRefused([](Parts &p) { p.package.targets[0]->name = "cpu"; },
                "expected a model for a neural engine");
  expectRefused([](Parts &p) { p.programsName = "npu:ane-a17-like.program"; },
                "expected a segment npu:ane-a17-like.programs");
  expectRefused([](Parts &p) { p.weightBytes = 127; },
                "segment npu:ane-a17-like.weights: expected 128 bytes");
  expectRefused([](Parts &p) { p.tableBytes = 65; },
                "segment npu:ane-a17-like.tables: expected 64 bytes");
  expectRefused([](Parts &p) { p.programs.description = "{"; },
                "description: ");
  expectRefused([](Parts &p) { p.programs.device = "edge-npu"; },
                "description: expected the target's name");
  expectRefused([](Parts &p) { p.programs.contextLength = 65; },
                "programs: expected the model's 64 positions");
  expectRefused([](Parts &p) { p.programs.steps[0].ioBytes = 83; },
                "program decode: expected tokens, logits behind them");
  expectRefused([](Parts &p) { p.programs.steps[0].logits = 0; },
                "program decode: expected tokens, logits behind them");
  expectRefused([](Parts &p) { p.programs.steps[0].rows = 17; },
                "program decode: expected tokens, logits behind them");
  expectRefused([](Parts &p) { p.programs.sites.clear(); },
                "sites: expected the target's 1");
  expectRefused([](Parts &p) { p.programs.sites[0].name = "l0.attn.k"; },
                "site 0: expected l0.attn.q");
  expectRefused([](Parts &p) { p.programs.sites[0].b.rows = 7; },
                "site 0: expected l0.attn.q");
  expectRefused([](Parts &p) { p.programs.adapterRank = 3; },
                "site 0: expected l0.attn.q");
  expectRefused([](Parts &p) { p.programs.sites[0].b.elements = 1001; },
                "programs: b: expected an end within 1024 bytes");
}

TEST_F(EngineModelTest, CountsTheCache) {
  write([](Parts &) {});
  auto model = read();
  ASSERT_TRUE(model.ok()) << model.status().message();
  // Keys and values of 8 bytes with scales of 2.
  EXPECT_EQ(getCacheBytesPerPosition(*package->meta().cache()), 20u);
  EXPECT_EQ(getCapacity(1), 256);
  EXPECT_EQ(getCapacity(256), 256);
  EXPECT_EQ(getCapacity(257), 512);
}

} // namespace
