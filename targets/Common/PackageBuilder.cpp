// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/PackageBuilder.h"
#include "passes/Adapters/AdapterSites.h"
#include "passes/Compression/ModelBody.h"
#include "targets/Common/CorrectionWriter.h"
#include "targets/Common/PackPanels.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;
using namespace mlir::umber;
using flatbuffers::Offset;

namespace umber {

namespace {

Error toError(const Status &status) {
  return status.ok()
             ? Error::success()
             : createStringError(inconvertibleErrorCode(), status.message());
}

fbs::DType getDType(mlir::Type type) {
  if (type.isF16()) {
    return fbs::DType_F16;
  }
  if (type.isBF16()) {
    return fbs::DType_BF16;
  }
  if (type.isInteger(8)) {
    return fbs::DType_I8;
  }
  return type.isInteger(4) ? fbs::DType_I4 : fbs::DType_F32;
}

/// The attribute of the type's encoding without its dialect, as
/// runtime/package/EncodingText.h reads it; empty for a plain type.
std::string getEncodingText(mlir::RankedTensorType type) {
  std::string text;
  if (type.getEncoding()) {
    raw_string_ostream(text) << type.getEncoding();
    text.erase(0, StringRef("#umber.").size());
  }
  return text;
}

class PackageBuilder {
public:
  PackageBuilder(PackageWriter &writer, mlir::ModuleOp module,
                 const CompiledTarget &target, const ParameterStore &store,
                 const TokenizerImport *tokenizer)
      : writer(writer), module(module), target(target), store(store),
        tokenizer(tokenizer) {}

  Expected<PackageSummary> run(ProgressCallback progress);

private:
  struct Stored {
    uint64_t offset, size;
  };

  Error writeCode();
  Error writeParameters(ProgressCallback progress);
  Error writeCorrections();
  void summarize();
  uint64_t getIdentity() const;

  Offset<fbs::ModelInfo> describeModel();
  Offset<fbs::Tokenizer> describeTokenizer();
  Offset<fbs::CacheInfo> describeCache();
  Expected<Offset<fbs::Target>> describeTarget();
  Offset<fbs::Program> describeProgram(const PlannedProgram &program);
  Offset<flatbuffers::Vector<Offset<fbs::Parameter>>> describeParameters();

