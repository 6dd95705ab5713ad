// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/EngineModel.h"

#include "runtime/package/ElementType.h"

using namespace umber;
using namespace umber::npu;

namespace {

/// Positions of a block of attention, as docs/numerics.md has them.
constexpr int64_t kBlockPositions = 256;

Status bad(const std::string &what) {
  return Status(StatusCode::CorruptFile, what);
}

class ModelReader {
public:
  ModelReader(const Package &package, const fbs::Target &target)
      : package(package) {
    model.target = &target;
  }

  Result<EngineModel> read();

private:
  std::optional<uint32_t> findSegment(fbs::SegmentKind kind,
                                      const char *part) const;
  Status checkRegion(std::optional<uint32_t> segment, uint64_t bytes,
                     const char *part) const;
  Status checkSteps() const;
  Status checkScales() const;
  Status checkSites() const;

  const Package &package;
  EngineModel model;
};

std::optional<uint32_t> ModelReader::findSegment(fbs::SegmentKind kind,
                                                 const char *part) const {
  std::string name = model.target->name()->str() + part;
  const auto &segments = *package.meta().segments();
  for (uint32_t i = 0; i < segments.size(); ++i) {
    if (segments.Get(i)->kind() == kind &&
        segments.Get(i)->name()->str() == name) {
      return i;
    }
  }
  return std::nullopt;
}

Status ModelReader::checkRegion(std::optional<uint32_t> segment, uint64_t bytes,
                                const char *part) const {
  uint64_t found = segment ? package.segment(*segment).size : bytes;
  if (found != bytes) {
    return bad("segment " + model.target->name()->str() + part + ": expected " +
               std::to_string(bytes) + " bytes, as its programs say, found " +
               std::to_string(found));
  }
  return {};
}

/// What the host writes and reads of a step's regions is within them.
Status ModelReader::checkSteps() const {
  if (model.programs.steps.empty()) {
    return bad("steps: expected at least one, found none");
  }
  uint64_t row = 4 * uint64_t(package.meta().model()->vocab());
  for (const StepProgram &step : model.programs.steps) {
    auto rows = static_cast<uint64_t>(step.rows);
    // Neither overflows: rows are below 2^24, as are tokens.
    uint64_t least = step.logits + rows * row;
    if (step.logits % 4 != 0 || step.logits < 4 * rows ||
        step.ioBytes < least) {
      return bad(
          "program " + step.name +
          ": expected tokens, logits behind them at a multiple of 4, and " +
          std::to_string(least) + " bytes for both, found logits at " +
          std::to_string(step.logits) + " of " + std::to_string(step.ioBytes) +
          " bytes");
    }
  }
  return {};
}

Status ModelReader::checkScales() const {
  const ProgramFile &programs = model.programs;
  // Neither overflows: a rank is below 2^25, and an offset below 2^41.
  uint64_t end = programs.adapterScales +
                 sizeof(float) * static_cast<uint64_t>(programs.adapterRank);
  if (programs.adapterRank != 0 && end > programs.adapterBytes) {
    return bad("adapter_scales: expected an end within " +
               std::to_string(programs.adapterBytes) + " bytes, found " +
               std::to_string(end));
  }
  return {};
}

/// Sites are those of the target, in its order; none if no adapters run. One of
/// shapes names none.
Status ModelReader::checkSites() const {
  if (!model.hasData()) {
    return {};
  }
  const auto *known = model.target->sites();
  const std::vector<SiteLayout> &sites = model.programs.sites;
  size_t count = known && model.programs.adapterRank != 0 ? known->size() : 0;
  if (sites.size() != count) {
    return bad("sites: expected the target's " + std::to_string(count) +
               ", found " + std::to_string(sites.size()));
  }
  for (uint32_t i = 0; i < count; ++i) {
    const fbs::AdapterSite &site = *known->Get(i);
    const SiteLayout &layout = sites[i];
    int64_t rank = model.programs.adapterRank;
    bool fits = layout.name == site.name()->str() && layout.a.rows == rank &&
                layout.a.columns == site.inputs() &&
                layout.aByColumns.rows == rank &&
                layout.aByColumns.columns == site.inputs() &&
                layout.b.rows == site.outputs() && layout.b.columns == rank;
    if (!fits) {
      return bad("site " + std::to_string(i) + ": expected " +
                 site.name()->str() + " of " + std::to_string(site.inputs()) +
                 " inputs, " + std::to_string(site.outputs()) +
                 " outputs and rank " + std::to_string(rank) +
                 ", found another");
    }
  }
  return {};
}

Result<EngineModel> ModelReader::read() {
  auto programs = findSegment(fbs::SegmentKind_CommandStream, kProgramsSegment);
  if (!programs) {
    return bad("expected a segment " + model.target->name()->str() +
               kProgramsSegment + ", found none");
  }
  auto file = readProgramFile(package.segment(*programs));
  if (!file.ok()) {
    return bad("programs: " + file.status().message());
  }
  model.programs = std::move(*file);
  const std::string &text = model.programs.description;
  auto config =
      parseConfig({reinterpret_cast<const uint8_t *>(text.data()), text.size()},
                  "description");
  if (!config.ok()) {
    return config.status();
  }
  model.config = std::move(*config);
  if (model.target->name()->str() != kTargetPrefix + model.config.name ||
      model.programs.device != model.config.name) {
    return bad("description: expected the target's name, " +
               model.target->name()->str() + ", found " + model.config.name);
  }
  int64_t positions = package.meta().model()->context_length();
  if (model.programs.contextLength != positions) {
    return bad("programs: expected the model's " + std::to_string(positions) +
               " positions, found " +
               std::to_string(model.programs.contextLength));
  }
  model.weights = findSegment(fbs::SegmentKind_Weights, kWeightsSegment);
  model.tables = findSegment(fbs::SegmentKind_Tables, kTablesSegment);
  for (Status status :
       {checkRegion(model.weights, model.programs.weightBytes, kWeightsSegment),
        checkRegion(model.tables, model.programs.tableBytes, kTablesSegment),
        checkSteps(), checkScales(), checkSites()}) {
    if (!status.ok()) {
      return status;
    }
  }
  return std::move(model);
}

} // namespace

