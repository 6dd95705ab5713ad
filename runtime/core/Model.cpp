// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/Model.h"

#include "runtime/core/Hash.h"
#include "runtime/package/CacheLayout.h"

#include <algorithm>
#include <future>

using namespace umber;

namespace {

/// What a session's cache depends on: the architecture and tokenizer, the bytes
/// of all weights, and how the cache is stored. Not on the code: a package that
/// was compiled again can continue the sessions of the old one.
uint64_t identify(const fbs::Package &package) {
  const fbs::CacheInfo &cache = *package.cache();
  std::vector<uint64_t> parts = {package.model()->base_hash(), cache.layers(),
                                 cache.kv_heads(), cache.head_dim(),
                                 static_cast<uint64_t>(cache.dtype())};
  for (const fbs::Segment *segment : *package.segments()) {
    if (segment->kind() == fbs::SegmentKind_Weights) {
      parts.push_back(segment->size());
      parts.push_back(segment->hash());
    }
  }
  return hashBytes(parts.data(), parts.size() * sizeof parts[0]);
}

/// Of one position, in the precision that the package asks for.
uint64_t cacheBytesPerToken(const fbs::CacheInfo &cache) {
  return uint64_t(2) * cache.layers() * cache.kv_heads() *
         (cacheRowBytes(cache) + cacheScaleBytes(cache));
}

/// Views into the package, which the model keeps.
TokenizerData readTables(const fbs::Tokenizer &tables) {
  TokenizerData data;
  data.model = tables.model()->str();
  data.pre = tables.pre() ? tables.pre()->str() : "";
  const char *bytes = tables.token_bytes()->c_str();
  uint32_t begin = 0;
  data.tokens.reserve(tables.token_ends()->size());
  for (uint32_t end : *tables.token_ends()) {
    data.tokens.emplace_back(bytes + begin, end - begin);
    begin = end;
  }
  data.types.assign(tables.token_types()->begin(), tables.token_types()->end());
  if (tables.merges()) {
    data.merges.assign(tables.merges()->begin(), tables.merges()->end());
  }
  if (tables.token_scores()) {
    data.scores.assign(tables.token_scores()->begin(),
                       tables.token_scores()->end());
  }
  data.bos = tables.bos();
  data.eos = tables.eos();
  data.eot = tables.eot();
  data.unk = tables.unk();
  data.pad = tables.pad();
  data.addBos = tables.add_bos();
  data.addEos = tables.add_eos();
  data.addSpacePrefix = tables.add_space_prefix();
  return data;
}

} // namespace

Result<std::shared_ptr<const Model>> Model::load(const std::string &path,
                                                 const std::string &device,
                                                 LoadOptions options,
                                                 uint64_t adapterCacheBytes) {
  Result<FoundDriver> found = findDriver(device);
  if (!found.ok()) {
    return found.status();
  }
  const Driver &driver = *found->driver;
  options.variant = found->variant;
  Result<DeviceDescription> present = driver.describe();
  if (!present.ok()) {
    return present.status();
  }
  Result<std::shared_ptr<Package>> package = Package::open(path);
  if (!package.ok()) {
    return package.status();
  }
  if ((*package)->meta().kind() != fbs::PackageKind_Model) {
    return Status(StatusCode::InvalidArgument,
                  path + ": is not a model but an adapter");
  }
  std::shared_ptr<Model> model(new Model(adapterCacheBytes));
  model->package = *package;
  // All of it is in the metadata, which has been verified. It takes as long as
  // verifying and loading the rest.
  std::future<void> text =
      std::async(std::launch::async, [&] { model->loadText(); });
  // Before any byte of a segment is used, code above all.
  if (Status status = (*package)->verifySegments(
          static_cast<unsigned>(std::clamp(present->defaultThreads, 1, 8)));
      !status.ok()) {
    return status;
  }
  Result<std::unique_ptr<DeviceModel>> loaded = driver.load(*package, options);
  if (!loaded.ok()) {
    const Status &status = loaded.status();
    return status.code() == StatusCode::InvalidArgument
               ? status
               : Status(status.code(), path + ": " + status.message());
  }
  model->onDevice = std::move(*loaded);
  Result<std::shared_ptr<const DeviceAdapter>> corrections =
      loadRecovery(*package, *model->onDevice);
  if (!corrections.ok()) {
    return Status(corrections.status().code(),
                  path + ": " + corrections.status().message());
  }
  model->corrections = std::move(*corrections);
  model->fillIn(driver);
  text.get();
  return std::shared_ptr<const Model>(std::move(model));
}

