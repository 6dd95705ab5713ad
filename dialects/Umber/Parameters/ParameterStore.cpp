// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/ParameterStore.h"
#include "dialects/Umber/Import/GGUF/Dequantize.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"

using namespace llvm;

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

private:
  Expected<const gguf::Tensor *> find(StringRef key) const {
    if (const gguf::Tensor *tensor = file->findTensor(key)) {
      return tensor;
    }
    return file->makeError("expected a tensor '" + key + "', found none");
  }

  std::unique_ptr<gguf::File> file;
};

} // namespace

Expected<std::unique_ptr<ParameterStore>> openParameterStore(StringRef path) {
  auto file = gguf::File::open(path);
  if (!file) {
    return file.takeError();
  }
  return std::make_unique<GGUFParameterStore>(std::move(*file));
}

} // namespace umber