Result<EngineModel> npu::readEngineModel(const Package &package,
                                         const fbs::Target &target) {
  return ModelReader(package, target).read();
}

Result<EngineModel> npu::readEngineModel(const Package &package) {
  const fbs::Target *found = nullptr;
  const auto *targets = package.meta().targets();
  for (uint32_t i = 0; targets && i < targets->size() && !found; ++i) {
    if (targets->Get(i)->name()->str().rfind(kTargetPrefix, 0) == 0) {
      found = targets->Get(i);
    }
  }
  if (package.meta().kind() != fbs::PackageKind_Model || !found) {
    return Status(StatusCode::NotFound,
                  package.path() + ": expected a model for a neural engine "
                                   "(npu:…), found none");
  }
  std::string programs = found->name()->str() + kProgramsSegment;
  const auto &segments = *package.meta().segments();
  for (uint32_t i = 0; i < segments.size(); ++i) {
    if (segments.Get(i)->name()->str() == programs) {
      if (Status status = package.verifySegment(i); !status.ok()) {
        return status;
      }
    }
  }
  auto model = readEngineModel(package, *found);
  if (!model.ok()) {
    return Status(model.status().code(),
                  package.path() + ": " + model.status().message());
  }
  return model;
}

int64_t npu::getCapacity(int64_t positions) {
  return (positions + kBlockPositions - 1) / kBlockPositions * kBlockPositions;
}

uint64_t npu::getCacheBytesPerPosition(const fbs::CacheInfo &cache) {
  bool isInteger =
      cache.dtype() == fbs::DType_I8 || cache.dtype() == fbs::DType_I4;
  uint64_t row = uint64_t(cache.head_dim()) * elementBits(cache.dtype()) / 8 +
                 (isInteger ? 2 : 0);
  return 2 * uint64_t(cache.layers()) * cache.kv_heads() * row;
}
