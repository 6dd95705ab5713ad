// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

//
// Attention over a batch, forward and in reverse.

#ifndef UMBER_DIALECTS_UMBER_TRAINING_ATTENTION_H
#define UMBER_DIALECTS_UMBER_TRAINING_ATTENTION_H

#include <cstdint>

namespace umber::training {

struct AttentionShape {
  int64_t heads, kvHeads, headDim;
  float scale = 1, softCap = 0; ///< softCap 0: none
  int64_t window = 0;           ///< 0: all earlier positions

  // The batch: queries stand at positions `position` and up of each sequence.
  int64_t sequences, length, position = 0;

  int64_t getWidth() const { return heads * headDim; }
  int64_t getKVWidth() const { return kvHeads * headDim; }
  int64_t getKeys() const { return position + length; }
};

/// Keys and values, each position's kvHeads x headDim floats; sequences are
/// `sequenceStride` floats apart.
struct KVView {
  const float *keys, *values;
  int64_t sequenceStride;
};

/// The same, as the upper halves of floats (bfloat16).
struct HalfKVView {
  const uint16_t *keys, *values;
  int64_t sequenceStride;
};

/// `q` and `out` are (sequences * length) x (heads * headDim).
void attend(const AttentionShape &shape, const float *q, const KVView &kv,
            float *out);
void attend(const AttentionShape &shape, const float *q, const HalfKVView &kv,
            float *out);

/// From dL/dout, adds dL/dq, dL/dkeys and dL/dvalues to `dq`, `dk` and `dv`.
/// For position 0 and dense sequences.
void attendBackward(const AttentionShape &shape, const float *q,
                    const KVView &kv, const float *dOut, float *dq, float *dk,
                    float *dv);

} // namespace umber::training

#endif // UMBER_DIALECTS_UMBER_TRAINING_ATTENTION_H
