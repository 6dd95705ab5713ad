// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/NPU/ScalarInterpreter.h"

#include "test/Unit/NPU/ScalarMath.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace umber::npu;

float ScalarInterpreter::decodeF16(uint16_t bits) {
  float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  int exponent = bits >> 10 & 31;
  auto fraction = float(bits & 1023);
  if (exponent == 31) {
    return fraction != 0 ? std::nanf("")
                         : sign * std::numeric_limits<float>::infinity();
  }
  return sign * (exponent == 0 ? std::ldexp(fraction, -24)
                               : std::ldexp(1024.0f + fraction, exponent - 25));
}

uint16_t ScalarInterpreter::encodeF16(float value) {
  if (std::isnan(value)) {
    return 0x7e00;
  }
  auto sign = uint16_t(std::signbit(value) ? 0x8000 : 0);
  double magnitude = std::fabs(double(value));
  if (magnitude >= 65520) {
    return uint16_t(sign | 0x7c00);
  }
  int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
  // In units of the last bit; 2048 is the next power of two.
  double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
  if (units < 1024) {
    return uint16_t(sign | unsigned(units));
  }
  // 1024 units are the hidden bit: adding carries it into the exponent.
  return uint16_t(sign | (unsigned(exponent + 14) * 1024 + unsigned(units)));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

size_t ScalarInterpreter::at(const ScratchpadAddress &address) const {
  return size_t(int64_t(address.offset) + registers.at(address.base));
}

uint8_t &ScalarInterpreter::dram(const DramAddress &address, int64_t offset) {
  int64_t base = int64_t(address.offset) + registers.at(address.base);
  return regions.at(unsigned(address.region)).at(size_t(base + offset));
}

float ScalarInterpreter::readAt(size_t address, DataType type) const {
  uint8_t bytes[4] = {};
  size_t size = type == DataType::I8 ? 1 : type == DataType::F16 ? 2 : 4;
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = scratchpad.at(address + i);
  }
  switch (type) {
  case DataType::I8:
    return float(int8_t(bytes[0]));
  case DataType::F16:
    return decodeF16(uint16_t(bytes[0] | bytes[1] << 8));
  case DataType::I32: {
    int32_t value;
    std::memcpy(&value, bytes, 4);
    return float(value);
  }
  case DataType::F32:
    break;
  }
  float value;
  std::memcpy(&value, bytes, 4);
  return value;
}

float ScalarInterpreter::read(const Tile &tile, size_t row,
                              size_t column) const {
  size_t size = tile.type == DataType::I8    ? 1
                : tile.type == DataType::F16 ? 2
                                             : 4;
  return readAt(at(tile.at) + row * tile.stride + column * size, tile.type);
}

ScalarInterpreter::Values
ScalarInterpreter::readRow(const Tile &tile, size_t row, size_t columns) const {
  Values values;
  for (size_t c = 0; c < columns; ++c) {
    values.push_back(read(tile, row, c));
  }
  return values;
}

void ScalarInterpreter::write(const Tile &tile, size_t row, size_t column,
                              float value) {
  size_t begin = at(tile.at) + row * tile.stride;
  uint32_t bits = 0;
  size_t size = 4;
  switch (tile.type) {
  case DataType::I8:
    size = 1;
    bits = uint32_t(scalar::toInteger(value, -128, 127));
    break;
  case DataType::I32:
    // The largest F32 that is no more than 2^31 - 1.
    bits = uint32_t(scalar::toInteger(value, -2147483648.0, 2147483520.0));
    break;
  case DataType::F16:
    size = 2;
    bits = encodeF16(value);
    break;
  case DataType::F32:
    if (std::isnan(value)) {
      bits = 0x7fc00000;
    } else {
      std::memcpy(&bits, &value, 4);
    }
    break;
  }
  for (size_t i = 0; i < size; ++i) {
    scratchpad.at(begin + column * size + i) = uint8_t(bits >> (8 * i));
  }
}

void ScalarInterpreter::writeRow(const Tile &tile, size_t row,
                                 const Values &values) {
  for (size_t c = 0; c < values.size(); ++c) {
    write(tile, row, c, values[c]);
  }
}

float ScalarInterpreter::halfAt(const DramAddress &address, int64_t offset) {
  unsigned low = dram(address, offset), high = dram(address, offset + 1);
  return decodeF16(uint16_t(low | high << 8));
}

void ScalarInterpreter::putHalf(const DramAddress &address, int64_t offset,
                                float value) {
  uint16_t bits = encodeF16(value);
  dram(address, offset) = uint8_t(bits);
  dram(address, offset + 1) = uint8_t(bits >> 8);
}

