// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/PackageBuilder.h"
#include "passes/Adapters/AdapterSites.h"
#include "passes/Compression/ModelBody.h"
#include "targets/Common/CorrectionWriter.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;
using namespace mlir::umber;
using flatbuffers::Offset;

namespace umber {

Error toError(const Status &status) {
  return status.ok()
             ? Error::success()
             : createStringError(inconvertibleErrorCode(), status.message());
}

namespace {

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
                 TargetContent &target, const ParameterStore *store,
                 const TokenizerImport *tokenizer)
      : writer(writer), module(module), target(target), store(store),
        tokenizer(tokenizer) {}

  Expected<PackageSummary> run(ProgressCallback progress);

private:
  Error writeCorrections();
  void summarize();
  uint64_t getIdentity() const;

  Offset<fbs::ModelInfo> describeModel();
  Offset<fbs::Tokenizer> describeTokenizer();
  Offset<fbs::CacheInfo> describeCache();
  Expected<Offset<fbs::Target>> describeTarget();
  std::vector<Offset<fbs::Parameter>> describeParameters();

  PackageWriter &writer;
  mlir::ModuleOp module;
  TargetContent &target;
  const ParameterStore *store;
  const TokenizerImport *tokenizer;
  flatbuffers::FlatBufferBuilder fb;
  std::vector<StoredParameter> stored;
  std::vector<Offset<fbs::AdapterPair>> corrections;
  PackageSummary summary;
};

Error PackageBuilder::writeCorrections() {
  if (!store) {
    return Error::success();
  }
  CorrectionWriter correct(writer, module, *store);
  for (LoraOp lora : target.getSites()) {
    if (!lora.getRecovery()) {
      continue;
    }
    if (corrections.empty()) {
      Result<uint32_t> segment = writer.beginSegment(
          fbs::SegmentKind_Weights, target.getName() + ".recovery");
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
  // A target may hold one in two forms.
  SmallPtrSet<mlir::Operation *, 16> counted;
  for (const StoredParameter &where : stored) {
    if (counted.insert(where.param).second) {
      summary.parameters += where.type.getNumElements();
    }
    summary.modelBytes += where.size;
    if (is_contained(parts.body, where.param)) {
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
  SetVector<uint32_t> segments;
  for (const StoredParameter &where : stored) {
    ParamOp param = where.param;
    os << param.getSymName() << param.getType();
    segments.insert(where.segment);
  }
  if (tokenizer) {
    for (const std::string &token : tokenizer->tokens) {
      os << token << '\0';
    }
  }
  for (uint32_t segment :
       store ? segments.getArrayRef() : ArrayRef<uint32_t>()) {
    os << writer.getSegmentHash(segment);
  }
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

std::vector<Offset<fbs::Parameter>> PackageBuilder::describeParameters() {
  std::vector<Offset<fbs::Parameter>> parameters;
  if (!store) {
    return parameters;
  }
  for (const StoredParameter &where : stored) {
    ParamOp param = where.param;
    mlir::RankedTensorType type = where.type;
    std::vector<uint64_t> shape(type.getShape().begin(), type.getShape().end());
    bool isMatrix = type.getRank() == 2;
    auto name = fb.CreateString(param.getSymName().str());
    auto sizes = fb.CreateVector(shape);
    auto encoding = fb.CreateString(getEncodingText(type));
    auto layout = fb.CreateString(where.layout);
    parameters.push_back(fbs::CreateParameter(
        fb, name, isMatrix ? getDType(type.getElementType()) : fbs::DType_F32,
        sizes, encoding, layout, where.segment, where.offset, where.size));
  }
  return parameters;
}

Expected<Offset<fbs::Target>> PackageBuilder::describeTarget() {
  TargetContent::Tables own = target.describe(fb);
  std::vector<Offset<fbs::AdapterSite>> sites;
  SiteWriter siteWriter(module, store, fb);
  // Sites have the values of gains, which a model of shapes has not.
  for (LoraOp lora : store ? target.getSites() : ArrayRef<LoraOp>()) {
    auto site = siteWriter.write(lora.getSite(), lora.getResult());
    if (!site) {
      return site.takeError();
    }
    sites.push_back(*site);
  }
  auto name = fb.CreateString(target.getName());
  auto kernelNames = fb.CreateVector(own.kernels);
  auto variantTables = fb.CreateVector(own.variants);
  std::vector<Offset<fbs::Parameter>> stored = describeParameters();
  stored.insert(stored.end(), own.constants.begin(), own.constants.end());
  auto parameters = fb.CreateVector(stored);
  auto programTables = fb.CreateVector(own.programs);
  auto siteTables = fb.CreateVector(sites);
  return fbs::CreateTarget(fb, name, kernelNames, variantTables, parameters,
                           programTables, siteTables,
                           fb.CreateVector(siteWriter.getGains()),
                           fb.CreateVector(corrections));
}

Expected<PackageSummary> PackageBuilder::run(ProgressCallback progress) {
  auto written = target.writeSegments(writer, store, progress);
  if (!written) {
    return written.takeError();
  }
  stored = std::move(*written);
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
                                      TargetContent &target,
                                      const ParameterStore *store,
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
