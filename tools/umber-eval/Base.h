// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A base file: what a reference model predicted for a text, so that other
// models can be compared with it again and again without running it. For each
// scored position it keeps the most probable tokens and the mass of the rest, 8
// bytes a token, instead of a logit for each token of the vocabulary.
//
// The file is a BaseHeader, then for each chunk and each scored position in it
// a record, all little-endian, of 8 + 8 · top bytes:
//   f32       log-probability of the token that follows in the text
//   f32       log-probability of all tokens that are not listed, together
//   u32[top]  the most probable tokens, best first
//   f32[top]  their log-probabilities

#ifndef UMBER_TOOLS_UMBER_EVAL_BASE_H
#define UMBER_TOOLS_UMBER_EVAL_BASE_H

#include "runtime/package/MappedFile.h"
#include "runtime/package/OutputFile.h"
#include "tools/umber-eval/Statistics.h"

#include <memory>
#include <string>
#include <vector>

namespace umber::tools {

inline constexpr char kBaseMagic[8] = {'U', 'M', 'B', 'E', 'V', 'A', 'L', 0};
inline constexpr uint32_t kBaseVersion = 1;

struct BaseHeader {
  char magic[8];
  uint32_t version;
  uint32_t vocab;
  uint32_t context; ///< tokens in a chunk
  uint32_t chunks;
  uint32_t scored;      ///< positions scored in a chunk
  uint32_t top;         ///< tokens kept for a position
  uint64_t textHash;    ///< hashTokens() of the chunks' tokens
  uint64_t identity;    ///< umber_model_info.identity of the reference
  uint64_t recordsHash; ///< XXH3-64 of all that follows the header
  uint64_t headerHash;  ///< XXH3-64 of what precedes this field
};
static_assert(sizeof(BaseHeader) == 64, "the header is written as bytes");

/// XXH3-64 of the ids as i32.
uint64_t hashTokens(const int32_t *ids, size_t count);

/// What the reference said at one position.
struct BaseRecord {
  float logProbability = 0.0f; ///< of the token that follows
  SparsePrediction prediction;
};

/// Failures are ToolErrors that begin with the path.
class BaseWriter {
public:
  /// `header` says what the file is about; magic, version and hashes are filled
  /// in by the writer.
  BaseWriter(const std::string &path, const BaseHeader &header);
  ~BaseWriter();

  /// In the text's order; exactly chunks · scored times.
  void append(const BaseRecord &record);
  void finish();

private:
  BaseHeader header;
  std::unique_ptr<OutputFile> file;
  struct Hash;
  std::unique_ptr<Hash> hash;
  std::vector<uint8_t> buffer;
};

/// A base file whose every byte has been checked.
class BaseReader {
public:
  explicit BaseReader(const std::string &path);

  const std::string &path() const { return file->path(); }
  const BaseHeader &header() const { return fields; }
  BaseRecord record(uint64_t index) const;

private:
  void verifyHeader() const;
  void verifyRecord(uint64_t index) const;
  [[noreturn]] void fail(const std::string &message) const;

  std::unique_ptr<MappedFile> file;
  BaseHeader fields;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_EVAL_BASE_H
