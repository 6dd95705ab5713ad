// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A LoRA in a GGUF file, as llama.cpp's convert_lora_to_gguf.py writes it and
// llama-adapter.cpp reads it.

#include "runtime/adapter/Forms.h"
#include "runtime/adapter/GgufFile.h"
#include "runtime/adapter/Pairing.h"
#include "runtime/adapter/Quote.h"

#include <algorithm>
#include <cmath>

namespace umber {

namespace {

struct TensorType {
  uint32_t number; ///< GGML's
  fbs::DType dtype;
  uint64_t bytes;
};
constexpr TensorType kTypes[] = {
    {0, fbs::DType_F32, 4}, {1, fbs::DType_F16, 2}, {30, fbs::DType_BF16, 2}};

Status bad(const std::string &where, const std::string &expected,
           StatusCode code = StatusCode::CorruptFile) {
  return Status(code, where + ": expected " + expected);
}

/// Takes the suffix off, if the text has it.
bool takeSuffix(std::string &text, std::string_view suffix) {
  bool has =
      text.size() >= suffix.size() &&
      text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
  if (has) {
    text.resize(text.size() - suffix.size());
  }
  return has;
}

class GgufAdapterReader {
public:
  explicit GgufAdapterReader(const GgufFile &file) : file(file) {}

  Status readInfo();
  Result<std::vector<AdapterPair>> readPairs();

  AdapterInfo info;

private:
  Status requireString(const char *key, const char *expected);
  Status add(const GgufTensor &tensor);
  Status locate(const GgufTensor &tensor, const std::string &where,
                AdapterMatrix &matrix);
  Status checkApart();

