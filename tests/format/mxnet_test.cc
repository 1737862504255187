#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "format/model_bytes.h"
#include "format/mxnet_params.h"
#include "format/mxnet_symbol.h"
#include "support/strict_bytes.h"

namespace trims {
namespace {

using test::MxnetArrayBytes;
using test::MxnetListBytes;
using test::MxnetVersion;
using test::Raw;
using test::StrictBytes;
using test::Strictness;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<MxnetParams> ReadList(const std::string& file) {
  return ReadMxnetParams(StrictBytes(file, Strictness::kOnce));
}

const std::string kTwoFloats = Raw<float>({1.0F, 2.0F});

class MxnetVersions : public ::testing::TestWithParam<MxnetVersion> {};

TEST_P(MxnetVersions, ArraysAreFoundWhereTheyLie) {
  const std::string first = MxnetArrayBytes(GetParam(), {2, 1}, 0, kTwoFloats);
  const std::string second = MxnetArrayBytes(GetParam(), {3}, 5, "abc");
  const std::string file = MxnetListBytes({first, second}, {"arg:w", "aux:m"});
  const Result<MxnetParams> model = ReadList(file);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->tensors.size(), 2u);
  const TensorEntry& w = model->tensors[0];
  EXPECT_EQ(w.name, "arg:w");
  EXPECT_EQ(w.dtype, DType::kF32);
  EXPECT_THAT(w.shape, ElementsAre(2, 1));
  EXPECT_EQ(file.substr(w.offset, w.length), kTwoFloats);
  const TensorEntry& m = model->tensors[1];
  EXPECT_EQ(m.name, "aux:m");
  EXPECT_EQ(m.dtype, DType::kI8);
  EXPECT_EQ(file.substr(m.offset, m.length), "abc");
}

TEST_P(MxnetVersions, EveryTruncationIsRefused) {
  const std::string file =
      MxnetListBytes({MxnetArrayBytes(GetParam(), {2}, 0, kTwoFloats)}, {"arg:w"});
  for (size_t length = 0; length < file.size(); ++length) {
    const Result<MxnetParams> model = ReadList(file.substr(0, length));
    ASSERT_FALSE(model.ok()) << length;
    EXPECT_EQ(model.status().code(), StatusCode::kDataLoss) << length << model.status().ToString();
  }
}

INSTANTIATE_TEST_SUITE_P(All, MxnetVersions,
                         ::testing::Values(MxnetVersion::kNone, MxnetVersion::kV1,
                                           MxnetVersion::kV2, MxnetVersion::kV3));

TEST(MxnetParams, ElementTypesAreMxnets) {
  constexpr DType kWanted[] = {DType::kF32, DType::kF64, DType::kF16,  DType::kU8,  DType::kI32,
                               DType::kI8,  DType::kI64, DType::kBool, DType::kI16, DType::kU16,
                               DType::kU32, DType::kU64, DType::kBF16};
  for (int32_t type = 0; type < 13; ++type) {
    const std::string bytes(DTypeSize(kWanted[type]), 'x');
    const auto model =
        ReadList(MxnetListBytes({MxnetArrayBytes(MxnetVersion::kV2, {1}, type, bytes)}, {"a"}));
    ASSERT_TRUE(model.ok()) << model.status().ToString();
    EXPECT_EQ(model->tensors[0].dtype, kWanted[type]) << type;
    EXPECT_EQ(model->tensors[0].length, bytes.size());
  }
}

TEST(MxnetParams, AListWithoutNamesIsNumbered) {
  const std::string array = MxnetArrayBytes(MxnetVersion::kV2, {2}, 0, kTwoFloats);
  const Result<MxnetParams> model = ReadList(MxnetListBytes({array, array}, {}));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->tensors[0].name, "0");
  EXPECT_EQ(model->tensors[1].name, "1");
}

