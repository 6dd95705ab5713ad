// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_NPU_ATTRS
#define UMBER_NPU_ATTRS

include "dialects/NPU/IR/NPUDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class NPU_Attr<string name, string attrMnemonic>
    : AttrDef<NPU_Dialect, name> {
  let mnemonic = attrMnemonic;
  let hasCustomAssemblyFormat = 1;
}

/// Names and values are those of Fields.h and Instruction.h.
class NPU_Enum<string name, string enumSummary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, enumSummary, cases> {
  let cppNamespace = "::mlir::npu";
  let genSpecializedAttr = 0;
}

class NPU_EnumAttr<EnumInfo info, string attrMnemonic>
    : EnumAttr<NPU_Dialect, info, attrMnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def NPU_Queue : NPU_Enum<"Queue", "what runs instructions in order", [
  I32EnumAttrCase<"System", 0, "system">,
  I32EnumAttrCase<"Load0", 1, "load0">,
  I32EnumAttrCase<"Load1", 2, "load1">,
  I32EnumAttrCase<"Store", 3, "store">,
  I32EnumAttrCase<"Weights", 4, "weights">,
  I32EnumAttrCase<"Matrix", 5, "matrix">,
  I32EnumAttrCase<"Vector", 6, "vector">,
  I32EnumAttrCase<"Cache", 7, "cache">]>;
def NPU_QueueAttr : NPU_EnumAttr<NPU_Queue, "queue">;
def NPU_QueuesAttr : TypedArrayAttrBase<NPU_QueueAttr, "queues">;

def NPU_DataType : NPU_Enum<"DataType", "an element's type", [
  I32EnumAttrCase<"I8", 0, "i8">, I32EnumAttrCase<"I32", 1, "i32">,
  I32EnumAttrCase<"F16", 2, "f16">, I32EnumAttrCase<"F32", 3, "f32">]>;
def NPU_DataTypeAttr : NPU_EnumAttr<NPU_DataType, "type">;

def NPU_MemoryRegion : NPU_Enum<"MemoryRegion", "a part of DRAM", [
  I32EnumAttrCase<"Code", 0, "code">,
  I32EnumAttrCase<"Weights", 1, "weights">,
  I32EnumAttrCase<"Adapters", 2, "adapters">,
  I32EnumAttrCase<"Tables", 3, "tables">,
  I32EnumAttrCase<"Cache", 4, "cache">,
  I32EnumAttrCase<"Activations", 5, "activations">,
  I32EnumAttrCase<"Io", 6, "io">]>;

def NPU_ElementFunction : NPU_Enum<"ElementFunction", "what is done to elements", [
  I32EnumAttrCase<"Copy", 0, "copy">, I32EnumAttrCase<"Add", 1, "add">,
  I32EnumAttrCase<"Subtract", 2, "sub">, I32EnumAttrCase<"Multiply", 3, "mul">,
  I32EnumAttrCase<"Divide", 4, "div">, I32EnumAttrCase<"Maximum", 5, "max">,
  I32EnumAttrCase<"Silu", 6, "silu">, I32EnumAttrCase<"GeluTanh", 7, "gelu">]>;
def NPU_ElementFunctionAttr : NPU_EnumAttr<NPU_ElementFunction, "elementwise">;

def NPU_Spread : NPU_Enum<"Spread", "how B spreads over A's rows and columns", [
  I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Full", 1, "full">,
  I32EnumAttrCase<"Row", 2, "row">, I32EnumAttrCase<"Column", 3, "column">,
  I32EnumAttrCase<"Immediate", 4, "immediate">]>;
def NPU_SpreadAttr : NPU_EnumAttr<NPU_Spread, "spread">;

def NPU_Reduction : NPU_Enum<"Reduction", "what rows are reduced to", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Maximum", 1, "max">,
  I32EnumAttrCase<"ArgMax", 2, "argmax">]>;
def NPU_ReductionAttr : NPU_EnumAttr<NPU_Reduction, "reduction">;

def NPU_ScratchpadAttr : NPU_Attr<"Scratchpad", "scratchpad"> {
  let summary = "an address in the scratchpad";
  let description = [{
    Bytes from the scratchpad's start, plus a register's value (register 0 is
    always 0); both are multiples of 16.

    Example: `#npu.scratchpad<[0x400 + r3]>`; in ops `[0x400 + r3]`.
  }];
  let parameters = (ins "uint32_t":$offset, "uint8_t":$base);
}

def NPU_DramAttr : NPU_Attr<"Dram", "dram"> {
  let summary = "an address in a region of DRAM";
  let description = [{
    Bytes from the region's start, below 2^40, plus a register's value.

    Example: `#npu.dram<cache[0x400 + r3]>`; in ops `cache[0x400 + r3]`.
  }];
  let parameters = (ins "::mlir::npu::MemoryRegion":$region,
                        "uint64_t":$offset, "uint8_t":$base);
}

def NPU_TileAttr : NPU_Attr<"Tile", "tile"> {
  let summary = "a matrix in the scratchpad";
  let description = [{
    The type of its elements, the address of the first one, and the bytes from
    one row to the next, a multiple of 16.

    Example: `#npu.tile<f32[0x400 + r3, 6144]>`; in ops `f32[0x400 + r3, 6144]`.
  }];
  let parameters = (ins "::mlir::npu::DataType":$type, "uint32_t":$offset,
                        "uint8_t":$base, "uint32_t":$stride);
}

def NPU_SemaphoreAttr : NPU_Attr<"Semaphore", "semaphore"> {
  let summary = "how much is taken from, or added to, a semaphore";
  let description = [{
    The semaphore's number, below 32, and a count of at most 63.

    Example: `#npu.semaphore<3, 1>`; in ops `wait(3, 1)` or `signal(3, 1)`.
  }];
  let parameters = (ins "uint8_t":$semaphore, "uint8_t":$count);
}
def NPU_SemaphoresAttr : ConfinedAttr<
    TypedArrayAttrBase<NPU_SemaphoreAttr, "semaphores">, [ArrayMaxCount<2>]>;

def NPU_IncrementAttr : NPU_Attr<"Increment", "increment"> {
  let summary = "what a loop adds to a register after each time";
  let description = [{
    Example: `#npu.increment<r5 += 4096>`; in ops `r5 += 4096`.
  }];
  let parameters = (ins "uint8_t":$to, "int64_t":$by);
}
def NPU_IncrementsAttr : ConfinedAttr<
    TypedArrayAttrBase<NPU_IncrementAttr, "increments">, [ArrayMaxCount<4>]>;

def NPU_NumberAttr
    : TypedSignlessIntegerAttrBase<I64, "int64_t", "a number">;
/// In ops `r5`.
def NPU_RegisterAttr
    : TypedSignlessIntegerAttrBase<I64, "int64_t", "a register's number">;

/// Fields that have a default, which Instruction.h says.
defvar NPU_Number = OptionalAttr<NPU_NumberAttr>;
defvar NPU_Register = OptionalAttr<NPU_RegisterAttr>;
defvar NPU_Flag = UnitAttr;
defvar NPU_Real = OptionalAttr<F32Attr>;

#endif // UMBER_NPU_ATTRS
