// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options that several passes have.

#ifndef UMBER_COMPRESSION_OPTIONS
#define UMBER_COMPRESSION_OPTIONS

include "mlir/Pass/PassBase.td"

def BitsOption : Option<"bits", "bits", "double", "3.5",
    "bits per weight of the body, all bytes counted">;

def ChoicesOption : ListOption<"choices", "choices", "int64_t",
    "widths to choose from; by default those that suit the budget">;

def DerivedOption : Option<"derived", "derived", "std::string", "",
    "folder for derived parameters, where the module names none">;

def StatisticsOption : Option<"statistics", "statistics", "std::string", "",
    "folder of what umber-calibrate has collected; without, all inputs and "
    "outputs count alike">;

def RefineRoundsOption : Option<"refineRounds", "refine-rounds", "int64_t", "4",
    "rounds of refinement of tables and indices: fewer are faster, and worse">;

def InputDampingOption : Option<"inputDamping", "input-damping", "double",
    "0.01", "how much is added to the diagonal of inputs' second moment, over "
    "its mean: more where they are from few tokens">;
def OutputDampingOption : Option<"outputDamping", "output-damping", "double",
    "1.5", "how much is added to the diagonal of the second moment of the "
    "derivatives by a matrix's outputs, over its mean; a very large number "
    "leaves rows uncoupled">;

def RecipeOption : Option<"recipe", "recipe", "std::string", "",
    "JSON file with a width for every matrix, instead of choosing">;

#endif // UMBER_COMPRESSION_OPTIONS
