// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_IMPORT_GGUF_DEQUANTIZE_H
#define UMBER_DIALECTS_UMBER_IMPORT_GGUF_DEQUANTIZE_H

#include "dialects/Umber/Import/GGUF/TensorTypes.h"

namespace umber::gguf {

/// Writes the `out.size()` elements that `blocks` stand for. The size is a
/// multiple of the type's block, and `blocks` has all of them. Formulas are
/// those of ggml's reference dequantizers.
void dequantize(TensorType type, const uint8_t *blocks,
                llvm::MutableArrayRef<float> out);

// One family each; called by dequantize.
void dequantizePlain(TensorType type, const uint8_t *data,
                     llvm::MutableArrayRef<float> out);
void dequantizeBlock32(TensorType type, const uint8_t *blocks,
                       llvm::MutableArrayRef<float> out);
void dequantizeBlock256(TensorType type, const uint8_t *blocks,
                        llvm::MutableArrayRef<float> out);

/// IEEE half precision at `p`, little-endian.
float readHalf(const uint8_t *p);

/// The sixteen values of the non-linear 4-bit types.
extern const int8_t kIQ4Values[16];

} // namespace umber::gguf

#endif // UMBER_DIALECTS_UMBER_IMPORT_GGUF_DEQUANTIZE_H
