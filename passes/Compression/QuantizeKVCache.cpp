// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Compression/Passes.h"

namespace umber {
#define GEN_PASS_DEF_QUANTIZEKVCACHEPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

struct QuantizeKVCache
    : ::umber::impl::QuantizeKVCachePassBase<QuantizeKVCache> {
  using QuantizeKVCachePassBase::QuantizeKVCachePassBase;

  void runOnOperation() override {
    Builder builder(&getContext());
    Type element;
    switch (bits) {
    case 4:
      element = builder.getIntegerType(4);
      break;
    case 8:
      element = builder.getI8Type();
      break;
    case 16:
      element = builder.getF16Type();
      break;
    case 32:
      element = builder.getF32Type();
      break;
    default:
      getOperation().emitError("expected 4, 8, 16 or 32 bits, found ")
          << bits.getValue();
      return signalPassFailure();
    }
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](KVCacheType type) -> Type {
      if (keepChosen && !type.getElementType().isF32()) {
        return type;
      }
      return KVCacheType::get(type.getContext(), type.getLayers(),
                              type.getKvHeads(), type.getHeadDim(), element);
    });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
  }
};

} // namespace
