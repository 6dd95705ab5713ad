// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/ModelDescription.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Compression/MatrixEncoder.h"
#include "passes/Compression/ModelBody.h"
#include "passes/Compression/Recipe.h"
#include "runtime/drivers/npu/ArrayModel.h"
#include "targets/Common/PackPanels.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::compile {

namespace {

/// What palettes of the body can be, and integers.
constexpr int64_t kWidths[] = {1, 2, 3, 4, 6, 8};
/// What embeddings can be (QuantizeEmbeddings.cpp).
constexpr int64_t kEmbeddingWidths[] = {4, 8};

template <typename T>
std::string print(const T &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

/// As Layout places a matrix: tables, scales and codes; 0 if it would not.
uint64_t getStreamBytes(RankedTensorType type, const npu::Config &engine) {
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  const npu::DecoderConfig &decoder = engine.decoder;
  int64_t bits = getStorageWidth(type), storage = bits;
  uint64_t beside = 2 * rows;
  if (auto palette = dyn_cast_if_present<PaletteAttr>(type.getEncoding())) {
    if (decoder.weightsPerSecond == 0 ||
        (int64_t(1) << bits) > decoder.maxTableValues) {
      return 0;
    }
    storage = bits == 3   ? decoder.threeBitStorage
              : bits == 6 ? decoder.sixBitStorage
                          : bits;
    int64_t tables = npu::divideUp(rows, palette.getRows());
    int64_t scales = palette.getScale() == PaletteScale::Row ? rows : tables;
    beside = (tables << bits) + 2 * scales;
  }
  return beside + rows * npu::divideUp(columns * storage, 8);
}

/// What calibration has measured of this width, if it has.
std::optional<double> getLoss(ParamOp param, int64_t bits) {
  auto losses = param->getAttrOfType<DictionaryAttr>(kWidthLossesAttrName);
  auto loss =
      losses ? losses.getAs<FloatAttr>(llvm::Twine(bits).str()) : FloatAttr();
  return loss ? std::optional(loss.getValueAsDouble()) : std::nullopt;
}

MatrixInfo describeMatrix(ParamOp param, bool isBody, SymbolTable &symbols,
                          const MatrixStorage &storage) {
  RankedTensorType type = param.getTensorType();
  MatrixInfo matrix;
  matrix.name = param.getSymName().str();
  matrix.rows = type.getDimSize(0);
  matrix.columns = type.getDimSize(1);
  matrix.encoding = type.getEncoding() ? print(type.getEncoding()) : "";
  matrix.bits = getStorageWidth(type);
  matrix.bytes = getStoredBytes(type);
  matrix.isBody = isBody;
  std::tie(matrix.begin, matrix.end) = storage.getPlace(matrix.name);
  if (auto error = param->getAttrOfType<FloatAttr>(kErrorAttrName)) {
    matrix.error = error.getValueAsDouble();
  }
  if (auto recover = param.getRecoverAttr()) {
    matrix.rank = symbols.lookup<ParamOp>(recover.getA().getValue())
                      .getTensorType()
                      .getDimSize(0);
  }
  SmallVector<int64_t> widths(isBody ? ArrayRef(kWidths)
                                     : ArrayRef(kEmbeddingWidths));
  if (!llvm::is_contained(widths, matrix.bits)) {
    widths.push_back(matrix.bits);
  }
  for (int64_t bits : widths) {
    RankedTensorType stored =
        bits == matrix.bits ? type : MatrixEncoder::getType(type, bits);
    matrix.choices.push_back(
        {bits, static_cast<uint64_t>(getStoredBytes(stored)),
         storage.getStreamBytes(stored), getLoss(param, bits)});
  }
  return matrix;
}

/// An op, with the name that the import has given it, and what it reads.
SourceOp describeOp(Operation *op) {
  SourceOp source;
  source.name = op->getName().getStringRef().str();
  for (Type type : op->getResultTypes()) {
    source.type += (source.type.empty() ? "" : ", ") + print(type);
  }
  for (NamedAttribute attribute : op->getAttrs()) {
    auto symbol = dyn_cast<FlatSymbolRefAttr>(attribute.getValue());
    if (symbol && source.parameter.empty()) {
      source.parameter = symbol.getValue().str();
    }
  }
  if (!isa<UnknownLoc>(op->getLoc())) {
    source.location = isa<NameLoc>(op->getLoc())
                          ? cast<NameLoc>(op->getLoc()).getName().str()
                          : print(op->getLoc());
  }
  return source;
}

std::vector<KernelSource> describeKernels(func::FuncOp function) {
  std::vector<KernelSource> kernels;
  DenseMap<Operation *, uint32_t> numbers;
  for (auto kernel : function.getOps<KernelOp>()) {
    KernelSource &source = kernels.emplace_back();
    source.name = kernel.getSymName().str();
    for (Operation &op : kernel.getBody().front()) {
      if (!op.hasTrait<OpTrait::IsTerminator>()) {
        source.ops.push_back(describeOp(&op));
      }
    }
    llvm::SmallSetVector<uint32_t, 4> inputs;
    for (Value input : kernel.getInputs()) {
      auto it = numbers.find(input.getDefiningOp());
      if (it != numbers.end()) {
        inputs.insert(it->second);
      }
    }
    source.inputs.assign(inputs.begin(), inputs.end());
    numbers[kernel] = static_cast<uint32_t>(kernels.size() - 1);
  }
  return kernels;
}

} // namespace

MatrixStorage getEngineStorage(const npu::Layout &layout,
                               const npu::Config &engine) {
  return {[&](RankedTensorType type) { return getStreamBytes(type, engine); },
          [&](StringRef name) -> std::pair<uint64_t, uint64_t> {
            const npu::MatrixLayout *placed = layout.findMatrix(name.str());
            return placed ? std::pair(placed->getBegin(), placed->getEnd())
                          : std::pair<uint64_t, uint64_t>();
          }};
}

MatrixStorage getGpuStorage() {
  return {[](RankedTensorType type) {
            return uint64_t(getPackedBytes(type, MatrixLayout::Lanes));
          },
          [](StringRef) { return std::pair<uint64_t, uint64_t>(); }};
}

ModelInfo describeModel(ModuleOp module, const MatrixStorage &storage) {
  ModelBody parts(module);
  SymbolTable symbols(module);
  ModelInfo info;
  info.bodyWeights = static_cast<uint64_t>(parts.weights);
  if (auto model = module->getAttrOfType<ModelAttr>(kModelAttrName)) {
    info.layers = model.getLayers();
  }
  module.walk([&](KVUpdateOp update) {
    KVCacheType type = update.getCache().getType();
    info.cacheBits = type.getElementType().getIntOrFloatBitWidth();
    info.headDim = type.getHeadDim();
    return WalkResult::interrupt();
  });
  for (auto param : module.getOps<ParamOp>()) {
    RankedTensorType type = param.getTensorType();
    bool isCorrection = llvm::is_contained(parts.corrections, param);
    info.parameters += type.getNumElements();
    info.modelBytes +=
        isCorrection ? getFactorBytes(type) : getStoredBytes(type);
    info.bodyBytes += isCorrection ? getFactorBytes(type) : 0;
    bool isBody = llvm::is_contained(parts.body, param);
    if (isBody || llvm::is_contained(parts.embeddings, param)) {
      info.bodyBytes += isBody ? getStoredBytes(type) : 0;
      info.matrices.push_back(describeMatrix(param, isBody, symbols, storage));
    }
  }
  auto functions = module.getOps<func::FuncOp>();
  if (!functions.empty()) {
    info.kernels = describeKernels(*functions.begin());
  }
  return info;
}

} // namespace umber::compile
