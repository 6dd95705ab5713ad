// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a package's metadata makes sense: every index points to something,
// every range is inside of what it is a range of, and every number is one that
// can be worked with.

#include "runtime/package/PackageVerify.h"
#include "runtime/package/CacheLayout.h"
#include "runtime/package/ElementType.h"
#include "runtime/package/EncodingText.h"
#include "runtime/package/Format.h"
#include "runtime/package/LaneEncoding.h"
#include "runtime/package/Package.h"

#include <algorithm>
#include <vector>

namespace umber {

using namespace verify;

namespace {

// Above any use there is, as kMaxBytes.
constexpr uint32_t kMaxTokens = 1 << 16;
constexpr uint32_t kMaxHeads = 1 << 14;
constexpr uint32_t kMaxVocab = 1 << 24;
// What every device that takes part can run.
constexpr uint32_t kMaxWorkgroups = 65535;
constexpr uint32_t kMaxThreads = 1024;

class MetadataVerifier {
public:
  MetadataVerifier(const fbs::Package &package, uint64_t segmentsEnd)
      : package(package), segmentsEnd(segmentsEnd) {}

  Status run();

private:
  Status verifySegments();
  Status verifyModel(const fbs::ModelInfo &model);
  Status verifyCache(const fbs::CacheInfo &cache);
  Status verifyTokenizer(const fbs::Tokenizer &tokenizer);
  Status verifyTarget(const fbs::Target &target, const std::string &where);
  Status verifyParameter(const fbs::Parameter &parameter, bool isForGpu,
                         const std::string &where);
  Status verifyEncoding(const fbs::Parameter &parameter, bool isForGpu,
                        const std::string &where);
  Status verifyProgram(const fbs::Program &program, const fbs::Target &target,
                       const std::string &where);
  Status verifyDispatch(const fbs::Dispatch &dispatch,
                        const fbs::Program &program, const fbs::Target &target,
                        const std::string &where);
  Status verifyGrid(const fbs::Grid &grid, const std::string &where);

  const fbs::Package &package;
  uint64_t segmentsEnd;
};

Status MetadataVerifier::run() {
  if (package.kind() > fbs::PackageKind_MAX) {
    return bad("package", "a known kind" + found(int(package.kind())));
  }
  if (Status status = verifySegments(); !status.ok()) {
    return status;
  }
  // An adapter has no model or cache of its own, but what it has must be right.
  if (package.kind() == fbs::PackageKind_Model &&
      (!package.model() || !package.cache())) {
    return bad("package",
               package.model() ? "a cache, found none" : "a model, found none");
  }
  if (package.model()) {
    if (Status status = verifyModel(*package.model()); !status.ok()) {
      return status;
    }
  }
  if (package.cache()) {
    if (Status status = verifyCache(*package.cache()); !status.ok()) {
      return status;
    }
  }
  if (package.tokenizer()) {
    if (Status status = verifyTokenizer(*package.tokenizer()); !status.ok()) {
      return status;
    }
  }
  for (uint32_t i = 0; i < sizeOf(package.targets()); ++i) {
    const fbs::Target *target = package.targets()->Get(i);
    if (Status status = verifyTarget(*target, at("target", i)); !status.ok()) {
      return status;
    }
  }
  if (package.kind() == fbs::PackageKind_Adapter && !package.adapter()) {
    return bad("package", "an adapter, found none");
  }
  return package.adapter() ? verifyAdapter(*package.adapter(), package)
                           : Status();
}

Status MetadataVerifier::verifySegments() {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  if (!package.segments()) {
    return bad("package", "a table of segments, found none");
  }
  for (uint32_t i = 0; i < package.segments()->size(); ++i) {
    const fbs::Segment *segment = package.segments()->Get(i);
    std::string where = at("segment", i);
    if (!segment->name()) {
      return bad(where, "a name, found none");
    }
    if (segment->kind() > fbs::SegmentKind_MAX) {
      return bad(where, "a known kind" + found(int(segment->kind())));
    }
    if (segment->offset() % kSegmentAlignment != 0 || segment->offset() == 0 ||
        segment->offset() > segmentsEnd ||
        segment->size() > segmentsEnd - segment->offset()) {
      return bad(where, "a range that starts at a page and ends within the " +
                            std::to_string(segmentsEnd) +
                            " bytes before the metadata, found " +
                            std::to_string(segment->size()) +
                            " bytes at offset " +
                            std::to_string(segment->offset()));
    }
    ranges.push_back({segment->offset(), segment->offset() + segment->size()});
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i - 1].second > ranges[i].first) {
      return bad("segments", "none to overlap another, found one at offset " +
                                 std::to_string(ranges[i].first) +
                                 " and one before it that ends at " +
                                 std::to_string(ranges[i - 1].second));
    }
  }
  return Status();
}

