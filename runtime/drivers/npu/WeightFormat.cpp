// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/WeightFormat.h"

#include "runtime/adapter/Quote.h"
#include "runtime/drivers/npu/ArrayModel.h"

#include <charconv>

using namespace umber;
using namespace umber::npu;

int64_t WeightFormat::bytes(int64_t weights,
                            const DecoderConfig &decoder) const {
  switch (kind) {
  case Kind::F16:
    return 2 * weights;
  case Kind::I8:
    return weights;
  case Kind::Palette:
    break;
  }
  int64_t stored = indexBits == 3   ? decoder.threeBitStorage
                   : indexBits == 6 ? decoder.sixBitStorage
                                    : indexBits;
  return divideUp(divideUp(weights, vectorLength) * stored, 8);
}

Result<WeightFormat> npu::parseWeightFormat(const std::string &text) {
  WeightFormat format;
  if (text == "f16") {
    return format;
  }
  if (text == "i8") {
    format.kind = WeightFormat::Kind::I8;
    return format;
  }
  format.kind = WeightFormat::Kind::Palette;
  const char *end = text.data() + text.size();
  auto number = [&](const char *from, int64_t &value) {
    auto [stop, error] = std::from_chars(from, end, value);
    return error == std::errc() && value > 0 ? stop : nullptr;
  };
  int64_t first = 0;
  const char *stop = !text.empty() && text[0] == 'p'
                         ? number(text.data() + 1, first)
                         : nullptr;
  if (stop == end && (first <= 4 || first == 6 || first == 8)) {
    format.indexBits = first;
    format.entries = int64_t(1) << first;
    return format;
  }
  if (stop && stop != end && *stop == 'x' && first <= 256 &&
      number(stop + 1, format.entries) == end && format.entries <= 256) {
    while ((int64_t(1) << format.indexBits) < format.entries) {
      ++format.indexBits;
    }
    if (int64_t(1) << format.indexBits == format.entries &&
        format.indexBits > 0) {
      format.vectorLength = first;
      return format;
    }
  }
  return Status(StatusCode::InvalidArgument,
                "expected f16, i8, p1, p2, p3, p4, p6, p8 or a palette of "
                "vectors such as p2x64 (a power of two of entries, at most "
                "256), found " +
                    quote(text));
}

Status npu::checkFormat(const WeightFormat &format, const Config &config) {
  auto unsupported = [&](const std::string &what) {
    return Status(StatusCode::Unsupported, config.name + " " + what);
  };
  const auto *cores = std::get_if<CoreArray>(&config.array);
  if (!cores) {
    return format.kind == WeightFormat::Kind::I8
               ? Status()
               : unsupported("takes weights of i8 only");
  }
  if (format.kind == WeightFormat::Kind::Palette) {
    const DecoderConfig &decoder = config.decoder;
    if (decoder.weightsPerSecond == 0) {
      return unsupported("decodes no palettes (decoder.weights_per_s is 0)");
    }
    if (format.vectorLength > decoder.maxVectorLength) {
      return unsupported("has palettes of vectors of at most " +
                         std::to_string(decoder.maxVectorLength) +
                         " weights (decoder.max_vector_length), not of " +
                         std::to_string(format.vectorLength));
    }
    if (format.vectorLength * format.entries > decoder.maxTableValues) {
      return unsupported("has palettes of at most " +
                         std::to_string(decoder.maxTableValues) +
                         " values (decoder.max_table_values), not of " +
                         std::to_string(format.vectorLength * format.entries));
    }
  }
  bool f16 = isF16(format, config);
  if ((f16 ? cores->rowsF16 : cores->rowsI8) == 0) {
    return unsupported(std::string("multiplies no ") + (f16 ? "f16" : "i8") +
                       " (array.rows_" + (f16 ? "f16" : "i8") + " is 0)");
  }
  return {};
}

bool npu::isF16(const WeightFormat &format, const Config &config) {
  return format.kind == WeightFormat::Kind::F16 ||
         (format.kind == WeightFormat::Kind::Palette &&
          config.decoder.f16Values);
}