void Model::fillIn(const Driver &driver) {
  const fbs::Package &meta = package->meta();
  const fbs::ModelInfo &info = *meta.model();
  values.name = info.name()->c_str();
  values.arch = info.arch()->c_str();
  values.device = driver.name();
  values.isa = onDevice->isa().c_str();
  values.threads = onDevice->threads();
  values.layers = static_cast<int32_t>(info.layers());
  values.vocab = static_cast<int32_t>(info.vocab());
  values.context_length = static_cast<int32_t>(info.context_length());
  values.bos = values.eos = -1;
  values.max_batch = onDevice->maxTokens();
  values.body_bits = info.body_bits();
  values.parameter_count = info.parameter_count();
  values.weight_bytes =
      onDevice->weightBytes() + (corrections ? corrections->bytes() : 0);
  values.cache_bytes_per_token = cacheBytesPerToken(*meta.cache());
  values.identity = identify(meta);
  values.is_simulated = onDevice->isSimulated();
  values.candidates = onDevice->candidates();
  if (const fbs::Tokenizer *tokenizer = meta.tokenizer()) {
    values.bos = tokenizer->bos();
    values.eos = tokenizer->eos();
    ends = {tokenizer->eos(), tokenizer->eot()};
    if (tokenizer->end_of_generation()) {
      ends.insert(ends.end(), tokenizer->end_of_generation()->begin(),
                  tokenizer->end_of_generation()->end());
    }
  }
}

Result<std::shared_ptr<const LoadedAdapter>>
Model::loadAdapter(const std::string &path) const {
  if (auto cached = adapters.find(path)) {
    return cached;
  }
  std::string stamp = AdapterCache::stampOf(path);
  auto loaded = umber::loadAdapter(path, package->meta(), *onDevice);
  if (loaded.ok()) {
    adapters.add(path, stamp, *loaded);
  }
  return loaded;
}

bool Model::isEndOfGeneration(int32_t id) const {
  return id >= 0 && std::find(ends.begin(), ends.end(), id) != ends.end();
}

void Model::loadText() {
  const fbs::Tokenizer *tables = package->meta().tokenizer();
  if (!tables) {
    textStatus = chatStatus =
        Status(StatusCode::Unsupported, "the package has no tokenizer");
    return;
  }
  Result<std::unique_ptr<Tokenizer>> created =
      Tokenizer::create(readTables(*tables));
  if (created.ok()) {
    text = std::move(*created);
  } else {
    textStatus = created.status();
  }
  const flatbuffers::String *jinja = tables->chat_template();
  Result<ChatTemplate> recognised = ChatTemplate::recognise(
      jinja ? std::string_view(jinja->c_str(), jinja->size()) : "");
  if (recognised.ok()) {
    chat = std::make_unique<ChatTemplate>(*recognised);
  } else {
    chatStatus = recognised.status();
  }
}

Result<const Tokenizer *> Model::tokenizer() const {
  if (!text) {
    return textStatus;
  }
  return static_cast<const Tokenizer *>(text.get());
}

Result<const ChatTemplate *> Model::chatTemplate() const {
  if (!chat) {
    return chatStatus;
  }
  return static_cast<const ChatTemplate *>(chat.get());
}
