// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/EnginePackage.h"

#include "runtime/drivers/npu/EngineModel.h"
#include "runtime/package/Format.h"
#include "targets/NPU/RegionWriter.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;
using namespace mlir::umber;

namespace umber::npu {

EnginePackage::EnginePackage(mlir::ModuleOp module,
                             const CompiledModel &compiled,
                             const Config &config, ModelInfo info)
    : module(module), compiled(compiled), config(config),
      info(std::move(info)) {
  // In the order of the layout's.
  StringSet<> known;
  if (compiled.layout.adapterRank != 0) {
    module.walk([&](LoraOp lora) {
      if (known.insert(lora.getSite()).second) {
        sites.push_back(lora);
      }
    });
  }
}

std::string EnginePackage::getName() const {
  return kTargetPrefix + config.name;
}

Expected<std::vector<uint8_t>> EnginePackage::encodePrograms() {
  const Layout &layout = compiled.layout;
  ProgramFile file;
  file.model = module.getSymName().value_or("model").str();
  file.device = config.name;
  file.description = config.text;
  file.contextLength = layout.positions;
  file.weightBytes = layout.weightBytes;
  file.tableBytes = layout.tableBytes;
  file.adapterRank = layout.adapterRank;
  file.adapterBytes = layout.adapterBytes;
  file.adapterScales = layout.adapterScales;
  file.sites = layout.getSites();
  file.info = info;
  for (const CompiledFunction &function : compiled.functions) {
    const EmittedFunction &emitted = function.emitted;
    file.steps.push_back({function.name, emitted.rows, emitted.built.program,
                          emitted.kernels, emitted.built.scratchpadBytes,
                          emitted.built.liveBytes, emitted.activationBytes,
                          emitted.ioBytes, emitted.logits});
  }
  auto bytes = writeProgramFile(file);
  if (!bytes.ok()) {
    return toError(bytes.status());
  }
  return std::move(*bytes);
}

/// A matrix that is multiplied by and looked up is there twice.
std::vector<StoredParameter> EnginePackage::listParameters(uint32_t weights,
                                                           uint32_t tables) {
  const Layout &layout = compiled.layout;
  std::vector<StoredParameter> stored;
  for (auto param : module.getOps<ParamOp>()) {
    StringRef name = param.getSymName();
    mlir::RankedTensorType type = param.getTensorType();
    if (const MatrixLayout *matrix = layout.findMatrix(name)) {
      stored.push_back({param, type, kTilesLayout, weights, matrix->getBegin(),
                        matrix->getEnd() - matrix->getBegin()});
    } else if (std::optional<uint64_t> offset = layout.findVector(name)) {
      stored.push_back({param, type, "row", weights, *offset,
                        4 * uint64_t(type.getNumElements())});
    }
    if (const LookupLayout *lookup = layout.findLookup(name)) {
      bool isI8 = lookup->type == DataType::I8;
      uint64_t end =
          lookup->elements + uint64_t(type.getNumElements()) * (isI8 ? 1 : 2);
      // Palettes are looked up in advance.
      auto kept = mlir::RankedTensorType::get(
          type.getShape(), type.getElementType(),
          isI8 ? QuantizedAttr::get(type.getContext(), 8, 0)
               : mlir::Attribute());
      stored.push_back({param, kept, kLookupLayout, tables, lookup->getBegin(),
                        end - lookup->getBegin()});
    }
  }
  return stored;
}

Expected<std::vector<StoredParameter>>
EnginePackage::writeSegments(PackageWriter &writer, const ParameterStore *store,
                             ProgressCallback progress) {
  auto write = [&](fbs::SegmentKind kind, const char *part,
                   function_ref<Error(RegionWriter::Sink)> content)
      -> Expected<uint32_t> {
    Result<uint32_t> segment = writer.beginSegment(kind, getName() + part);
    if (!segment.ok()) {
      return toError(segment.status());
    }
    Error error = content([&](ArrayRef<uint8_t> bytes) {
      return toError(writer.append(bytes.data(), bytes.size()));
    });
    if (error) {
      return error;
    }
    if (Error error = toError(writer.endSegment())) {
      return error;
    }
    return *segment;
  };
  auto programs = encodePrograms();
  if (!programs) {
    return programs.takeError();
  }
  auto first =
      write(fbs::SegmentKind_CommandStream, kProgramsSegment,
            [&](RegionWriter::Sink sink) { return sink(ArrayRef(*programs)); });
  if (!first) {
    return first.takeError();
  }
  if (!store) {
    return listParameters(0, 0);
  }
  const Layout &layout = compiled.layout;
  RegionWriter regions(module, layout, *store);
  double all = double(layout.weightBytes + layout.tableBytes);
  auto weights = write(fbs::SegmentKind_Weights, kWeightsSegment,
                       [&](RegionWriter::Sink sink) {
                         return regions.writeWeights(sink, [&](uint64_t done) {
                           progress(double(done) / all);
                         });
                       });
  if (!weights) {
    return weights.takeError();
  }
  auto tables = write(fbs::SegmentKind_Tables, kTablesSegment,
                      [&](RegionWriter::Sink sink) {
                        return regions.writeTables(sink, [&](uint64_t done) {
                          progress(double(layout.weightBytes + done) / all);
                        });
                      });
  if (!tables) {
    return tables.takeError();
  }
  return listParameters(*weights, *tables);
}

} // namespace umber::npu
