// What the preparer reads out of a graph and writes into it, on messages made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/model_bytes.h"
#include "format/onnx.h"
#include "prepare/ort_facts.h"
#include "prepare/ort_graph_rewrite.h"
#include "support/strict_bytes.h"

namespace trims {
namespace {

using test::ExternalData;
using test::OnnxTensorProto;
using test::Proto;
using test::StrictBytes;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kFloatType = 1, kInt4Type = 22;

Proto NodeWith(const std::vector<std::string>& inputs, const std::string& output) {
  Proto node;
  for (const std::string& input : inputs) node.Bytes(1, input);
  return node.Bytes(2, output).Bytes(4, "Op");
}

Proto Large(const std::string& name, int type = kFloatType) {
  const uint64_t rows = type == kInt4Type ? 16 : 2;  // 16 bytes of either
  return ExternalData(OnnxTensorProto(name, type, {rows, 2}), "null", "0", "16");
}

// A node of the main graph with `graph` as an attribute.
Proto Holding(const Proto& graph) {
  return NodeWith({"x"}, "y").Add(5, Proto().Bytes(1, "body").Add(6, graph));
}

std::string ModelOf(const Proto& graph) { return Proto().Int(1, 8).Add(7, graph).str(); }

Result<std::string> Rewrite(const std::string& model, const std::string& weights) {
  return RewriteGraph(StrictBytes(model), StrictBytes(weights));
}

const std::string kWeights = "0123456789abcdef";

TEST(RewriteGraph, ANestedWeightMovesAndItsUsersFollow) {
  const Proto nested = Proto().Add(1, NodeWith({"w", "v"}, "o")).Add(5, Large("w"));
  const Result<std::string> model =
      Rewrite(ModelOf(Proto().Add(1, Holding(nested)).Add(5, Large("w"))), kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  const Result<OnnxModel> read = ReadOnnx(StrictBytes(*model));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_FALSE(read->nested_external);
  ASSERT_EQ(read->initializers.size(), 2u);
  EXPECT_EQ(read->initializers[0].entry.name, "w");  // the main graph's own stays what it is
  EXPECT_EQ(read->initializers[1].entry.name, "trims.nested.0");
  EXPECT_THAT(*model, HasSubstr(NodeWith({"trims.nested.0", "v"}, "o").str()));
}

TEST(RewriteGraph, AnInnerGraphSeesTheMovedNameUnlessItHasItsOwn) {
  const Proto sees = Proto().Add(1, NodeWith({"w"}, "p"));
  const Proto has = Proto().Add(1, NodeWith({"a"}, "w")).Add(1, NodeWith({"w"}, "q"));
  const Proto nested = Proto().Add(1, Holding(sees)).Add(1, Holding(has)).Add(5, Large("w"));
  const Result<std::string> model = Rewrite(ModelOf(Proto().Add(1, Holding(nested))), kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_THAT(*model, HasSubstr(NodeWith({"trims.nested.0"}, "p").str()));
  EXPECT_THAT(*model, HasSubstr(NodeWith({"w"}, "q").str()));
}

TEST(RewriteGraph, ANewNameIsNobodyElses) {
  const Proto nested = Proto().Add(1, NodeWith({"w", "trims.nested.0"}, "o")).Add(5, Large("w"));
  const Result<std::string> model = Rewrite(ModelOf(Proto().Add(1, Holding(nested))), kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_THAT(*model, HasSubstr(NodeWith({"trims.nested..0", "trims.nested.0"}, "o").str()));
}

TEST(RewriteGraph, AWeightOfAnotherTypeGetsItsBytesIntoTheGraph) {
  const Result<std::string> model =
      Rewrite(ModelOf(Proto().Add(5, Large("q", kInt4Type))), kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_THAT(*model, HasSubstr(Proto().Bytes(9, kWeights).str()));
  EXPECT_THAT(*model, Not(HasSubstr("null")));
}

TEST(RewriteGraph, WhatCantBe) {
  const Proto shared = Proto().Add(5, Large("w")).Add(12, Proto().Bytes(1, "w"));  // its own output
  EXPECT_EQ(Rewrite(ModelOf(Proto().Add(1, Holding(shared))), kWeights).status().code(),
            StatusCode::kUnimplemented);
  EXPECT_EQ(Rewrite(ModelOf(Proto().Add(5, Large("q", kInt4Type))), "short").status().code(),
            StatusCode::kDataLoss);
  Proto deep = Proto().Add(5, Large("w"));
  for (int i = 0; i < 40; ++i) deep = Proto().Add(1, Holding(deep));
  EXPECT_EQ(Rewrite(ModelOf(deep), kWeights).status().code(), StatusCode::kInvalidArgument);
}

TEST(RewriteGraph, GroupsAreLeftBehind) {
  const Proto nested = Proto().Add(1, NodeWith({"w"}, "o")).Add(5, Large("w"));
  const std::string group = Proto().Varint(250 << 3 | 3).Int(1, 1).Varint(250 << 3 | 4).str();
  const Result<std::string> model =
      Rewrite(ModelOf(Proto().Add(1, Holding(nested))) + group, kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_TRUE(ReadOnnx(StrictBytes(*model)).ok());
}

TEST(RewriteGraph, NoCutMessageIsTakenForWhole) {
  const Proto nested = Proto().Add(1, NodeWith({"w"}, "o")).Add(5, Large("w"));
  const std::string model = ModelOf(Proto().Add(1, Holding(nested)).Add(5, Large("q", kInt4Type)));
  for (size_t length = 3; length < model.size(); ++length) {
    EXPECT_FALSE(Rewrite(model.substr(0, length), kWeights).ok()) << length;
  }
}

TEST(RewriteGraph, ANestedWeightOfAnotherTypeGetsItsBytesWhereItIs) {
  const Proto nested =
      Proto().Add(1, NodeWith({"q"}, "o")).Add(5, Large("q", kInt4Type)).Add(5, Large("w"));
  const Result<std::string> model = Rewrite(ModelOf(Proto().Add(1, Holding(nested))), kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_THAT(*model, HasSubstr(kWeights));
  const Result<OnnxModel> read = ReadOnnx(StrictBytes(*model));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_FALSE(read->nested_external);
  ASSERT_EQ(read->initializers.size(), 1u);
  EXPECT_EQ(read->initializers[0].entry.name, "trims.nested.0");
}

TEST(RewriteGraph, AnAttributeMayHoldSeveralGraphs) {
  const Proto nested = Proto().Add(1, NodeWith({"w"}, "o")).Add(5, Large("w"));
  const Proto node =
      NodeWith({"x"}, "y").Add(5, Proto().Bytes(1, "bodies").Add(11, nested).Add(11, nested));
  const Result<std::string> model = Rewrite(ModelOf(Proto().Add(1, node)), kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(ReadOnnx(StrictBytes(*model))->initializers.size(), 2u);
  EXPECT_THAT(*model, HasSubstr(NodeWith({"trims.nested.0"}, "o").str()));
  EXPECT_THAT(*model, HasSubstr(NodeWith({"trims.nested.1"}, "o").str()));
}

TEST(RewriteGraph, AnInputOfAnInnerGraphIsNotTheMovedOne) {
  const Proto inner = Proto()
                          .Add(1, NodeWith({"w"}, "deep"))
                          .Add(11, Proto().Bytes(1, "w"));  // an input of its own
  const Proto nested =
      Proto().Add(1, NodeWith({"w"}, "o")).Add(1, Holding(inner)).Add(5, Large("w"));
  const Result<std::string> model = Rewrite(ModelOf(Proto().Add(1, Holding(nested))), kWeights);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_THAT(*model, HasSubstr(NodeWith({"trims.nested.0"}, "o").str()));
  EXPECT_THAT(*model, HasSubstr(NodeWith({"w"}, "deep").str()));
}

TEST(OrtFacts, NameAndFreeDimensions) {
  const Proto shape = Proto()
                          .Add(1, Proto().Bytes(2, "batch").Bytes(3, "DATA_BATCH"))
                          .Add(1, Proto().Int(1, 64))
                          .Add(1, Proto().Bytes(3, "ONLY_DENOTED"));
  const Proto type = Proto().Add(1, Proto().Int(1, 1).Add(2, shape));
  const Proto input = Proto().Bytes(1, "pixels").Add(2, type);
  const Result<OrtFacts> facts =
      ReadOrtFacts(StrictBytes(ModelOf(Proto().Bytes(2, "net").Add(11, input))));
  ASSERT_TRUE(facts.ok()) << facts.status().ToString();
  EXPECT_EQ(facts->graph_name, "net");
  EXPECT_THAT(facts->probe, HasSubstr(Proto().Bytes(2, "batch").Bytes(3, "DATA_BATCH").str()));
  EXPECT_THAT(facts->probe, HasSubstr("ONLY_DENOTED"));
  EXPECT_THAT(facts->probe, Not(HasSubstr("pixels")));
}

TEST(OrtFacts, ALongNameIsTakenAndAnAbsurdOneCostsTheVariant) {
  const auto facts = [](size_t bytes) {
    return ReadOrtFacts(StrictBytes(ModelOf(Proto().Bytes(2, std::string(bytes, 'n')))));
  };
  EXPECT_EQ(facts(10'000)->graph_name.size(), 10'000U);
  EXPECT_EQ(facts(100'000).status().code(), StatusCode::kUnimplemented);
}

TEST(OrtFacts, TooManyDimensionsAreRefused) {
  Proto shape;
  for (int i = 0; i < 5000; ++i) shape.Add(1, Proto().Bytes(2, "d" + std::to_string(i)));
  const Proto input = Proto().Add(2, Proto().Add(1, Proto().Add(2, shape)));
  EXPECT_EQ(ReadOrtFacts(StrictBytes(ModelOf(Proto().Add(11, input)))).status().code(),
            StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace trims
