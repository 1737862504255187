#include "format/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "format/model_bytes.h"
#include "support/strict_bytes.h"

namespace trims {
namespace {

using test::SafetensorsBytes;
using test::StrictBytes;
using test::Strictness;
using ::testing::HasSubstr;

Result<Safetensors> ReadModel(const std::string& file) {
  return ReadSafetensors(StrictBytes(file, Strictness::kOnce));
}

constexpr char kGood[] = R"({"__metadata__":{"format":"pt"},)"
                         R"("b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]},)"
                         R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                         R"("none":{"dtype":"I64","shape":[0,5],"data_offsets":[8,8]}})";

TEST(Safetensors, TensorsComeInTheOrderOfTheirBytes) {
  Result<Safetensors> model = ReadModel(SafetensorsBytes(kGood, std::string(14, 'x')));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  ASSERT_EQ(model->tensors.size(), 3u);
  EXPECT_EQ(model->tensors[0].name, "a");
  EXPECT_EQ(model->tensors[0].offset, 8 + sizeof(kGood) - 1);
  EXPECT_EQ(model->tensors[1].name, "none");
  EXPECT_EQ(model->tensors[1].length, 0u);
  EXPECT_EQ(model->tensors[2].dtype, DType::kF16);
  EXPECT_EQ(model->metadata.at("format"), "pt");
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string file = SafetensorsBytes(kGood, std::string(14, 'x'));
  for (size_t length = 0; length < file.size(); ++length) {
    Result<Safetensors> model = ReadModel(file.substr(0, length));
    ASSERT_FALSE(model.ok()) << length;
    EXPECT_EQ(model.status().code(), StatusCode::kDataLoss) << length << model.status().ToString();
  }
}

struct BadHeader {
  const char* name;
  const char* header;
  const char* says;
  StatusCode code = StatusCode::kInvalidArgument;
};

class BadSafetensors : public ::testing::TestWithParam<BadHeader> {};

TEST_P(BadSafetensors, IsRefused) {
  Result<Safetensors> model = ReadModel(SafetensorsBytes(GetParam().header, std::string(8, 'x')));
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.status().code(), GetParam().code) << model.status().ToString();
  EXPECT_THAT(model.status().message(), HasSubstr(GetParam().says));
}

const std::string kDeep = R"({"a":{"x":)" + std::string(200, '[') + std::string(200, ']') + "}}";

const BadHeader kBadHeaders[] = {
    {"Empty", "", "a '{' first"},
    {"Array", "[]", "a '{' first"},
    {"NotJson", "{\"a\"", "not valid JSON"},
    {"NoTensors", "{}", "expected the file's end"},
    {"FieldTwice", R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
     "twice"},
    {"FieldMissing", R"({"a":{"dtype":"F32","shape":[2]}})", "all three"},
    {"ShapeNegative", R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "-2"},
    {"ShapeFraction", R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", "2.5"},
    {"ShapeOverflow",
     R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", "overflows"},
    {"ShapeOther", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12 bytes"},
    {"Backwards", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "before it begins"},
    {"ThreeOffsets", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}})", "expected 2"},
    {"ThreeOffsetsReplaced",
     R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1,2]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
     "expected 2"},
    {"Hole", R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", "hole"},
    {"Overlap",
     R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
     "overlap"},
    {"Rest", R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "file's end"},
    {"Beyond", R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", "truncated",
     StatusCode::kDataLoss},
    {"MetadataNotStrings", R"({"__metadata__":{"a":1}})", "strings in __metadata__"},
    {"Mark", "\xef\xbb\xbf{}", "a '{' first"},
    {"MetadataTwice", R"({"__metadata__":null,"__metadata__":{}})", "comes twice"},
    {"FieldUnknownTooDeep", kDeep.c_str(), "too deep"},
    {"HalfAByte", R"({"a":{"dtype":"F4","shape":[15],"data_offsets":[0,8]}})", "whole byte"},
    {"ShapeOverflowBeforeZero",
     R"({"a":{"dtype":"U8","shape":[1099511627776,1099511627776,0],"data_offsets":[0,0]}})",
     "overflows"},
    {"Nested", R"({"a":{"dtype":{"x":1}}})", "dtype"},
};

INSTANTIATE_TEST_SUITE_P(Headers, BadSafetensors, ::testing::ValuesIn(kBadHeaders),
                         [](const auto& info) { return info.param.name; });

Safetensors Taken(const std::string& header) {
  Result<Safetensors> model = ReadModel(SafetensorsBytes(header, "12345678"));
  EXPECT_TRUE(model.ok()) << model.status().ToString();
  return model.ok() ? *std::move(model) : Safetensors();
}

// Each as safetensors 0.8.0 reads it.
TEST(Safetensors, WhatTheLibraryDoesNotMindIsTaken) {
  const std::string fields = R"("dtype":"U8","shape":[8],"data_offsets":[0,8])";
  for (const std::string& header :
       {" \n{\"a\":{" + fields + "}}\t ",
        "{\"a\":{" + fields + R"(,"x":[1,-2,{"y":null,"dtype":3}]}})",
        "{\"a\":{\"x\":{}," + fields + ",\"y\":\"\"}}",
        R"({"__metadata__":null,"a":{)" + fields + "}}",
        R"({"a":{"dtype":"F32","shape":[9],"data_offsets":[1,0]},"a":{)" + fields + "}}"}) {
    const Safetensors model = Taken(header);
    ASSERT_EQ(model.tensors.size(), 1u) << header;
    EXPECT_EQ(model.tensors[0].dtype, DType::kU8) << header;
    EXPECT_EQ(model.tensors[0].length, 8u) << header;
  }
}

TEST(Safetensors, OfAMetadataKeyThatComesTwiceTheLastCounts) {
  const Safetensors model = Taken(
      R"({"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})");
  EXPECT_EQ(model.metadata.at("k"), "2");
}

