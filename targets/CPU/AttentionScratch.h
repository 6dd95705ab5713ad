// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How attention is cut into pieces, and what memory a worker needs for it: for
// the emitter, which allocates it, and the microkernel.

#ifndef UMBER_TARGETS_CPU_ATTENTIONSCRATCH_H
#define UMBER_TARGETS_CPU_ATTENTIONSCRATCH_H

#include <stdint.h>

namespace umber {

/// Positions that are worked on, and may be converted to f32, at a time. Caches
/// have room for a multiple of this many.
inline constexpr int64_t kBlockPositions = 32;

/// A softmax over a long context is made of chunks of so many positions, from
/// multiples of it on, each for itself, which are then put together from the
/// first to the last. So a chunk's part may be anyone's work, and results are
/// the same to the bit for any number of workers and rows.
inline constexpr int64_t kChunkPositions = 256;

/// The most queries, one for each row and head, that share a converted block.
inline constexpr int64_t kTileQueries = 48;

/// How many chunks' results for the heads of a group a worker's scratch holds
/// for the team.
inline constexpr int64_t kScratchPartials = 64;

/// Sizes, in f32, for one shape of attention.
struct AttentionScratch {
  int64_t headDim;
  int64_t group; ///< query heads of a key/value head

  /// A row of results, in whole vectors.
  constexpr int64_t rowElements() const { return (headDim + 15) / 16 * 16; }
  /// Results, largest scores and sums of weights of so many queries.
  constexpr int64_t stateElements(int64_t queries) const {
    return (queries * (rowElements() + 2) + 15) / 16 * 16;
  }
  constexpr int64_t tileElements() const {
    return kBlockPositions * rowElements()    // a block
           + kTileQueries * rowElements()     // queries
           + kTileQueries * kBlockPositions   // scores and weights
           + 2 * kTileQueries                 // factors and sums
           + 2 * stateElements(kTileQueries); // of a chunk, and so far
  }
  constexpr int64_t elements() const {
    return tileElements() + kScratchPartials * stateElements(group);
  }
};

} // namespace umber

#endif // UMBER_TARGETS_CPU_ATTENTIONSCRATCH_H
