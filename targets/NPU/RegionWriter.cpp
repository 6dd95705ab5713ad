// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/RegionWriter.h"

#include "mlir/IR/BuiltinOps.h"
#include <cmath>

using namespace llvm;
using namespace mlir::umber;

namespace umber::npu {

/// Rows of a table that are written at a time.
constexpr int64_t kBlockRows = 64;

template <typename T>
static ArrayRef<uint8_t> asBytes(ArrayRef<T> values) {
  return {reinterpret_cast<const uint8_t *>(values.data()),
          values.size() * sizeof(T)};
}

static Error makeError(ParamOp param, const Twine &message) {
  return createStringError("parameter '" + param.getSymName() +
                           "': " + message);
}

/// A region that is written from its first byte to its last.
class RegionWriter::Image {
public:
  explicit Image(Sink sink) : sink(sink) {}

  Error put(ArrayRef<uint8_t> bytes) {
    position += bytes.size();
    return sink(bytes);
  }
  /// Goes on to an offset, over zeros.
  Error seek(uint64_t offset) {
    assert(position <= offset && "a region is written in order");
    constexpr uint8_t kZeros[4096] = {};
    while (position < offset) {
      if (Error error = put(ArrayRef(kZeros).take_front(
              std::min<uint64_t>(offset - position, sizeof kZeros)))) {
        return error;
      }
    }
    return Error::success();
  }
  uint64_t getPosition() const { return position; }

private:
  Sink sink;
  uint64_t position = 0;
};

Error RegionWriter::checkShape(ParamOp param) {
  auto shape = store.getShape(param.getKey());
  if (!shape) {
    return shape.takeError();
  }
  if (*shape != param.getTensorType().getShape()) {
    return makeError(param, "expected its source '" + param.getKey() +
                                "' to have its shape, found another");
  }
  return Error::success();
}

/// Rows of f16 elements, as many as `out` has room for.
Error RegionWriter::readHalves(ParamOp param, int64_t first,
                               MutableArrayRef<_Float16> out) {
  std::vector<float> values(out.size());
  if (Error error = store.readRows(param.getKey(), first, values)) {
    return error;
  }
  int64_t columns = param.getTensorType().getDimSize(1);
  for (auto [i, value] : enumerate(values)) {
    out[i] = static_cast<_Float16>(value);
    // f16 ends at 65504; what is beyond would silently become infinite.
    if (!std::isfinite(static_cast<float>(out[i]))) {
      return makeError(param, "expected values that f16 can hold, found " +
                                  Twine(std::to_string(value)) + " at (" +
                                  Twine(first + int64_t(i) / columns) + ", " +
                                  Twine(int64_t(i) % columns) + ")");
    }
  }
  return Error::success();
}

/// What norms add to their weights is in them.
Error RegionWriter::writeVector(ParamOp param, float offset, Image &image) {
  std::vector<float> values(param.getTensorType().getNumElements());
  if (Error error = store.readRows(param.getKey(), 0, values)) {
    return error;
  }
  for (float &value : values) {
    value += offset;
  }
  return image.put(asBytes(ArrayRef(values)));
}

/// Packs codes from a byte's lowest bits on, `bits` for each.
static void packRow(ArrayRef<uint8_t> codes, int64_t bits, uint8_t *out) {
  uint32_t waiting = 0;
  int64_t filled = 0;
  for (uint8_t code : codes) {
    waiting |= uint32_t(code) << filled;
    filled += bits;
    for (; filled >= 8; filled -= 8) {
      *out++ = uint8_t(waiting);
      waiting >>= 8;
    }
  }
  if (filled > 0) {
    *out = uint8_t(waiting);
  }
}

Error RegionWriter::writeEncoded(ParamOp param, const MatrixLayout &matrix,
                                 Image &image) {
  auto stored = store.getEncoded(param.getKey(), param.getTensorType());
  if (!stored) {
    return stored.takeError();
  }
  if (matrix.isPalette) {
    if (Error error = image.put(asBytes(stored->tables))) {
      return error;
    }
  }
  if (Error error = image.seek(matrix.scales)) {
    return error;
  }
  if (Error error = image.put(asBytes(stored->scales))) {
    return error;
  }
  if (Error error = image.seek(matrix.elements)) {
    return error;
  }
  std::vector<uint8_t> bytes;
  for (int64_t first = 0; first < matrix.rows; first += matrix.tileRows) {
    int64_t rows = std::min(matrix.tileRows, matrix.rows - first);
    for (int64_t part = 0; part < matrix.getParts(); ++part) {
      int64_t column = part * matrix.tileColumns;
      int64_t columns = std::min(matrix.tileColumns, matrix.columns - column);
      int64_t rowBytes = matrix.getPartRowBytes(part);
      bytes.assign(rows * rowBytes, 0);
      for (int64_t r = 0; r < rows; ++r) {
        packRow(
            stored->codes.slice((first + r) * matrix.columns + column, columns),
            matrix.storageBits, bytes.data() + r * rowBytes);
      }
      if (Error error = image.put(bytes)) {
        return error;
      }
    }
  }
  return Error::success();
}

Error RegionWriter::writeHalves(ParamOp param, const MatrixLayout &matrix,
                                Image &image) {
  std::vector<_Float16> tile, cut;
  for (int64_t first = 0; first < matrix.rows; first += matrix.tileRows) {
    int64_t rows = std::min(matrix.tileRows, matrix.rows - first);
    tile.resize(rows * matrix.columns);
    if (Error error = readHalves(param, first, tile)) {
      return error;
    }
    for (int64_t part = 0; part < matrix.getParts(); ++part) {
      int64_t column = part * matrix.tileColumns;
      int64_t columns = std::min(matrix.tileColumns, matrix.columns - column);
      cut.clear();
      for (int64_t r = 0; r < rows; ++r) {
        append_range(
            cut, ArrayRef(tile).slice(r * matrix.columns + column, columns));
      }
      if (Error error = image.put(asBytes(ArrayRef(cut)))) {
        return error;
      }
    }
  }
  return Error::success();
}

Error RegionWriter::writeMatrix(ParamOp param, const MatrixLayout &matrix,
                                Image &image) {
  Error error = param.getTensorType().getEncoding()
                    ? writeEncoded(param, matrix, image)
                    : writeHalves(param, matrix, image);
  if (error) {
    return error;
  }
  assert(image.getPosition() == matrix.getEnd() &&
         "a matrix takes what it was given");
  return Error::success();
}

/// What the indices stand for, which all of a row have one scale for.
Error RegionWriter::writeLookup(ParamOp param, const LookupLayout &lookup,
                                Image &image) {
  mlir::RankedTensorType type = param.getTensorType();
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  if (lookup.type == DataType::F16) {
    std::vector<_Float16> block;
    for (int64_t first = 0; first < rows; first += kBlockRows) {
      block.resize(std::min(kBlockRows, rows - first) * columns);
      if (Error error = readHalves(param, first, block)) {
        return error;
      }
      if (Error error = image.put(asBytes(ArrayRef(block)))) {
        return error;
      }
    }
    return Error::success();
  }
  auto stored = store.getEncoded(param.getKey(), type);
  if (!stored) {
    return stored.takeError();
  }
  EncodedLayout encoded = EncodedLayout::get(type);
  std::vector<uint16_t> scales(rows);
  for (int64_t row = 0; row < rows; ++row) {
    scales[row] = stored->scales[encoded.getScale(row, 0)];
  }
  if (Error error = image.put(asBytes(ArrayRef(scales)))) {
    return error;
  }
  if (Error error = image.seek(lookup.elements)) {
    return error;
  }
  std::vector<uint8_t> elements(columns);
  for (int64_t row = 0; row < rows; ++row) {
    ArrayRef<uint8_t> codes = stored->codes.slice(row * columns, columns);
    if (encoded.entries != 0) {
      const int8_t *table =
          &stored->tables[encoded.getTable(row, 0) * encoded.entries];
      for (auto [element, code] : zip(elements, codes)) {
        element = uint8_t(table[code]);
      }
      codes = elements;
    }
    if (Error error = image.put(codes)) {
      return error;
    }
  }
  return Error::success();
}

/// With the interpreter's arithmetic: angles in double, cosines and sines
/// rounded to f32 and then multiplied.
Error RegionWriter::writeAngles(RotaryOp op, Image &image) {
  SmallVector<double> frequencies = op.getFrequencies();
  size_t pairs = frequencies.size();
  if (auto name = op.getFactorsAttr()) {
    auto factors = module.lookupSymbol<ParamOp>(name.getValue());
    if (Error error = checkShape(factors)) {
      return error;
    }
    std::vector<float> values(factors.getTensorType().getNumElements());
    if (Error error = store.readRows(factors.getKey(), 0, values)) {
      return error;
    }
    for (auto [frequency, factor] : zip(frequencies, values)) {
      frequency /= factor;
    }
  }
  auto magnitude = static_cast<float>(op.getMagnitude());
  std::vector<float> row(2 * pairs);
  for (int64_t position = 0; position < layout.positions; ++position) {
    for (size_t i = 0; i < pairs; ++i) {
      double angle = double(position) * frequencies[i];
      row[i] = static_cast<float>(std::cos(angle)) * magnitude;
      row[pairs + i] = static_cast<float>(std::sin(angle)) * magnitude;
    }
    if (Error error = image.put(asBytes(ArrayRef(row)))) {
      return error;
    }
  }
  return Error::success();
}

Error RegionWriter::write(std::vector<Piece> pieces, uint64_t size, Sink sink,
                          Progress progress) {
  llvm::sort(pieces, [](const Piece &a, const Piece &b) {
    return a.offset < b.offset;
  });
  Image image(sink);
  for (const Piece &piece : pieces) {
    if (Error error = image.seek(piece.offset)) {
      return error;
    }
    if (Error error = piece.write(image)) {
      return error;
    }
    progress(image.getPosition());
  }
  return image.seek(size);
}

/// Of norms' weights, what is added to them. Fails where two norms differ.
Expected<StringMap<float>> RegionWriter::findOffsets() {
  StringMap<float> offsets;
  std::string differs;
  module.walk([&](RmsNormOp norm) {
    float offset = norm.getOffset().convertToFloat();
    auto [it, isNew] = offsets.try_emplace(norm.getWeight(), offset);
    if (!isNew && it->second != offset) {
      differs = norm.getWeight().str();
    }
  });
  if (!differs.empty()) {
    return createStringError("parameter '" + differs +
                             "': expected norms with the same offset, found "
                             "two");
  }
  return offsets;
}

Error RegionWriter::writeWeights(Sink sink, Progress progress) {
  auto offsets = findOffsets();
  if (!offsets) {
    return offsets.takeError();
  }
  std::vector<Piece> pieces;
  for (auto param : module.getOps<ParamOp>()) {
    StringRef name = param.getSymName();
    if (const MatrixLayout *matrix = layout.findMatrix(name)) {
      pieces.push_back({matrix->getBegin(), [=](Image &image) {
                          return writeMatrix(param, *matrix, image);
                        }});
    } else if (std::optional<uint64_t> offset = layout.findVector(name)) {
      float added = offsets->lookup(name);
      pieces.push_back({*offset, [=](Image &image) {
                          return writeVector(param, added, image);
                        }});
    } else {
      continue;
    }
    if (Error error = checkShape(param)) {
      return error;
    }
  }
  return write(std::move(pieces), layout.weightBytes, sink, progress);
}

Error RegionWriter::writeTables(Sink sink, Progress progress) {
  std::vector<Piece> pieces;
  for (auto param : module.getOps<ParamOp>()) {
    if (const LookupLayout *lookup = layout.findLookup(param.getSymName())) {
      if (Error error = checkShape(param)) {
        return error;
      }
      pieces.push_back({lookup->getBegin(), [=](Image &image) {
                          return writeLookup(param, *lookup, image);
                        }});
    }
  }
  DenseSet<uint64_t> angles;
  module.walk([&](RotaryOp op) {
    uint64_t offset = layout.getRotary(op);
    if (angles.insert(offset).second) {
      pieces.push_back(
          {offset, [=](Image &image) { return writeAngles(op, image); }});
    }
  });
  pieces.push_back({layout.zeroAndOne, [](Image &image) {
                      constexpr float kValues[] = {0.0f, 1.0f};
                      return image.put(asBytes(ArrayRef(kValues)));
                    }});
  return write(std::move(pieces), layout.tableBytes, sink, progress);
}

} // namespace umber::npu