Status MetadataVerifier::verifyModel(const fbs::ModelInfo &model) {
  if (!model.name() || !model.arch()) {
    return bad("model", model.name() ? "an architecture, found none"
                                     : "a name, found none");
  }
  if (model.vocab() < 1 || model.vocab() > kMaxVocab) {
    return bad("model", "a vocabulary of 1 to " + std::to_string(kMaxVocab) +
                            found(model.vocab()));
  }
  if (model.layers() > kMaxHeads) {
    return bad("model", "at most " + std::to_string(kMaxHeads) + " layers" +
                            found(model.layers()));
  }
  if (model.context_length() < 1 || model.context_length() > (1u << 30)) {
    return bad("model",
               "a context length of 1 to 2^30" + found(model.context_length()));
  }
  return Status();
}

Status MetadataVerifier::verifyCache(const fbs::CacheInfo &cache) {
  if (cache.layers() < 1 || cache.layers() > kMaxHeads ||
      cache.kv_heads() < 1 || cache.kv_heads() > kMaxHeads ||
      cache.head_dim() < 1 || cache.head_dim() > kMaxHeads) {
    return bad("cache", "layers, heads and head size of 1 to " +
                            std::to_string(kMaxHeads) + ", found " +
                            std::to_string(cache.layers()) + ", " +
                            std::to_string(cache.kv_heads()) + " and " +
                            std::to_string(cache.head_dim()));
  }
  if (!isCacheType(cache.dtype())) {
    return bad("cache", "elements of type F32, F16, I8 or I4" +
                            found(int(cache.dtype())));
  }
  return Status();
}

Status MetadataVerifier::verifyTokenizer(const fbs::Tokenizer &tokenizer) {
  const char *where = "tokenizer";
  uint32_t vocab = sizeOf(tokenizer.token_ends());
  if (!tokenizer.model() || !tokenizer.token_bytes()) {
    return bad(where, tokenizer.model() ? "the tokens' bytes, found none"
                                        : "a model name, found none");
  }
  if (!package.model()) {
    return bad(where, "a model that it belongs to, found none");
  }
  // A model's embedding may have more rows than there are tokens: padding.
  if (vocab < 1 || vocab > package.model()->vocab()) {
    return bad(where, "1 to the model's " +
                          std::to_string(package.model()->vocab()) + " tokens" +
                          found(vocab));
  }
  uint32_t last = 0;
  for (uint32_t end : *tokenizer.token_ends()) {
    if (end < last || end > tokenizer.token_bytes()->size()) {
      return bad(where, "tokens in order within their " +
                            std::to_string(tokenizer.token_bytes()->size()) +
                            " bytes, found one that ends at " +
                            std::to_string(end));
    }
    last = end;
  }
  if (sizeOf(tokenizer.token_types()) != vocab) {
    return bad(where, "a type for each of " + std::to_string(vocab) +
                          " tokens" + found(sizeOf(tokenizer.token_types())));
  }
  uint32_t scores = sizeOf(tokenizer.token_scores());
  if (scores != 0 && scores != vocab) {
    return bad(where, "no score, or one for each of " + std::to_string(vocab) +
                          " tokens" + found(scores));
  }
  if (sizeOf(tokenizer.merges()) % 2 != 0) {
    return bad(where, "pairs of tokens to merge, found half a pair");
  }
  for (uint32_t i = 0; i < sizeOf(tokenizer.merges()); ++i) {
    if (tokenizer.merges()->Get(i) >= vocab) {
      return bad(where, "merges of tokens below " + std::to_string(vocab) +
                            found(tokenizer.merges()->Get(i)));
    }
  }
  auto isId = [&](int32_t id) { return id >= -1 && id < int64_t(vocab); };
  for (int32_t id : {tokenizer.bos(), tokenizer.eos(), tokenizer.eot(),
                     tokenizer.unk(), tokenizer.pad()}) {
    if (!isId(id)) {
      return bad(where, "special tokens from -1 to below " +
                            std::to_string(vocab) + found(id));
    }
  }
  for (uint32_t i = 0; i < sizeOf(tokenizer.end_of_generation()); ++i) {
    int32_t id = tokenizer.end_of_generation()->Get(i);
    if (id < 0 || !isId(id)) {
      return bad(where, "ends of generation from 0 to below " +
                            std::to_string(vocab) + found(id));
    }
  }
  return Status();
}