TEST(MxnetParams, OfANameThatComesTwiceTheLastCounts) {
  const std::string file = MxnetListBytes({MxnetArrayBytes(MxnetVersion::kV2, {1}, 5, "a"),
                                           MxnetArrayBytes(MxnetVersion::kV2, {1}, 5, "b")},
                                          {"x", "x"});
  const Result<MxnetParams> model = ReadList(file);
  ASSERT_TRUE(model.ok());
  ASSERT_EQ(model->tensors.size(), 1u);
  EXPECT_EQ(file[model->tensors[0].offset], 'b');
}

TEST(MxnetParams, AScalarIsNumPysAndNoDimensionsWereNoValueBefore) {
  const std::string scalar = MxnetArrayBytes(MxnetVersion::kV3, {}, 0, kTwoFloats.substr(0, 4));
  const std::string nothing = Raw<uint32_t>({0xF993FAC9, 0, 0});
  const std::string unknown = Raw<uint32_t>({0xF993FACA, 0, 0xFFFFFFFF});
  const std::string oldest = Raw<uint32_t>({0});
  const auto model =
      ReadList(MxnetListBytes({scalar, nothing, unknown, oldest}, {"s", "n", "u", "o"}));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->tensors.size(), 1u);
  EXPECT_EQ(model->tensors[0].length, 4u);
  EXPECT_EQ(model->left_out.at("without a value").count, 3u);
}

constexpr uint32_t kOnes = 0xFFFFFFFF;  // two of them: -1

TEST(MxnetParams, OfNumPysShapesADimensionMayBeUnknown) {
  const std::string unknown = Raw<uint32_t>({0xF993FACA, 0, 2, 3, 0, kOnes, kOnes});
  const std::string fine = MxnetArrayBytes(MxnetVersion::kV3, {1}, 5, "a");
  const auto model = ReadList(MxnetListBytes({unknown, fine}, {"u", "f"}));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->tensors.size(), 1u);
  EXPECT_EQ(model->tensors[0].name, "f") << "nothing follows an unknown shape";
  EXPECT_EQ(model->left_out.at("without a value").count, 1u);
}

