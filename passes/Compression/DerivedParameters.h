// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How passes make new parameters of old ones, a matrix at a time.

#ifndef UMBER_PASSES_COMPRESSION_DERIVEDPARAMETERS_H
#define UMBER_PASSES_COMPRESSION_DERIVEDPARAMETERS_H

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Parameters/DerivedStore.h"
#include "mlir/IR/BuiltinOps.h"

namespace umber {

class DerivedParameters {
public:
  /// Opens the module's parameters. New ones go to the folder that
  /// `umber.derived` names already, or else to `folder`, which is then named.
  /// Fails with a diagnostic if there is neither. Of a model of shapes only,
  /// parameters are derived as shapes.
  static mlir::FailureOr<DerivedParameters> open(mlir::ModuleOp module,
                                                 llvm::StringRef folder);

  /// False for a model of shapes only: parameters get the types that they would
  /// get, and no data; what reads any fails.
  bool hasData() const { return source != nullptr; }

  using Transform =
      llvm::function_ref<void(llvm::MutableArrayRef<float> elements)>;

  /// Gives `param` the f32 elements that `transform` makes of its own.
  /// `recipe` says what it does, with all that its result depends on: the
  /// result is taken from the folder where it is there already. Fails with a
  /// diagnostic at the parameter, also where an element is not finite.
  mlir::LogicalResult derive(mlir::umber::ParamOp param, llvm::StringRef recipe,
                             Transform transform);

  /// A new parameter of the module, the last, with what is kept under `key`:
  /// plain elements, which are rounded to `type`'s; "": of a shape only.
  mlir::umber::ParamOp add(mlir::ModuleOp module, llvm::StringRef name,
                           mlir::RankedTensorType type, llvm::StringRef key);

  /// The same, of these elements.
  mlir::FailureOr<mlir::umber::ParamOp> create(mlir::ModuleOp module,
                                               llvm::StringRef name,
                                               llvm::ArrayRef<int64_t> shape,
                                               llvm::ArrayRef<float> elements);

  /// All elements of a parameter, as what it stands for now.
  mlir::FailureOr<std::vector<float>> read(mlir::umber::ParamOp param) const {
    return read(param, param.getKey());
  }
  /// All elements that are kept under `key`, which have the parameter's shape.
  mlir::FailureOr<std::vector<float>> read(mlir::umber::ParamOp param,
                                           llvm::StringRef key) const;

  /// Whether all elements of a vector are 1. Of a model of shapes only, those
  /// are that a pass has added as such. Fails with a diagnostic at the
  /// parameter.
  mlir::FailureOr<bool> isUnit(mlir::umber::ParamOp param) const;

  /// Equal for equal elements.
  mlir::FailureOr<uint64_t> getIdentity(mlir::umber::ParamOp param) const {
    return getIdentity(param, param.getKey());
  }
  /// Of what is kept under `key`. Fails with a diagnostic at the parameter.
  mlir::FailureOr<uint64_t> getIdentity(mlir::umber::ParamOp param,
                                        llvm::StringRef key) const;

  /// The name of what `recipe` makes of `param`.
  mlir::FailureOr<std::string> getKey(mlir::umber::ParamOp param,
                                      llvm::StringRef recipe) const;

  DerivedStore &getDerived() { return *derived; }

private:
  std::unique_ptr<ParameterStore> source;
  std::unique_ptr<DerivedStore> derived;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_DERIVEDPARAMETERS_H
