// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Recipe.h"
#include "dialects/Register/RegisterDialects.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"
#include <cstdio>
#include <fstream>

using namespace umber;

namespace {

constexpr llvm::StringLiteral kModel = R"mlir(
module attributes {umber.model = #umber.model<arch = "llama", layers = 1, context_length = 8, vocab = 5>} {
  umber.param @embed : tensor<5x4xf16>
  umber.param @q : tensor<4x4xf16, #umber.palette<bits = 3, rows = 16>> {recover = #umber.low_rank<@q.a, @q.b>}
  umber.param @q.a : tensor<2x4xf16>
  umber.param @q.b : tensor<2x4xf16>
  umber.param @k : tensor<4x4xf16, #umber.quantized<bits = 8>>
  umber.param @norm : tensor<4xf32>
  func.func @step(%x: tensor<?x4xf32>, %ids: tensor<?xi32>) -> tensor<?x5xf32> {
    %e = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x4xf32>
    %a = umber.linear %x, @q : tensor<?x4xf32> -> tensor<?x4xf32>
    %b = umber.linear %a, @k : tensor<?x4xf32> -> tensor<?x4xf32>
    %c = umber.linear %b, @embed : tensor<?x4xf32> -> tensor<?x5xf32>
    return %c : tensor<?x5xf32>
  }
}
)mlir";

class RecipeTest : public ::testing::Test {
protected:
  RecipeTest() : path(::testing::TempDir() + "recipe.json") {
    mlir::DialectRegistry registry;
    umber::registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = mlir::parseSourceString<mlir::ModuleOp>(kModel, &context);
  }
  ~RecipeTest() override { std::remove(path.c_str()); }

  llvm::Expected<Recipe> read(llvm::StringRef text) {
    std::ofstream(path) << text.str();
    return Recipe::read(path);
  }

  /// What is said of a recipe's text, without the path.
  std::string errorOf(llvm::StringRef text) {
    auto recipe = read(text);
    if (recipe) {
      return "";
    }
    std::string message = llvm::toString(recipe.takeError());
    EXPECT_EQ(message.find(path + ": "), 0u) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message.substr(path.size() + 2);
  }

  /// What checkNames() says of these widths.
  std::string checkNames(llvm::StringRef widths) {
    auto recipe =
        read(("{\"umber-recipe\": 1, \"bits\": {" + widths + "}}").str());
    if (!recipe) {
      return llvm::toString(recipe.takeError());
    }
    std::string message;
    mlir::ScopedDiagnosticHandler handler(&context,
                                          [&](mlir::Diagnostic &diagnostic) {
                                            message = diagnostic.str();
                                            return mlir::success();
                                          });
    mlir::LogicalResult result =
        recipe->checkNames(*module, ModelBody(*module));
    EXPECT_EQ(failed(result), !message.empty());
    return message;
  }

  std::string path;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST_F(RecipeTest, ReadsWhatItDescribes) {
  std::string text = llvm::formatv("{0:2}", Recipe::describe(*module));
  auto recipe = read(text);
  ASSERT_TRUE(bool(recipe)) << llvm::toString(recipe.takeError());
  EXPECT_EQ(recipe->bits.size(), 3u);
  EXPECT_EQ(recipe->bits.lookup("q"), 3);
  EXPECT_EQ(recipe->bits.lookup("k"), 8);
  EXPECT_EQ(recipe->bits.lookup("embed"), 16);
  EXPECT_EQ(recipe->ranks.size(), 1u);
  EXPECT_EQ(recipe->ranks.lookup("q"), 2);
}

TEST_F(RecipeTest, SaysWhatIsWrong) {
  EXPECT_EQ(errorOf("[]"),
            "expected a recipe, an object with \"umber-recipe\": 1");
  EXPECT_EQ(errorOf("{\"umber-recipe\": 2, \"bits\": {}}"),
            "expected a recipe, an object with \"umber-recipe\": 1");
  EXPECT_EQ(errorOf("{\"umber-recipe\": 1, \"bits\": []}"),
            "expected an object \"bits\" with a width for each matrix");
  EXPECT_EQ(errorOf("{\"umber-recipe\": 1, \"bits\": {\"q\": 5}}"),
            "\"q\": expected 1, 2, 3, 4, 6, 8 or 16 bits, found 5");
  EXPECT_EQ(errorOf("{\"umber-recipe\": 1, \"bits\": {\"q\": \"4\"}}"),
            "\"q\": expected 1, 2, 3, 4, 6, 8 or 16 bits, found no integer");
  EXPECT_EQ(errorOf("{\"umber-recipe\": 1, \"bits\": {\"q\": 3.5}}"),
            "\"q\": expected 1, 2, 3, 4, 6, 8 or 16 bits, found no integer");
  EXPECT_EQ(errorOf("{\"umber-recipe\": 1, \"bits\": {}, \"recover\": 16}"),
            "expected \"recover\" to be an object with ranks");
  EXPECT_EQ(
      errorOf("{\"umber-recipe\": 1, \"bits\": {}, \"recover\": {\"q\": 0}}"),
      "\"q\": expected a rank of 1 to 4096, found 0");
  EXPECT_NE(errorOf("{\"umber-recipe\": 1,\n\"bits\": {\"q\" 4}}").find("2:"),
            std::string::npos);
  EXPECT_NE(errorOf(""), "");
  std::remove(path.c_str());
  auto missing = Recipe::read(path);
  ASSERT_FALSE(bool(missing));
  EXPECT_EQ(llvm::toString(missing.takeError()),
            path + ": No such file or directory");
}

TEST_F(RecipeTest, NamesEveryMatrixAndNoOther) {
  EXPECT_EQ(checkNames("\"q\": 4, \"k\": 2, \"embed\": 8"), "");
  EXPECT_EQ(checkNames("\"q\": 4, \"embed\": 8"),
            "'umber.param' op expected the recipe to name it, found no width");
  EXPECT_EQ(checkNames("\"q\": 4, \"k\": 2"),
            "'umber.param' op expected the recipe to name it, found no width");
  EXPECT_EQ(
      checkNames("\"q\": 4, \"k\": 2, \"embed\": 8, \"norm\": 8, \"z\": 2"),
      "expected the recipe to name matrices of the model, found 'norm'");
  EXPECT_EQ(
      checkNames("\"q\": 4, \"k\": 2, \"embed\": 8}, \"recover\": {\"q\": "
                 "16, \"k\": 1"),
      "");
  EXPECT_EQ(checkNames("\"q\": 4, \"k\": 2, \"embed\": 8}, \"recover\": "
                       "{\"norm\": 16"),
            "expected the recipe to name matrices of the model, found 'norm'");
}

} // namespace