TEST(MxnetParams, NamesThatNoIndexCanHaveAreLeftOut) {
  const std::string array = MxnetArrayBytes(MxnetVersion::kV2, {1}, 5, "a");
  const auto model =
      ReadList(MxnetListBytes({array, array, array}, {std::string(100'000, 'n'), "", "fine"}));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->tensors.size(), 1u);
  EXPECT_EQ(model->tensors[0].name, "fine");
  EXPECT_EQ(model->left_out.at("without a usable name").count, 2u);
}

TEST(MxnetParams, WhatStandsAfterTheListIsIgnored) {
  const std::string array = MxnetArrayBytes(MxnetVersion::kV2, {1}, 5, "a");
  EXPECT_TRUE(ReadList(MxnetListBytes({array}, {"x"}) + "more").ok());
}

struct BadList {
  const char* name;
  std::string file;
  const char* says;
  StatusCode code = StatusCode::kInvalidArgument;
};

class BadMxnetParams : public ::testing::TestWithParam<BadList> {};

TEST_P(BadMxnetParams, IsRefused) {
  const Result<MxnetParams> model = ReadList(GetParam().file);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.status().code(), GetParam().code) << model.status().ToString();
  EXPECT_THAT(model.status().message(), HasSubstr(GetParam().says));
}

std::string OfHead(const std::vector<uint32_t>& words) {
  return MxnetListBytes({Raw(words) + std::string(64, '\0')}, {"x"});
}

std::string OfCounts(uint64_t arrays) {
  return Raw<uint64_t>({0x112, 0, arrays}) + std::string(16, '\0');
}

const BadList kBadLists[] = {
    {"Magic", Raw<uint64_t>({0x113, 0, 0, 0}), "not a list of arrays"},
    {"TvmMagic", Raw<uint64_t>({0xF7E58D4F05049CB7, 0, 0, 0}), "not a list of arrays"},
    {"CountAbsurd", OfCounts(UINT64_MAX), "expected at most 4000000"},
    {"CountOfAShortFile", OfCounts(1000), "truncated", StatusCode::kDataLoss},
    {"MarkOfAnArray", OfHead({0xF993FACB}), "dimensions: expected at most 32"},
    {"Rank", OfHead({0xF993FAC9, 0, 33}), "has 33 dimensions"},
    {"RowSparse", OfHead({0xF993FAC9, 1, 1}), "row_sparse", StatusCode::kUnimplemented},
    {"Csr", OfHead({0xF993FAC9, 2, 2}), "csr", StatusCode::kUnimplemented},
    {"Storage", OfHead({0xF993FAC9, 7}), "the storage type 7"},
    {"StorageUndefined", OfHead({0xF993FAC9, 0xFFFFFFFF}), "the storage type -1"},
    {"ElementType", OfHead({0xF993FAC9, 0, 1, 1, 0, 1, 0, 13}), "the element type 13"},
    {"DimensionNegative", OfHead({0xF993FACA, 0, 1, 0xFFFFFFFE, 0xFFFFFFFF}),
     "array 0 of 1 has a dimension of -2: expected at least -1 (not known)"},
    {"DimensionUnknownInV2", OfHead({0xF993FAC9, 0, 2, 3, 0, kOnes, kOnes}),
     "array 0 of 1 has a dimension of -1: expected at least 0"},
    {"DimensionUnknownInV1", OfHead({0xF993FAC8, 2, 3, 0, kOnes, kOnes}),
     "array 0 of 1 has a dimension of -1: expected at least 0"},
    // The first version's dimensions have 32 bits and no sign: this is a long one.
    {"DimensionOfTheFirstVersion", OfHead({1, kOnes, 1, 0, 0}), "truncated, expected 17179869180",
     StatusCode::kDataLoss},
    {"ShapeOverflows", OfHead({0xF993FAC9, 0, 2, 0, 0x40000000, 0, 0x40000000, 1, 0, 0}),
     "overflows"},
    {"ShapeBeyondTheFile", OfHead({0xF993FAC9, 0, 1, 0, 1, 1, 0, 0}), "truncated",
     StatusCode::kDataLoss},
    {"FewerNames",
     MxnetListBytes({MxnetArrayBytes(MxnetVersion::kV2, {1}, 5, "a"),
                     MxnetArrayBytes(MxnetVersion::kV2, {1}, 5, "b")},
                    {"x"}),
     "1 names for 2 arrays"},
    {"NameBeyondTheFile",
     Raw<uint64_t>({0x112, 0, 1}) + MxnetArrayBytes(MxnetVersion::kV2, {1}, 5, "a") +
         Raw<uint64_t>({1, uint64_t{1} << 60}),
     "bytes of a name", StatusCode::kDataLoss},
};

INSTANTIATE_TEST_SUITE_P(All, BadMxnetParams, ::testing::ValuesIn(kBadLists),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(MxnetParams, ItsMarkIsKnown) {
  EXPECT_TRUE(*HasMxnetMagic(StrictBytes(Raw<uint64_t>({0x112, 0}))));
  EXPECT_FALSE(*HasMxnetMagic(StrictBytes(Raw<uint64_t>({0x111, 0}))));
  EXPECT_FALSE(*HasMxnetMagic(StrictBytes("short")));
}

TEST(MxnetSymbol, VariablesAreNodesWithoutAnOperator) {
  const auto symbol = ReadMxnetSymbol(
      R"({"nodes":[{"op":"null","name":"data","inputs":[]},{"op":"null","name":"w","inputs":[]},)"
      R"({"op":"FullyConnected","name":"f","attrs":{"num_hidden":"3"},"inputs":[[0,0,0],[1,0]]}],)"
      R"("arg_nodes":[0,1],"node_row_ptr":[0,1,2,3],"heads":[[2,0,0]]})");
  ASSERT_TRUE(symbol.ok()) << symbol.status().ToString();
  EXPECT_EQ(symbol->nodes, 3u);
  EXPECT_THAT(symbol->variables, ElementsAre("data", "w"));
}

std::string OfParts(const std::string& nodes, const std::string& arguments,
                    const std::string& heads) {
  return R"({"nodes":[)" + nodes + R"(],"arg_nodes":[)" + arguments + R"(],"heads":[)" + heads +
         "]}";
}

const char kVariable[] = R"({"op":"null","name":"x","inputs":[]})";

// A node behind kVariable, with inputs and more members.
std::string Operator(const std::string& inputs, const std::string& more = "") {
  return R"({"op":"relu","name":"r","inputs":[)" + inputs + "]" + more + "}";
}

std::string OfOperator(const std::string& inputs, const std::string& more = "") {
  return OfParts(std::string(kVariable) + "," + Operator(inputs, more), "0", "[1,0,0]");
}

std::string WithSubgraph(const std::string& graph) {
  return OfOperator("[0,0,0]", R"(,"subgraphs":[)" + graph + "]");
}

TEST(MxnetSymbol, ControlDependenciesAndSubgraphsAreRead) {
  EXPECT_TRUE(ReadMxnetSymbol(OfOperator("[0,0,0]", R"(,"control_deps":[0])")).ok());
  const auto symbol = ReadMxnetSymbol(WithSubgraph(OfOperator("[0,0]")));
  ASSERT_TRUE(symbol.ok()) << symbol.status().ToString();
  EXPECT_EQ(symbol->nodes, 2u);
  EXPECT_THAT(symbol->variables, ElementsAre("x")) << "a subgraph's are no inputs of the network";
}

// Each graph takes four levels, and what is in its nodes two more.
TEST(MxnetSymbol, SixteenGraphsMayBeInOneAnother) {
  std::string graph = OfParts(kVariable, "0", "[0,0,0]");
  for (int i = 1; i < 16; ++i) graph = WithSubgraph(graph);
  EXPECT_TRUE(ReadMxnetSymbol(graph).ok());
  EXPECT_THAT(ReadMxnetSymbol(WithSubgraph(graph)).status().message(),
              HasSubstr("JSON nested deeper than the 64 levels allowed"));
}

TEST(MxnetSymbol, SixtyFourLevelsAreReadAndOneMoreIsRefused) {
  const auto nested = [](size_t levels) {
    std::string graph = OfParts(kVariable, "0", "[0,0,0]");
    graph.back() = ',';  // the graph itself is a level
    return graph + R"("attrs":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') +
           "}";
  };
  const auto symbol = ReadMxnetSymbol(nested(64));
  EXPECT_TRUE(symbol.ok()) << symbol.status().ToString();
  const Status deeper = ReadMxnetSymbol(nested(65)).status();
  EXPECT_EQ(deeper.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(deeper.message(), "JSON nested deeper than the 64 levels allowed");
}

TEST(MxnetSymbol, MoreThan64MebibytesAreRefusedUnread) {
  const Status status = ReadMxnetSymbol(std::string((size_t{64} << 20) + 1, ' ')).status();
  EXPECT_EQ(status.code(), StatusCode::kTooLarge);
  EXPECT_THAT(status.message(), HasSubstr("67108865 bytes: expected at most 67108864"));
}

struct BadText {
  const char* name;
  std::string text;
  const char* says;
};

class BadMxnetSymbol : public ::testing::TestWithParam<BadText> {};

TEST_P(BadMxnetSymbol, IsRefused) {
  const Result<MxnetSymbol> symbol = ReadMxnetSymbol(GetParam().text);
  ASSERT_FALSE(symbol.ok());
  EXPECT_EQ(symbol.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(symbol.status().message(), HasSubstr(GetParam().says));
}

const BadText kBadTexts[] = {
    {"Empty", "", "not valid JSON"},
    {"NoJson", "<html>", "not valid JSON"},
    {"Array", "[]", "expected an object"},
    {"NoNodes", "{}", "a member 'nodes'"},
    {"NodesNoArray", R"({"nodes":3})", "nodes: expected an array"},
    {"Deep", R"({"nodes":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}",
     "nested deeper"},
    {"NodeWithoutName", OfParts(R"({"op":"null","inputs":[]})", "", ""), "a member 'name'"},
    {"InputOfTheFirst", OfParts(Operator("[0,0,0]"), "", ""),
     "nodes[0].inputs[0][0]: expected an earlier node, and there is none, came 0"},
    {"InputMissing", OfOperator("[0,0,0],[2,0,0]"),
     "nodes[1].inputs[1][0]: expected an earlier node (0 to 0), came 2"},
    {"InputItself", OfOperator("[1,0,0]"),
     "nodes[1].inputs[0][0]: expected an earlier node (0 to 0), came 1"},
    {"InputLater",
     OfParts(std::string(kVariable) + "," + Operator("[2,0,0]") + "," + Operator("[1,0,0]"), "0",
             "[2,0,0]"),
     "nodes[1].inputs[0][0]: expected an earlier node (0 to 0), came 2"},
    {"ControlMissing", OfOperator("[0,0,0]", R"(,"control_deps":[0,9])"),
     "nodes[1].control_deps[1]: expected an earlier node (0 to 0), came 9"},
    {"ControlItself", OfOperator("[0,0,0]", R"(,"control_deps":[1])"),
     "nodes[1].control_deps[0]: expected an earlier node (0 to 0), came 1"},
    {"ControlNoArray", OfOperator("[0,0,0]", R"(,"control_deps":0)"), "expected an array"},
    {"SubgraphNoGraph", WithSubgraph("3"), "nodes[1].subgraphs[0]: expected an object"},
    {"SubgraphsNoArray", OfOperator("[0,0,0]", R"(,"subgraphs":{})"), "expected an array"},
    {"SubgraphInputMissing", WithSubgraph(OfOperator("[7,0,0]")),
     "nodes[1].subgraphs[0].nodes[1].inputs[0][0]: expected an earlier node (0 to 0), came 7"},
    {"SubgraphHeadMissing", WithSubgraph(OfParts(kVariable, "0", "[1,0,0]")),
     "nodes[1].subgraphs[0].heads[0][0]: expected a node (0 to 0), came 1"},
    {"SubgraphInASubgraph", WithSubgraph(WithSubgraph(OfParts(kVariable, "8", ""))),
     "nodes[1].subgraphs[0].nodes[1].subgraphs[0].arg_nodes[0]: expected a node (0 to 0), came 8"},
    {"InputNegative", OfOperator("[-1,0,0]"), "expected an integer"},
    {"InputShort", OfOperator("[0]"), "two or three numbers"},
    {"OutputNegative", OfOperator("[0,-1]"), "nodes[1].inputs[0][1]: expected an integer"},
    {"ArgumentOperator", OfParts(std::string(kVariable) + "," + Operator("[0,0,0]"), "0,1", ""),
     "arg_nodes[1]: expected a node without an operator, came 1"},
    {"ArgumentMissing", OfParts(kVariable, "7", "[0,0,0]"), "arg_nodes[0]"},
    {"HeadMissing", OfParts(kVariable, "0", "[1,0,0]"), "heads[0][0]"},
    {"HeadOfNothing", OfParts("", "", "[0,0,0]"),
     "heads[0][0]: expected a node, and there is none, came 0"},
};

INSTANTIATE_TEST_SUITE_P(All, BadMxnetSymbol, ::testing::ValuesIn(kBadTexts),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace trims