Status MetadataVerifier::verifyTarget(const fbs::Target &target,
                                      const std::string &where) {
  if (!target.name()) {
    return bad(where, "a name, found none");
  }
  for (uint32_t i = 0; i < sizeOf(target.variants()); ++i) {
    const fbs::CodeVariant *variant = target.variants()->Get(i);
    std::string part = where + ", " + at("variant", i);
    if (!variant->isa()) {
      return bad(part, "an instruction set, found none");
    }
    if (variant->segment() >= package.segments()->size()) {
      return bad(part, "a segment below " +
                           std::to_string(package.segments()->size()) +
                           found(variant->segment()));
    }
    fbs::SegmentKind kind = package.segments()->Get(variant->segment())->kind();
    if (kind != fbs::SegmentKind_Code) {
      return bad(part, std::string("a code segment, found one of kind ") +
                           fbs::EnumNameSegmentKind(kind));
    }
  }
  bool isForGpu = target.name()->str() == kGpuTarget;
  for (uint32_t i = 0; i < sizeOf(target.parameters()); ++i) {
    Status status = verifyParameter(*target.parameters()->Get(i), isForGpu,
                                    where + ", " + at("parameter", i));
    if (!status.ok()) {
      return status;
    }
  }
  if (Status status = verifySites(target, where); !status.ok()) {
    return status;
  }
  if (Status status = verifyRecovery(target, package, where); !status.ok()) {
    return status;
  }
  for (uint32_t i = 0; i < sizeOf(target.programs()); ++i) {
    Status status = verifyProgram(*target.programs()->Get(i), target,
                                  where + ", " + at("program", i));
    if (!status.ok()) {
      return status;
    }
  }
  return Status();
}

