// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/CorrectionWriter.h"
#include "runtime/package/Format.h"
#include <cmath>

using namespace llvm;
using namespace mlir::umber;
using flatbuffers::Offset;

namespace umber {

template <typename T>
static ArrayRef<uint8_t> asBytes(ArrayRef<T> values) {
  return {reinterpret_cast<const uint8_t *>(values.data()),
          values.size() * sizeof(T)};
}

template <typename T>
static std::vector<T> transpose(ArrayRef<T> matrix, int64_t columns) {
  int64_t rows = int64_t(matrix.size()) / columns;
  std::vector<T> transposed(matrix.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      transposed[c * rows + r] = matrix[r * columns + c];
    }
  }
  return transposed;
}

Expected<uint64_t> CorrectionWriter::append(ArrayRef<uint8_t> values) {
  Result<uint64_t> offset = writer.align(kDataAlignment);
  Status status = offset.ok() ? writer.append(values.data(), values.size())
                              : offset.status();
  if (!status.ok()) {
    return createStringError(inconvertibleErrorCode(), status.message());
  }
  bytes += values.size();
  return *offset;
}

Expected<uint64_t> CorrectionWriter::writeMatrix(ParamOp param,
                                                 bool isTransposed) {
  mlir::RankedTensorType type = param.getTensorType();
  int64_t columns = type.getDimSize(1);
  elements += type.getNumElements();
  auto shape = store.getShape(param.getKey());
  if (!shape) {
    return shape.takeError();
  }
  if (*shape != type.getShape()) {
    return createStringError("parameter '" + param.getSymName() +
                             "': expected its source '" + param.getKey() +
                             "' to have its shape, found another");
  }
  if (type.getEncoding()) {
    auto matrix = store.getEncoded(param.getKey(), type);
    if (!matrix) {
      return matrix.takeError();
    }
    return append(isTransposed ? ArrayRef(transpose(matrix->codes, columns))
                               : matrix->codes);
  }
  std::vector<float> values(type.getNumElements());
  if (Error error = store.readRows(param.getKey(), 0, values)) {
    return error;
  }
  std::vector<_Float16> halves(values.size());
  for (auto [half, value] : zip(halves, values)) {
    half = static_cast<_Float16>(value);
    if (!std::isfinite(float(half))) {
      return createStringError("parameter '" + param.getSymName() +
                               "': expected values that f16 can hold, found " +
                               Twine(std::to_string(value)));
    }
  }
  if (isTransposed) {
    halves = transpose<_Float16>(halves, columns);
  }
  return append(asBytes(ArrayRef(halves)));
}

Expected<uint64_t> CorrectionWriter::writeScales(ParamOp param) {
  if (!param.getTensorType().getEncoding()) {
    return 0;
  }
  auto matrix = store.getEncoded(param.getKey(), param.getTensorType());
  return matrix ? append(asBytes(matrix->scales)) : matrix.takeError();
}

Expected<Offset<fbs::AdapterPair>>
CorrectionWriter::write(LoraOp lora, flatbuffers::FlatBufferBuilder &builder) {
  LowRankAttr correction = lora.getRecovery();
  auto a = module.lookupSymbol<ParamOp>(correction.getA().getValue());
  auto b = module.lookupSymbol<ParamOp>(correction.getB().getValue());
  uint64_t offsets[4];
  for (auto [i, offset] : enumerate(offsets)) {
    ParamOp param = i % 2 == 0 ? a : b;
    auto written = i < 2 ? writeMatrix(param, /*isTransposed=*/i == 1)
                         : writeScales(param);
    if (!written) {
      return written.takeError();
    }
    offset = *written;
  }
  mlir::RankedTensorType typeA = a.getTensorType();
  auto site = builder.CreateString(lora.getSite().str());
  return fbs::CreateAdapterPair(
      builder, site, typeA.getEncoding() ? fbs::DType_I8 : fbs::DType_F16,
      typeA.getDimSize(0), typeA.getDimSize(1), b.getTensorType().getDimSize(1),
      /*scale=*/1.0f, segment, offsets[0], offsets[1], offsets[2], offsets[3]);
}

} // namespace umber
