// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Low-rank adapters (Hu et al., LoRA, 2021) from the files that there are of
// them. Nothing in a file is trusted: all of it is checked when it is opened.

#ifndef UMBER_RUNTIME_ADAPTER_ADAPTER_H
#define UMBER_RUNTIME_ADAPTER_ADAPTER_H

#include "runtime/package/MappedFile.h"
#include "runtime/package/umb_generated.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace umber {

/// What an adapter adds at one site: scale * B (A x). All values are finite.
struct AdapterPair {
  /// The base's GGUF tensor without ".weight", such as "blk.3.attn_q".
  std::string site;
  fbs::DType dtype; ///< of both: F32, F16, BF16 or I8, little-endian
  int64_t rank, inputs, outputs;
  // Views of what the Adapter keeps. Only those from an adapter package are
  // sure to be aligned, to 64 bytes.
  Bytes a;     ///< [rank][inputs]
  Bytes b;     ///< [outputs][rank]
  float scale; ///< alpha / rank, or alpha / sqrt(rank)
  // I8: what each rank's integers, a row of a and a column of b, count.
  Bytes aScales = {}; ///< [rank] F16
  Bytes bScales = {};

  /// Of all of it.
  uint64_t bytes() const {
    return a.size + b.size + aScales.size + bScales.size;
  }
  /// The matrices in f32, without the pair's scale.
  void load(float *a, float *b) const;
};

/// The order of the rows of attn_q and attn_k within a head. Files of GGUF's
/// llama architecture have, for each i below half the head's size, row i and
/// the row half a head further down next to each other; Hugging Face's
/// checkpoints, and so PEFT, do not. For other architectures both are the same.
enum class RowOrder : uint8_t { HuggingFace = 0, GGUF = 1 };

/// What an adapter says of itself.
struct AdapterInfo {
  std::string name;
  std::string baseName;     ///< of the model it was trained on; may be empty
  std::string architecture; ///< of that model, as GGUF calls it; may be empty
  uint64_t baseHash = 0;    ///< ModelInfo.base_hash of that model, 0: unknown
  RowOrder rowOrder = RowOrder::HuggingFace;
};

class Adapter {
public:
  /// Opens what is at `path`: a folder as PEFT saves it, a GGUF file with a
  /// LoRA, or an adapter package. Errors, with one line `PATH: part: expected
  /// …, found …`: NotFound, IoError, CorruptFile, and Unsupported for what is
  /// right but cannot be had here, such as DoRA.
  static Result<std::shared_ptr<const Adapter>> open(const std::string &path);

  /// For the readers: `storage` keeps the bytes of `pairs` alive.
  Adapter(AdapterInfo info, std::vector<AdapterPair> pairs,
          std::shared_ptr<const void> storage)
      : about(std::move(info)), content(std::move(pairs)),
        storage(std::move(storage)) {}

  const AdapterInfo &info() const { return about; }
  const std::string &name() const { return about.name; }
  const std::string &baseName() const { return about.baseName; }
  const std::string &architecture() const { return about.architecture; }
  uint64_t baseHash() const { return about.baseHash; }
  RowOrder rowOrder() const { return about.rowOrder; }

  /// One for a site at most.
  const std::vector<AdapterPair> &pairs() const { return content; }

private:
  AdapterInfo about;
  std::vector<AdapterPair> content;
  std::shared_ptr<const void> storage;
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_ADAPTER_H