Status MetadataVerifier::verifyParameter(const fbs::Parameter &parameter,
                                         bool isForGpu,
                                         const std::string &where) {
  if (!parameter.name()) {
    return bad(where, "a name, found none");
  }
  if (parameter.dtype() > fbs::DType_MAX) {
    return bad(where, "a known element type" + found(int(parameter.dtype())));
  }
  if (parameter.segment() >= package.segments()->size()) {
    return bad(where, "a segment below " +
                          std::to_string(package.segments()->size()) +
                          found(parameter.segment()));
  }
  uint64_t size = package.segments()->Get(parameter.segment())->size();
  if (parameter.offset() % kDataAlignment != 0 || parameter.offset() > size ||
      parameter.size() > size - parameter.offset()) {
    return bad(where, "a range within its segment's " + std::to_string(size) +
                          " bytes, from a multiple of " +
                          std::to_string(kDataAlignment) + ", found " +
                          std::to_string(parameter.size()) +
                          " bytes at offset " +
                          std::to_string(parameter.offset()));
  }
  uint64_t elements = 1;
  for (uint32_t i = 0; i < sizeOf(parameter.shape()); ++i) {
    uint64_t extent = parameter.shape()->Get(i);
    if (extent < 1 || extent > kMaxBytes / elements) {
      return bad(where, "a shape of 1 to 2^46 elements" + found(extent) +
                            " as extent " + std::to_string(i));
    }
    elements *= extent;
  }
  if (parameter.encoding() && parameter.encoding()->size() != 0) {
    return verifyEncoding(parameter, isForGpu, where);
  }
  // A layout may add padding.
  uint64_t least = (elements * elementBits(parameter.dtype()) + 7) / 8;
  if (parameter.size() < least) {
    return bad(where, "at least " + std::to_string(least) +
                          " bytes for its shape" + found(parameter.size()));
  }
  return Status();
}

/// The shape's extents have been checked.
Status MetadataVerifier::verifyEncoding(const fbs::Parameter &parameter,
                                        bool isForGpu,
                                        const std::string &where) {
  std::string layout = parameter.layout() ? parameter.layout()->str() : "";
  const char *expected = isForGpu ? kEncodedLanesLayout : kEncodedPanelsLayout;
  bool isForEngine =
      !isForGpu && (layout == kTilesLayout || layout == kLookupLayout);
  if (layout != expected && !isForEngine) {
    std::string others =
        std::string(", ") + kTilesLayout + " or " + kLookupLayout;
    return bad(where, std::string("the layout ") + expected +
                          (isForGpu ? "" : others) +
                          " with an encoding, found '" + layout + "'");
  }
  if (sizeOf(parameter.shape()) != 2) {
    return bad(where, "a matrix with an encoding, found rank " +
                          std::to_string(sizeOf(parameter.shape())));
  }
  Result<PanelEncoding> encoding =
      parseEncoding(parameter.encoding()->str(), parameter.shape()->Get(1));
  if (!encoding.ok()) {
    return Status(encoding.status().code(),
                  where + ": " + encoding.status().message());
  }
  uint64_t rows = parameter.shape()->Get(0);
  if (isForEngine) {
    // Codes, to which a layout may add padding, tables and scales.
    uint64_t columns = parameter.shape()->Get(1);
    uint64_t least = rows * ((columns * encoding->bits + 7) / 8);
    if (parameter.size() < least) {
      return bad(where, "at least " + std::to_string(least) +
                            " bytes for its shape and encoding" +
                            found(parameter.size()));
    }
    return Status();
  }
  auto count = static_cast<int64_t>(rows);
  uint64_t bytes = isForGpu ? LaneEncoding{*encoding}.getBytes(count)
                            : encoding->getBytes(count);
  if (parameter.size() != bytes) {
    return bad(where, std::to_string(bytes) +
                          " bytes for its shape and encoding" +
                          found(parameter.size()));
  }
  return Status();
}

Status MetadataVerifier::verifyProgram(const fbs::Program &program,
                                       const fbs::Target &target,
                                       const std::string &where) {
  if (!program.name()) {
    return bad(where, "a name, found none");
  }
  if (program.max_tokens() < 1 || program.max_tokens() > kMaxTokens) {
    return bad(where, "1 to " + std::to_string(kMaxTokens) + " tokens" +
                          found(program.max_tokens()));
  }
  if (program.arena_bytes() > kMaxBytes ||
      program.scratch_bytes() > kMaxBytes) {
    return bad(where, "an arena and scratch of at most 2^46 bytes, found " +
                          std::to_string(program.arena_bytes()) + " and " +
                          std::to_string(program.scratch_bytes()));
  }
  for (uint32_t i = 0; i < sizeOf(program.dispatches()); ++i) {
    Status status = verifyDispatch(*program.dispatches()->Get(i), program,
                                   target, where + ", " + at("dispatch", i));
    if (!status.ok()) {
      return status;
    }
  }
  return Status();
}