uint32_t ScalarInterpreter::count(uint32_t number, Register from) const {
  return from != 0 ? uint32_t(registers.at(from)) : number;
}

//===----------------------------------------------------------------------===//
// System
//===----------------------------------------------------------------------===//

void ScalarInterpreter::run(const Program &program) { runFrom(program, 0); }

/// Runs up to the Stop, or the EndLoop that belongs to the loop it is in, whose
/// index it gives.
size_t ScalarInterpreter::runFrom(const Program &program, size_t index) {
  for (;; ++index) {
    const Operation &operation = program.at(index).operation;
    if (std::holds_alternative<Stop>(operation) ||
        std::holds_alternative<EndLoop>(operation)) {
      return index;
    }
    const Loop *loop = std::get_if<Loop>(&operation);
    if (!loop) {
      std::visit([&](const auto &o) { run(o); }, operation);
      continue;
    }
    int64_t times = loop->countFrom != 0 ? registers.at(loop->countFrom)
                                         : int64_t(loop->count);
    std::map<Register, int64_t> before;
    for (const Loop::Increment &increment : loop->increments) {
      before[increment.to] = registers.at(increment.to);
    }
    size_t body = index + 1;
    if (times <= 0) {
      int depth = 1;
      while (depth > 0) {
        ++index;
        const Operation &skipped = program.at(index).operation;
        depth += std::holds_alternative<Loop>(skipped) ? 1 : 0;
        depth -= std::holds_alternative<EndLoop>(skipped) ? 1 : 0;
      }
      continue;
    }
    for (int64_t i = 0; i < times; ++i) {
      index = runFrom(program, body);
      for (const Loop::Increment &increment : loop->increments) {
        if (increment.to != 0) {
          registers.at(increment.to) += increment.by;
        }
      }
    }
    for (auto [number, value] : before) {
      registers.at(number) = value;
    }
  }
}

void ScalarInterpreter::run(const SetRegister &set) {
  int64_t sum = registers.at(set.from) * set.multiplier + set.addend;
  int64_t divisor = set.divisor;
  int64_t quotient = sum / divisor;
  if (sum % divisor > 0) {
    ++quotient;
  }
  if (set.limit != 0 && quotient > int64_t(set.limit)) {
    quotient = set.limit;
  }
  registers.at(set.to) = quotient < 0 ? 0 : quotient;
}

void ScalarInterpreter::run(const AddRegister &add) {
  registers.at(add.to) += registers.at(add.from) * add.multiplier;
}

//===----------------------------------------------------------------------===//
// Memory and weights
//===----------------------------------------------------------------------===//

void ScalarInterpreter::run(const Load &load) {
  for (uint32_t p = 0; p < load.planes; ++p) {
    for (uint32_t r = 0; r < count(load.rows, load.rowsFrom); ++r) {
      for (uint32_t i = 0; i < load.bytes; ++i) {
        int64_t offset =
            p * (load.planeStride + registers.at(load.planeStrideFrom)) +
            r * load.rowStride + i;
        scratchpad.at(at(load.scratchpad) + p * load.scratchpadPlaneStride +
                      r * load.scratchpadRowStride + i) =
            dram(load.dram, offset);
      }
    }
  }
}

void ScalarInterpreter::run(const Store &store) {
  for (uint32_t p = 0; p < store.planes; ++p) {
    for (uint32_t r = 0; r < count(store.rows, store.rowsFrom); ++r) {
      for (uint32_t i = 0; i < store.bytes; ++i) {
        int64_t offset =
            p * (store.planeStride + registers.at(store.planeStrideFrom)) +
            r * store.rowStride + i;
        dram(store.dram, offset) = scratchpad.at(
            at(store.scratchpad) + p * store.scratchpadPlaneStride +
            r * store.scratchpadRowStride + i);
      }
    }
  }
}

void ScalarInterpreter::run(const Gather &gather) {
  std::vector<int32_t> indices(count(gather.count, gather.countFrom));
  for (size_t i = 0; i < indices.size(); ++i) {
    for (size_t b = 0; b < 4; ++b) {
      reinterpret_cast<uint8_t *>(&indices[i])[b] =
          scratchpad.at(at(gather.indices) + 4 * i + b);
    }
  }
  for (size_t i = 0; i < indices.size(); ++i) {
    for (uint32_t b = 0; b < gather.bytes; ++b) {
      scratchpad.at(at(gather.to) + i * gather.stride + b) =
          dram(gather.table, int64_t(indices[i]) * gather.bytes + b);
    }
  }
}