  PackageWriter &writer;
  mlir::ModuleOp module;
  const CompiledTarget &target;
  const ParameterStore &store;
  const TokenizerImport *tokenizer;
  flatbuffers::FlatBufferBuilder fb;
  std::vector<uint32_t> codeSegments;
  uint32_t weightSegment = 0;
  std::vector<Stored> stored;
  std::vector<Offset<fbs::AdapterPair>> corrections;
  PackageSummary summary;
};

Error PackageBuilder::writeCode() {
  for (const CodeVariant &variant : target.variants) {
    Result<uint32_t> segment = writer.beginSegment(
        fbs::SegmentKind_Code, target.name + "." + variant.isa);
    if (!segment.ok()) {
      return toError(segment.status());
    }
    codeSegments.push_back(*segment);
    if (Error error = toError(
            writer.append(variant.library.data(), variant.library.size()))) {
      return error;
    }
    if (Error error = toError(writer.endSegment())) {
      return error;
    }
  }
  return Error::success();
}

Error PackageBuilder::writeParameters(ProgressCallback progress) {
  Result<uint32_t> segment =
      writer.beginSegment(fbs::SegmentKind_Weights, target.name + ".weights");
  if (!segment.ok()) {
    return toError(segment.status());
  }
  weightSegment = *segment;
  uint64_t total = 0, done = 0;
  for (ParamOp param : target.plan.parameters) {
    total += param.getTensorType().getNumElements();
  }
  for (ParamOp param : target.plan.parameters) {
    Result<uint64_t> offset = writer.align(64);
    if (!offset.ok()) {
      return toError(offset.status());
    }
    uint64_t size = 0;
    Error error = packParameter(
        param, store, target.layout, [&](ArrayRef<uint8_t> bytes) {
          size += bytes.size();
          return toError(writer.append(bytes.data(), bytes.size()));
        });
    if (error) {
      return error;
    }
    stored.push_back({*offset, size});
    done += param.getTensorType().getNumElements();
    progress(double(done) / double(total));
  }
  for (const TargetConstant &constant : target.constants) {
    Result<uint64_t> offset = writer.align(64);
    if (!offset.ok()) {
      return toError(offset.status());
    }
    uint64_t size = constant.words.size() * sizeof(uint32_t);
    if (Error error = toError(writer.append(constant.words.data(), size))) {
      return error;
    }
    stored.push_back({*offset, size});
  }
  return toError(writer.endSegment());
}

Error PackageBuilder::writeCorrections() {
  CorrectionWriter correct(writer, module, store);
  for (LoraOp lora : target.plan.sites) {
    if (!lora.getRecovery()) {
      continue;
    }
    if (corrections.empty()) {
      Result<uint32_t> segment = writer.beginSegment(fbs::SegmentKind_Weights,
                                                     target.name + ".recovery");
      if (!segment.ok()) {
        return toError(segment.status());
      }
      correct.setSegment(*segment);
    }
    auto written = correct.write(lora, fb);
    if (!written) {
      return written.takeError();
    }
    corrections.push_back(*written);
  }
  summary.recoveryBytes = correct.getBytes();
  summary.parameters += correct.getElements();
  return corrections.empty() ? Error::success() : toError(writer.endSegment());
}

void PackageBuilder::summarize() {
  ModelBody parts(module);
  summary.bodyWeights = parts.weights;
  summary.modelBytes = summary.bodyBytes = summary.recoveryBytes;
  for (auto [planned, where] : zip(target.plan.parameters, stored)) {
    ParamOp param = planned;
    summary.parameters += param.getTensorType().getNumElements();
    summary.modelBytes += where.size;
    if (is_contained(parts.body, param)) {
      summary.bodyBytes += where.size;
    }
  }
}

/// Of the model as it was imported; for one that was not, as a test's, of the
/// architecture, tokenizer and stored weights.
uint64_t PackageBuilder::getIdentity() const {
  if (auto identity =
          module->getAttrOfType<mlir::IntegerAttr>(kIdentityAttrName)) {
    return uint64_t(identity.getInt());
  }
  std::string text;
  raw_string_ostream os(text);
  os << module->getAttr(kModelAttrName);
  for (ParamOp param : target.plan.parameters) {
    os << param.getSymName() << param.getType();
  }
  if (tokenizer) {
    for (const std::string &token : tokenizer->tokens) {
      os << token << '\0';
    }
  }
  os << writer.getSegmentHash(weightSegment);
  return xxh3_64bits(text);
}

Offset<fbs::ModelInfo> PackageBuilder::describeModel() {
  auto model = module->getAttrOfType<ModelAttr>(kModelAttrName);
  std::string name = module.getSymName().value_or("model").str();
  double bits = summary.bodyWeights ? 8.0 * double(summary.bodyBytes) /
                                          double(summary.bodyWeights)
                                    : 0.0;
  return fbs::CreateModelInfo(
      fb, fb.CreateString(name), fb.CreateString(model.getArch().str()),
      model.getLayers(), model.getContextLength(), model.getVocab(),
      summary.parameters, float(bits), getIdentity());
}

Offset<fbs::Tokenizer> PackageBuilder::describeTokenizer() {
  std::string bytes;
  std::vector<uint32_t> ends;
  for (const std::string &token : tokenizer->tokens) {
    bytes += token;
    ends.push_back(bytes.size());
  }
  auto model = fb.CreateString(tokenizer->model);
  auto pre = fb.CreateString(tokenizer->pre);
  auto tokenBytes = fb.CreateString(bytes);
  auto tokenEnds = fb.CreateVector(ends);
  auto types = fb.CreateVector(tokenizer->types);
  auto scores = fb.CreateVector(tokenizer->scores);
  auto merges = fb.CreateVector(tokenizer->merges);
  auto ends2 = fb.CreateVector(tokenizer->endOfGeneration);
  auto chat = fb.CreateString(tokenizer->chatTemplate);
  return fbs::CreateTokenizer(fb, model, pre, tokenBytes, tokenEnds, types,
                              scores, merges, tokenizer->bos, tokenizer->eos,
                              tokenizer->eot, tokenizer->unk, tokenizer->pad,
                              ends2, tokenizer->addBos, tokenizer->addEos,
                              tokenizer->addSpacePrefix, chat);
}

Offset<fbs::CacheInfo> PackageBuilder::describeCache() {
  KVCacheType type;
  module.walk([&](AttentionOp op) { type = op.getCache().getType(); });
  return type ? fbs::CreateCacheInfo(fb, type.getLayers(), type.getKvHeads(),
                                     type.getHeadDim(),
                                     getDType(type.getElementType()))
              : Offset<fbs::CacheInfo>();
}

Offset<fbs::Program>
PackageBuilder::describeProgram(const PlannedProgram &program) {
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
                            target.scratchBytes, fb.CreateVector(dispatches));
}

Offset<flatbuffers::Vector<Offset<fbs::Parameter>>>
PackageBuilder::describeParameters() {
  std::vector<Offset<fbs::Parameter>> parameters;
  for (auto [planned, where] : zip(target.plan.parameters, stored)) {
    ParamOp param = planned;
    mlir::RankedTensorType type = param.getTensorType();
    std::vector<uint64_t> shape(type.getShape().begin(), type.getShape().end());
    bool isMatrix = type.getRank() == 2;
    auto name = fb.CreateString(param.getSymName().str());
    auto sizes = fb.CreateVector(shape);
    auto encoding = fb.CreateString(getEncodingText(type));
    auto layout = fb.CreateString(getLayoutName(type, target.layout).str());
    parameters.push_back(fbs::CreateParameter(
        fb, name, isMatrix ? getDType(type.getElementType()) : fbs::DType_F32,
        sizes, encoding, layout, weightSegment, where.offset, where.size));
  }
  for (auto [constant, where] :
       zip(target.constants,
           ArrayRef(stored).drop_front(target.plan.parameters.size()))) {
    std::vector<uint64_t> shape = {constant.words.size()};
    auto name = fb.CreateString(constant.name);
    auto sizes = fb.CreateVector(shape);
    auto encoding = fb.CreateString("");
    auto layout = fb.CreateString("row");
    parameters.push_back(fbs::CreateParameter(fb, name, fbs::DType_I32, sizes,
                                              encoding, layout, weightSegment,
                                              where.offset, where.size));
  }
  return fb.CreateVector(parameters);
}

Expected<Offset<fbs::Target>> PackageBuilder::describeTarget() {
  std::vector<Offset<flatbuffers::String>> kernels;
  for (const PlannedKernel &kernel : target.plan.kernels) {
    kernels.push_back(fb.CreateString(kernel.name));
  }
  std::vector<Offset<fbs::CodeVariant>> variants;
  for (auto [variant, segment] : zip(target.variants, codeSegments)) {
    auto isa = fb.CreateString(variant.isa);
    variants.push_back(fbs::CreateCodeVariant(fb, isa, segment));
  }
  std::vector<Offset<fbs::Program>> programs;
  for (const PlannedProgram &program : target.plan.programs) {
    programs.push_back(describeProgram(program));
  }
  std::vector<Offset<fbs::AdapterSite>> sites;
  SiteWriter siteWriter(module, &store, fb);
  for (LoraOp lora : target.plan.sites) {
    auto site = siteWriter.write(lora.getSite(), lora.getResult());
    if (!site) {
      return site.takeError();
    }
    sites.push_back(*site);
  }
  auto name = fb.CreateString(target.name);
  auto kernelNames = fb.CreateVector(kernels);
  auto variantTables = fb.CreateVector(variants);
  auto parameters = describeParameters();
  auto programTables = fb.CreateVector(programs);
  auto siteTables = fb.CreateVector(sites);
  return fbs::CreateTarget(fb, name, kernelNames, variantTables, parameters,
                           programTables, siteTables,
                           fb.CreateVector(siteWriter.getGains()),
                           fb.CreateVector(corrections));
}

Expected<PackageSummary> PackageBuilder::run(ProgressCallback progress) {
  if (Error error = writeCode()) {
    return error;
  }
  if (Error error = writeParameters(progress)) {
    return error;
  }
  if (Error error = writeCorrections()) {
    return error;
  }
  summarize();
  auto producer = fb.CreateString("umber-compile");
  auto model = describeModel();
  auto text = tokenizer ? describeTokenizer() : Offset<fbs::Tokenizer>();
  auto cache = describeCache();
  auto described = describeTarget();
  if (!described) {
    return described.takeError();
  }
  std::vector<Offset<fbs::Target>> targets = {*described};
  auto targetTables = fb.CreateVector(targets);
  auto segments = writer.describeSegments(fb);
  fbs::FinishPackageBuffer(fb, fbs::CreatePackage(fb, fbs::PackageKind_Model,
                                                  producer, model, text, cache,
                                                  targetTables, segments));
  if (Error error =
          toError(writer.finish(fb.GetBufferPointer(), fb.GetSize()))) {
    return error;
  }
  summary.fileBytes = writer.getFileSize();
  return summary;
}

} // namespace

Expected<PackageSummary> writePackage(StringRef path, mlir::ModuleOp module,
                                      const CompiledTarget &target,
                                      const ParameterStore &store,
                                      const TokenizerImport *tokenizer,
                                      ProgressCallback progress) {
  auto writer = PackageWriter::create(path.str());
  if (!writer.ok()) {
    return toError(writer.status());
  }
  return PackageBuilder(**writer, module, target, store, tokenizer)
      .run(progress);
}

} // namespace umber
