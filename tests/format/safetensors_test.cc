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

const BadHeader kBadHeaders[] = {
    {"Empty", "", "begins with '{'"},
    {"Array", "[]", "begins with '{'"},
    {"LeadingSpace", R"( {})", "begins with '{'"},
    {"NotJson", "{\"a\"", "not valid JSON"},
    {"NoTensors", "{}", "expected the file's end"},
    {"NameTwice",
     R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
     "comes twice"},
    {"FieldTwice", R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
     "twice"},
    {"FieldMissing", R"({"a":{"dtype":"F32","shape":[2]}})", "all three"},
    {"FieldUnknown", R"({"a":{"dtype":"F32","shape":[2],"strides":[1]}})", "strides"},
    {"NameEmpty", R"({"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "empty"},
    {"NameNul", R"({"a\u0000b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "NUL"},
    {"ShapeNegative", R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "-2"},
    {"ShapeFraction", R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", "2.5"},
    {"ShapeOverflow",
     R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", "overflows"},
    {"ShapeOverflowBesideZero",
     R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,2],"data_offsets":[0,0]}})",
     "overflows"},
    {"ShapeOther", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12 bytes"},
    {"Backwards", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "8 bytes"},
    {"ThreeOffsets", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}})", "expected 2"},
    {"Hole", R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", "hole"},
    {"Overlap",
     R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
     "overlap"},
    {"Rest", R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "file's end"},
    {"Beyond", R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", "truncated",
     StatusCode::kDataLoss},
    {"DtypeUnknown", R"({"a":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}})", "F4",
     StatusCode::kUnimplemented},
    {"MetadataNotStrings", R"({"__metadata__":{"a":1}})", "strings in __metadata__"},
    {"Nested", R"({"a":{"dtype":{"x":1}}})", "dtype"},
};

INSTANTIATE_TEST_SUITE_P(Headers, BadSafetensors, ::testing::ValuesIn(kBadHeaders),
                         [](const auto& info) { return info.param.name; });

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
