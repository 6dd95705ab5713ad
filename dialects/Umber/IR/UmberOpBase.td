// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_OP_BASE
#define UMBER_OP_BASE

include "dialects/Umber/IR/UmberAttrs.td"
include "dialects/Umber/IR/UmberTypes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Umber_Op<string mnemonic, list<Trait> traits = []>
    : Op<Umber_Dialect, mnemonic, traits>;

/// An op that names parameters; its verifySymbolUses checks that they exist and
/// that their shapes fit.
class Umber_ParamUserOp<string mnemonic, list<Trait> traits = []>
    : Umber_Op<mnemonic, traits # [
        DeclareOpInterfaceMethods<SymbolUserOpInterface>]>;

/// Activations: a row per token.
def Umber_Rows : TypeConstraint<
    And<[F32Tensor.predicate, HasAnyRankOfPred<[2]>,
         CPred<"!::llvm::cast<::mlir::ShapedType>($_self).isDynamicDim(1)">]>,
    "f32 tensor of rank 2 (tokens x features)", "::mlir::RankedTensorType">;
def Umber_TokenIds : TypeConstraint<
    And<[TensorOf<[I32]>.predicate, HasAnyRankOfPred<[1]>]>,
    "i32 tensor of rank 1 (token ids)", "::mlir::RankedTensorType">;

#endif // UMBER_OP_BASE