  const GgufFile &file;
  double alpha = 0;
  Pairing pairing;
  std::vector<AdapterMatrix> matrices;
};

Status GgufAdapterReader::requireString(const char *key, const char *expected) {
  std::optional<std::string_view> value = file.getString(key);
  if (value && *value == expected) {
    return Status();
  }
  return bad("key " + quote(key),
             quote(expected) + ", found " + (value ? quote(*value) : "none"),
             value ? StatusCode::Unsupported : StatusCode::CorruptFile);
}

Status GgufAdapterReader::readInfo() {
  if (Status status = requireString("general.type", "adapter"); !status.ok()) {
    return status;
  }
  if (Status status = requireString("adapter.type", "lora"); !status.ok()) {
    return status;
  }
  if (file.has("adapter.alora.invocation_tokens")) {
    return bad("key 'adapter.alora.invocation_tokens'",
               "none, found an adapter that certain tokens turn on, which is "
               "not supported",
               StatusCode::Unsupported);
  }
  auto architecture = file.getString("general.architecture");
  if (!architecture || architecture->empty()) {
    return bad("key 'general.architecture'", "a name, found none");
  }
  auto found = file.getFloat("adapter.lora.alpha");
  if (!found) {
    return bad("key 'adapter.lora.alpha'", "a float, found none");
  }
  alpha = *found;
  if (!std::isfinite(alpha)) {
    return bad("key 'adapter.lora.alpha'",
               "a finite number, found an infinity or NaN");
  }
  info.name = file.getString("general.name").value_or("");
  info.baseName = file.getString("general.base_model.0.name").value_or("");
  info.architecture = *architecture;
  info.rowOrder = RowOrder::GGUF;
  return Status();
}

Status GgufAdapterReader::locate(const GgufTensor &tensor,
                                 const std::string &where,
                                 AdapterMatrix &matrix) {
  auto type = std::find_if(
      std::begin(kTypes), std::end(kTypes),
      [&](const TensorType &known) { return known.number == tensor.type; });
  if (type == std::end(kTypes)) {
    return bad(where,
               "type F32, F16 or BF16, found GGML's number " +
                   std::to_string(tensor.type) + ", which is not supported",
               StatusCode::Unsupported);
  }
  // GGML leaves out outermost dimensions of 1, which is A's with rank 1.
  if (tensor.shape.size() > 2) {
    return bad(where, "a matrix, found " + std::to_string(tensor.shape.size()) +
                          " dimensions");
  }
  matrix.rows = tensor.shape.size() == 2 ? int64_t(tensor.shape[0]) : 1;
  matrix.columns = int64_t(tensor.shape.back());
  matrix.dtype = type->dtype;
  Bytes data = file.data();
  if (tensor.offset > data.size ||
      tensor.elements > (data.size - tensor.offset) / type->bytes) {
    return bad(where, std::to_string(tensor.elements) +
                          " elements within the " + std::to_string(data.size) +
                          " bytes of data, found them at offset " +
                          std::to_string(tensor.offset));
  }
  matrix.data = {data.data + tensor.offset,
                 size_t(tensor.elements * type->bytes)};
  return Status();
}

Status GgufAdapterReader::add(const GgufTensor &tensor) {
  std::string where = "tensor " + quote(tensor.name);
  std::string name = tensor.name;
  bool isB = takeSuffix(name, ".lora_b");
  if ((!isB && !takeSuffix(name, ".lora_a")) || !takeSuffix(name, ".weight")) {
    return bad(where,
               "NAME.weight.lora_a or NAME.weight.lora_b, found another "
               "tensor, which is not supported",
               StatusCode::Unsupported);
  }
  std::optional<Site> site = Site::fromTensor(name);
  if (!site) {
    return bad(where,
               "blk.N with " + Site::listTensors() + ", found " + quote(name) +
                   ", which is not supported",
               StatusCode::Unsupported);
  }
  AdapterMatrix matrix = {tensor.name, fbs::DType_F32, 0, 0, {}};
  if (Status status = locate(tensor, where, matrix); !status.ok()) {
    return status;
  }
  matrices.push_back(matrix);
  if (isB) {
    pairing.addB(*site, std::move(matrix));
  } else {
    pairing.addA(*site, std::move(matrix));
  }
  return Status();
}

Status GgufAdapterReader::checkApart() {
  std::sort(matrices.begin(), matrices.end(),
            [](auto &a, auto &b) { return a.data.data < b.data.data; });
  for (size_t i = 1; i < matrices.size(); ++i) {
    const AdapterMatrix &before = matrices[i - 1];
    if (before.data.data + before.data.size > matrices[i].data.data) {
      return bad("tensor " + quote(matrices[i].tensor),
                 "tensors to be apart, found it to overlap " +
                     quote(before.tensor));
    }
  }
  return Status();
}

Result<std::vector<AdapterPair>> GgufAdapterReader::readPairs() {
  for (const GgufTensor &tensor : file.tensors()) {
    if (Status status = add(tensor); !status.ok()) {
      return status;
    }
  }
  if (Status status = checkApart(); !status.ok()) {
    return status;
  }
  return pairing.finish(
      [&](const Site &, const AdapterMatrix &a) -> Result<float> {
        // llama.cpp takes 0 for "no alpha".
        return alpha == 0 ? 1.0f : float(alpha / double(a.rows));
      });
}

} // namespace

Result<std::shared_ptr<const Adapter>>
readGgufAdapter(std::unique_ptr<MappedFile> mapped) {
  std::shared_ptr<const MappedFile> storage = std::move(mapped);
  auto withPath = [&](const Status &status) {
    return Status(status.code(), storage->path() + ": " + status.message());
  };
  Result<GgufFile> file = GgufFile::parse(storage->bytes());
  if (!file.ok()) {
    return withPath(file.status());
  }
  GgufAdapterReader reader(*file);
  if (Status status = reader.readInfo(); !status.ok()) {
    return withPath(status);
  }
  auto pairs = reader.readPairs();
  if (!pairs.ok()) {
    return withPath(pairs.status());
  }
  if (reader.info.name.empty()) {
    reader.info.name = nameOfPath(storage->path());
  }
  return std::make_shared<const Adapter>(std::move(reader.info),
                                         std::move(*pairs), std::move(storage));
}

} // namespace umber
