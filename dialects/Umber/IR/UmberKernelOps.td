// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The unit of fusion.

#ifndef UMBER_KERNEL_OPS
#define UMBER_KERNEL_OPS

include "dialects/Umber/IR/UmberOpBase.td"

def Umber_KernelOp : Umber_Op<"kernel", [
    IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "ops that run as one";
  let description = [{
    A region of ops that a target runs as one unit: one parallel region on a CPU,
    one dispatch on a GPU, one cascade on a neural engine, and one row of every
    latency and energy report. Only the arguments come in, besides parameters,
    which are named. A cache argument is consumed if the kernel updates it, in
    which case the updated cache must be a result.

    Example:
    ```mlir
    %0 = umber.kernel @l0.norm (%a = %x : tensor<?x576xf32>) -> tensor<?x576xf32> {
      %1 = umber.rms_norm %a, @l0.attn_norm {eps = 1.0e-05 : f32} : tensor<?x576xf32>
      umber.yield %1 : tensor<?x576xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Variadic<AnyType>:$inputs);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Umber_YieldOp : Umber_Op<"yield", [
    Pure, ReturnLike, Terminator, HasParent<"KernelOp">]> {
  let summary = "a kernel's results";
  let description = [{
    Ends a kernel; its operands are the kernel's results.

    Example: `umber.yield %1 : tensor<?x576xf32>`.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let builders = [OpBuilder<(ins), [{ }]>];
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // UMBER_KERNEL_OPS
