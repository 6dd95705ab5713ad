// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_ATTRS
#define UMBER_ATTRS

include "dialects/Umber/IR/UmberDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/TensorEncoding.td"

class Umber_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Umber_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

class Umber_Enum<string name, string enumSummary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, enumSummary, cases> {
  let cppNamespace = "::mlir::umber";
  let genSpecializedAttr = 0;
}

class Umber_EnumAttr<EnumInfo info, string attrMnemonic>
    : EnumAttr<Umber_Dialect, info, attrMnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def Umber_RotaryStyle : Umber_Enum<"RotaryStyle",
    "which two elements of a head make a pair that is rotated", [
      I32EnumAttrCase<"Interleaved", 0, "interleaved">,
      I32EnumAttrCase<"Half", 1, "half">]>;
def Umber_RotaryStyleAttr : Umber_EnumAttr<Umber_RotaryStyle, "rotary_style">;

def Umber_Activation : Umber_Enum<"Activation",
    "activation function of a gate", [
      I32EnumAttrCase<"SiLU", 0, "silu">,
      I32EnumAttrCase<"GeluTanh", 1, "gelu_tanh">]>;
def Umber_ActivationAttr : Umber_EnumAttr<Umber_Activation, "activation">;

def Umber_RopeScalingKind : Umber_Enum<"RopeScalingKind",
    "how rotary frequencies are stretched for a longer context", [
      I32EnumAttrCase<"Linear", 0, "linear">,
      I32EnumAttrCase<"Llama3", 1, "llama3">,
      I32EnumAttrCase<"Yarn", 2, "yarn">]>;

def Umber_PaletteScale : Umber_Enum<"PaletteScale",
    "what shares one scale of a palettized matrix", [
      I32EnumAttrCase<"Table", 0, "table">,
      I32EnumAttrCase<"Row", 1, "row">]>;

def Umber_PaletteAttr : Umber_Attr<"Palette", "palette",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "a matrix stored as indices into small tables";
  let description = [{
    The encoding of a logically `f16` or `f32` matrix, stored as `bits`-wide
    indices into tables of `2^bits` entries. `rows` consecutive rows and `cols`
    consecutive columns (0: all) share a table; the last block of rows may be
    lower. Entries are integers in
    [-64, 63], and

        W[r, c] = table(r / rows, c / cols)[index[r, c]] * scale

    with one f16 scale per table (`scale = table`), or per row, split into runs
    of `scale_cols` columns (0: the whole row) (`scale = row`).

    Example: `tensor<576x576xf16, #umber.palette<bits = 4, rows = 16>>`.
  }];
  let parameters = (ins
    "int64_t":$bits, "int64_t":$rows,
    DefaultValuedParameter<"int64_t", "0">:$cols,
    DefaultValuedParameter<"::mlir::umber::PaletteScale",
        "::mlir::umber::PaletteScale::Table">:$scale,
    DefaultValuedParameter<"int64_t", "0">:$scale_cols);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Umber_QuantizedAttr : Umber_Attr<"Quantized", "quantized",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "rows stored as small integers with scales";
  let description = [{
    The encoding of a logically floating-point tensor of rank 2, stored as signed
    `bits`-wide integers, symmetric around zero, with one scale per row and per
    `group` consecutive columns (0: the whole row):

        X[r, c] = q[r, c] * scale[r, c / group]

    Scales are f16 for parameters and f32 for activations.

    Example: `tensor<?x576xf32, #umber.quantized<bits = 8, group = 64>>`.
  }];
  let parameters = (ins "int64_t":$bits,
                        DefaultValuedParameter<"int64_t", "0">:$group);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Umber_ModelAttr : Umber_Attr<"Model", "model"> {
  let summary = "what a module's model is";
  let description = [{
    Stands as the module's attribute `umber.model`: the architecture's name, the
    number of layers, the context length it was trained for and the size of its
    vocabulary. All else is in the ops' shapes.
  }];
  let parameters = (ins StringRefParameter<>:$arch, "int64_t":$layers,
                        "int64_t":$context_length, "int64_t":$vocab);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Umber_BasisAttr : Umber_Attr<"Basis", "basis"> {
  let summary = "how a stored matrix differs from the model's own";
  let description = [{
    Stands as the attribute `umber.basis` of a matrix's `umber.param`, when passes
    have moved its inputs and outputs to other bases:

        stored = R_out W diag(gain + gain_offset) R_in

    with W the model's own matrix, `gain` the parameter of the norm that was
    absorbed, and R_in and R_out the block diagonal matrices of umber-rotate's
    orthogonal matrices of the sizes `input_rotation` and `output_rotation` (0:
    none). What is made for W, as low-rank adapters are, fits the stored matrix
    after the same steps.

    Example: `#umber.basis<gain = @l0.attn_norm, input_rotation = 576>`.
  }];
  let parameters = (ins
    OptionalParameter<"::mlir::FlatSymbolRefAttr">:$gain,
    OptionalParameter<"::mlir::FloatAttr">:$gain_offset,
    DefaultValuedParameter<"int64_t", "0">:$input_rotation,
    DefaultValuedParameter<"int64_t", "0">:$output_rotation);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Umber_RopeScalingAttr : Umber_Attr<"RopeScaling", "rope_scaling"> {
  let summary = "rotary frequencies for a longer context than was trained";
  let description = [{
    With `f_i` a pair's unscaled frequency and `L` = `original_context`:

    - `linear`: `f_i / factor`.
    - `llama3`: with wavelength `w = 2π / f_i`: `f_i` where
      `w < L / high_freq_factor`, `f_i / factor` where `w > L / low_freq_factor`,
      between them the blend with weight
      `(L / w - low_freq_factor) / (high_freq_factor - low_freq_factor)` for `f_i`
      (Llama 3.1's model card).
    - `yarn` (Peng et al. 2023, arXiv:2309.00071), as its authors' code has it:
      with `pair(n) = dims ln(L / (2π n)) / (2 ln base)`, the pair that turns `n`
      times over `L` positions, and the ramp `r` that rises linearly over pairs from
      0 at `floor(pair(high_freq_factor))` to 1 at `ceil(pair(low_freq_factor))`
      (kept within the pairs there are): `r f_i / factor + (1 - r) f_i`; sines and
      cosines are multiplied by `attention_factor`.
  }];
  let parameters = (ins
    "::mlir::umber::RopeScalingKind":$kind,
    "::mlir::FloatAttr":$factor,
    DefaultValuedParameter<"int64_t", "0">:$original_context,
    OptionalParameter<"::mlir::FloatAttr">:$low_freq_factor,
    OptionalParameter<"::mlir::FloatAttr">:$high_freq_factor,
    OptionalParameter<"::mlir::FloatAttr">:$attention_factor);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Umber_LowRankAttr : Umber_Attr<"LowRank", "low_rank"> {
  let summary = "two small parameters whose product corrects a matrix";
  let description = [{
    Stands as `recover` at the `umber.param` of a compressed matrix `W`, `O x I`,
    and names two others, `A`, `r x I`, and the transpose of `B`, `r x O`: `W + B A`
    is nearer than `W` to the weights that it was made from. Every `umber.lora` whose
    site `W` is adds `B (A x)`, whatever adapters are active. The two are plain f16,
    or 8-bit integers with a scale per row, which is one per rank.

    Example: `#umber.low_rank<@l0.attn.q.recover_a, @l0.attn.q.recover_b>`.
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$a,
                        "::mlir::FlatSymbolRefAttr":$b);
  let assemblyFormat = "`<` $a `,` $b `>`";
  let genVerifyDecl = 1;
}

#endif // UMBER_ATTRS
