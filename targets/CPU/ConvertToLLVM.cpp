// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops and vectors to the LLVM dialect, and the library's own parts: an entry
// point per kernel, which unpacks the runtime's arguments, and the table of
// kernels that umber_library_query returns (see umber_abi.h).

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"
#include "runtime/include/umber/umber_abi.h"
#include "targets/CPU/CPUTarget.h"

using namespace mlir;

namespace umber::cpu {

namespace {

/// exp and tanh as polynomials: there is no math library to call.
struct ApproximateMath : PassWrapper<ApproximateMath, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApproximateMath)
  StringRef getArgument() const override {
    return "umber-cpu-approximate-math";
  }
  StringRef getDescription() const override {
    return "replace exp and tanh by polynomials";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<vector::VectorDialect>();
  }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    auto isWanted = [](StringRef name) {
      return name == "math.exp" || name == "math.tanh";
    };
    populateMathPolynomialApproximationPatterns(patterns, isWanted);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation().emitError("could not approximate exp and tanh");
      signalPassFailure();
    }
  }
};

class LibraryBuilder {
public:
  LibraryBuilder(ModuleOp module)
      : module(module), loc(module.getLoc()),
        b(OpBuilder::atBlockEnd(module.getBody())),
        ptr(LLVM::LLVMPointerType::get(module.getContext())) {}

  void addEntryPoint(StringRef name);
  void addTable(ArrayRef<PlannedKernel> kernels);

private:
  Value loadPointer(Value base, int64_t index) {
    Value address = LLVM::GEPOp::create(b, loc, ptr, ptr, base,
                                        ArrayRef<LLVM::GEPArg>(int32_t(index)),
                                        LLVM::GEPNoWrapFlags::inbounds);
    return LLVM::LoadOp::create(b, loc, ptr, address);
  }

  LLVM::GlobalOp addString(StringRef name, StringRef text) {
    std::string value = text.str();
    value.push_back('\0');
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), value.size());
    return LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true,
                                  LLVM::Linkage::Private, name,
                                  b.getStringAttr(value));
  }

  /// A constant array of pointers to symbols.
  LLVM::GlobalOp addPointers(StringRef name, ArrayRef<std::string> symbols) {
    auto type = LLVM::LLVMArrayType::get(ptr, symbols.size());
    auto global =
        LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true,
                               LLVM::Linkage::Private, name, Attribute());
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&global.getInitializerRegion());
    Value array = LLVM::UndefOp::create(b, loc, type);
    for (auto [index, symbol] : llvm::enumerate(symbols)) {
      Value address = LLVM::AddressOfOp::create(b, loc, ptr, symbol);
      array = LLVM::InsertValueOp::create(b, loc, array, address,
                                          ArrayRef<int64_t>(index));
    }
    LLVM::ReturnOp::create(b, loc, array);
    return global;
  }

  ModuleOp module;
  Location loc;
  OpBuilder b;
  LLVM::LLVMPointerType ptr;
};

std::string getEntryName(StringRef kernel) { return (kernel + "_entry").str(); }

/// void NAME_entry(const umber_kernel_args *args)
void LibraryBuilder::addEntryPoint(StringRef name) {
  auto kernel = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  kernel.setLinkage(LLVM::Linkage::Internal);
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(module.getContext()), {ptr});
  auto entry = LLVM::LLVMFuncOp::create(b, loc, getEntryName(name), type,
                                        LLVM::Linkage::Internal);
  OpBuilder::InsertionGuard guard(b);
  Block *block = entry.addEntryBlock(b);
  b.setInsertionPointToStart(block);
  Value args = block->getArgument(0);
  Value bindings = loadPointer(args, 0);
  constexpr int64_t kScratch = offsetof(umber_kernel_args, scratch) / 8;
  SmallVector<Value> operands = {args, loadPointer(args, kScratch)};
  unsigned count = kernel.getFunctionType().getNumParams() - operands.size();
  for (unsigned i = 0; i < count; ++i) {
    operands.push_back(loadPointer(bindings, i));
  }
  LLVM::CallOp::create(b, loc, kernel, operands);
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

/// The umber_library and the function that returns it.
void LibraryBuilder::addTable(ArrayRef<PlannedKernel> kernels) {
  std::vector<std::string> names, entries;
  for (auto [index, kernel] : llvm::enumerate(kernels)) {
    std::string symbol = "kernel_name_" + std::to_string(index);
    addString(symbol, kernel.name);
    names.push_back(symbol);
    entries.push_back(getEntryName(kernel.name));
  }
  addPointers("kernel_names", names);
  addPointers("kernel_entries", entries);
  // The name of the instruction set is filled in when the module is translated.
  auto i32 = b.getI32Type();
  auto type = LLVM::LLVMStructType::getLiteral(module.getContext(),
                                               {i32, i32, ptr, ptr, ptr});
  auto table = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true,
                                      LLVM::Linkage::Internal, "umber_library",
                                      Attribute());
  LLVM::GlobalOp isa =
      LLVM::GlobalOp::create(b, loc, ptr, /*isConstant=*/true,
                             LLVM::Linkage::External, "umber_isa", Attribute());
  (void)isa;
  {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&table.getInitializerRegion());
    Value value = LLVM::UndefOp::create(b, loc, type);
    auto set = [&](int64_t at, Value field) {
      value = LLVM::InsertValueOp::create(b, loc, value, field,
                                          ArrayRef<int64_t>(at));
    };
    set(0, LLVM::ConstantOp::create(b, loc, i32,
                                    b.getI32IntegerAttr(UMBER_ABI_VERSION)));
    set(1, LLVM::ConstantOp::create(b, loc, i32,
                                    b.getI32IntegerAttr(kernels.size())));
    set(2, LLVM::AddressOfOp::create(b, loc, ptr, "umber_isa"));
    set(3, LLVM::AddressOfOp::create(b, loc, ptr, "kernel_names"));
    set(4, LLVM::AddressOfOp::create(b, loc, ptr, "kernel_entries"));
    LLVM::ReturnOp::create(b, loc, value);
  }

  auto queryType = LLVM::LLVMFunctionType::get(ptr, {i32});
  auto query = LLVM::LLVMFuncOp::create(b, loc, UMBER_ABI_QUERY_SYMBOL,
                                        queryType, LLVM::Linkage::External);
  OpBuilder::InsertionGuard guard(b);
  Block *block = query.addEntryBlock(b);
  b.setInsertionPointToStart(block);
  Value version = LLVM::ConstantOp::create(
      b, loc, i32, b.getI32IntegerAttr(UMBER_ABI_VERSION));
  Value fits = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq,
                                    block->getArgument(0), version);
  Value address = LLVM::AddressOfOp::create(b, loc, ptr, "umber_library");
  Value null = LLVM::ZeroOp::create(b, loc, ptr);
  Value answer = LLVM::SelectOp::create(b, loc, fits, address, null);
  LLVM::ReturnOp::create(b, loc, answer);
}

} // namespace

LogicalResult convertToLLVM(ModuleOp code, ArrayRef<PlannedKernel> kernels) {
  PassManager pm(code.getContext());
  pm.addPass(std::make_unique<ApproximateMath>());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  ConvertFuncToLLVMPassOptions funcOptions;
  funcOptions.useBarePtrCallConv = true;
  pm.addPass(createConvertFuncToLLVMPass(funcOptions));
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  if (failed(pm.run(code))) {
    return failure();
  }
  LibraryBuilder library(code);
  for (const PlannedKernel &kernel : kernels) {
    library.addEntryPoint(kernel.name);
  }
  library.addTable(kernels);
  return success();
}

} // namespace umber::cpu