TEST(Safetensors, WhatAnIndexCantHaveIsLeftOut) {
  std::string rank;
  for (int i = 0; i < 33; ++i) rank += i == 0 ? "1" : ",1";
  const Safetensors model =
      Taken(R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},)"
            R"("":{"dtype":"U8","shape":[1],"data_offsets":[5,6]},)"
            R"("n\u0000":{"dtype":"U8","shape":[1],"data_offsets":[6,7]},)"
            R"("r":{"dtype":"U8","shape":[)" +
            rank +
            R"(],"data_offsets":[7,8]},)"
            R"("z":{"dtype":"U8","shape":[0,9223372036854775808],"data_offsets":[8,8]}})");
  ASSERT_EQ(model.tensors.size(), 1u);
  EXPECT_EQ(model.left_out.at("without a usable name").count, 2u);
  EXPECT_EQ(model.left_out.at("of too many dimensions").names, " 'r'");
  EXPECT_EQ(model.left_out.at("without elements and of an absurd shape").names, " 'z'");
}

TEST(Safetensors, TypesOfLessThanAByteEndWithAWholeOne) {
  const Safetensors model = Taken(R"({"f":{"dtype":"F4","shape":[2,2],"data_offsets":[0,2]},)"
                                  R"("g":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[2,5]},)"
                                  R"("h":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[5,8]}})");
  ASSERT_EQ(model.tensors.size(), 3u);
  EXPECT_EQ(model.tensors[0].dtype, DType::kF4);
  EXPECT_EQ(model.tensors[1].dtype, DType::kF6E2M3);
  EXPECT_EQ(model.tensors[2].dtype, DType::kF6E3M2);
}

TEST(Safetensors, ATypeThatNobodyKnowsIsPassedOnByName) {
  const Safetensors model = Taken(R"({"a":{"dtype":"F3_NEW","shape":[7],"data_offsets":[0,8]}})");
  ASSERT_EQ(model.tensors.size(), 1u);
  EXPECT_EQ(model.tensors[0].dtype, DType::kUnknown);
  EXPECT_EQ(model.tensors[0].type_name, "F3_NEW");
  EXPECT_EQ(model.tensors[0].length, 8u);
}

TEST(Safetensors, AHeaderThatClaimsToBeHugeIsRefusedUnread) {
  Result<Safetensors> model = ReadModel(test::Raw<uint64_t>({uint64_t{1} << 62}) + "{}");
  ASSERT_FALSE(model.ok());
  EXPECT_THAT(model.status().message(), HasSubstr("100000000"));
}

TEST(Safetensors, AHundredThousandTensorsAreFine) {
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i) {
    header += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) +
              R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" + std::to_string(i) + "," +
              std::to_string(i + 1) + "]}";
  }
  Result<Safetensors> model = ReadModel(SafetensorsBytes(header + "}", std::string(100'000, 'x')));
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->tensors.size(), 100'000u);
  EXPECT_EQ(model->tensors.back().name, "t99999");
}

}  // namespace
}  // namespace trims
