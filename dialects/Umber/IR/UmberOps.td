// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every op of the dialect, family by family.

#ifndef UMBER_OPS
#define UMBER_OPS

include "dialects/Umber/IR/UmberModelOps.td"
include "dialects/Umber/IR/UmberLinearOps.td"
include "dialects/Umber/IR/UmberLayerOps.td"
include "dialects/Umber/IR/UmberAttentionOps.td"
include "dialects/Umber/IR/UmberQuantOps.td"
include "dialects/Umber/IR/UmberKernelOps.td"

#endif // UMBER_OPS