Status MetadataVerifier::verifyDispatch(const fbs::Dispatch &dispatch,
                                        const fbs::Program &program,
                                        const fbs::Target &target,
                                        const std::string &where) {
  if (!dispatch.name()) {
    return bad(where, "a name, found none");
  }
  if (dispatch.kernel() >= sizeOf(target.kernels())) {
    return bad(where, "a kernel below " +
                          std::to_string(sizeOf(target.kernels())) +
                          found(dispatch.kernel()));
  }
  // -1 is a dispatch outside of the layers.
  uint32_t layers = package.cache() ? package.cache()->layers() : 0;
  if (dispatch.layer() < -1 || dispatch.layer() >= int64_t(layers)) {
    return bad(where, "a layer from -1 to below " + std::to_string(layers) +
                          found(dispatch.layer()));
  }
  if (const fbs::Grid *grid = dispatch.grid()) {
    if (Status status = verifyGrid(*grid, where); !status.ok()) {
      return status;
    }
  }
  for (uint32_t i = 0; i < sizeOf(dispatch.bindings()); ++i) {
    const fbs::Binding *binding = dispatch.bindings()->Get(i);
    std::string part = where + ", " + at("binding", i);
    switch (binding->kind()) {
    case fbs::BindingKind_Parameter:
      if (binding->index() >= sizeOf(target.parameters())) {
        return bad(part, "a parameter below " +
                             std::to_string(sizeOf(target.parameters())) +
                             found(binding->index()));
      }
      break;
    case fbs::BindingKind_Arena:
      if (binding->offset() % kDataAlignment != 0 ||
          binding->offset() >= program.arena_bytes()) {
        return bad(part, "a multiple of " + std::to_string(kDataAlignment) +
                             " within the arena's " +
                             std::to_string(program.arena_bytes()) + " bytes" +
                             found(binding->offset()));
      }
      break;
    case fbs::BindingKind_Keys:
    case fbs::BindingKind_Values:
      if (binding->index() >= layers) {
        return bad(part, "a layer below " + std::to_string(layers) +
                             found(binding->index()));
      }
      break;
    case fbs::BindingKind_TokenIds:
    case fbs::BindingKind_Logits:
    case fbs::BindingKind_Step:
    case fbs::BindingKind_Candidates:
      break;
    case fbs::BindingKind_Adapters:
    case fbs::BindingKind_Products:
      if (binding->index() >= sizeOf(target.sites()) ||
          binding->offset() >= sizeOf(dispatch.bindings())) {
        return bad(part, "a site below " +
                             std::to_string(sizeOf(target.sites())) +
                             " and a number below the bindings'" +
                             found(binding->index()) + " and " +
                             std::to_string(binding->offset()));
      }
      break;
    default:
      return bad(part, "a known kind" + found(int(binding->kind())));
    }
  }
  return Status();
}

Status MetadataVerifier::verifyGrid(const fbs::Grid &grid,
                                    const std::string &where) {
  for (uint32_t extent : {grid.x(), grid.y(), grid.z()}) {
    if (extent < 1 || extent > kMaxWorkgroups) {
      return bad(where, "a grid of 1 to " + std::to_string(kMaxWorkgroups) +
                            " workgroups along each axis" + found(extent));
    }
  }
  if (grid.threads() < 1 || grid.threads() > kMaxThreads) {
    return bad(where, "workgroups of 1 to " + std::to_string(kMaxThreads) +
                          " threads" + found(grid.threads()));
  }
  return Status();
}

} // namespace

Status verifyMetadata(const fbs::Package &package, uint64_t segmentsEnd) {
  return MetadataVerifier(package, segmentsEnd).run();
}

} // namespace umber
