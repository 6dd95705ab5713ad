// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Tables.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace umber::palette {

constexpr int lowest = -64, highest = 63;

uint16_t toHalf(float value) {
  _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

float fromHalf(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, sizeof half);
  return half;
}

void Tables::copy(int64_t group, const Tables &from, int64_t fromGroup) {
  llvm::ArrayRef<int8_t> table = from.getEntries(fromGroup);
  std::copy(table.begin(), table.end(), &entries[group * count]);
  scales[group] = from.scales[fromGroup];
}

void Tables::fillCells(int64_t group, int32_t *cells) const {
  llvm::ArrayRef<int8_t> table = getEntries(group);
  for (int cell = 0; cell < cellCount; ++cell) {
    // Four times the cell's middle and the entries, to stay in integers.
    int middle = 2 * (cell - cellCount / 2) + 1;
    int best = 0;
    for (int code = 1; code < count; ++code) {
      if (std::abs(4 * table[code] - middle) <
          std::abs(4 * table[best] - middle)) {
        best = code;
      }
    }
    cells[cell] = best + 256 * table[best];
  }
}

static double toEntry(double value) {
  return std::clamp<double>(std::nearbyint(value), lowest, highest);
}

namespace {

/// Entries for one scale, and how far they are from the target.
struct Rounding {
  std::vector<double> entries;
  std::vector<double> miss;  ///< entries * scale - target
  std::vector<double> slope; ///< metric times miss
  double scale = 0, error = std::numeric_limits<double>::infinity();
};

} // namespace

/// Rounds the target at a scale.
static Rounding roundAt(double scale, llvm::ArrayRef<double> target,
                        llvm::ArrayRef<double> metric) {
  size_t count = target.size();
  Rounding result;
  result.scale = scale;
  result.entries.resize(count);
  result.miss.resize(count);
  result.slope.resize(count);
  for (size_t a = 0; a < count; ++a) {
    result.entries[a] = toEntry(target[a] / scale);
    result.miss[a] = result.entries[a] * scale - target[a];
  }
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b < count; ++b) {
      result.slope[b] += result.miss[a] * metric[a * count + b];
    }
  }
  // Two passes come within a percent of where this ends.
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t a = 0; a < count; ++a) {
      double diagonal = metric[a * count + a];
      if (diagonal <= 0) {
        continue;
      }
      double entry =
          toEntry(result.entries[a] - result.slope[a] / (diagonal * scale));
      double change = (entry - result.entries[a]) * scale;
      if (change == 0) {
        continue;
      }
      result.entries[a] = entry;
      result.miss[a] += change;
      for (size_t b = 0; b < count; ++b) {
        result.slope[b] += change * metric[a * count + b];
      }
    }
  }
  result.error = 0;
  for (size_t a = 0; a < count; ++a) {
    result.error += result.miss[a] * result.slope[a];
  }
  return result;
}

double Tables::round(int64_t group, llvm::ArrayRef<double> target,
                     llvm::ArrayRef<double> metric) {
  double top = 0;
  for (double value : target) {
    top = std::max(top, std::abs(value));
  }
  if (top == 0) {
    std::fill_n(&entries[group * count], count, 0);
    scales[group] = 0;
    return 0;
  }
  // The largest magnitude's entry. Coarser scales may fall better on the other
  // entries; with many of them there is nothing to choose.
  int least = count > 64 ? highest - 1 : highest / 2;
  Rounding best;
  for (int largest = -lowest; largest >= least; --largest) {
    // From half the least subnormal on, f16 would round the scale to zero.
    double scale = fromHalf(
        toHalf(std::clamp<double>(top / largest, std::ldexp(1, -24), 65504)));
    Rounding rounding = roundAt(scale, target, metric);
    if (rounding.error < best.error) {
      best = std::move(rounding);
    }
  }
  std::copy(best.entries.begin(), best.entries.end(), &entries[group * count]);
  scales[group] = toHalf(best.scale);
  return best.error;
}

} // namespace umber::palette
