// Which nodes become others, on messages made by hand; python/tests/test_steady.py has the answers.
#include "prepare/steady_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "format/model_bytes.h"
#include "format/onnx.h"
#include "prepare/graph_constants.h"
#include "prepare/onnx_node.h"
#include "prepare/recurrent_packing.h"
#include "support/strict_bytes.h"

namespace trims {
namespace {

using test::OnnxTensorProto;
using test::Proto;
using test::Raw;
using test::StrictBytes;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kFloatType = 1, kUint8Type = 2;
constexpr SteadyOptions kAll{.min_bytes = 16, .blocked_convolutions = true, .vnni = true};

Proto NodeOf(const std::string& op, const std::string& domain,
             const std::vector<std::string>& inputs) {
  Proto node;
  for (const std::string& input : inputs) node.Bytes(1, input);
  return node.Bytes(2, "y").Bytes(4, op).Bytes(7, domain);
}

Proto Floats(const std::string& name, std::vector<uint64_t> shape) {
  uint64_t count = 1;
  for (const uint64_t extent : shape) count *= extent;
  return OnnxTensorProto(name, kFloatType, shape).Bytes(9, Raw(std::vector<float>(count, 1)));
}

Proto Bytes(const std::string& name, std::vector<uint64_t> shape, size_t count) {
  return OnnxTensorProto(name, kUint8Type, shape).Bytes(9, std::string(count, '\x05'));
}

std::string ModelOf(const Proto& graph, uint64_t opset = 17) {
  return Proto().Int(1, 8).Add(7, graph).Add(8, Proto().Int(2, opset)).str();
}

std::optional<std::string> Steady(const std::string& model, SteadyOptions options = kAll) {
  const Result<std::optional<std::string>> made = MakeSteady(StrictBytes(model), options);
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return made.ok() ? *made : std::nullopt;
}

Proto Gemm() { return NodeOf("Gemm", "", {"x", "w"}); }

TEST(MakeSteady, AProductIsAConvolution) {
  const std::string model = ModelOf(Proto().Add(1, Gemm()).Add(5, Floats("w", {2, 4})));
  const std::optional<std::string> made = Steady(model);
  ASSERT_TRUE(made);
  EXPECT_THAT(*made, HasSubstr("Conv"));
  EXPECT_THAT(*made, Not(HasSubstr("Gemm")));
  EXPECT_TRUE(ReadOnnx(StrictBytes(*made)).ok());
}

TEST(MakeSteady, WhatItDoesNotTakeStays) {
  const Proto weight = Floats("w", {2, 4});
  const Proto sound = Proto().Add(1, Gemm()).Add(5, weight);
  EXPECT_EQ(Steady(ModelOf(sound, 11)), std::nullopt);
  EXPECT_EQ(Steady(ModelOf(sound), {.min_bytes = 33, .blocked_convolutions = true}), std::nullopt);
  EXPECT_EQ(Steady(ModelOf(sound), {.min_bytes = 16, .vnni = true}), std::nullopt);
  const Proto overridable = Proto(sound).Add(11, Proto().Bytes(1, "w"));
  EXPECT_EQ(Steady(ModelOf(overridable)), std::nullopt);
  const Proto four_bits = Proto(sound).Add(1, NodeOf("MatMulNBits", "com.microsoft", {"x"}));
  EXPECT_EQ(Steady(ModelOf(four_bits)), std::nullopt);
  const Proto other = Proto().Add(1, NodeOf("Gemm", "my.own", {"x", "w"})).Add(5, weight);
  EXPECT_EQ(Steady(ModelOf(other)), std::nullopt);
  const Proto computed = Proto().Add(1, NodeOf("Gemm", "", {"x", "v"})).Add(5, weight);
  EXPECT_EQ(Steady(ModelOf(computed)), std::nullopt);
}

TEST(MakeSteady, BytesWithoutASignGetOne) {
  const Proto node = NodeOf("DynamicQuantizeMatMul", "com.microsoft", {"x", "w", "s"});
  const std::optional<std::string> made =
      Steady(ModelOf(Proto().Add(1, node).Add(5, Bytes("w", {4, 8}, 32)).Add(5, Floats("s", {}))));
  ASSERT_TRUE(made);
  EXPECT_THAT(*made, HasSubstr(std::string(32, '\x85')));
}

TEST(MakeSteady, NewNamesAreNobodyElses) {
  const std::string model =
      ModelOf(Proto().Bytes(2, "trims.steady.").Add(1, Gemm()).Add(5, Floats("w", {2, 4})));
  EXPECT_THAT(*Steady(model), HasSubstr("trims.steady..0"));
}

TEST(MakeSteady, NoCutMessageIsTakenForWhole) {
  const std::string model = ModelOf(Proto().Add(1, Gemm()).Add(5, Floats("w", {2, 4})));
  for (size_t length = 3; length < model.size(); ++length) {
    const Result<std::optional<std::string>> made =
        MakeSteady(StrictBytes(model.substr(0, length)), kAll);
    EXPECT_FALSE(made.ok() && made->has_value()) << length;
  }
}

Proto Lstm() { return NodeOf("DynamicQuantizeLSTM", "com.microsoft", {"x", "w", "r"}); }

TEST(PackOnlyRecurrent, TheOthersComeOutOfAReshape) {
  const std::string model =
      ModelOf(Proto().Add(1, Lstm()).Add(5, Bytes("w", {4, 8}, 32)).Add(5, Bytes("r", {4, 8}, 32)));
  const Result<std::optional<std::string>> made = PackOnlyRecurrent(StrictBytes(model), 16);
  ASSERT_TRUE(made.ok() && made->has_value()) << made.status().ToString();
  const StrictBytes bytes(**made);
  const Result<GraphConstants> constants = GraphConstants::Of(bytes);
  ASSERT_TRUE(constants.ok());
  EXPECT_NE(constants->Find("r"), nullptr);
  EXPECT_EQ(constants->Find("w"), nullptr);
  ASSERT_NE(constants->Find("trims.steady.0"), nullptr);
  EXPECT_EQ(constants->Find("trims.steady.0")->entry.shape, (std::vector<uint64_t>{1, 4, 8}));
}

TEST(PackOnlyRecurrent, WhatNoNodePacksStaysAConstant) {
  const Proto lstm = NodeOf("DynamicQuantizeLSTM", "com.microsoft", {"x", "w", "r", "bias"});
  const Proto convolution = NodeOf("ConvInteger", "", {"x", "c"});
  const Proto graph = Proto().Add(1, lstm).Add(1, convolution).Add(5, Bytes("w", {4, 8}, 32));
  const Proto more = Proto(graph)
                         .Add(5, Bytes("r", {4, 8}, 32))
                         .Add(5, Bytes("bias", {4, 8}, 32))
                         .Add(5, Bytes("c", {4, 8}, 32));
  const auto constants_of = [](const Proto& whole) {
    const Result<std::optional<std::string>> made =
        PackOnlyRecurrent(StrictBytes(ModelOf(whole)), 16);
    EXPECT_TRUE(made.ok() && made->has_value());
    const StrictBytes bytes(**made);
    const Result<GraphConstants> constants = GraphConstants::Of(bytes);
    std::string names;
    for (const char* name : {"w", "bias", "c"}) names += constants->Find(name) ? name : "-";
    return names;
  };
  EXPECT_EQ(constants_of(more), "-biasc");
  const Proto both = Proto(more).Add(1, NodeOf("MatMulInteger", "", {"x", "c"}));
  EXPECT_EQ(constants_of(both), "-bias-");
  const Proto nested =
      Proto().Bytes(4, "If").Add(5, Proto().Bytes(1, "then_branch").Add(6, Proto()));
  EXPECT_EQ(constants_of(Proto(more).Add(1, nested)), "---");
}

TEST(PackOnlyRecurrent, WithoutOneNothingChanges) {
  const std::string model = ModelOf(Proto().Add(1, Gemm()).Add(5, Floats("w", {2, 4})));
  const Result<std::optional<std::string>> made = PackOnlyRecurrent(StrictBytes(model), 16);
  EXPECT_TRUE(made.ok() && !made->has_value());
  const std::string computed = ModelOf(Proto().Add(1, Lstm()).Add(5, Bytes("w", {4, 8}, 32)));
  const Result<std::optional<std::string>> of_none = PackOnlyRecurrent(StrictBytes(computed), 16);
  EXPECT_TRUE(of_none.ok() && !of_none->has_value());
}

TEST(SteadyOptions, AreWhatTheProcessorHas) {
  const SteadyOptions modern = SteadyOptions::Of("x86-64,avx,avx2,fma,avx512f,avx512vnni", 1);
  EXPECT_TRUE(modern.blocked_convolutions && modern.vnni);
  const SteadyOptions older = SteadyOptions::Of("x86-64,avx,avx2,fma", 1);
  EXPECT_TRUE(older.blocked_convolutions && !older.vnni);
  EXPECT_FALSE(SteadyOptions::Of("aarch64,fp16", 1).blocked_convolutions);
}

TEST(OnnxNode, IsReadAsItWasWritten) {
  const OnnxNode node{.op = "Op",
                      .domain = "d",
                      .name = "n",
                      .inputs = {"a", "", "b"},
                      .outputs = {"y"},
                      .ints = {{"i", -3}},
                      .floats = {{"f", 0.5f}},
                      .strings = {{"s", "text"}},
                      .int_lists = {{"l", {1, 2}}}};
  const StrictBytes bytes(node.ToMessage());
  ProtobufWindow window(bytes);
  const Result<OnnxNode> read = ReadOnnxNode(window, {0, bytes.size()});
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->inputs, node.inputs);
  EXPECT_EQ(read->Int("i", 0), -3);
  EXPECT_EQ(read->Float("f", 0), 0.5f);
  EXPECT_EQ(read->String("s"), "text");
  EXPECT_EQ(read->Int("none", 7), 7);
}

}  // namespace
}  // namespace trims
