// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-interp/Print.h"

using llvm::raw_ostream;

namespace umber::interp {

static void printElement(raw_ostream &os, const Tensor &tensor, int64_t index) {
  if (!tensor.isFloat()) {
    os << tensor.getIntegers()[index];
    return;
  }
  os << formatFloat(tensor.getFloats()[index]);
}

static void printTensor(raw_ostream &os, const Tensor &tensor) {
  if (tensor.getRank() == 0) {
    os << tensor.getElementType();
  } else {
    os << "tensor<" << tensor.describe() << '>';
  }
  os << " {\n";
  int64_t columns = tensor.getRank() == 0 ? 1 : tensor.getShape().back();
  for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
    os << (i % columns == 0 ? "  [" : ", ");
    printElement(os, tensor, i);
    if (i % columns == columns - 1) {
      os << "]\n";
    }
  }
  os << "}\n";
}

void printValue(raw_ostream &os, const Value &value) {
  if (const Tensor *tensor = value.getTensor()) {
    printTensor(os, *tensor);
    return;
  }
  const KVCache *cache = value.getCache();
  if (!cache) {
    os << "!umber.adapters\n";
    return;
  }
  os << cache->getType() << " {\n  [";
  for (int64_t layer = 0; layer < cache->getType().getLayers(); ++layer) {
    os << (layer ? ", " : "") << cache->getLength(layer);
  }
  os << "]\n}\n";
}

} // namespace umber::interp
