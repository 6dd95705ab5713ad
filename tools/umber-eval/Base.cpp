// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-eval/Base.h"

#include "tools/common/CreateFile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace umber::tools {

namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "base files are written as they stand in memory");

/// Records go to the file, and into the hash, this many bytes at a time.
constexpr size_t kBufferBytes = 1 << 20;

/// Probabilities are rounded to f32 in the file.
constexpr double kMassTolerance = 1e-3;
constexpr float kLogTolerance = 1e-5f;

uint64_t recordBytes(const BaseHeader &header) {
  return 8 + 8 * uint64_t(header.top);
}

uint64_t hashOfHeader(const BaseHeader &header) {
  return XXH3_64bits(&header, offsetof(BaseHeader, headerHash));
}

template <typename T>
void put(std::vector<uint8_t> &buffer, const T *values, size_t count) {
  const uint8_t *bytes = reinterpret_cast<const uint8_t *>(values);
  buffer.insert(buffer.end(), bytes, bytes + count * sizeof(T));
}

} // namespace

uint64_t hashTokens(const int32_t *ids, size_t count) {
  return XXH3_64bits(ids, count * sizeof *ids);
}

struct BaseWriter::Hash {
  XXH3_state_t state;
};

BaseWriter::BaseWriter(const std::string &path, const BaseHeader &about)
    : header(about), file(createFile(path)), hash(std::make_unique<Hash>()) {
  std::memcpy(header.magic, kBaseMagic, sizeof kBaseMagic);
  header.version = kBaseVersion;
  XXH3_64bits_reset(&hash->state);
  // The hashes are known at the end.
  check(file->append(&header, sizeof header));
}

BaseWriter::~BaseWriter() = default;

void BaseWriter::append(const BaseRecord &record) {
  const SparsePrediction &prediction = record.prediction;
  put(buffer, &record.logProbability, 1);
  put(buffer, &prediction.logRest, 1);
  put(buffer, prediction.ids.data(), prediction.ids.size());
  put(buffer, prediction.logProbabilities.data(),
      prediction.logProbabilities.size());
  if (buffer.size() >= kBufferBytes) {
    XXH3_64bits_update(&hash->state, buffer.data(), buffer.size());
    check(file->append(buffer.data(), buffer.size()));
    buffer.clear();
  }
}

void BaseWriter::finish() {
  XXH3_64bits_update(&hash->state, buffer.data(), buffer.size());
  check(file->append(buffer.data(), buffer.size()));
  header.recordsHash = XXH3_64bits_digest(&hash->state);
  header.headerHash = hashOfHeader(header);
  check(file->overwrite(0, &header, sizeof header));
  check(file->commit());
}

BaseReader::BaseReader(const std::string &path) {
  auto mapped = MappedFile::open(path);
  if (!mapped.ok()) {
    throw ToolError(mapped.status().message());
  }
  file = std::move(*mapped);
  Bytes bytes = file->bytes();
  if (bytes.size < sizeof fields) {
    fail("header: expected a base file of at least " +
         std::to_string(sizeof fields) + " bytes, found " +
         std::to_string(bytes.size));
  }
  std::memcpy(&fields, bytes.data, sizeof fields);
  verifyHeader();
  if (XXH3_64bits(bytes.data + sizeof fields, bytes.size - sizeof fields) !=
      fields.recordsHash) {
    fail("records: their hash is not the header's: the file is damaged");
  }
  uint64_t count = uint64_t(fields.chunks) * fields.scored;
  for (uint64_t i = 0; i < count; ++i) {
    verifyRecord(i);
  }
}

void BaseReader::fail(const std::string &message) const {
  throw ToolError(path() + ": " + message);
}

void BaseReader::verifyHeader() const {
  if (std::memcmp(fields.magic, kBaseMagic, sizeof kBaseMagic) != 0) {
    fail("header: expected a base file of umber-eval, found other bytes at the "
         "file's start");
  }
  if (fields.version != kBaseVersion) {
    fail("header: expected format version " + std::to_string(kBaseVersion) +
         ", found " + std::to_string(fields.version));
  }
  if (hashOfHeader(fields) != fields.headerHash) {
    fail("header: its hash is wrong: the file is damaged");
  }
  // These bounds keep every product below in 64 bits.
  constexpr uint32_t most = 1u << 30;
  if (fields.vocab < 1 || fields.vocab > most || fields.top < 1 ||
      fields.top > fields.vocab || fields.chunks < 1 || fields.chunks > most ||
      fields.context > most || fields.scored < 1 ||
      fields.scored >= fields.context) {
    fail("header: expected sizes that fit each other, found " +
         std::to_string(fields.top) + " of " + std::to_string(fields.vocab) +
         " tokens at " + std::to_string(fields.scored) + " positions in " +
         std::to_string(fields.chunks) + " chunks of " +
         std::to_string(fields.context));
  }
  uint64_t records = uint64_t(fields.chunks) * fields.scored;
  uint64_t available = file->bytes().size - sizeof fields;
  if (available / recordBytes(fields) != records ||
      available % recordBytes(fields) != 0) {
    fail("records: expected " + std::to_string(records) + " of " +
         std::to_string(recordBytes(fields)) + " bytes, found " +
         std::to_string(available) + " bytes");
  }
}

void BaseReader::verifyRecord(uint64_t index) const {
  BaseRecord read = record(index);
  const SparsePrediction &prediction = read.prediction;
  auto where = [&] {
    return "record " + std::to_string(index) + ": expected ";
  };
  // Also false for NaN.
  auto isLog = [](float value) { return value <= kLogTolerance; };
  if (!isLog(read.logProbability) || !std::isfinite(read.logProbability) ||
      !isLog(prediction.logRest)) {
    fail(where() + "logarithms of probabilities, found " +
         std::to_string(read.logProbability) + " and " +
         std::to_string(prediction.logRest));
  }
  double mass = std::exp(double(prediction.logRest));
  float above = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < prediction.ids.size(); ++i) {
    float value = prediction.logProbabilities[i];
    if (prediction.ids[i] >= fields.vocab) {
      fail(where() + "tokens below " + std::to_string(fields.vocab) +
           ", found " + std::to_string(prediction.ids[i]));
    }
    if (!isLog(value) || !std::isfinite(value) || value > above) {
      fail(where() + "descending logarithms of probabilities, found " +
           std::to_string(value));
    }
    above = value;
    mass += std::exp(double(value));
  }
  std::vector<uint32_t> ids = prediction.ids;
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) {
    fail(where() + "different tokens, found one of them twice");
  }
  if (std::abs(mass - 1.0) > kMassTolerance) {
    fail(where() + "probabilities that add up to 1, found " +
         std::to_string(mass));
  }
}

BaseRecord BaseReader::record(uint64_t index) const {
  const uint8_t *bytes =
      file->bytes().data + sizeof fields + index * recordBytes(fields);
  BaseRecord record;
  SparsePrediction &prediction = record.prediction;
  prediction.ids.resize(fields.top);
  prediction.logProbabilities.resize(fields.top);
  std::memcpy(&record.logProbability, bytes, 4);
  std::memcpy(&prediction.logRest, bytes + 4, 4);
  std::memcpy(prediction.ids.data(), bytes + 8, 4 * size_t(fields.top));
  std::memcpy(prediction.logProbabilities.data(),
              bytes + 8 + 4 * size_t(fields.top), 4 * size_t(fields.top));
  return record;
}

} // namespace umber::tools
