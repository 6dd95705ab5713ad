// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/CompiledTarget.h"
#include "targets/Common/PackPanels.h"

using namespace llvm;
using namespace mlir::umber;
using flatbuffers::Offset;

namespace umber {

static Expected<uint32_t> writeSegment(PackageWriter &writer,
                                       fbs::SegmentKind kind,
                                       const std::string &name,
                                       const void *bytes, size_t size) {
  Result<uint32_t> segment = writer.beginSegment(kind, name);
  if (!segment.ok()) {
    return toError(segment.status());
  }
  if (Error error = toError(writer.append(bytes, size))) {
    return error;
  }
  if (Error error = toError(writer.endSegment())) {
    return error;
  }
  return *segment;
}

Error CompiledTarget::writeCode(PackageWriter &writer) {
  for (const CodeVariant &variant : variants) {
    auto segment =
        writeSegment(writer, fbs::SegmentKind_Code, name + "." + variant.isa,
                     variant.library.data(), variant.library.size());
    if (!segment) {
      return segment.takeError();
    }
    codeSegments.push_back(*segment);
  }
  return Error::success();
}

Error CompiledTarget::writeDescriptions(PackageWriter &writer) {
  for (const TargetDescription &description : descriptions) {
    auto segment = writeSegment(writer, fbs::SegmentKind_CommandStream,
                                description.segment, description.bytes.data(),
                                description.bytes.size());
    if (!segment) {
      return segment.takeError();
    }
  }
  return Error::success();
}

std::vector<StoredParameter> CompiledTarget::listShapes() const {
  std::vector<StoredParameter> stored;
  for (ParamOp param : plan.parameters) {
    mlir::RankedTensorType type = param.getTensorType();
    stored.push_back({param, type, getLayoutName(type, layout).str(), 0, 0,
                      uint64_t(getPackedBytes(type, layout))});
  }
  return stored;
}

Error CompiledTarget::writeConstants(PackageWriter &writer, uint32_t segment) {
  constantSegment = segment;
  for (const TargetConstant &constant : constants) {
    Result<uint64_t> offset = writer.align(64);
    if (!offset.ok()) {
      return toError(offset.status());
    }
    constantOffsets.push_back(*offset);
    if (Error error = toError(writer.append(
            constant.words.data(), constant.words.size() * sizeof(uint32_t)))) {
      return error;
    }
  }
  return Error::success();
}

Expected<std::vector<StoredParameter>>
CompiledTarget::writeSegments(PackageWriter &writer,
                              const ParameterStore *store,
                              ProgressCallback progress) {
  hasData = store;
  if (Error error = writeDescriptions(writer)) {
    return error;
  }
  if (!hasData) {
    return listShapes();
  }
  if (Error error = writeCode(writer)) {
    return error;
  }
  Result<uint32_t> segment =
      writer.beginSegment(fbs::SegmentKind_Weights, name + ".weights");
  if (!segment.ok()) {
    return toError(segment.status());
  }
  uint64_t total = 0, done = 0;
  for (ParamOp param : plan.parameters) {
    total += param.getTensorType().getNumElements();
  }
  std::vector<StoredParameter> stored;
  for (ParamOp param : plan.parameters) {
    Result<uint64_t> offset = writer.align(64);
    if (!offset.ok()) {
      return toError(offset.status());
    }
    uint64_t size = 0;
    Error error =
        packParameter(param, *store, layout, [&](ArrayRef<uint8_t> bytes) {
          size += bytes.size();
          return toError(writer.append(bytes.data(), bytes.size()));
        });
    if (error) {
      return error;
    }
    mlir::RankedTensorType type = param.getTensorType();
    stored.push_back({param, type, getLayoutName(type, layout).str(), *segment,
                      *offset, size});
    done += type.getNumElements();
    progress(double(done) / double(total));
  }
  if (Error error = writeConstants(writer, *segment)) {
    return error;
  }
  if (Error error = toError(writer.endSegment())) {
    return error;
  }
  return stored;
}

static Offset<fbs::Program>
describeProgram(const PlannedProgram &program, uint64_t scratchBytes,
                flatbuffers::FlatBufferBuilder &fb) {
  std::vector<Offset<fbs::Dispatch>> dispatches;
  for (const PlannedDispatch &dispatch : program.dispatches) {
    std::vector<fbs::Binding> bindings;
    for (const BufferBinding &binding : dispatch.bindings) {
      // The two enums are in the same order.
      bindings.emplace_back(static_cast<fbs::BindingKind>(binding.kind),
                            binding.index, binding.offset);
    }
    auto name = fb.CreateString(dispatch.name);
    fbs::Grid grid(dispatch.grid.x, dispatch.grid.y, dispatch.grid.z,
                   dispatch.grid.threads);
    dispatches.push_back(fbs::CreateDispatch(
        fb, name, dispatch.kernel, fb.CreateVectorOfStructs(bindings),
        int32_t(dispatch.layer), dispatch.weightBytes, dispatch.flopsPerToken,
        dispatch.integerOpsPerToken, dispatch.flopsPerPosition, dispatch.window,
        dispatch.ofOutputs, dispatch.grid.threads ? &grid : nullptr,
        dispatch.withPrevious));
  }
  auto name = fb.CreateString(program.name);
  return fbs::CreateProgram(fb, name, program.maxTokens, program.arenaBytes,
                            scratchBytes, fb.CreateVector(dispatches),
                            uint32_t(program.candidates));
}

TargetContent::Tables
CompiledTarget::describe(flatbuffers::FlatBufferBuilder &fb) const {
  Tables tables;
  if (!hasData) {
    return tables;
  }
  for (const PlannedKernel &kernel : plan.kernels) {
    tables.kernels.push_back(fb.CreateString(kernel.name));
  }
  for (auto [variant, segment] : zip(variants, codeSegments)) {
    auto isa = fb.CreateString(variant.isa);
    tables.variants.push_back(fbs::CreateCodeVariant(fb, isa, segment));
  }
  for (auto [constant, offset] : zip(constants, constantOffsets)) {
    uint64_t words = constant.words.size();
    auto constantName = fb.CreateString(constant.name);
    auto shape = fb.CreateVector(std::vector<uint64_t>{words});
    auto encoding = fb.CreateString("");
    auto row = fb.CreateString("row");
    tables.constants.push_back(fbs::CreateParameter(
        fb, constantName, fbs::DType_I32, shape, encoding, row, constantSegment,
        offset, words * sizeof(uint32_t)));
  }
  for (const PlannedProgram &program : plan.programs) {
    tables.programs.push_back(describeProgram(program, scratchBytes, fb));
  }
  return tables;
}

} // namespace umber
