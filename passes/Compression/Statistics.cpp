// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Statistics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/xxhash.h"

namespace umber {

constexpr llvm::StringLiteral kInputs = "inputs", kOutputs = "outputs";

static std::string getKey(llvm::StringRef name, uint64_t weights,
                          llvm::StringRef what) {
  return (name + "." + what + "." + llvm::utohexstr(weights)).str();
}

static uint64_t getHash(llvm::ArrayRef<float> values) {
  return llvm::xxh3_64bits(
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(values.data()),
                     values.size() * sizeof(float)));
}

bool Statistics::contains(llvm::StringRef name, uint64_t weights) const {
  return store.contains(getKey(name, weights, kInputs)) &&
         store.contains(getKey(name, weights, kOutputs));
}

llvm::Expected<ProductStatistics> Statistics::get(llvm::StringRef name,
                                                  uint64_t weights,
                                                  int64_t rows,
                                                  int64_t columns) const {
  if (isEmpty()) {
    return ProductStatistics{{palette::SecondMoment::getIdentity(columns), {}}};
  }
  if (!contains(name, weights)) {
    return llvm::createStringError(
        "'" + folder + "' has no statistics of the matrix '" + name +
        "' with these weights: it is another "
        "model's");
  }
  ProductStatistics known{{palette::SecondMoment::getIdentity(0), {}}};
  auto inputs = readMoments(getKey(name, weights, kInputs), columns,
                            palette::SecondMoment::Order::Descending,
                            damping.inputs, known.identity);
  if (!inputs) {
    return inputs.takeError();
  }
  auto outputs = readMoments(getKey(name, weights, kOutputs), rows,
                             palette::SecondMoment::Order::Given,
                             damping.outputs, known.identity);
  if (!outputs) {
    return outputs.takeError();
  }
  known.moments = {std::move(inputs->front()), std::move(*outputs)};
  return known;
}

llvm::Expected<std::vector<palette::SecondMoment>>
Statistics::readMoments(llvm::StringRef key, int64_t rows,
                        palette::SecondMoment::Order order, double damping,
                        uint64_t &identity) const {
  auto shape = store.getShape(key);
  if (!shape) {
    return shape.takeError();
  }
  if (shape->size() != 2 || (*shape)[0] != rows || (*shape)[1] < 1) {
    return llvm::createStringError("'" + folder + "', '" + key +
                                   "': expected " + llvm::Twine(rows) +
                                   " rows of moments");
  }
  int64_t width = (*shape)[1];
  std::vector<palette::SecondMoment> moments;
  for (int64_t first = 0; first < rows; first += width) {
    int64_t count = std::min(width, rows - first);
    std::vector<float> square(count * width);
    if (llvm::Error error = store.readRows(key, first, square)) {
      return std::move(error);
    }
    identity =
        identity * 31 + (getHash(square) ^ llvm::bit_cast<uint64_t>(damping));
    std::vector<double> elements;
    for (int64_t r = 0; r < count; ++r) {
      auto row = square.begin() + r * width;
      elements.insert(elements.end(), row, row + count);
    }
    auto moment = palette::SecondMoment::get(elements, count, order, damping);
    if (!moment) {
      return llvm::createStringError("'" + folder + "', '" + key + "': " +
                                     llvm::toString(moment.takeError()));
    }
    moments.push_back(std::move(*moment));
  }
  return moments;
}

llvm::Expected<std::vector<int32_t>>
Statistics::readIds(llvm::StringRef key) const {
  auto shape = store.getShape(key);
  if (!shape) {
    return shape.takeError();
  }
  int64_t count = 1;
  for (int64_t extent : *shape) {
    count *= extent;
  }
  std::vector<float> ids(count);
  if (llvm::Error error = store.readRows(key, 0, ids)) {
    return std::move(error);
  }
  return std::vector<int32_t>(ids.begin(), ids.end());
}

llvm::Error Statistics::writeIds(llvm::StringRef key,
                                 llvm::ArrayRef<int64_t> shape,
                                 llvm::ArrayRef<int32_t> ids) {
  std::vector<float> asFloats(ids.begin(), ids.end());
  return store.write(key, shape, asFloats);
}

