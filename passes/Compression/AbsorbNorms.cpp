// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/ParameterUsers.h"
#include "passes/Compression/Passes.h"
#include "llvm/ADT/StringExtras.h"

namespace umber {
#define GEN_PASS_DEF_ABSORBNORMSPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

struct AbsorbNorms : ::umber::impl::AbsorbNormsPassBase<AbsorbNorms> {
  using AbsorbNormsPassBase::AbsorbNormsPassBase;

  void runOnOperation() override;

private:
  LogicalResult absorb(RmsNormOp norm, ArrayRef<LinearOp> products,
                       DerivedParameters &parameters);
  /// The parameter of `size` ones that absorbed norms share.
  FailureOr<ParamOp> getOnes(int64_t size, DerivedParameters &parameters);

  DenseMap<int64_t, ParamOp> ones;
};

/// The products that alone use a norm's result, with weights that nothing else
/// uses; empty if there are other uses.
SmallVector<LinearOp> getAbsorbers(RmsNormOp norm, const ParameterUsers &users,
                                   SymbolTable &symbols) {
  SmallVector<LinearOp> products;
  if (norm.getHeads() != 1) {
    return {};
  }
  for (Operation *user : norm->getUsers()) {
    auto linear = dyn_cast<LinearOp>(user);
    if (!linear || users.get(linear.getWeight()).size() != 1) {
      return {};
    }
    auto weight = symbols.lookup<ParamOp>(linear.getWeight());
    if (weight.getTensorType().getEncoding() || weight.getValue() ||
        weight->hasAttr(kBasisAttrName)) {
      return {};
    }
    products.push_back(linear);
  }
  return products;
}

FailureOr<ParamOp> AbsorbNorms::getOnes(int64_t size,
                                        DerivedParameters &parameters) {
  ParamOp &param = ones[size];
  if (!param) {
    std::vector<float> elements(size, 1.0f);
    auto created =
        parameters.create(getOperation(), "unit_norm", {size}, elements);
    if (failed(created)) {
      return failure();
    }
    param = *created;
  }
  return param;
}

LogicalResult AbsorbNorms::absorb(RmsNormOp norm, ArrayRef<LinearOp> products,
                                  DerivedParameters &parameters) {
  SymbolTable symbols(getOperation());
  auto weight = symbols.lookup<ParamOp>(norm.getWeight());
  float offset = norm.getOffset().convertToFloat();
  std::vector<float> gain;
  std::string recipe;
  if (parameters.hasData()) {
    auto identity = parameters.getKey(weight, "gain");
    auto elements = parameters.read(weight);
    if (failed(identity) || failed(elements)) {
      return failure();
    }
    gain = std::move(*elements);
    for (float &g : gain) {
      g += offset;
    }
    recipe = "absorb " + *identity + " " +
             llvm::utohexstr(llvm::bit_cast<uint32_t>(offset));
  }
  for (LinearOp linear : products) {
    auto param = symbols.lookup<ParamOp>(linear.getWeight());
    LogicalResult derived =
        parameters.derive(param, recipe, [&](MutableArrayRef<float> elements) {
          for (auto [i, element] : llvm::enumerate(elements)) {
            element *= gain[i % gain.size()];
          }
        });
    if (failed(derived)) {
      return failure();
    }
    param->setAttr(
        kBasisAttrName,
        BasisAttr::get(param.getContext(), FlatSymbolRefAttr::get(weight),
                       offset == 0.0f ? FloatAttr() : norm.getOffsetAttr(),
                       /*inputRotation=*/0, /*outputRotation=*/0));
  }
  auto unit = getOnes(weight.getTensorType().getNumElements(), parameters);
  if (failed(unit)) {
    return failure();
  }
  norm.setWeight(unit->getSymName());
  norm.setOffset(APFloat(0.0f));
  return success();
}

void AbsorbNorms::runOnOperation() {
  ModuleOp module = getOperation();
  auto parameters = DerivedParameters::open(module, derived);
  if (failed(parameters)) {
    return signalPassFailure();
  }
  SymbolTable symbols(module);
  ParameterUsers users(module);
  SmallVector<std::pair<RmsNormOp, SmallVector<LinearOp>>> work;
  module.walk([&](RmsNormOp norm) {
    SmallVector<LinearOp> products = getAbsorbers(norm, users, symbols);
    if (products.empty()) {
      norm.emitRemark("gain not absorbed: expected only products with weights "
                      "of their own to use the result");
    } else {
      work.emplace_back(norm, std::move(products));
    }
  });
  for (auto &[norm, products] : work) {
    if (failed(absorb(norm, products, *parameters))) {
      return signalPassFailure();
    }
  }
  users.eraseUnused(module);
}

} // namespace
