// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_COMPRESSION_PASSES
#define UMBER_COMPRESSION_PASSES

include "passes/Compression/Options.td"

def ConvertWeightsPass : Pass<"umber-convert-weights", "::mlir::ModuleOp"> {
  let summary = "store matrices as plain floating-point numbers of a width";
  let description = [{
    Sets the element type of every parameter of rank 2: f32 for `bits=32`, f16
    for `bits=16`. Vectors (norm weights, biases, rotary factors) stay f32: they
    are small and sensitive. Values are rounded when the parameter is stored.

    Before, with `bits=16`:
    ```mlir
    umber.param @l0.attn.q from "blk.0.attn_q.weight" : tensor<576x576xf32>
    ```
    After:
    ```mlir
    umber.param @l0.attn.q from "blk.0.attn_q.weight" : tensor<576x576xf16>
    ```
  }];
  let options = [Option<"bits", "bits", "int64_t", "16",
                        "bits per weight: 16 or 32">];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def AbsorbNormsPass : Pass<"umber-absorb-norms", "::mlir::ModuleOp"> {
  let summary = "move the gains of norms into the products after them";
  let description = [{
    A norm multiplies each feature by a gain, and the products that read it can
    do so as well: `W diag(g)` is derived for every weight, and the norm's weight
    becomes a vector of ones that all such norms share. A norm stays as it is,
    with a remark, where something else than a product uses it or a weight is
    shared with another op, as a tied embedding is.

    Before:
    ```mlir
    %h = umber.rms_norm %x, @l0.attn_norm {eps = 1.0e-05 : f32} : tensor<?x576xf32>
    %q = umber.linear %h, @l0.attn.q : tensor<?x576xf32> -> tensor<?x576xf32>
    ```
    After:
    ```mlir
    %h = umber.rms_norm %x, @unit_norm {eps = 1.0e-05 : f32} : tensor<?x576xf32>
    %q = umber.linear %h, @l0.attn.q : tensor<?x576xf32> -> tensor<?x576xf32>
    ```
  }];
  let options = [DerivedOption];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def RotatePass : Pass<"umber-rotate", "::mlir::ModuleOp"> {
  let summary = "change to bases in which no feature stands out";
  let description = [{
    Outliers, few features that are much larger than the rest, cost a quantizer
    most of its range. An orthogonal matrix spreads them over all features, and
    where its inverse meets it again the function stays the same (QuaRot, Ashkboos
    et al. 2024, arXiv:2404.00456). Two places take one:

    - the residual stream, after umber-absorb-norms: products that write it become
      `Q W`, products that read it through a norm without a gain `W Q`, and an
      embedding of its own `E Q`. Where a table is shared with the head, or a norm
      has a gain, the stream is multiplied by `Q` in a product of its own;
    - the values of each head, between their product and the one after attention.

    `Q` is symmetric, so that one matrix serves both ways, and its elements are
    two integers and their negatives times one scale: a palette of 2 bits holds it
    exactly (passes/Compression/Orthogonal.h).

    Before:
    ```mlir
    %x = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x576xf32>
    %h = umber.rms_norm %x, @unit_norm {eps = 1.0e-05 : f32} : tensor<?x576xf32>
    ```
    After:
    ```mlir
    %x = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x576xf32>
    %y = umber.linear %x, @rotation : tensor<?x576xf32> -> tensor<?x576xf32>
    %h = umber.rms_norm %y, @unit_norm {eps = 1.0e-05 : f32} : tensor<?x576xf32>
    ```
  }];
  let options = [DerivedOption];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def CalibratePass : Pass<"umber-calibrate", "::mlir::ModuleOp"> {
  let summary = "find out which errors of the weights matter";
  let description = [{
    Runs the model, in f32, over text and in reverse from the derivatives of its
    own loss, and keeps for every product's weight, in a folder: the second
    moments of its inputs, and of the loss's derivatives by its outputs. Without
    a file of tokens, the model writes the text itself; of several texts, there
    are as many sequences each.

    Statistics that the folder has already, of the same weights and text, are
    left as they are; with `reuse`, those of any text are. Memory is for one
    layer's weights, except while the model writes, where it is for all.

    Does not change the module.
  }];
  let options = [ListOption<"tokens", "tokens", "std::string",
                            "files of token ids, 32-bit little-endian "
                            "integers">,
                 Option<"write", "write", "bool", "false",
                        "let the model write, too; without files, it does">,
                 Option<"sequences", "sequences", "int64_t", "64",
                        "how many sequences of each text, at most">,
                 Option<"length", "length", "int64_t", "512",
                        "tokens of a sequence, at most the model's context">,
                 Option<"seed", "seed", "int64_t", "0",
                        "of what the model writes">,
                 Option<"coupledRows", "coupled-rows", "int64_t", "2048",
                        "rows of a weight whose errors will be weighed "
                        "together, a multiple of 16; fewer take less time">,
                 Option<"reuse", "reuse", "bool", "false",
                        "take the folder's statistics, whatever their text">,
                 Option<"statistics", "statistics", "std::string", "",
                        "folder for the result">];
}

def PalettizePass : Pass<"umber-palettize", "::mlir::ModuleOp"> {
  let summary = "store the weights of the body as indices into small tables";
  let description = [{
    Chooses a width for every matrix of the body, all products but the head, such
    that the predicted change of the model's output is least while the body's
    bytes, with tables, scales, padding and what other passes have added, are
    within `bits` per weight; then encodes each at its width: tables by weighted
    k-means per 16 rows, indices with error feedback, both refined in turns
    (passes/Compression/Palette). Widths up to 6 are palettes, 8 is a scale per
    row and 8-bit integers, 16 is f16.

    The result is a function of weights, statistics and options alone. Matrices
    that were finished by a run before are taken from the folder of derived
    parameters.

    Before:
    ```mlir
    umber.param @l0.attn.q from "blk.0.attn_q.weight" : tensor<576x576xf32>
    ```
    After, where 4 bits were chosen:
    ```mlir
    umber.param @l0.attn.q from "l0.attn.q.5B0E" : tensor<576x576xf16, #umber.palette<bits = 4, rows = 16>> {umber.error = 1.3e-03 : f64, umber.original = "blk.0.attn_q.weight"}
    ```
  }];
  let options = [BitsOption, ChoicesOption, RefineRoundsOption, RecipeOption,
                 StatisticsOption,
                 InputDampingOption, OutputDampingOption, DerivedOption];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def QuantizeEmbeddingsPass
    : Pass<"umber-quantize-embeddings", "::mlir::ModuleOp"> {
  let summary = "store embeddings, and the head, in 8 or 4 bits";
  let description = [{
    Stores every matrix that has a row per token as 8-bit integers with a scale
    per row for `bits=8`, as a palette with a table per 16 rows for `bits=4`. A
    table that the head shares stays shared.

    Before:
    ```mlir
    umber.param @embed from "token_embd.weight" : tensor<49152x576xf32>
    ```
    After:
    ```mlir
    umber.param @embed from "embed.77A0" : tensor<49152x576xf16, #umber.quantized<bits = 8>> {umber.error = 2.1e-05 : f64, umber.original = "token_embd.weight"}
    ```
  }];
  let options = [Option<"bits", "bits", "int64_t", "8", "4, 8 or 16">,
                 RefineRoundsOption, RecipeOption, StatisticsOption,
                 InputDampingOption, OutputDampingOption, DerivedOption];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def TuneTablesPass : Pass<"umber-tune-tables", "::mlir::ModuleOp"> {
  let summary = "fit palettes' tables to what the model said uncompressed";
  let description = [{
    Changes the entries of all palettes' tables together, codes as they are, by
    gradient descent on the divergence of the compressed model's output from
    the uncompressed one's, over the text of umber-calibrate. Roundings of
    activations are part of the model; derivatives pass through them. Takes no
    bytes.

    A run that was cut short goes on from a step not long before.

    Before:
    ```mlir
    umber.param @l0.attn.q from "l0.attn.q.5B0E" : tensor<576x576xf16, #umber.palette<bits = 4, rows = 16>>
    ```
    After:
    ```mlir
    umber.param @l0.attn.q from "l0.attn.q.tuned.93D1" : tensor<576x576xf16, #umber.palette<bits = 4, rows = 16>>
    ```
  }];
  let options = [Option<"steps", "steps", "int64_t", "12", "how many steps">,
                 Option<"batch", "batch", "int64_t", "2",
                        "sequences for each step">,
                 Option<"rate", "rate", "double", "0.001",
                        "of the first step, as part of a table's root mean "
                        "square; later ones are smaller">,
                 StatisticsOption];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def QuantizeActivationsPass
    : Pass<"umber-quantize-activations", "::mlir::ModuleOp"> {
  let summary = "round the inputs of products with encoded weights to 8 bits";
  let description = [{
    Quantizes the input of every product whose weight has an encoding, once where
    several products share it, with a scale per token and per `group` features: the
    largest multiple of 4 up to `group`, and at least half of it, that divides a
    row; a row without one has a single scale. Products with plain weights keep
    their inputs, unless `plain` asks for theirs too.

    Before:
    ```mlir
    umber.param @q : tensor<576x576xf16, #umber.palette<bits = 4, rows = 16>>
    %q = umber.linear %h, @q : tensor<?x576xf32> -> tensor<?x576xf32>
    ```
    After:
    ```mlir
    umber.param @q : tensor<576x576xf16, #umber.palette<bits = 4, rows = 16>>
    %0 = umber.quantize %h : tensor<?x576xf32> -> tensor<?x576xf32, #umber.quantized<bits = 8, group = 64>>
    %q = umber.linear %0, @q : tensor<?x576xf32, #umber.quantized<bits = 8, group = 64>> -> tensor<?x576xf32>
    ```
  }];
  let options = [Option<"bits", "bits", "int64_t", "8", "bits per activation: 8">,
                 Option<"group", "group", "int64_t", "64",
                        "features that share a scale, at most; 0: all">,
                 Option<"plain", "plain", "bool", "false",
                        "also the inputs of products with plain weights">];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def QuantizeKVCachePass : Pass<"umber-quantize-kv-cache", "::mlir::ModuleOp"> {
  let summary = "choose the element type of the key/value cache";
  let description = [{
    Gives every cache type the element type f32 for `bits=32`, f16 for
    `bits=16`, i8 for `bits=8` and i4 for `bits=4`. Integers have a scale per
    token and head, so a head of `d` elements takes `bits * d / 8 + 2` bytes,
    rounded up.

    Before, with `bits=16`: `!umber.kv_cache<30x3x64xf32>`; after:
    `!umber.kv_cache<30x3x64xf16>`.

    With `keep-chosen`, a cache of another type than f32, which importers give
    it, stays as it is.
  }];
  let options = [Option<"bits", "bits", "int64_t", "16",
                        "bits per cached element: 4, 8, 16 or 32">,
                 Option<"keepChosen", "keep-chosen", "bool", "false",
                        "leave caches of any type but f32">];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

#endif // UMBER_COMPRESSION_PASSES
