// What ONNX Runtime 1.32 makes of odd models, each tried with it: where it loads one, so does TrIMS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "format/model_bytes.h"
#include "format/onnx.h"
#include "support/strict_bytes.h"

namespace trims {
namespace {

using test::ExternalData;
using test::OnnxModelBytes;
using test::OnnxTensorProto;
using test::Proto;
using test::Raw;
using test::StrictBytes;
using ::testing::HasSubstr;

constexpr int kFloatType = 1, kInt32Type = 6, kBoolType = 9;

Result<OnnxModel> ReadOdd(const std::string& file) { return ReadOnnx(StrictBytes(file)); }

OnnxModel Sound(const std::string& file) {
  Result<OnnxModel> model = ReadOdd(file);
  EXPECT_TRUE(model.ok()) << model.status().ToString();
  if (!model.ok()) return {};
  EXPECT_TRUE(model->doubt.ok()) << model->doubt.ToString();
  return *std::move(model);
}

std::string BytesOf(const std::string& file, const OnnxTensor& tensor) {
  if (tensor.storage == OnnxTensor::Storage::kRaw)
    return file.substr(tensor.entry.offset, tensor.entry.length);
  std::string out;
  EXPECT_TRUE(DecodeTyped(StrictBytes(file), tensor, [&](std::span<const std::byte> chunk) {
                out.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
                return Status();
              }).ok());
  return out;
}

Proto OneFloat(const char* name, const char* bytes) {
  return OnnxTensorProto(name, kFloatType, {1}).Bytes(9, bytes);
}

Proto Constant(const char* output, const Proto& tensor) {
  const Proto value = Proto().Bytes(1, "value").Add(5, tensor);
  return Proto().Bytes(2, output).Bytes(4, "Constant").Add(5, value);
}

Proto WithExternal(const std::vector<std::pair<const char*, const char*>>& entries) {
  Proto tensor = OnnxTensorProto("w", kFloatType, {2});
  for (const auto& [key, value] : entries) tensor.Add(13, Proto().Bytes(1, key).Bytes(2, value));
  return tensor.Int(14, 1);
}

TEST(OnnxTolerance, OfANameThatComesTwiceTheLastCounts) {
  const std::string file =
      OnnxModelBytes({OneFloat("w", "abcd"), OneFloat("v", "1234"), OneFloat("w", "efgh")});
  const OnnxModel model = Sound(file);
  ASSERT_EQ(model.initializers.size(), 2u);
  EXPECT_EQ(model.initializers[0].entry.name, "v");
  EXPECT_EQ(BytesOf(file, model.initializers[1]), "efgh");
}

TEST(OnnxTolerance, AConstantCountsMoreThanAnInitializerOfItsName) {
  const Proto graph =
      Proto().Add(1, Constant("w", OneFloat("q", "node"))).Add(5, OneFloat("w", "init"));
  const std::string file = Proto().Add(7, graph).str();
  const OnnxModel model = Sound(file);
  ASSERT_EQ(model.initializers.size(), 1u);
  EXPECT_EQ(BytesOf(file, model.initializers[0]), "node");
}

TEST(OnnxTolerance, AConstantOfAnotherKindLeavesNoOldValueBehind) {
  const Proto floats = Proto().Bytes(1, "value_floats").Bytes(7, "node");
  const Proto node = Proto().Bytes(2, "w").Bytes(4, "Constant").Add(5, floats);
  const OnnxModel model =
      Sound(Proto().Add(7, Proto().Add(1, node).Add(5, OneFloat("w", "init"))).str());
  EXPECT_TRUE(model.initializers.empty());
  EXPECT_EQ(model.left_out.at("given as an attribute").names, " 'w'");
}

TEST(OnnxTolerance, TheFirstAttributeOfAConstantIsItsValue) {
  const Proto first = Proto().Bytes(1, "any").Add(5, OneFloat("", "1st_"));
  const Proto second = Proto().Bytes(1, "value").Add(5, OneFloat("", "2nd_"));
  const Proto node = Proto().Bytes(2, "w").Bytes(4, "Constant").Add(5, first).Add(5, second);
  const std::string file = Proto().Add(7, Proto().Add(1, node)).str();
  EXPECT_EQ(BytesOf(file, Sound(file).initializers.at(0)), "1st_");
}

TEST(OnnxTolerance, WhatIsBrokenAndShadowedIsNotLookedAt) {
  const Proto broken = OnnxTensorProto("w", kFloatType, {9}).Bytes(9, "ab");
  const OnnxModel model = Sound(OnnxModelBytes({broken, OneFloat("w", "abcd")}));
  EXPECT_EQ(model.initializers.size(), 1u);
  EXPECT_TRUE(model.left_out.empty());
}

TEST(OnnxTolerance, ExternalDataMayLeaveItsLengthOut) {
  for (const char* length : {"0", "8", "absent"}) {
    auto entries = std::vector<std::pair<const char*, const char*>>{
        {"location", ".//w.bin"}, {"offset", "4"}, {"offset", "16"}, {"checksum", "x"}};
    if (length != std::string("absent")) entries.push_back({"length", length});
    const OnnxModel model = Sound(OnnxModelBytes({WithExternal(entries)}));
    ASSERT_EQ(model.initializers.size(), 1u) << length;
    const OnnxTensor& tensor = model.initializers[0];
    EXPECT_EQ(tensor.location, ".//w.bin");
    EXPECT_EQ(tensor.entry.offset, 16u) << "the last of two";
    EXPECT_EQ(tensor.entry.length, 8u);
  }
}

TEST(OnnxTolerance, OfSeveralPlacesExternalGoesBeforeRawBeforeTyped) {
  const Proto typed = OnnxTensorProto("w", kFloatType, {1}).Bytes(4, "typd").Int(7, 1);
  const std::string raw = OnnxModelBytes({Proto(typed).Bytes(9, "1raw").Bytes(9, "2raw")});
  EXPECT_EQ(BytesOf(raw, Sound(raw).initializers.at(0)), "2raw");
  const std::string only = OnnxModelBytes({typed});
  EXPECT_EQ(BytesOf(only, Sound(only).initializers.at(0)), "typd");
  const Proto external = ExternalData(Proto(typed).Bytes(9, "1raw"), "w.bin", "0", "4");
  EXPECT_EQ(Sound(OnnxModelBytes({external})).external_files, std::set<std::string>{"w.bin"});
  const Proto inside = ExternalData(Proto(typed), "w.bin", "0", "4").Int(14, 0);
  EXPECT_TRUE(Sound(OnnxModelBytes({inside})).external_files.empty());
  const Proto two = ExternalData(Proto(inside), "v.bin", "0", "4").Int(14, 0);
  EXPECT_EQ(BytesOf(OnnxModelBytes({two}), Sound(OnnxModelBytes({two})).initializers.at(0)),
            "typd");
}

TEST(OnnxTolerance, AFieldOfAnotherWireTypeIsAnUnknownOne) {
  const std::string file =
      OnnxModelBytes({OnnxTensorProto("w", kFloatType, {1}).Int(4, 7).Bytes(4, "abcd")});
  EXPECT_EQ(BytesOf(file, Sound(file).initializers.at(0)), "abcd");
}

TEST(OnnxTolerance, TypedBooleansAreZeroOrOne) {
  const std::string file =
      OnnxModelBytes({OnnxTensorProto("b", kBoolType, {3}).Int(5, 2).Int(5, 256).Int(5, 0)});
  EXPECT_EQ(BytesOf(file, Sound(file).initializers.at(0)), std::string("\1\1\0", 3));
}

TEST(OnnxTolerance, PackedTypesComeFromRawDataAndFromIntegers) {
  constexpr std::pair<int, DType> kTypes[] = {{21, DType::kU4}, {22, DType::kI4}, {23, DType::kF4}};
  for (const auto& [type, dtype] : kTypes) {
    const std::string file =
        OnnxModelBytes({OnnxTensorProto("raw", type, {3}).Bytes(9, "\x21\x03"),
                        OnnxTensorProto("typed", type, {3}).Int(5, 0x21).Int(5, 0x03)});
    const OnnxModel model = Sound(file);
    ASSERT_EQ(model.initializers.size(), 2u) << type;
    EXPECT_EQ(model.initializers[0].entry.dtype, dtype);
    EXPECT_EQ(BytesOf(file, model.initializers[0]), "\x21\x03");
    EXPECT_EQ(BytesOf(file, model.initializers[1]), "\x21\x03");
  }
}

TEST(OnnxTolerance, SmallTypesHaveTheirNames) {
  constexpr std::pair<int, DType> kTypes[] = {{18, DType::kF8E4M3FNUZ},
                                              {20, DType::kF8E5M2FNUZ},
                                              {24, DType::kF8E8M0},
                                              {25, DType::kU2},
                                              {26, DType::kI2}};
  for (const auto& [type, dtype] : kTypes) {
    const uint64_t count = DTypeBits(dtype) == 2 ? 4 : 1;
    const OnnxModel model =
        Sound(OnnxModelBytes({OnnxTensorProto("w", type, {count}).Bytes(9, "x")}));
    ASSERT_EQ(model.initializers.size(), 1u) << type;
    EXPECT_EQ(model.initializers[0].entry.dtype, dtype);
  }
}

TEST(OnnxTolerance, WhatTensorsCantHaveIsLeftOutWithoutDoubt) {
  const Proto sparse = Proto().Add(1, OneFloat("s", "abcd"));
  const Proto long_name = OneFloat(std::string(5000, 'w').c_str(), "abcd");
  const Proto rank =
      OnnxTensorProto("r", kFloatType, std::vector<uint64_t>(33, 1)).Bytes(9, "abcd");
  Proto graph;
  graph.Add(5, OnnxTensorProto("z", kFloatType, {0, 1ull << 62}).Bytes(9, ""))
      .Add(5, rank)
      .Add(5, OneFloat("", "abcd"))
      .Add(5, long_name)
      .Add(5, OneFloat("s", "abcd"));
  const OnnxModel model = Sound(Proto().Add(7, graph.Add(15, sparse)).str());
  EXPECT_TRUE(model.initializers.empty());
  EXPECT_EQ(model.left_out.at("sparse").names, " 's'");
  EXPECT_EQ(model.left_out.at("of more than 32 dimensions").count, 1u);
  EXPECT_TRUE(model.left_out.contains("without a usable name"));
  EXPECT_EQ(model.left_out.at("without elements and of an absurd shape").names, " 'z'");
}

TEST(OnnxTolerance, NestedTensorsAreNotJudged) {
  const Proto bad = ExternalData(OnnxTensorProto("w", kFloatType, {1}), "../x", "0", "4");
  const Proto node = Proto().Add(5, Proto().Add(6, Proto().Add(5, bad)));
  EXPECT_FALSE(Sound(Proto().Add(7, Proto().Add(1, node)).str()).nested_external);
}

TEST(OnnxTolerance, ASecondGraphIsMergedAndGroupsAreSkipped) {
  const auto model_of = [](const char* bytes) {
    return Proto().Add(7, Proto().Add(5, OneFloat("w", bytes))).str();
  };
  const std::string group = Proto().Varint(250 << 3 | 3).Int(1, 5).Varint(250 << 3 | 4).str();
  const std::string file = model_of("abcd") + group + model_of("efgh");
  EXPECT_EQ(BytesOf(file, Sound(file).initializers.at(0)), "efgh");
  const std::string open = Proto().Varint(250 << 3 | 3).Int(1, 5).str();
  EXPECT_FALSE(ReadOdd(model_of("abcd") + open).ok());
  EXPECT_FALSE(ReadOdd(model_of("abcd") + std::string(500, '\x0b')).ok());
}

struct DoubtfulTensor {
  const char* name;
  Proto tensor;
  const char* says;
};

class OnnxDoubt : public ::testing::TestWithParam<DoubtfulTensor> {};

// ONNX Runtime refuses these, but only where something uses them.
TEST_P(OnnxDoubt, IsLeftOut) {
  Result<OnnxModel> model = ReadOdd(OnnxModelBytes({GetParam().tensor, OneFloat("good", "abcd")}));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->doubt.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(model->doubt.message(), HasSubstr(GetParam().says));
  ASSERT_EQ(model->initializers.size(), 1u);
  EXPECT_EQ(model->left_out.at("whose data can't be found").names, " 'w'");
}

Proto DoubtfulExternal(const char* location, const char* offset, const char* length) {
  return ExternalData(OnnxTensorProto("w", kFloatType, {2}), location, offset, length);
}

const DoubtfulTensor kDoubtful[] = {
    {"NegativeDim", OnnxTensorProto("w", kFloatType, {~0ull}).Bytes(9, ""), "dimension -1"},
    {"Overflow", OnnxTensorProto("w", kFloatType, {1ull << 40, 1ull << 40}).Bytes(9, ""),
     "overflows"},
    {"RawShort", OnnxTensorProto("w", kFloatType, {2}).Bytes(9, "abcd"), "4 bytes of raw data"},
    {"RawEmpty", OnnxTensorProto("w", kFloatType, {1}).Bytes(9, "").Bytes(4, "abcd"),
     "0 bytes of raw data"},
    {"NoData", OnnxTensorProto("w", kFloatType, {2}), "0 values"},
    {"NoType", OnnxTensorProto("w", 0, {1}).Bytes(9, "abcd"), "UNDEFINED"},
    {"OddType", OnnxTensorProto("w", 99, {1}).Bytes(9, "abcd"), "type 99"},
    {"TypedShort", OnnxTensorProto("w", kFloatType, {1ull << 40}).Bytes(4, Raw<float>({1})),
     "1 values"},
    {"TypedMany", OnnxTensorProto("w", kInt32Type, {1}).Int(5, 1).Int(5, 2), "2 values"},
    {"TypedOtherField", OnnxTensorProto("w", kFloatType, {1}).Int(7, 1), "0 values"},
    {"PackedShort", OnnxTensorProto("w", 22, {3}).Bytes(9, "x"), "1 bytes of raw data"},
    {"ExternalUp", DoubtfulExternal("../w.bin", "0", "8"), "within the model's folder"},
    {"ExternalAbsolute", DoubtfulExternal("/etc/passwd", "0", "8"), "within the model's folder"},
    {"ExternalMemory", DoubtfulExternal("*/_ORT_MEM_ADDR_/*", "0", "8"),
     "within the model's folder"},
    {"ExternalNoFile", DoubtfulExternal("", "0", "8"), "within the model's folder"},
    {"ExternalTwoFiles", WithExternal({{"location", "a"}, {"location", "b"}}), "two locations"},
    {"ExternalOffset", DoubtfulExternal("w", "-1", "8"), "offset"},
    {"ExternalOffsetHuge", DoubtfulExternal("w", "99999999999999999999", "8"), "offset"},
    {"ExternalLength", DoubtfulExternal("w", "0", "9"), "9 bytes"},
};

INSTANTIATE_TEST_SUITE_P(Tensors, OnnxDoubt, ::testing::ValuesIn(kDoubtful),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace trims