bool Statistics::containsTeacher(uint64_t head) const {
  return store.contains(getKey("teacher", head, "ids")) &&
         store.contains(getKey("teacher", head, "hidden"));
}

llvm::Expected<Teacher> Statistics::getTeacher(uint64_t head,
                                               int64_t columns) const {
  std::string idsKey = getKey("teacher", head, "ids");
  std::string hiddenKey = getKey("teacher", head, "hidden");
  if (!containsTeacher(head)) {
    return llvm::createStringError("'" + folder +
                                   "' has no text of this model's");
  }
  auto shape = store.getShape(idsKey);
  if (!shape) {
    return shape.takeError();
  }
  Teacher teacher;
  teacher.length = shape->back();
  teacher.columns = columns;
  auto ids = readIds(idsKey);
  if (!ids) {
    return ids.takeError();
  }
  teacher.ids = std::move(*ids);
  teacher.hidden.resize(teacher.ids.size() * columns);
  if (llvm::Error error = store.readRows(hiddenKey, 0, teacher.hidden)) {
    return std::move(error);
  }
  std::vector<float> asFloats(teacher.ids.begin(), teacher.ids.end());
  teacher.identity = getHash(asFloats) ^ getHash(teacher.hidden) << 1;
  return teacher;
}

/// A key of the store's form, so that it is cleaned up with the others.
constexpr llvm::StringLiteral kSettingsKey = "calibration.settings.0";
/// Floats hold 16 bits each of a settings' hash.
constexpr int kParts = 4;

uint64_t Statistics::getSettings() const {
  std::vector<float> parts(kParts);
  if (isEmpty() || !store.contains(kSettingsKey)) {
    return 0;
  }
  if (llvm::Error error = store.readRows(kSettingsKey, 0, parts)) {
    llvm::consumeError(std::move(error)); // as good as not there
    return 0;
  }
  uint64_t settings = 0;
  for (float part : parts) {
    settings = settings << 16 | static_cast<uint64_t>(part);
  }
  return settings;
}

llvm::Error Statistics::setSettings(uint64_t settings) {
  std::vector<float> parts(kParts);
  for (int i = 0; i < kParts; ++i) {
    parts[kParts - 1 - i] = static_cast<float>(settings >> (16 * i) & 0xFFFF);
  }
  return store.write(kSettingsKey, {kParts}, parts);
}

llvm::Expected<std::vector<int32_t>>
Statistics::getText(uint64_t settings) const {
  std::string key = getKey("calibration", settings, "text");
  if (!store.contains(key)) {
    return std::vector<int32_t>();
  }
  return readIds(key);
}

llvm::Error Statistics::writeText(uint64_t settings,
                                  llvm::ArrayRef<int32_t> ids) {
  return writeIds(getKey("calibration", settings, "text"),
                  {static_cast<int64_t>(ids.size())}, ids);
}

llvm::Error Statistics::writeTeacher(uint64_t head, llvm::ArrayRef<int32_t> ids,
                                     int64_t length,
                                     llvm::ArrayRef<float> hidden) {
  int64_t tokens = ids.size(), columns = hidden.size() / tokens;
  if (llvm::Error error = store.write(getKey("teacher", head, "hidden"),
                                      {tokens, columns}, hidden)) {
    return error;
  }
  return writeIds(getKey("teacher", head, "ids"), {tokens / length, length},
                  ids);
}

llvm::Error Statistics::writeInputMoment(llvm::StringRef name, uint64_t weights,
                                         llvm::ArrayRef<float> moment,
                                         int64_t width) {
  return store.write(getKey(name, weights, kInputs),
                     {int64_t(moment.size()) / width, width}, moment);
}

llvm::Error Statistics::writeOutputMoment(llvm::StringRef name,
                                          uint64_t weights,
                                          llvm::ArrayRef<float> moment,
                                          int64_t width) {
  return store.write(getKey(name, weights, kOutputs),
                     {int64_t(moment.size()) / width, width}, moment);
}

} // namespace umber
