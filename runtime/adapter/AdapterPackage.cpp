// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/AdapterPackage.h"
#include "runtime/adapter/Pairing.h"
#include "runtime/adapter/Quote.h"
#include "runtime/adapter/Values.h"
#include "runtime/package/ElementType.h"
#include "runtime/package/Format.h"
#include "runtime/package/PackageWriter.h"

namespace umber {

static_assert(int(RowOrder::HuggingFace) == fbs::RowOrder_HuggingFace &&
                  int(RowOrder::GGUF) == fbs::RowOrder_GGUF,
              "row orders are written as their numbers");

namespace {

constexpr uint64_t kBytes = 2; // of an element of F16 or BF16

std::string toString(const flatbuffers::String *text) {
  return text ? text->str() : "";
}

/// The metadata has been verified.
Result<AdapterPair> readPair(const fbs::AdapterPair &entry, Bytes segment) {
  AdapterPair pair;
  pair.site = entry.site()->str();
  pair.dtype = entry.dtype();
  pair.rank = int64_t(entry.rank());
  pair.inputs = int64_t(entry.inputs());
  pair.outputs = int64_t(entry.outputs());
  uint64_t bytes = elementBits(pair.dtype) / 8;
  pair.a = {segment.data + entry.a_offset(),
            size_t(entry.rank() * entry.inputs() * bytes)};
  pair.b = {segment.data + entry.b_offset(),
            size_t(entry.outputs() * entry.rank() * bytes)};
  pair.scale = entry.scale();
  std::vector<AdapterMatrix> matrices = {
      {pair.site + ".a", pair.dtype, pair.rank, pair.inputs, pair.a},
      {pair.site + ".b", pair.dtype, pair.outputs, pair.rank, pair.b}};
  if (pair.dtype == fbs::DType_I8) {
    size_t size = size_t(entry.rank() * kBytes);
    pair.aScales = {segment.data + entry.a_scales(), size};
    pair.bScales = {segment.data + entry.b_scales(), size};
    // All integers are finite.
    matrices = {
        {pair.site + ".a.scales", fbs::DType_F16, 1, pair.rank, pair.aScales},
        {pair.site + ".b.scales", fbs::DType_F16, 1, pair.rank, pair.bScales}};
  }
  for (const AdapterMatrix &matrix : matrices) {
    if (Status status = checkFinite(matrix); !status.ok()) {
      return status;
    }
  }
  return pair;
}

/// Messages have no path.
Result<std::vector<AdapterPair>> readPairs(
    const Package &package,
    const flatbuffers::Vector<flatbuffers::Offset<fbs::AdapterPair>> &entries) {
  std::vector<AdapterPair> pairs;
  for (const fbs::AdapterPair *entry : entries) {
    Result<AdapterPair> pair =
        readPair(*entry, package.segment(entry->segment()));
    if (!pair.ok()) {
      return pair.status();
    }
    pairs.push_back(std::move(*pair));
  }
  return pairs;
}

class AdapterWriter {
public:
  explicit AdapterWriter(PackageWriter &writer) : writer(writer) {}

  Status write(const AdapterInfo &info, const std::vector<AdapterPair> &pairs);

private:
  Status writePair(const AdapterPair &pair);
  /// Appends at the next multiple of 64; `offset` is where.
  Status writeMatrix(Bytes values, fbs::DType from, fbs::DType to,
                     uint64_t &offset);