void ScalarInterpreter::run(const LoadTable &load) {
  int64_t offset = 0;
  for (unsigned t = 0; t < load.count; ++t) {
    auto &[type, values] = tables[load.slot + t];
    type = load.type;
    values.assign(256, 0.0f);
    for (unsigned e = 0; e < load.entries; ++e) {
      if (type == DataType::I8) {
        values[e] = float(int8_t(dram(load.from, offset)));
        offset += 1;
      } else {
        values[e] = halfAt(load.from, offset);
        offset += 2;
      }
    }
  }
}

void ScalarInterpreter::run(const StreamWeights &weights) {
  Decoded &slot = slots[weights.slot];
  slot = {};
  unsigned bits = weights.isPalette ? weights.storageBits : weights.bits;
  int64_t rowBytes = (int64_t(weights.columns) * bits + 7) / 8;
  slot.isInteger = weights.isPalette
                       ? tables.at(weights.table).first == DataType::I8
                       : weights.bits == 8;
  for (uint32_t r = 0; r < weights.rows; ++r) {
    Values row;
    for (uint32_t c = 0; c < weights.columns; ++c) {
      if (!weights.isPalette) {
        row.push_back(
            bits == 16
                ? halfAt(weights.from, r * rowBytes + 2 * int64_t(c))
                : float(int8_t(dram(weights.from, r * rowBytes + int64_t(c)))));
        continue;
      }
      // Bit by bit.
      unsigned index = 0;
      for (unsigned b = 0; b < bits; ++b) {
        int64_t bit = int64_t(c) * bits + b;
        unsigned byte = dram(weights.from, r * rowBytes + bit / 8);
        index |= (byte >> (bit % 8) & 1) << b;
      }
      row.push_back(
          tables.at(weights.table + r / weights.rowsPerTable).second.at(index));
    }
    slot.rows.push_back(row);
    slot.scales.push_back(
        weights.rowsPerScale == 0
            ? 1.0f
            : halfAt(weights.scales, 2 * int64_t((weights.firstRow + r) /
                                                 weights.rowsPerScale)));
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void ScalarInterpreter::run(const Multiply &product) {
  const Decoded &w = slots.at(product.slot);
  if (product.isFirst) {
    sums.assign(product.rows, Values(product.columns, 0.0f));
  }
  for (uint32_t r = 0; r < product.rows; ++r) {
    for (uint32_t c = 0; c < product.columns; ++c) {
      float sum = sums.at(r).at(c);
      if (product.a.type != DataType::I8) {
        for (uint32_t k = 0; k < product.inner; ++k) {
          sum = std::fma(read(product.a, r, k), w.rows.at(c).at(k), sum);
        }
      } else {
        for (uint32_t k = 0; k < product.inner;) {
          uint32_t group = k / product.group;
          int64_t exact = 0;
          for (; k < product.inner && k / product.group == group; ++k) {
            exact +=
                int64_t(read(product.a, r, k)) * int64_t(w.rows.at(c).at(k));
          }
          sum = std::fma(float(exact), read(product.scales, r, group), sum);
        }
      }
      sums.at(r).at(c) = sum;
    }
  }
  if (product.isLast) {
    for (uint32_t r = 0; r < product.rows; ++r) {
      for (uint32_t c = 0; c < product.columns; ++c) {
        float value = sums.at(r).at(c) * w.scales.at(c);
        write(product.c, r, c,
              product.adds ? read(product.c, r, c) + value : value);
      }
    }
  }
}

void ScalarInterpreter::run(const MultiplyDynamic &product) {
  auto scale = [&](uint32_t row) {
    return readAt(at(product.scales) + 2 * row, DataType::F16);
  };
  std::vector<Values> results;
  for (uint32_t r = 0; r < product.rows; ++r) {
    Values row;
    for (uint32_t c = 0; c < product.columns; ++c) {
      float sum = 0;
      for (uint32_t k = 0; k < product.inner; ++k) {
        float a = read(product.a, r, k);
        if (product.hasScales && !product.isTransposed) {
          a = a * scale(k);
        }
        float b = product.isTransposed ? read(product.b, c, k)
                                       : read(product.b, k, c);
        sum = std::fma(a, b, sum);
      }
      if (product.hasScales && product.isTransposed) {
        sum = sum * scale(c);
      }
      row.push_back(sum * product.factor);
    }
    results.push_back(row);
  }
  for (uint32_t r = 0; r < product.rows; ++r) {
    for (uint32_t c = 0; c < product.columns; ++c) {
      float value = results[r][c];
      write(product.c, r, c,
            product.adds ? read(product.c, r, c) + value : value);
    }
  }
}
