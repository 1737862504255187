// Which products a convolution can stand for, and whose rows go on as an image.
#include "prepare/steady_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/model_bytes.h"
#include "prepare/graph_constants.h"
#include "prepare/signed_product.h"
#include "support/strict_bytes.h"

namespace trims {
namespace {

using test::OnnxTensorProto;
using test::Proto;
using test::Raw;
using test::StrictBytes;

constexpr int kFloatElements = 1, kByteElements = 2;
constexpr SteadyOptions kBlocked{.min_bytes = 16, .blocked_convolutions = true};

// Constants: w, 4 × 4 and v, 4 × 2 of floats, q, 4 × 4 of bytes.
class SteadyRowsTest : public ::testing::Test {
 protected:
  static Proto Matrix(const std::string& name, uint64_t rows, uint64_t columns) {
    return OnnxTensorProto(name, kFloatElements, {rows, columns})
        .Bytes(9, Raw(std::vector<float>(rows * columns, 1)));
  }

  SteadyRowsTest() {
    const Proto graph =
        Proto()
            .Add(5, Matrix("w", 4, 4))
            .Add(5, Matrix("v", 4, 2))
            .Add(5, Matrix("none", 4, 0))
            .Add(5, OnnxTensorProto("q", kByteElements, {4, 4}).Bytes(9, std::string(16, '\x05')));
    bytes_.emplace(Proto().Int(1, 8).Add(7, graph).Add(8, Proto().Int(2, 17)).str());
    Result<GraphConstants> constants = GraphConstants::Of(*bytes_);
    EXPECT_TRUE(constants.ok()) << constants.status().ToString();
    constants_.emplace(*std::move(constants));
    rows_.emplace(*constants_, kBlocked);
  }

  static OnnxNode Node(const std::string& op, std::vector<std::string> inputs,
                       const std::string& output) {
    return {.op = op, .inputs = std::move(inputs), .outputs = {output}};
  }

  OnnxNode Add(OnnxNode node) {
    rows_->Add(node);
    return node;
  }

  std::optional<StrictBytes> bytes_;
  std::optional<GraphConstants> constants_;
  std::optional<SteadyRows> rows_;
};

TEST_F(SteadyRowsTest, ASumOfRowsOfOneShapeIsOneOfImages) {
  Add(Node("MatMul", {"x", "w"}, "a"));
  const OnnxNode sum = Add(Node("Add", {"a", "x"}, "s"));
  EXPECT_TRUE(rows_->IsSum(sum));
  EXPECT_TRUE(rows_->IsSummed("x"));
  EXPECT_EQ(rows_->WidthOf("s"), 4u);
  EXPECT_FALSE(rows_->IsWanted("a"));
  Add(Node("Relu", {"s"}, "y"));
  EXPECT_TRUE(rows_->IsWanted("s"));
}

TEST_F(SteadyRowsTest, RowsOfAnotherShapeAreAddedAsTheyAre) {
  Add(Node("MatMul", {"x", "w"}, "a"));
  Add(Node("MatMul", {"x", "v"}, "narrow"));
  Add(Node("MatMul", {"z", "w"}, "other"));
  EXPECT_FALSE(rows_->IsSum(Add(Node("Add", {"a", "narrow"}, "s"))));
  EXPECT_FALSE(rows_->IsSum(Add(Node("Add", {"a", "other"}, "t"))));
  EXPECT_FALSE(rows_->IsSum(Add(Node("Add", {"a", "unknown"}, "u"))));
  EXPECT_TRUE(rows_->IsWanted("a"));
}

TEST_F(SteadyRowsTest, AGemmTakesAResidualOfItsOwnShapeOnly) {
  EXPECT_TRUE(rows_->ProductOf(Add(Node("Gemm", {"x", "w", "x"}, "a"))));
  EXPECT_FALSE(rows_->ProductOf(Add(Node("Gemm", {"x", "v", "x"}, "b"))));
  EXPECT_FALSE(rows_->ProductOf(Add(Node("Gemm", {"x", "w", "z"}, "c"))));
  OnnxNode scaled = Node("Gemm", {"x", "w", "x"}, "d");
  scaled.floats["beta"] = 2;
  EXPECT_FALSE(rows_->ProductOf(Add(scaled)));
}

TEST_F(SteadyRowsTest, ANestedGraphMayTakeAnything) {
  Add(Node("MatMul", {"x", "w"}, "a"));
  EXPECT_FALSE(rows_->IsWanted("a"));
  OnnxNode branch = Node("If", {"c"}, "y");
  branch.holds_graphs = true;
  Add(branch);
  EXPECT_TRUE(rows_->IsWanted("a"));
}

TEST_F(SteadyRowsTest, OnlyWeightsThatBearItAreScaled) {
  const ProductReader reader(*constants_, kBlocked);
  OnnxNode node = Node("Gemm", {"x", "w"}, "y");
  for (const float alpha : {1.0f, -0.125f, 65536.0f}) {
    node.floats["alpha"] = alpha;
    EXPECT_TRUE(reader.Read(node)) << alpha;
  }
  for (const float alpha : {0.0f, 1e-6f, 70000.0f, HUGE_VALF, NAN}) {
    node.floats["alpha"] = alpha;
    EXPECT_FALSE(reader.Read(node)) << alpha;
  }
}

TEST_F(SteadyRowsTest, WeightsWithoutElementsAreNone) {
  EXPECT_EQ(constants_->FindMatrix("none", kFloatElements, 0), nullptr);
  EXPECT_NE(constants_->FindMatrix("w", kFloatElements, 64), nullptr);
  EXPECT_EQ(constants_->FindMatrix("w", kFloatElements, 65), nullptr);
  EXPECT_EQ(constants_->FindMatrix("w", kByteElements, 0), nullptr);
}

TEST_F(SteadyRowsTest, AProductBecomesSignedWithAZeroOfItsOwn) {
  OnnxNode node = Node("DynamicQuantizeMatMul", {"x", "q", "scale"}, "y");
  EXPECT_FALSE(IsUnsignedProduct(node, *constants_, 16));
  node.domain = "com.microsoft";
  ASSERT_TRUE(IsUnsignedProduct(node, *constants_, 16));
  const Result<OnnxNode> made = SignedProduct(node, &*constants_);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_EQ(made->inputs.size(), 4u);
  EXPECT_NE(constants_->added().find(std::string(16, '\x85')), std::string::npos);
}

}  // namespace
}  // namespace trims