  PackageWriter &writer;
  uint32_t segment = 0;
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<fbs::AdapterPair>> entries;
};

/// Whether all F32 values are finite when rounded.
bool fits(Bytes values, uint16_t (*round)(float), bool (*isFinite)(uint16_t)) {
  for (uint64_t i = 0; i < values.size / sizeof(float); ++i) {
    if (!isFinite(round(loadF32(values, i)))) {
      return false;
    }
  }
  return true;
}

/// F16 or BF16, or F32 if neither will do.
fbs::DType chooseType(const AdapterPair &pair) {
  if (pair.dtype != fbs::DType_F32) {
    return pair.dtype;
  }
  if (fits(pair.a, roundToF16, isFiniteF16) &&
      fits(pair.b, roundToF16, isFiniteF16)) {
    return fbs::DType_F16;
  }
  return fits(pair.a, roundToBF16, isFiniteBF16) &&
                 fits(pair.b, roundToBF16, isFiniteBF16)
             ? fbs::DType_BF16
             : fbs::DType_F32;
}

Status AdapterWriter::writeMatrix(Bytes values, fbs::DType from, fbs::DType to,
                                  uint64_t &offset) {
  Result<uint64_t> place = writer.align(kDataAlignment);
  if (!place.ok()) {
    return place.status();
  }
  offset = *place;
  if (from == to) {
    return writer.append(values.data, values.size);
  }
  std::vector<float> wide(values.size / sizeof(float));
  std::vector<uint16_t> rounded(wide.size());
  loadValues(from, values, wide.data());
  if (to == fbs::DType_F16) {
    roundAllToF16(wide.data(), rounded.data(), wide.size());
  } else {
    roundAllToBF16(wide.data(), rounded.data(), wide.size());
  }
  return writer.append(rounded.data(), rounded.size() * kBytes);
}

Status AdapterWriter::writePair(const AdapterPair &pair) {
  fbs::DType dtype = chooseType(pair);
  if (dtype == fbs::DType_F32) {
    return Status(StatusCode::InvalidArgument,
                  "site " + quote(pair.site) +
                      ": expected values that fit in BF16, found a larger one");
  }
  uint64_t a = 0, b = 0;
  if (Status status = writeMatrix(pair.a, pair.dtype, dtype, a); !status.ok()) {
    return status;
  }
  if (Status status = writeMatrix(pair.b, pair.dtype, dtype, b); !status.ok()) {
    return status;
  }
  uint64_t aScales = 0, bScales = 0;
  if (dtype == fbs::DType_I8) {
    for (auto [scales, offset] : {std::pair(pair.aScales, &aScales),
                                  std::pair(pair.bScales, &bScales)}) {
      Status status = writeMatrix(scales, dtype, dtype, *offset);
      if (!status.ok()) {
        return status;
      }
    }
  }
  entries.push_back(fbs::CreateAdapterPair(
      builder, builder.CreateString(pair.site), dtype, uint64_t(pair.rank),
      uint64_t(pair.inputs), uint64_t(pair.outputs), pair.scale, segment, a, b,
      aScales, bScales));
  return Status();
}

Status AdapterWriter::write(const AdapterInfo &info,
                            const std::vector<AdapterPair> &pairs) {
  Result<uint32_t> begun =
      writer.beginSegment(fbs::SegmentKind_Weights, "adapter.weights");
  if (!begun.ok()) {
    return begun.status();
  }
  segment = *begun;
  for (const AdapterPair &pair : pairs) {
    if (Status status = writePair(pair); !status.ok()) {
      return status;
    }
  }
  if (Status status = writer.endSegment(); !status.ok()) {
    return status;
  }
  auto adapter = fbs::CreateAdapterInfo(
      builder, builder.CreateString(info.name),
      builder.CreateString(info.baseName),
      builder.CreateString(info.architecture), info.baseHash,
      fbs::RowOrder(info.rowOrder), builder.CreateVector(entries));
  auto segments = writer.describeSegments(builder);
  auto producer = builder.CreateString("umber-adapter");
  fbs::PackageBuilder package(builder);
  package.add_kind(fbs::PackageKind_Adapter);
  package.add_producer(producer);
  package.add_segments(segments);
  package.add_adapter(adapter);
  fbs::FinishPackageBuffer(builder, package.Finish());
  return writer.finish(builder.GetBufferPointer(), builder.GetSize());
}

} // namespace

Result<std::shared_ptr<const Adapter>>
readAdapterPackage(const std::string &path) {
  auto opened = Package::open(path);
  if (!opened.ok()) {
    return opened.status();
  }
  std::shared_ptr<const Package> package = std::move(*opened);
  const fbs::Package &meta = package->meta();
  if (meta.kind() != fbs::PackageKind_Adapter) {
    return Status(StatusCode::Unsupported,
                  path + ": expected an adapter, found a model");
  }
  if (Status status = package->verifySegments(1); !status.ok()) {
    return status;
  }
  const fbs::AdapterInfo &adapter = *meta.adapter();
  AdapterInfo info;
  info.name = adapter.name()->str();
  info.baseName = toString(adapter.base_name());
  info.architecture = toString(adapter.arch());
  info.baseHash = adapter.base_hash();
  info.rowOrder = RowOrder(adapter.row_order());
  Result<std::vector<AdapterPair>> pairs =
      readPairs(*package, *adapter.pairs());
  if (!pairs.ok()) {
    return Status(pairs.status().code(),
                  path + ": " + pairs.status().message());
  }
  return std::make_shared<const Adapter>(std::move(info), std::move(*pairs),
                                         std::move(package));
}

Result<std::shared_ptr<const Adapter>>
readRecovery(std::shared_ptr<const Package> package,
             const fbs::Target &target) {
  if (!target.recovery() || target.recovery()->size() == 0) {
    return std::shared_ptr<const Adapter>();
  }
  Result<std::vector<AdapterPair>> pairs =
      readPairs(*package, *target.recovery());
  if (!pairs.ok()) {
    return pairs.status();
  }
  const fbs::ModelInfo &model = *package->meta().model();
  AdapterInfo info;
  info.name = "recovery";
  info.baseName = model.name()->str();
  info.architecture = model.arch()->str();
  info.baseHash = model.base_hash();
  return std::make_shared<const Adapter>(std::move(info), std::move(*pairs),
                                         std::move(package));
}

Status writeAdapterPackage(const AdapterInfo &info,
                           const std::vector<AdapterPair> &pairs,
                           const std::string &path) {
  auto writer = PackageWriter::create(path);
  if (!writer.ok()) {
    return writer.status();
  }
  return AdapterWriter(**writer).write(info, pairs);
}

} // namespace umber
