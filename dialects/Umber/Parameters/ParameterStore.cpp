// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/ParameterStore.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/GGUF/Dequantize.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "dialects/Umber/Parameters/DerivedStore.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;
using namespace mlir::umber;

namespace umber {

namespace {

class GGUFParameterStore : public ParameterStore {
public:
  explicit GGUFParameterStore(std::unique_ptr<gguf::File> file)
      : file(std::move(file)) {}

  Expected<ArrayRef<int64_t>> getShape(StringRef key) const override {
    auto tensor = find(key);
    if (!tensor) {
      return tensor.takeError();
    }
    return ArrayRef<int64_t>((*tensor)->shape);
  }

  Error readRows(StringRef key, int64_t first,
                 MutableArrayRef<float> out) const override {
    auto tensor = find(key);
    if (!tensor) {
      return tensor.takeError();
    }
    const gguf::TensorTypeInfo &info = gguf::getInfo((*tensor)->type);
    uint64_t columns = (*tensor)->shape.back();
    uint64_t rowBytes = columns / info.blockElements * info.blockBytes;
    uint64_t rows = (*tensor)->data.size() / rowBytes;
    uint64_t count = out.size() / columns;
    if (out.size() % columns != 0 || first < 0 || uint64_t(first) > rows ||
        count > rows - uint64_t(first)) {
      return file->makeError(
          "tensor '" + key + "': expected rows within its " + Twine(rows) +
          " of " + Twine(columns) + " elements, found a request for " +
          Twine(out.size()) + " elements from row " + Twine(first));
    }
    gguf::dequantize(info.type, (*tensor)->data.data() + first * rowBytes, out);
    return Error::success();
  }

  Expected<EncodedMatrixRef>
  getEncoded(StringRef key, mlir::RankedTensorType type) const override {
    std::string text;
    raw_string_ostream(text) << type.getEncoding();
    return file->makeError("tensor '" + key + "': expected it stored as " +
                           text + ", found a tensor of a model file");
  }

  Expected<uint64_t> getIdentity(StringRef key) const override {
    auto tensor = find(key);
    if (!tensor) {
      return tensor.takeError();
    }
    std::string text;
    raw_string_ostream os(text);
    os << int((*tensor)->type);
    for (int64_t size : (*tensor)->shape) {
      os << 'x' << size;
    }
    os << ' ' << xxh3_64bits((*tensor)->data);
    return xxh3_64bits(text);
  }

private:
  Expected<const gguf::Tensor *> find(StringRef key) const {
    if (const gguf::Tensor *tensor = file->findTensor(key)) {
      return tensor;
    }
    return file->makeError("expected a tensor '" + key + "', found none");
  }

  std::unique_ptr<gguf::File> file;
};

/// Derived parameters, and the file's for what is not among them.
class ModelParameterStore : public ParameterStore {
public:
  ModelParameterStore(std::unique_ptr<ParameterStore> file, StringRef folder)
      : file(std::move(file)), derived(folder) {}

  Expected<ArrayRef<int64_t>> getShape(StringRef key) const override {
    return choose(key).getShape(key);
  }
  Error readRows(StringRef key, int64_t first,
                 MutableArrayRef<float> out) const override {
    return choose(key).readRows(key, first, out);
  }
  Expected<EncodedMatrixRef>
  getEncoded(StringRef key, mlir::RankedTensorType type) const override {
    return choose(key).getEncoded(key, type);
  }
  Expected<uint64_t> getIdentity(StringRef key) const override {
    return choose(key).getIdentity(key);
  }

private:
  const ParameterStore &choose(StringRef key) const {
    if (!file || derived.has(key)) {
      return derived;
    }
    return *file;
  }

  std::unique_ptr<ParameterStore> file;
  DerivedStore derived;
};

} // namespace

Expected<std::unique_ptr<ParameterStore>> openParameterFile(StringRef path) {
  auto file = gguf::File::open(path);
  if (!file) {
    return file.takeError();
  }
  return std::make_unique<GGUFParameterStore>(std::move(*file));
}

Expected<std::unique_ptr<ParameterStore>>
openParameterStore(mlir::ModuleOp module) {
  std::unique_ptr<ParameterStore> file;
  if (auto path =
          module->getAttrOfType<mlir::StringAttr>(kParametersAttrName)) {
    auto opened = openParameterFile(path.getValue());
    if (!opened) {
      return opened.takeError();
    }
    file = std::move(*opened);
  }
  if (auto folder = module->getAttrOfType<mlir::StringAttr>(kDerivedAttrName)) {
    return std::make_unique<ModelParameterStore>(std::move(file),
                                                 folder.getValue());
  }
  return file;
}

} // namespace umber
